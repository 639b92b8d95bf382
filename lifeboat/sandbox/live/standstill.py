"""A server with all of its processes: killed as by a crash, frozen, thawed. PostgreSQL's lead sessions of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.live.processes import Server
from lifeboat.sandbox.state import SandboxError
from lifeboat.sandbox.waiting import comes_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lifeboat.sandbox.live.processes import Processes

_CORPSE: Final = "ZX"
_STILL: Final = f"Tt{_CORPSE}"
"""Process states: stopped, traced, a corpse."""
_DEADLINE: Final = 10.0


def processes_of(processes: Processes, name: str) -> list[int]:
    """A server's processes, its first one first; empty when it does not run."""
    first = processes.pid(name)
    if first is None:
        return []
    everyone = [int(status.parent.name) for status in Path("/proc").glob("[0-9]*/stat")]
    return [first, *(pid for pid in everyone if (_status(pid) or ("", 0))[1] == first)]


def kill(processes: Processes, name: str) -> None:
    """End a server's processes as a crash would; nothing happens when it does not run.

    When this returns all of them are gone: a server cannot start while one of an earlier life has its shared memory.

    Raises:
        SandboxError: when one does not end.
    """
    first = processes.pid(name)
    if first is None:
        return
    # Stopped first, it starts no process that the list has not.
    _send([first], signal.SIGSTOP)
    _await(lambda: stands_still(first), f"{name} does not stop")
    everyone = processes_of(processes, name)
    _send(everyone, signal.SIGKILL)
    _await(lambda: all(_gone(pid) for pid in everyone), f"{name} does not end")


def freeze(processes: Processes, name: str) -> None:
    """Stop a server's processes in their tracks; `thaw` lets them go on, and so does the end of the gateway.

    Nothing happens when they stand still already.

    Raises:
        SandboxError: when it does not run.
    """
    if is_frozen(processes, name):
        return
    frozen = processes_of(processes, name)
    if not frozen:
        raise SandboxError(f"{name} does not run, and so cannot be frozen")
    processes.start(
        Server(
            name=_freezer(name),
            argv=[sys.executable, "-m", "lifeboat.sandbox.live.freezer", *map(str, frozen)],
            cwd=Path.cwd(),
            # Politely, so that it lets them go on.
            last_signal=signal.SIGTERM,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    )
    try:
        _await(lambda: all(stands_still(pid) for pid in frozen), f"{name} is not frozen")
    except SandboxError as fault:
        raise SandboxError(f"{fault}: {processes.last_line(_freezer(name))}") from fault


def is_frozen(processes: Processes, name: str) -> bool:
    """Whether `freeze` holds a server."""
    return processes.pid(_freezer(name)) is not None


def thaw(processes: Processes, name: str) -> None:
    """Let a server go on; nothing happens when it is not frozen."""
    processes.stop(_freezer(name))


def _freezer(name: str) -> str:
    return f"{name}-freezer"


def stands_still(pid: int) -> bool:
    """Whether a process is stopped, or gone."""
    status = _status(pid)
    return status is None or status[0] in _STILL


def _gone(pid: int) -> bool:
    status = _status(pid)
    return status is None or status[0] in _CORPSE


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _await(condition: Callable[[], bool], otherwise: str) -> None:
    if not comes_true(condition, _DEADLINE):
        raise SandboxError(f"{otherwise} within {_DEADLINE:g} s")


def _status(pid: int) -> tuple[str, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The program's name, in brackets, may contain anything.
    state, parent, *_ = text.rpartition(")")[2].split()
    return state, int(parent)
