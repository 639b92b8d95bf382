"""One database with its server, brought step by step to what moto says of it.

Every step is taken from what is there, not from what happened: whatever ended a step half-way, the next look goes on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psycopg

from lifeboat.sandbox.live.databases_backups import save_automated
from lifeboat.sandbox.live.databases_model import AVAILABLE, Wanted, key_of, set_status, status
from lifeboat.sandbox.live.postgres_setup import Source
from lifeboat.sandbox.live.writers import parted, took_over
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lifeboat.sandbox.live.databases_backups import Backups
    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.postgres import Postgres
    from lifeboat.sandbox.live.postgres_setup import Owner
    from lifeboat.sandbox.patches.rds_live import Origin

CREATE, RESTORE, PROMOTE = "create-rds-instance", "restore-rds-instance", "promote-rds-replica"
REPLICATE = "create-rds-replica"
FAULTS: Final = (SandboxError, psycopg.Error, OSError)
"""What a step with a server may fail with, and be tried again."""
_LONGEST_PAUSE = 10.0
_FIRST_PAUSE = 0.2
_LONGEST_AFTER = 6
"""Failures in a row after which pauses grow no more."""


@dataclass
class Change:
    """Something under way.

    Attributes:
        operation: What takes its time.
        due: When it takes effect, on the monotonic clock.
        shown: The status that its database has meanwhile; empty: none of its own.
    """

    operation: str
    due: float
    shown: str = ""

    @property
    def ripe(self) -> bool:
        """Whether its time has come."""
        return time.monotonic() >= self.due


@dataclass
class Unit:
    """A database and its server.

    Attributes:
        wanted: What moto says.
        server: Its server.
        held: A fault holds it down.
        change: What is under way.
        role: ``primary`` or ``replica``, as its data are; empty so far.
        problem: Why the last step failed; empty when it did not.
        followed: Key of what it followed last; its own when that was nothing.
    """

    wanted: Wanted
    server: Postgres
    held: bool = False
    change: Change | None = None
    role: str = ""
    problem: str = ""
    source: Source | None = None
    owner: Owner | None = None
    restarts: int = 0
    failures: int = 0
    retry_at: float = field(default=0.0)
    followed: str = ""

    def __post_init__(self) -> None:
        """Remember what it follows from the first: moto forgets it when it is asked to promote."""
        self.followed = self.wanted.source or self.wanted.key

    @property
    def out_of_reach(self) -> bool:
        """Whether a fault keeps everybody off it, us too."""
        return self.held or self.server.frozen

    @property
    def state(self) -> str:
        """In one word, for people."""
        if self.server.frozen:
            return "frozen"
        if self.server.pid is not None:
            return "running"
        if self.held:
            return "held"
        if not self.wanted.runs:
            return "stopped"
        return "failed" if self.problem else "starting"

    @property
    def settled(self) -> bool:
        """Whether it is as moto says."""
        if not self.wanted.runs:
            return self.server.pid is None
        role = "replica" if self.wanted.source else "primary"
        return not self.problem and self.change is None and self.server.pid is not None and self.role == role

    def take_over(self, former: str) -> None:
        """Let its server take writes, once it is on the disk that it does where another did.

        Args:
            former: Key of the other one.

        Raises:
            SandboxError: when that cannot be kept, or the server does not become a primary.
            psycopg.Error: when it cannot be asked.
        """
        took_over(self._family, self.wanted.key, former)
        self.server.promote()

    def part(self) -> None:
        """Let its server take writes of its own, once it is on the disk that it leaves what it followed.

        Raises:
            SandboxError: when that cannot be kept, or the server does not become a primary.
            psycopg.Error: when it cannot be asked.
        """
        # One that never followed anything in this life goes on with a promotion that an earlier one began.
        if self.followed != self.wanted.key:
            parted(self._family, self.wanted.key)
        self.server.promote()

    @property
    def _family(self) -> Path:
        # The directories between are the parts of its key.
        return self.server.place.directory.parents[2]

    def failed(self, fault: Exception) -> None:
        """Note that a step failed, and when to try again [s]."""
        self.problem = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        self.retry_at = time.monotonic() + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self.failures, _LONGEST_AFTER))
        self.failures += 1

    def went_well(self) -> None:
        """Note that a step did not fail."""
        self.problem, self.failures, self.retry_at = "", 0, 0.0

    def begin(self, change: Change) -> None:
        """Let something be under way."""
        self.change = change
        if change.shown:
            set_status(self.wanted.entity, change.shown)

    def finish(self, change: Change | None) -> None:
        """Let a change be over, and its database be available again; one that began meanwhile goes on."""
        if change is None or change is not self.change:
            return
        if change.shown and status(self.wanted.entity) == change.shown:
            set_status(self.wanted.entity, AVAILABLE)
        self.change = None


class Tender:
    """Brings units to what is wanted of them.

    Args:
        units: All of them, by key.
        backups: What databases are restored from.
        links: Ways to sources in other regions.
    """

    def __init__(self, units: Mapping[str, Unit], backups: Backups, links: Links) -> None:
        self._units = units
        self._backups = backups
        self._links = links

    def tend(self, unit: Unit) -> None:
        """Take the steps that can be taken now.

        Raises:
            SandboxError: when a server or a command of PostgreSQL's fails.
            psycopg.Error: when a server does not answer.
        """
        # Both may be others before this is done.
        wanted, change = unit.wanted, unit.change
        if unit.out_of_reach:
            return
        if not wanted.runs:
            unit.server.stop()
            return
        if not unit.server.made and not self._make(unit):
            return
        if not self._restarted(unit):
            return
        if wanted.source is None:
            self._lead(unit, change)
        elif self._follow(unit, wanted.source):
            unit.finish(change)

    def reach(self, unit: Unit, key: str) -> Source | None:
        """Where a unit reaches another one that takes writes and answers; None when it does not."""
        source = self._units.get(key)
        if source is None or source.out_of_reach or source.server.pid is None or source.server.standby:
            return None
        way = self._way(unit, source)
        try:
            source.server.connect(host=way.host, port=way.port).close()
        except psycopg.OperationalError:
            return None
        return way

    def _way(self, unit: Unit, source: Unit) -> Source:
        place, mine, theirs = source.server.place, unit.wanted, source.wanted
        if mine.region == theirs.region:
            return source.server.source()
        name = f"{mine.name}-from-{theirs.name}"
        return Source(self._links.open(name, theirs.region, mine.region, place.address, place.port), place.port)

    def _make(self, unit: Unit) -> bool:
        if unit.change is not None and not unit.change.ripe:
            return False
        wanted = unit.wanted
        if wanted.origin is not None:
            self._archive(wanted.origin)
            if not self._backups.restore(unit.server, wanted.origin):
                return False
        elif wanted.source is None:
            unit.server.create(wanted.owner)
            unit.owner = wanted.owner
        else:
            way = self.reach(unit, wanted.source)
            if way is None:
                return False
            unit.server.clone_from(way)
            unit.server.start()
            unit.source = way
        return True

    def _archive(self, origin: Origin) -> None:
        """Let a past that is to be restored reach to now; one whose server is lost ends with its archive."""
        source = self._units.get(key_of(origin.database)) if origin.database else None
        lost = source is None or source.out_of_reach or source.server.pid is None or source.server.standby
        if source is not None and not lost:
            source.server.archive_now()

    def _restarted(self, unit: Unit) -> bool:
        """Restart it when that was asked for; False: its time has not come."""
        count = unit.wanted.restart.count
        if unit.restarts == count:
            return True
        unit.server.stop()
        if unit.change is not None and not unit.change.ripe:
            return False
        unit.restarts = count
        return True

    def _lead(self, unit: Unit, change: Change | None) -> None:
        server = unit.server
        if server.pid is None:
            if not server.standby:
                server.place.configure()
            server.start()
        if server.standby:
            unit.role = "replica"
            # Its change is begun by whoever reads moto next.
            if change is None or not change.ripe:
                return
            unit.part()
            # The past that can be restored begins anew.
            if unit.wanted.retention:
                save_automated(unit.wanted.entity)
        unit.role, unit.source = "primary", None
        if unit.owner != unit.wanted.owner:
            server.set_owner(unit.wanted.owner)
            unit.owner = unit.wanted.owner
        unit.finish(change)

    def _follow(self, unit: Unit, key: str) -> bool:
        """Let it follow another one; False: that one cannot be reached."""
        server, unit.followed = unit.server, key
        if server.standby and unit.source is not None and self._follows(unit, key):
            if server.pid is None:
                server.start()
        else:
            unit.role = "replica" if server.standby else "primary"
            way = self.reach(unit, key)
            # Cut off from the new primary, an old one does not learn of it, and goes on as it is.
            if way is None:
                return False
            server.stop()
            server.rewind_or_reclone(way)
            server.start()
            unit.source = way
        unit.role, unit.owner = "replica", None
        return True

    def _follows(self, unit: Unit, key: str) -> bool:
        source = self._units.get(key)
        # A source that is gone for good leaves no address; moto tells soon what comes of its replica.
        return source is None or unit.source == self._way(unit, source)
