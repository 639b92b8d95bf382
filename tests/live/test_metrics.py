"""Heartbeats and lag: measured on a real replica behind a real link, read back with boto3."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
import pytest
from moto import mock_aws
from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

from lifeboat.sandbox.live import cloudwatch, metrics
from lifeboat.sandbox.live.links import UNSHAPED, Links, Shape
from lifeboat.sandbox.live.metrics import CacheReplica, Kind, Lag, Metrics, Point, Primary, Replica
from lifeboat.sandbox.live.postgres_setup import Owner, Source
from tests.live.farm import farm
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.sandbox.live.postgres import Postgres

ACCOUNT = "123456789012"
EAST, WEST = "us-east-1", "us-west-2"
START = 1_800_000_000.0
OWNER = Owner(user="shop", password="secret", database="shop")


@dataclass
class Parts:
    """Databases, caches and a reporter, as a test has them."""

    sources: list[Primary] = field(default_factory=list[Primary])
    copies: list[Any] = field(default_factory=list[Any])
    published: list[Point] = field(default_factory=list[Point])

    def primaries(self) -> list[Primary]:
        return self.sources

    def replicas(self) -> list[Any]:
        return self.copies

    def points(self) -> list[Point]:
        return self.published


class Clock:
    """Stands still until it is set forward."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Pair:
    """A primary in one region, its replica in the other, the link between them, and what measures."""

    links: Links
    primary: Postgres
    replica: Postgres
    databases: Parts
    clock: Clock
    metrics: Metrics

    def lag(self, key: str = "replica") -> Lag:
        return {lag.key: lag for lag in self.metrics.lags()}[key]

    def measured(self) -> float | None:
        self.metrics.measure()
        return self.lag().seconds


@dataclass
class Servers:
    """The two databases and the link between them."""

    links: Links
    primary: Postgres
    replica: Postgres

    def heal(self) -> None:
        """Have both of them run, in step, and without a heartbeat so far."""
        self.links.shape(EAST, WEST, UNSHAPED)
        for server in (self.primary, self.replica):
            # One that was killed is told of a moment later, and answers nobody until then.
            until(lambda: server.pid is None or server.connect().close() is None)  # noqa: B023 - awaited here
            if server.pid is None:
                server.start()
        with self.primary.connect() as connection:
            connection.execute("DROP SCHEMA IF EXISTS lifeboat_heartbeat CASCADE")
        until(lambda: not self._beats())

    def _beats(self) -> bool:
        with self.replica.connect() as connection:
            return connection.execute("SELECT to_regnamespace('lifeboat_heartbeat')").fetchone() != (None,)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with farm() as land:
        links = Links(land.directory, land.network, land.processes)
        links.start()
        primary, replica = land.postgres("primary"), land.postgres("replica")
        primary.create(OWNER)
        replica.clone_from(Source(host=links.open("pair", EAST, WEST, primary.place.address, primary.place.port)))
        yield Servers(links, primary, replica)
        links.stop()


@pytest.fixture
def pair(servers: Servers, aws: None) -> Pair:  # noqa: ARG001 - CloudWatch is emptied before
    servers.heal()
    databases, clock, replica = Parts(), Clock(), servers.replica
    databases.sources.append(Primary(key="primary", region=EAST, connect=servers.primary.connect))
    databases.copies.extend(
        Replica(key=key, region=WEST, identifier=f"orders-{kind}", kind=kind, source="primary", connect=replica.connect)
        for key, kind in (("replica", Kind.INSTANCE), ("secondary", Kind.CLUSTER))
    )
    measuring = Metrics(ACCOUNT, databases, Parts(), epoch=lambda: 7, clock=clock)
    return Pair(servers.links, servers.primary, replica, databases, clock, measuring)


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def read(namespace: str, metric: str, dimension: str, identifier: str, unit: str, region: str = WEST) -> list[float]:
    """The metric's values as boto3 gets them, by minute."""
    client = boto3.client("cloudwatch", region, aws_access_key_id="test", aws_secret_access_key="test")
    start = datetime.fromtimestamp(START, UTC)
    found = client.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": dimension, "Value": identifier}],
        StartTime=start,
        EndTime=start + timedelta(hours=1),
        Period=60,
        Statistics=["Maximum"],
        Unit=unit,
    )
    return [row["Maximum"] for row in found["Datapoints"]]


def test_lag_is_the_age_of_the_newest_heartbeat_that_arrived(pair: Pair) -> None:
    until(lambda: pair.measured() == 0)
    pair.links.shape(EAST, WEST, Shape(cut=True))
    pair.clock.now += 10
    assert pair.measured() == 10
    assert pair.lag().at_last_contact == 10
    pair.links.shape(EAST, WEST, UNSHAPED)
    pair.clock.now += 5
    until(lambda: pair.measured() == 0)


def test_boto3_reads_the_metrics_that_alarms_watch_in_their_units(pair: Pair) -> None:
    until(lambda: pair.measured() == 0)
    pair.links.shape(EAST, WEST, Shape(cut=True))
    pair.clock.now += 2
    pair.metrics.measure()
    assert max(read("AWS/RDS", "ReplicaLag", "DBInstanceIdentifier", "orders-instance", "Seconds")) == 2
    for metric in ("AuroraGlobalDBReplicationLag", "AuroraGlobalDBRPOLag"):
        assert max(read("AWS/RDS", metric, "DBClusterIdentifier", "orders-cluster", "Milliseconds")) == 2000
        assert read("AWS/RDS", metric, "DBClusterIdentifier", "orders-cluster", "Milliseconds", EAST) == []


def test_once_the_source_is_dead_lag_grows_and_the_lag_at_last_contact_stays(pair: Pair) -> None:
    until(lambda: pair.measured() == 0)
    pair.primary.kill()
    pair.clock.now += 50
    assert pair.measured() == 50
    assert pair.lag().at_last_contact == 0


def test_a_replica_that_is_gone_publishes_nothing(pair: Pair) -> None:
    until(lambda: pair.measured() == 0)
    pair.replica.stop()
    pair.clock.now += 120
    assert pair.measured() is None
    assert read("AWS/RDS", "ReplicaLag", "DBInstanceIdentifier", "orders-instance", "Seconds") == [0]


def test_a_heartbeat_is_one_row_of_site_and_epoch_that_anybody_may_read(pair: Pair) -> None:
    pair.metrics.measure()
    pair.clock.now += 5
    pair.metrics.measure()
    place = pair.primary.place
    with psycopg.connect(
        host=place.address, port=place.port, user=OWNER.user, password=OWNER.password, dbname="postgres"
    ) as connection:
        found = connection.execute("SELECT site, epoch, beat_at FROM lifeboat_heartbeat.heartbeat").fetchall()
        assert found == [(EAST, 7, datetime.fromtimestamp(START + 5, UTC))]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM lifeboat_heartbeat.heartbeat")


def test_a_server_that_hangs_keeps_no_other_from_being_measured(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    released, entered = threading.Event(), threading.Semaphore(0)

    def hang() -> psycopg.Connection[tuple[Any, ...]]:
        entered.release()
        released.wait()
        raise psycopg.OperationalError

    until(lambda: pair.measured() == 0)
    monkeypatch.setattr(metrics, "_DEADLINE", 0.5)
    pair.databases.copies.append(
        Replica(key="hung", region=WEST, identifier="hung", kind=Kind.INSTANCE, source="primary", connect=hang)
    )
    pair.clock.now += 5
    until(lambda: pair.measured() == 0)
    pair.metrics.measure()
    assert pair.lag("hung").seconds is None
    assert entered.acquire(blocking=False)
    assert not entered.acquire(blocking=False), "one that hangs is not asked again"
    released.set()


@pytest.mark.usefixtures("aws")
def test_a_cache_that_hangs_keeps_no_other_from_being_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_DEADLINE", 0.1)
    released, caches = threading.Event(), Parts()
    for key, lag in (("hung", lambda: float(released.wait())), ("alive", lambda: 0.25)):
        caches.copies.append(CacheReplica(key=key, region=WEST, identifier=key, lag=lag))
    measuring = Metrics(ACCOUNT, Parts(), caches, clock=Clock())
    measuring.measure()
    assert [(lag.key, lag.seconds) for lag in measuring.lags()] == [("alive", 0.25), ("hung", None)]
    released.set()


@pytest.mark.usefixtures("aws")
def test_caches_and_reporters_are_published_where_they_say() -> None:
    caches, reporter = Parts(), Parts()
    caches.copies.append(CacheReplica(key="sessions", region=WEST, identifier="sessions", lag=lambda: 0.25))
    caches.copies.append(CacheReplica(key="silent", region=WEST, identifier="silent", lag=lambda: None))
    reporter.published.append(
        Point(
            region=EAST,
            namespace="AWS/S3",
            metric="BytesPendingReplication",
            dimensions={"SourceBucket": "invoices"},
            value=4096,
            unit="Bytes",
        )
    )
    measuring = Metrics(ACCOUNT, Parts(), caches, [reporter], clock=Clock())
    measuring.measure()
    lag = ("AWS/ElastiCache", "GlobalDatastoreReplicationLag", "ReplicationGroupId")
    assert read(*lag, "sessions", "Seconds") == [0.25]
    assert read(*lag, "silent", "Seconds") == []
    assert read("AWS/S3", "BytesPendingReplication", "SourceBucket", "invoices", "Bytes", EAST) == [4096]
    assert [(row.key, row.at_last_contact) for row in measuring.lags()] == [("sessions", 0.25), ("silent", None)]


@pytest.mark.usefixtures("aws")
def test_measuring_goes_on_until_it_is_stopped() -> None:
    caches, asked = Parts(), threading.Semaphore(0)
    measuring = Metrics(ACCOUNT, Parts(), caches, interval=0.01)

    def lag() -> float:
        asked.release()
        raise RuntimeError

    caches.copies.append(CacheReplica(key="moody", region=WEST, identifier="moody", lag=lag))
    measuring.start()
    assert asked.acquire(timeout=20)
    assert asked.acquire(timeout=20), "a part's failure ends nothing"
    measuring.stop()


@pytest.mark.usefixtures("aws")
def test_what_is_kept_is_bounded_by_age_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def put(at: float, region: str = WEST) -> None:
        point = Point(region=region, namespace="N", metric="M", dimensions={}, value=at, unit="None")
        cloudwatch.publish(ACCOUNT, [point], at)

    def kept() -> list[float]:
        return [datum.value for datum in cloudwatch_backends[ACCOUNT][WEST].metric_data]

    hours = [START + hour * 3600 for hour in range(6)]
    for at in hours:
        put(at)
        put(at, EAST)
    cloudwatch.trim(ACCOUNT, hours[-1])
    assert kept() == hours[2:]
    monkeypatch.setattr(cloudwatch, "MOST", 2)
    cloudwatch.trim(ACCOUNT, hours[-1])
    assert kept() == hours[-2:]
    tracked: Any = MetricDatum
    assert len(tracked.instances_tracked) == 4
