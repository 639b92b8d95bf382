"""The snapshots that moto's RDS says there are: taken from the servers, copied and shown as on AWS."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.live import databases_backups
from lifeboat.sandbox.live.databases_units import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lifeboat.sandbox.live.databases_backups import Backups, Wish
    from lifeboat.sandbox.live.databases_units import Unit

_log = logging.getLogger(__name__)

SNAPSHOT: Final = "create-rds-snapshot"


class Snapshots:
    """Those that are wanted, and whether they are there.

    Args:
        backups: What they are made of.
        seconds: How long an operation takes.
    """

    def __init__(self, backups: Backups, seconds: Callable[[str], float]) -> None:
        self._backups = backups
        self._seconds = seconds
        self._pending: dict[str, tuple[Wish, float]] = {}

    def pending(self) -> list[str]:
        """Names of those that are on their way."""
        return list(self._pending)

    def dues(self) -> list[float]:
        """When those are to be there, on the monotonic clock."""
        return [due for _, due in list(self._pending.values())]

    def mark(self) -> None:
        """Show what is wanted since the last look as under way; not to be called by two threads at once."""
        wishes = {wish.name: wish for wish in databases_backups.wishes()}
        for name, wish in wishes.items():
            if name in self._pending or self._backups.has(name):
                continue
            seconds = self._seconds(SNAPSHOT) if wish.manual else 0.0
            self._pending[name] = (wish, time.monotonic() + seconds)
            if wish.manual:
                databases_backups.show_progress(wish, done=False)
        for name in set(self._pending) - wishes.keys():
            # Whoever takes them may have been faster.
            self._pending.pop(name, None)

    def take(self, units: Iterable[Unit]) -> None:
        """Take what can be taken now, and forget what nobody wants any more; the caller may touch all servers.

        Args:
            units: Every database, also those that are to be removed: a final snapshot is of one of these.
        """
        self._backups.tidy({wish.name for wish in databases_backups.wishes()})
        known = list(units)
        for name, (wish, due) in list(self._pending.items()):
            if not self._backups.has(name) and not self._made(wish, known):
                continue
            if time.monotonic() >= due:
                self._pending.pop(name, None)
                databases_backups.show_progress(wish, done=True)

    def _made(self, wish: Wish, units: Iterable[Unit]) -> bool:
        if wish.copy_of is not None:
            if self._backups.has(wish.copy_of):
                self._backups.copy(wish, wish.copy_of)
            return self._backups.has(wish.name)
        unit = next((unit for unit in units if _is_of(unit, wish)), None)
        if unit is None or unit.out_of_reach or unit.server.pid is None or not unit.server.ready():
            return False
        try:
            self._backups.take(wish, unit.server)
        except FAULTS as fault:
            _log.warning("no snapshot of %s: %s", wish.key, fault)
        return self._backups.has(wish.name)


def _is_of(unit: Unit, wish: Wish) -> bool:
    return (unit.wanted.key, unit.wanted.resource) == (wish.key, wish.resource)
