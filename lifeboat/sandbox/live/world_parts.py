"""The sandbox's parts as others want to see them: what measures lag, and what faults break."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, Final

from lifeboat.model.timings import Step
from lifeboat.sandbox.live import databases_moves, databases_units
from lifeboat.sandbox.live.databases_snapshots import SNAPSHOT
from lifeboat.sandbox.live.metrics import Kind, Primary, Replica

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from lifeboat.sandbox.live.databases import Databases
    from lifeboat.sandbox.live.databases_units import Unit
    from lifeboat.sandbox.live.effects import Effects
    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.sites import Sites

_STEPS: Final = {
    databases_units.CREATE: Step.RDS_CREATE,
    databases_units.REPLICATE: Step.RDS_CREATE,
    databases_units.RESTORE: Step.RDS_RESTORE,
    databases_units.PROMOTE: Step.RDS_PROMOTION,
    databases_moves.SWITCHOVER: Step.AURORA_SWITCHOVER,
    databases_moves.FAILOVER: Step.AURORA_PROMOTION,
    "reboot-rds-instance": Step.RDS_MULTI_AZ_FAILOVER,
    "failover-rds-cluster": Step.AURORA_FAILOVER,
    SNAPSHOT: Step.RDS_SNAPSHOT,
}
"""What an operation on a database is called where its duration is known."""
_CREATIONS: Final = frozenset({databases_units.CREATE, databases_units.REPLICATE})
_CONNECT: Final = 2
"""Seconds that a database may take to let the measuring in."""


class Durations:
    """How long operations on databases take.

    Args:
        effects: Samples them.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self.deployed = False
        """Whether the stack stands: its first deployment makes everything at once."""

    def seconds(self, operation: str) -> float:
        """A duration, seconds at this sandbox's time scale."""
        if operation in _CREATIONS and not self.deployed:
            return 0.0
        return self._effects.seconds(_STEPS[operation])


class Ways:
    """What objects meet on their way between regions: the same as any other traffic, bandwidth excepted.

    Args:
        links: The real ones.
    """

    def __init__(self, links: Links) -> None:
        self._links = links

    def delay(self, source: str, target: str) -> float | None:
        """Seconds from one region to another; None: nothing arrives."""
        there, back = self._links.shape_of(source, target), self._links.shape_of(target, source)
        if there.cut or there.reset or back.cut or back.reset:
            return None
        return there.latency_s


class MeasuredDatabases:
    """Databases, as metrics measure them.

    Args:
        databases: The real ones.
    """

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def primaries(self) -> Iterable[Primary]:
        """Those that take writes, whatever the API says of them."""
        for key, unit in self._databases.servers.items():
            if unit.role == "primary" and unit.server.pid is not None:
                yield Primary(key=key, region=unit.wanted.region, connect=_connector(unit))

    def replicas(self) -> Iterable[Replica]:
        """Those that replicate, also while they cannot be asked: their lag is then unknown, not absent."""
        for key, unit in self._databases.servers.items():
            source = unit.wanted.source
            if unit.role == "replica" and source is not None:
                _, kind, identifier = key.split("/")
                yield Replica(
                    key=key,
                    region=unit.wanted.region,
                    identifier=identifier,
                    kind=Kind.CLUSTER if kind == "cluster" else Kind.INSTANCE,
                    source=source,
                    connect=_connector(unit),
                )


class BreakableSites:
    """Sites, as faults break them; the region is the key.

    Args:
        sites: The real ones.
    """

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._changing = threading.Lock()
        self.held: set[str] = set()
        """Those that nobody may start."""

    def keys(self, region: str) -> Sequence[str]:
        """The region, when it has a site."""
        return [region] if region in self._sites.regions else []

    def hold(self, key: str) -> None:
        """End a site as a crash does, and let nobody start it again."""
        with self._changing:
            self.held.add(key)
            self._sites.kill(key)

    def release(self, key: str) -> None:
        """Start a site that was held."""
        self.held.discard(key)
        self.revive(key)

    def freeze(self, key: str) -> None:
        """Stop a site in its tracks."""
        self._sites.freeze(key)

    def thaw(self, key: str) -> None:
        """Let a frozen site go on."""
        self._sites.thaw(key)

    def limit(self, region: str, per_second: float | None) -> None:
        """Let a site answer so many requests a second, and refuse what is beyond; None takes the limit away."""
        self._sites.limit(region, per_second)

    def revive(self, region: str) -> None:
        """Start a site that ended, unless it is held."""
        with self._changing:
            status = self._sites.status().get(region)
            if status is not None and status.pid is None and region not in self.held:
                self._sites.start(region)


def _connector(unit: Unit) -> functools.partial[psycopg.Connection[tuple[Any, ...]]]:
    return functools.partial(unit.server.connect, connect_timeout=_CONNECT)
