"""How far replicas are behind, measured by a heartbeat and published as the CloudWatch metrics that production reads.

Every few seconds each database that takes writes gets a row with the time; a replica is behind by the age of the newest
such row that it has. Unlike `ReplicaLag` as RDS computes it, that age does not grow while nobody writes. Once the
source is dead it can only grow; so the lag at last contact, measured while the source still took its heartbeat, is kept
apart: it bounds what a failover loses.

Everything goes straight into moto's CloudWatch, where it arrives although a region's control plane is lost.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import psycopg

from lifeboat.sandbox.live.cloudwatch import Point, publish, trim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

INTERVAL: Final = 5.0
"""Seconds between heartbeats."""
_DEADLINE: Final = 4.0
"""Seconds after which whatever does not answer is not waited for."""
_BEAT_DEADLINE: Final = 2.0
_PATIENCE: Final = 1.0
"""Seconds in which a heartbeat is looked for in a replica before it counts as not there yet."""
_POLL: Final = 0.01
_log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE SCHEMA IF NOT EXISTS lifeboat_heartbeat;
CREATE TABLE IF NOT EXISTS lifeboat_heartbeat.heartbeat (
    site text NOT NULL,
    epoch bigint NOT NULL,
    beat_at timestamptz NOT NULL,
    PRIMARY KEY (site, epoch)
);
GRANT USAGE ON SCHEMA lifeboat_heartbeat TO PUBLIC;
GRANT SELECT ON lifeboat_heartbeat.heartbeat TO PUBLIC;
"""
_BEAT: Final = """
INSERT INTO lifeboat_heartbeat.heartbeat (site, epoch, beat_at) VALUES (%s, %s, to_timestamp(%s))
ON CONFLICT (site, epoch) DO UPDATE SET beat_at = excluded.beat_at
"""
_NEWEST: Final = "SELECT extract(epoch FROM max(beat_at))::float FROM lifeboat_heartbeat.heartbeat"
_NO_TABLE: Final = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)


class Kind(StrEnum):
    """What a replica is, which decides its metric."""

    INSTANCE = "instance"
    """An RDS read replica."""
    CLUSTER = "cluster"
    """A secondary cluster of an Aurora global database."""
    CACHE = "cache"
    """A secondary replication group of a Global Datastore."""


_METRICS: Final[Mapping[Kind, tuple[str, tuple[str, ...], str, str, float]]] = {
    Kind.INSTANCE: ("AWS/RDS", ("ReplicaLag",), "DBInstanceIdentifier", "Seconds", 1),
    Kind.CLUSTER: (
        "AWS/RDS",
        ("AuroraGlobalDBReplicationLag", "AuroraGlobalDBRPOLag"),
        "DBClusterIdentifier",
        "Milliseconds",
        1000,
    ),
    Kind.CACHE: ("AWS/ElastiCache", ("GlobalDatastoreReplicationLag",), "ReplicationGroupId", "Seconds", 1),
}
"""Namespace, names, dimension, unit, and how much of that unit a second is."""


@dataclass(frozen=True, kw_only=True)
class Primary:
    """A database that takes writes.

    Attributes:
        key: What its replicas name as their source.
        region: Where it is; the row's site.
        connect: Opens a connection as superuser that commits each statement.
    """

    key: str
    region: str
    connect: Callable[[], Connection]


@dataclass(frozen=True, kw_only=True)
class Replica:
    """A database that replicates one.

    Attributes:
        key: Unique among replicas.
        region: Where it is, and where its metric goes.
        identifier: Of its DB instance or DB cluster.
        kind: `Kind.INSTANCE` or `Kind.CLUSTER`.
        source: Key of its primary.
        connect: Opens a connection that may read.
    """

    key: str
    region: str
    identifier: str
    kind: Kind
    source: str
    connect: Callable[[], Connection]


@dataclass(frozen=True, kw_only=True)
class CacheReplica:
    """A cache that replicates one in another region.

    Attributes:
        key: Unique among replicas.
        region: Where it is, and where its metric goes.
        identifier: Of its replication group.
        lag: Seconds that it is behind; None when that cannot be told.
    """

    key: str
    region: str
    identifier: str
    lag: Callable[[], float | None]


class Databases(Protocol):
    """The databases, as they are now."""

    def primaries(self) -> Iterable[Primary]:
        """Those that take writes."""
        ...

    def replicas(self) -> Iterable[Replica]:
        """Those that replicate."""
        ...


class Caches(Protocol):
    """The caches, as they are now."""

    def replicas(self) -> Iterable[CacheReplica]:
        """Those that replicate another region's."""
        ...


class Reporter(Protocol):
    """A part that measures by itself."""

    def points(self) -> Iterable[Point]:
        """What there is to publish now."""
        ...


@dataclass(frozen=True, kw_only=True)
class Lag:
    """How far a replica is behind, seconds.

    Attributes:
        key: The replica's.
        region: The replica's.
        identifier: The replica's.
        kind: The replica's.
        seconds: Now; None when it could not be measured.
        at_last_contact: When its source last took a heartbeat; None when both never answered at once.
    """

    key: str
    region: str
    identifier: str
    kind: Kind
    seconds: float | None
    at_last_contact: float | None


@dataclass
class _Beat:
    done: threading.Event = field(default_factory=threading.Event)
    at: float | None = None
    """Seconds since the epoch; None when the database did not take it."""


class Metrics:
    """Writes heartbeats, measures lag and publishes it, again and again, on a thread of its own.

    Args:
        account: 12 digits.
        databases: Whose primaries get heartbeats and whose replicas are measured.
        caches: Whose replicas tell their lag.
        reporters: Whose points are published as they are.
        interval: Seconds between heartbeats.
        epoch: The lease's epoch; 0 as long as no lease hands out others.
        clock: Seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913 - the parts of a world
        self,
        account: str,
        databases: Databases,
        caches: Caches,
        reporters: Iterable[Reporter] = (),
        *,
        interval: float = INTERVAL,
        epoch: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._databases = databases
        self._caches = caches
        self._reporters = tuple(reporters)
        self._interval = interval
        self._epoch = epoch
        self._clock = clock
        self._lags: dict[str, Lag] = {}
        self._busy: dict[str, threading.Thread] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when nothing is measured any more."""
        self._stopped.set()
        self._thread.join()

    def lags(self) -> list[Lag]:
        """How far each replica was behind when it was last measured, by key."""
        return [lag for _, lag in sorted(self._lags.items())]

    def measure(self) -> None:
        """Write one heartbeat everywhere, measure, and publish."""
        beats: dict[str, _Beat] = defaultdict(_Beat)
        found: dict[str, float] = {}
        replicas = list(self._databases.replicas())
        jobs: dict[str, Callable[[], None]] = {}
        for primary in self._databases.primaries():
            jobs[f"heartbeat {primary.key}"] = functools.partial(self._beat, primary, beats[primary.key])
        for replica in replicas:
            beat = beats.get(replica.source)
            jobs[f"lag {replica.key}"] = functools.partial(self._measure, replica, beat, found)
        caches = list(self._caches.replicas())
        for cache in caches:
            jobs[f"lag {cache.key}"] = functools.partial(_ask, cache, found)
        self._each(jobs)
        lags: dict[str, Lag] = {}
        for replica in replicas:
            alive = replica.source in beats and beats[replica.source].at is not None
            lags[replica.key] = self._lag(replica, replica.kind, found.get(replica.key), alive=alive)
        for cache in caches:
            lag = found.get(cache.key)
            lags[cache.key] = self._lag(cache, Kind.CACHE, lag, alive=lag is not None)
        self._lags = lags
        publish(self._account, [point for lag in lags.values() for point in _points(lag)], self._clock())
        for reporter in self._reporters:
            publish(self._account, reporter.points(), self._clock())
        trim(self._account, self._clock())

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self.measure()
            except Exception:  # noqa: BLE001 - a part in the middle of a change must not end all measuring for good
                _log.warning("lag was not measured", exc_info=True)

    def _each(self, jobs: Mapping[str, Callable[[], None]]) -> None:
        """Run every job on a thread of its own: a server that hangs keeps no other from being measured."""
        end = time.monotonic() + _DEADLINE
        started: list[threading.Thread] = []
        self._busy = {name: thread for name, thread in self._busy.items() if thread.is_alive()}
        for name, job in jobs.items():
            if name not in self._busy:
                thread = threading.Thread(target=job, name=name, daemon=True)
                self._busy[name] = thread
                started.append(thread)
                thread.start()
        for thread in started:
            thread.join(max(0.0, end - time.monotonic()))

    def _beat(self, primary: Primary, beat: _Beat) -> None:
        try:
            with primary.connect() as connection:
                # In whole milliseconds, which survive the way through the database unchanged.
                at = round(self._clock(), 3)
                row = (primary.region, self._epoch(), at)
                try:
                    connection.execute(_BEAT, row)
                except _NO_TABLE:
                    connection.execute(_SCHEMA)
                    connection.execute(_BEAT, row)
                beat.at = at
        except psycopg.Error as fault:
            _log.debug("no heartbeat in %s: %s", primary.key, fault)
        finally:
            beat.done.set()

    def _measure(self, replica: Replica, beat: _Beat | None, found: dict[str, float]) -> None:
        try:
            with replica.connect() as connection:
                if beat is not None:
                    beat.done.wait(_BEAT_DEADLINE)
                expected = None if beat is None else beat.at
                end = time.monotonic() + _PATIENCE
                newest = _newest(connection)
                while expected is not None and (newest is None or newest < expected) and time.monotonic() < end:
                    if self._stopped.wait(_POLL):
                        return
                    newest = _newest(connection)
                if newest is not None:
                    found[replica.key] = max(0.0, self._clock() - newest)
        except psycopg.Error as fault:
            _log.debug("no lag of %s: %s", replica.key, fault)

    def _lag(self, replica: Replica | CacheReplica, kind: Kind, seconds: float | None, *, alive: bool) -> Lag:
        former = self._lags.get(replica.key)
        contact = former.at_last_contact if former is not None else None
        return Lag(
            key=replica.key,
            region=replica.region,
            identifier=replica.identifier,
            kind=kind,
            seconds=seconds,
            at_last_contact=seconds if alive and seconds is not None else contact,
        )


def _ask(cache: CacheReplica, found: dict[str, float]) -> None:
    try:
        lag = cache.lag()
    except Exception:  # noqa: BLE001 - one in the middle of a change keeps no other from being measured
        _log.warning("no lag of %s", cache.key, exc_info=True)
        return
    if lag is not None:
        found[cache.key] = lag


def _newest(connection: Connection) -> float | None:
    try:
        row = connection.execute(_NEWEST).fetchone()
    except _NO_TABLE:
        return None
    return None if row is None else row[0]


def _points(lag: Lag) -> list[Point]:
    if lag.seconds is None:
        return []
    namespace, names, dimension, unit, scale = _METRICS[lag.kind]
    return [
        Point(
            region=lag.region,
            namespace=namespace,
            metric=name,
            dimensions={dimension: lag.identifier},
            value=lag.seconds * scale,
            unit=unit,
        )
        for name in names
    ]
