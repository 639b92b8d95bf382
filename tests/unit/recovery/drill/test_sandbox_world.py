"""The living sandbox as a drill's world, as far as no sandbox has to live: commands are small programs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from lifeboat.recovery.drill import sandbox_world
from lifeboat.recovery.drill.sandbox_world import How, SandboxWorld
from lifeboat.recovery.drill.world import DrillError
from lifeboat.recovery.errors import JournalLost
from lifeboat.sandbox.environment import write_files
from lifeboat.sandbox.state import Directory, Record, process_identity
from tests.unit.recovery.drill.parts import HOME, physical

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMAND = """\
import pathlib, shutil, sys
words = sys.argv[1:]
with open("commands", "a") as file:
    print(*words[:2], file=file)
if words[:2] == ["sandbox", "up"] and pathlib.Path("ready.json").exists():
    shutil.copy("ready.json", ".sandbox/sandbox.json")
"""
STUBBORN = """\
import os, signal, sys
def heard(*_):
    open("heard", "w").close()
    if {ends}:
        sys.exit(1)
signal.signal(signal.SIGINT, heard)
print("ready", os.getpid(), file=sys.stderr, flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose commands are a small program."""
    (tmp_path / "Pulumi.yaml").write_text("name: lifeboat\nruntime: python\n")
    Directory.of_project(tmp_path).create()
    program(tmp_path, monkeypatch, COMMAND)
    return tmp_path


def program(root: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (root / "command.py").write_text(text)
    monkeypatch.setattr(sandbox_world, "_COMMAND", (sys.executable, str(root / "command.py")))


def world(root: Path, tell: Callable[[str], None] = lambda _: None, *, keep: bool = False) -> SandboxWorld:
    return SandboxWorld(How(stack="reskflow", root=root, seed=0, scale=10, keep=keep), physical(), tell)


def comes_up(root: Path) -> None:
    """Have `sandbox up` leave the record of a process that lives, and answers nothing."""
    record = Record(
        pid=os.getpid(),
        identity=process_identity(os.getpid()) or "",
        stack="reskflow",
        port=1,
        token="token",
        account="123456789012",
        home=HOME,
        started=0.0,
    )
    (root / "ready.json").write_text(record.dump())
    write_files(Directory.of_project(root), record)


def commands(root: Path) -> list[str]:
    return (root / "commands").read_text().splitlines()


@pytest.mark.parametrize("keep", [False, True])
def test_a_sandbox_that_came_up_by_half_is_removed(root: Path, *, keep: bool) -> None:
    comes_up(root)
    stage = world(root, keep=keep)
    with pytest.raises(DrillError, match="refused"):
        stage.start()
    stage.stop()
    assert commands(root) == ["sandbox up", "sandbox down"]


def test_a_sandbox_that_did_not_come_up_is_removed(root: Path) -> None:
    stage = world(root)
    with pytest.raises(DrillError, match="does not come up"):
        stage.start()
    stage.stop()
    assert commands(root) == ["sandbox up", "sandbox down"]


def test_somebody_elses_sandbox_is_left_alone(root: Path) -> None:
    comes_up(root)
    (root / "ready.json").rename(Directory.of_project(root).record_path)
    stage = world(root)
    with pytest.raises(DrillError, match="a sandbox runs here"):
        stage.start()
    stage.stop()
    assert not (root / "commands").exists()


def test_a_whole_one_is_kept_where_that_is_wanted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comes_up(root)
    monkeypatch.setattr(sandbox_world.supervisor, "control", lambda *_, **__: {"names": []})
    stage = world(root, keep=True)
    stage.start()
    stage.stop()
    assert commands(root) == ["sandbox up"]


def test_a_journal_that_does_not_answer_is_not_an_empty_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def runs(self) -> list[str]:
            raise JournalLost("journal: no answer from us-west-2")

    comes_up(root)
    monkeypatch.setattr(sandbox_world.supervisor, "control", lambda *_, **__: {"names": []})
    monkeypatch.setattr(sandbox_world, "store_of", lambda *_: Silent())
    stage = world(root)
    stage.start()
    with pytest.raises(DrillError, match="the journal cannot be read: journal: no answer from us-west-2"):
        stage.entries()


@pytest.mark.parametrize("ends", [True, False])
def test_an_interrupted_drill_ends_its_command(root: Path, monkeypatch: pytest.MonkeyPatch, *, ends: bool) -> None:
    program(root, monkeypatch, STUBBORN.format(ends=ends))
    monkeypatch.setattr(sandbox_world, "_LAST_WORDS", 60.0 if ends else 0.5)
    begun: list[int] = []

    def interrupts(line: str) -> None:
        begun.append(int(line.split()[1]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world(root, interrupts).command("failover", "reskflow")
    assert (root / "heard").exists()
    assert process_identity(begun[0]) is None
