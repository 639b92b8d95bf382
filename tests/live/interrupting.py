"""`sandbox up` as a command of its own, which is interrupted while it runs."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from lifeboat.sandbox.live.processes import servers_live
from lifeboat.sandbox.state import locked
from tests.live.living import processes_in
from tests.project import HEEDING_INTERRUPTS

if TYPE_CHECKING:
    from tests.live.living import Sandbox

UP = ("sandbox", "up", "reskflow", "--time-scale", "instant")


def started(sandbox: Sandbox, *options: str) -> subprocess.Popen[str]:
    """``up`` with more options, on its way."""
    return subprocess.Popen(
        [*HEEDING_INTERRUPTS, *UP, *options],
        cwd=sandbox.project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupted(command: subprocess.Popen[str]) -> list[str]:
    """What it says from Ctrl-C to its end."""
    command.send_signal(signal.SIGINT)
    out, err = command.communicate()
    assert (command.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    return err.splitlines()


def await_line(command: subprocess.Popen[str], beginning: str) -> None:
    """Wait until it says a line that begins so."""
    assert command.stderr is not None
    lines: list[str] = []
    for line in command.stderr:
        lines.append(line.strip())
        if lines[-1].startswith(beginning):
            return
    raise AssertionError(f"it ended without {beginning!r}: {lines[-5:]}")


def nothing_runs(sandbox: Sandbox) -> bool:
    """Whether no process of a sandbox is left."""
    path = sandbox.directory.path
    return not locked(sandbox.directory) and not servers_live(path) and not processes_in(path)
