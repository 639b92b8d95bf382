"""`lifeboat check STACK`: a whole deployment that leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.state import Directory, process_identity
from tests.project import HEEDING_INTERRUPTS, link_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifeboat.sandbox.state import Record

_SMALL = """
import pulumi
from pulumi_aws import Provider, sns

options = pulumi.ResourceOptions(provider=Provider("aws", region="us-east-1"))
for at in range(30):
    sns.Topic(f"topic-{at}", opts=options)
"""
LIFEBOAT = (*HEEDING_INTERRUPTS, "check", "reskflow")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return link_project(tmp_path / "project")


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where the command's temporary files go; empty again afterwards."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    yield directory
    assert list(directory.iterdir()) == []


def _started(project: Path, temporary: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LIFEBOAT, *arguments],
        cwd=project,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _deploying(command: subprocess.Popen[str], temporary: Path) -> Record:
    """The throw-away local cloud, as soon as the first resources are in it."""
    assert command.stderr is not None
    assert any(line.split()[0] == "3" for line in command.stderr)
    (directory,) = temporary.iterdir()
    record = Directory(directory / ".sandbox").running()
    assert record is not None
    return record


def test_the_deployment_is_judged_and_gone(project: Path, temporary: Path) -> None:
    command = _started(project, temporary, "--json", "--output", "report.sarif", "--format", "sarif")
    record = _deploying(command, temporary)
    out, _ = command.communicate()
    document = json.loads(out)
    assert command.returncode == int(document["failed"])
    assert document["stack"] == "reskflow"
    assert document["resources"] > 300
    assert document["faults"] == []
    assert "undecided" not in {each["status"] for each in document["findings"]}, "a deployment knows every value"
    (run,) = json.loads((project / "report.sarif").read_text())["runs"]
    assert len(run["results"]) == len(document["findings"])
    assert process_identity(record.pid) is None
    assert not (project / ".sandbox").exists()


def _small(project: Path, more: str = "") -> None:
    """Have the project make a few topics and nothing else."""
    program = project / "__main__.py"
    program.unlink()
    program.write_text(f"{_SMALL}{more}")


def test_a_program_that_fails_leaves_nothing(project: Path, temporary: Path) -> None:
    _small(project, "raise RuntimeError('at the end')\n")
    command = _started(project, temporary)
    record = _deploying(command, temporary)
    out, err = command.communicate()
    assert (command.returncode, out) == (1, "")
    assert err.splitlines()[-1].startswith("lifeboat: program: RuntimeError: at the end")
    assert process_identity(record.pid) is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "cancelled"])
def test_an_interruption_leaves_nothing(project: Path, temporary: Path, number: signal.Signals, code: int) -> None:
    _small(project)
    command = _started(project, temporary)
    record = _deploying(command, temporary)
    command.send_signal(number)
    out, err = command.communicate()
    assert (command.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert process_identity(record.pid) is None
