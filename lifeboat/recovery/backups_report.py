"""What a verification is asked for, what it tells, and what earlier ones told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lifeboat.recovery.backups_checks import Checked
from lifeboat.recovery.journal import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.recovery.backups import RestorePoint
    from lifeboat.recovery.journal import Detail, JournalStore

MODE: Final = "backups-verify"
"""How names of its runs begin."""
DEADLINE: Final = 4 * 3600.0
"""Seconds in which a backup is to be restored and read, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to verify."""

    site: str | None = None
    """Region; None for any."""
    database: str | None = None
    """Logical name; None for any."""
    seed: int = 0
    """Decides which one is picked, and of a window which moment."""
    newest: bool = False
    """The newest one, not a random one."""
    keep: bool = False
    """Leave the place there, to be looked at; it is tagged as expiring all the same."""
    deadline: float = DEADLINE
    """Seconds to restore and read it."""


@dataclass(kw_only=True)
class Report:
    """What came of a verification."""

    run: str
    seed: int
    passed: bool = False
    interrupted: bool = False
    point: RestorePoint | None = None
    moment: float | None = None
    """Of a window, the moment that was restored; None for its newest: seconds since the epoch."""
    place: str | None = None
    """What the place was called."""
    checks: list[Checked] = field(default_factory=list[Checked])
    rows: dict[str, int] = field(default_factory=dict[str, int])
    """Rows by table."""
    size: int = 0
    """Bytes of the restored database."""
    recovery_point: float | None = None
    """When the newest heartbeat in it was written: seconds since the epoch."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Measured: ``restore``, ``read``, ``remove``."""
    left: list[str] = field(default_factory=list[str])
    """What of the place is still there."""
    removed: list[str] = field(default_factory=list[str])
    """Expired places of earlier runs that were removed."""
    alerted: str | None = None
    """Where a failure was told: a topic, or why nobody was; None: there was none."""

    @property
    def faults(self) -> list[str]:
        """Checks that failed, a line each."""
        return [f"{check.name}: {check.said}" for check in self.checks if check.passed is False]


def verified(journal: JournalStore, runs: int = 50) -> dict[tuple[str, str], Mapping[str, Detail]]:
    """How the last verification ended, by database and region; the newest runs are looked at.

    Raises:
        JournalLost: when the journal does not answer.
    """
    found: dict[tuple[str, str], Mapping[str, Detail]] = {}
    named = sorted(run for run in journal.runs() if run.startswith(f"{MODE}-"))
    for run in reversed(named[-runs:]):
        ended = [entry for entry in journal.read(run) if entry.event is Event.ENDED]
        if ended and ended[-1].detail.get("database"):
            detail = ended[-1].detail
            key = (str(detail["database"]), str(detail["region"]))
            found.setdefault(key, {**detail, "run": run, "wall": ended[-1].wall})
    return found
