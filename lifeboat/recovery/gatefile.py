"""The gate over a site's writes as a file: what its warden writes, and what everything that takes writes reads.

``{"open": true, "epoch": 3, "reason": "", "until": 81234.5, "boot": "…", "fenced": false}``. `until` is in seconds of
this machine's monotonic clock: the gate shuts by itself when it has passed, so that a warden which froze, or lost the
lease and its processor in the same moment, opens nothing. That clock starts anew with the machine, so a file of another
boot is shut.

`fenced` says that the site fenced itself in that epoch; its warden reads it when it starts again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import tempfile
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

NO_EPOCH: Final = 0
"""The epoch of a gate that nobody ever opened; those of a lease count from 1."""
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class GateState:
    """What a gate says.

    Attributes:
        open: Whether writes may pass.
        epoch: The lease's epoch that holds, or held last.
        reason: Why it is shut; empty while it is open.
        until: Seconds of the monotonic clock at which an open gate shuts by itself; 0 for a shut one.
        fenced: Whether the site fenced itself in that epoch.
    """

    open: bool
    epoch: int
    reason: str = ""
    until: float = 0.0
    fenced: bool = False


class GateBusyError(Exception):
    """Another warden writes this gate; its text is one line."""


def boot_id() -> str:
    """What this machine's monotonic clock counts from; empty where the system does not say."""
    with contextlib.suppress(OSError):
        return _BOOT.read_text().strip()
    return ""


def read_gate(path: Path, *, now: float, boot: str) -> GateState:
    """What a gate's file says at this moment.

    A file that is missing, unreadable, of another boot or anything else means shut.

    Args:
        path: The file.
        now: Seconds of the monotonic clock.
        boot: This boot, from `boot_id`.
    """
    try:
        loaded: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return GateState(open=False, epoch=NO_EPOCH, reason="nobody has opened the gate")
    except (OSError, ValueError) as fault:
        return GateState(open=False, epoch=NO_EPOCH, reason=f"the gate's file cannot be read: {fault}")
    found = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    state = _sound(found)
    if state is None:
        return GateState(open=False, epoch=NO_EPOCH, reason="the gate's file is not a gate's")
    if state.open and found.get("boot") != boot:
        return replace(state, open=False, reason="the machine started anew since the gate was opened")
    if state.open and now >= state.until:
        return replace(state, open=False, reason="the lease was not renewed in time")
    return state


def _sound(found: dict[str, Any]) -> GateState | None:
    """The state that a file's keys describe; None when they describe none."""
    try:
        state = GateState(**{key: value for key, value in found.items() if key != "boot"})
        finite = math.isfinite(state.until)
    except TypeError:
        return None
    # A bool is an int to isinstance.
    return state if type(state.epoch) is int and type(state.open) is bool and finite else None


class GateFile:
    """The gate's writer, of which there is one at a time.

    Args:
        path: The file; its directory is made, for the owner only.
        clock: Monotonic seconds.
        promise: Real seconds that who is answered by `promise` may go by the answer, at most.

    Raises:
        GateBusyError: when another process writes it.
    """

    def __init__(self, path: Path, clock: Callable[[], float], *, promise: float = 0.0) -> None:
        self._path = path
        self._clock = clock
        self._longest = promise
        # Held from the look to the note of what was promised by it: no promise follows the shutting that it missed.
        self._promises = threading.Lock()
        # A writer before this one may have promised as much a moment ago.
        self._promised = clock() + promise
        self._boot = boot_id()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Held until the process ends, however it ends.
        self._lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise GateBusyError(f"another warden writes the gate {path}: a site has one") from None

    def close(self) -> None:
        """Let another process write; the gate stays as it is, and shuts by itself."""
        os.close(self._lock)

    def state(self) -> GateState:
        """What it says at this moment."""
        return read_gate(self._path, now=self._clock(), boot=self._boot)

    def promise(self) -> tuple[GateState, float]:
        """What it says at this moment, and for how many real seconds who asked may go by that; 0 when it is shut."""
        with self._promises:
            now, state = self._clock(), self.state()
            if not state.open:
                return state, 0.0
            end = min(state.until, now + self._longest)
            self._promised = max(self._promised, end)
            return state, max(0.0, end - now)

    @property
    def promised(self) -> float:
        """Until when somebody may still go by an answer that it was open, on the monotonic clock."""
        with self._promises:
            return self._promised

    def open(self, epoch: int, until: float) -> None:
        """Let writes pass.

        Args:
            epoch: In which.
            until: Seconds of the monotonic clock.
        """
        self._write(GateState(open=True, epoch=epoch, until=until))

    def shut(self, epoch: int, reason: str, *, fenced: bool) -> None:
        """Let none pass.

        Args:
            epoch: The one that holds, or held last.
            reason: Why, for people.
            fenced: Whether the site is to stay shut when its warden starts again.
        """
        with self._promises:
            self._write(GateState(open=False, epoch=epoch, reason=reason, fenced=fenced))

    def _write(self, state: GateState) -> None:
        """Replace the file in one step: a reader sees the old state or the new one."""
        text = json.dumps(asdict(state) | {"boot": self._boot}) + "\n"
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
