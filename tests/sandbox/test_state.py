"""The `.sandbox/` directory and its record."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.state import (
    Directory,
    Gateway,
    Lock,
    NoProjectError,
    Record,
    locked,
    process_identity,
    project_root,
)

if TYPE_CHECKING:
    from pathlib import Path

RECORD = Record(
    pid=os.getpid(),
    identity=process_identity(os.getpid()) or "",
    port=40123,
    token="one-time",
    stack="reskflow",
    account="123456789012",
    home="us-east-1",
    started=1.5,
)


WRONG_KIND = json.dumps({**asdict(RECORD), "pid": str(RECORD.pid)})
"""All keys, and a pid that is text."""


def test_the_project_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lifeboat\n")
    below = tmp_path / "components" / "aws"
    below.mkdir(parents=True)
    assert project_root(below) == tmp_path.resolve()
    assert Directory.of_project(below).path == tmp_path.resolve() / ".sandbox"


def test_no_project_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match=r"no Pulumi\.yaml in .* or above it"):
        project_root(tmp_path)


def test_a_record_survives_the_round_trip_and_hides_its_token(tmp_path: Path) -> None:
    directory = Directory(tmp_path / ".sandbox")
    directory.create()
    directory.write_record(RECORD)
    assert directory.running() == RECORD
    assert directory.record_path.stat().st_mode & 0o777 == 0o600
    assert "one-time" not in repr(RECORD)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', WRONG_KIND])
def test_half_a_record_is_none(tmp_path: Path, text: str) -> None:
    directory = Directory(tmp_path / ".sandbox")
    directory.create()
    directory.record_path.write_text(text)
    assert directory.read_record() is None


def test_a_clean_keeps_only_logs_and_lock(tmp_path: Path) -> None:
    directory = Directory(tmp_path / ".sandbox")
    directory.create()
    directory.write_record(RECORD)
    (directory.backend / "deep").mkdir()
    directory.gateway_log.write_text("said\n")
    Lock(directory.lock_path).close()
    directory.clean()
    assert sorted(path.name for path in directory.path.iterdir()) == ["gateway.lock", "logs"]


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    directory = Directory(tmp_path / ".sandbox")
    directory.create()
    assert not locked(directory)
    holder = Lock(directory.lock_path)
    assert holder.acquire()
    assert locked(directory)
    holder.close()
    assert not locked(directory)


def test_a_lock_names_its_holder_while_it_lives(tmp_path: Path) -> None:
    directory = Directory(tmp_path / ".sandbox")
    directory.create()
    assert directory.holder() is None
    holder = Lock(directory.lock_path)
    assert holder.acquire()
    holder.sign(Gateway(pid=RECORD.pid, identity=RECORD.identity, stack="a name longer than the next"))
    holder.sign(Gateway(pid=RECORD.pid, identity=RECORD.identity, stack="reskflow"))
    assert directory.holder() == Gateway(pid=RECORD.pid, identity=RECORD.identity, stack="reskflow")
    assert directory.lock_path.stat().st_mode & 0o777 == 0o600
    holder.close()
    # Its text stays, and nobody is named by it any more.
    assert directory.lock_path.read_text()
    assert directory.holder() is None


def test_a_process_that_is_gone_has_no_identity() -> None:
    pid = os.posix_spawn("/bin/sh", ["/bin/sh", "-c", "exit 0"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    # A zombie still has its pid, and counts as gone.
    assert process_identity(pid) is None
    os.waitpid(pid, 0)
    assert process_identity(pid) is None
    assert process_identity(os.getpid()) == RECORD.identity
