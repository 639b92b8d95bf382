"""What a drill needs of the world that it breaks: little enough to be played in tests.

`lifeboat.recovery.drill.sandbox_world` has the living sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lifeboat.recovery.drill.histories import Told
    from lifeboat.recovery.drill.measure import Order
    from lifeboat.recovery.drill.workload import Load
    from lifeboat.recovery.journal import Entry
    from lifeboat.recovery.lease_record import LeaseRecord


class DrillError(Exception):
    """A drill could not be carried out, which says nothing about the recovery; its text is for the user."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended.

    Attributes:
        code: 0 done, 1 failed, 2 bad input, 3 refused.
        lines: What it told, last lines last.
    """

    code: int
    lines: tuple[str, ...] = ()

    @property
    def last(self) -> str:
        """What it told last."""
        return self.lines[-1] if self.lines else "it said nothing"


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A database that was restored beside the damaged one.

    Attributes:
        store: The database's logical name.
        found: What is in it.
        seconds: From the request until it could be read.
        removed: Whether it is gone again.
    """

    store: str
    found: frozenset[Order]
    seconds: float
    removed: bool


class Workload(Protocol):
    """What uses the stack."""

    def told(self) -> Sequence[Told]:
        """What clients know so far."""
        ...

    def ended(self) -> list[str]:
        """Processes that ended although nobody stopped them, a line each."""
        ...

    def stop(self) -> None:
        """End all of it."""
        ...


class World(Protocol):
    """A stack that lives, and the means to break it."""

    def start(self) -> None:
        """Deploy it; it is ready when this returns, and its wardens watch.

        Raises:
            DrillError: when it is not.
        """
        ...

    def stop(self) -> None:
        """Remove it, or leave it to whoever wanted it kept."""
        ...

    def clock(self) -> float:
        """Monotonic seconds, the clock of all clients."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, the clock of journal and ledger."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass between two looks."""
        ...

    def lease(self) -> LeaseRecord | None:
        """The lease now; None when it cannot be read."""
        ...

    def entries(self) -> Sequence[Entry]:
        """The journal of every run, run by run, with the calls that only read.

        Raises:
            DrillError: when it cannot be read, which is not the same as a journal without entries.
        """
        ...

    def inject(self, documents: Sequence[Mapping[str, Any]]) -> str:
        """Break something; the injection's name.

        Raises:
            DrillError: when it does not break.
        """
        ...

    def heal(self, identifier: str) -> None:
        """Take an injection back.

        Raises:
            DrillError: when something resists.
        """
        ...

    def workload(self, directory: Path, load: Load) -> Workload:
        """Start clients."""
        ...

    def command(self, *words: str) -> Ran:
        """Run a command of Lifeboat's, as an operator would."""
        ...

    def found(self, region: str) -> Mapping[str, frozenset[Order]]:
        """What of the workload's writes a region's stores have, by label.

        Raises:
            DrillError: when one of them does not answer.
        """
        ...

    def restore(self, until: float) -> Restored:
        """Restore the damaged database beside itself, to a moment, read it, remove it.

        Args:
            until: Seconds since the epoch.

        Raises:
            DrillError: when that does not succeed.
        """
        ...

    def calls(self) -> Sequence[Mapping[str, Any]]:
        """Every call that the API got, as the gateway's ledger has them."""
        ...

    def inventory(self) -> frozenset[str]:
        """Stateful resources that there are, as `lifeboat.recovery.drill.inventory.found` has them.

        Raises:
            DrillError: when it cannot be told.
        """
        ...
