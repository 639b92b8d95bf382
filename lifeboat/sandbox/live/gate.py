"""May this site write now? The seam where the lease comes in.

A site asks its gate before it takes a write, after it has a transaction, before it commits and before it acknowledges;
all four answers must be open in the same epoch. One look at the start would not do: a write that waits for a
connection, a lock or a frozen machine would commit in an epoch that is over. The epoch's number tells a gate that shut
and opened again in between, when another site may have written meanwhile, from one that stayed open.

No look can be atomic with a commit. What remains is the time from the last look to the commit's arrival at the
database: the database itself ends a transaction that idles longer than the site's limit, so that even a site that was
frozen there and woke up commits nothing later than that. The lease's clock margin covers it (docs/adr/0015-lease.md).
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from lifeboat.recovery.gatefile import boot_id, read_gate
from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from pathlib import Path

NO_EPOCH: Final = 0
"""The epoch of a gate that nobody ever opened; those of a lease count from 1."""
_POLL: Final = 0.05
"""Seconds between looks at a file for a change; a write looks for itself."""


@dataclass(frozen=True, kw_only=True)
class GateState:
    """What a gate says.

    Attributes:
        open: Whether writes may pass.
        epoch: The lease's epoch that holds, or held last.
        reason: Why it is shut; empty while it is open.
    """

    open: bool
    epoch: int
    reason: str = ""


class GateShutError(Exception):
    """A write may not pass, or may not any more; its text says why."""


class WriteGate(Protocol):
    """Who decides whether a site may write."""

    def state(self) -> GateState:
        """What holds at this moment, never a memory of it; cheap enough for several looks a write."""
        ...

    async def wait_change(self, known: GateState) -> GateState:
        """The next state that differs from `known`."""
        ...


def require_open(gate: WriteGate, epoch: int | None = None) -> int:
    """The epoch in which a write may pass now.

    Args:
        gate: Whom to ask.
        epoch: The epoch in which the write began; None when it begins.

    Raises:
        GateShutError: when the gate is shut, or another epoch holds than the one that the write began in.
    """
    state = gate.state()
    if not state.open:
        raise GateShutError(f"this site may not write: {state.reason or 'the gate is shut'}")
    if epoch is not None and state.epoch != epoch:
        raise GateShutError(f"the write began in epoch {epoch}, and epoch {state.epoch} holds now")
    return state.epoch


class FileGate:
    """A gate that is a JSON file ``{"open": true, "epoch": 1, "reason": ""}``, replaced whole by who decides.

    One with ``until`` is a warden's: it shuts by itself when that has passed (`lifeboat.recovery.gatefile`).

    A file that is missing, unreadable or anything else means shut. Each look reads the file: that takes microseconds
    beside a transaction's milliseconds, while modification times, which count in the kernel's ticks, would leave a
    window.

    Args:
        path: The file; its other keys do not matter.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._boot = boot_id()

    def state(self) -> GateState:
        """What the file says now."""
        try:
            loaded: object = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return GateState(open=False, epoch=NO_EPOCH, reason="nobody has opened the gate")
        except (OSError, ValueError) as fault:
            return GateState(open=False, epoch=NO_EPOCH, reason=f"the gate's file cannot be read: {fault}")
        found = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
        if "until" in found:
            kept = read_gate(self._path, now=time.monotonic(), boot=self._boot)
            return GateState(open=kept.open, epoch=kept.epoch, reason=kept.reason)
        opened, epoch, reason = found.get("open"), found.get("epoch"), found.get("reason", "")
        # A bool is an int to isinstance.
        if not isinstance(opened, bool) or type(epoch) is not int or not isinstance(reason, str):
            return GateState(open=False, epoch=NO_EPOCH, reason="the gate's file is not a gate's")
        return GateState(open=opened, epoch=epoch, reason=reason)

    async def wait_change(self, known: GateState) -> GateState:
        """The next state that differs from `known`, at most 50 ms after it came to be."""
        while (state := self.state()) == known:
            await asyncio.sleep(_POLL)
        return state


def write_gate(path: Path, state: GateState) -> None:
    """Set a file gate, in one step."""
    write_private(path, json.dumps(asdict(state)) + "\n")
