"""What the standby costs a month, estimated from the design. Pure.

Only what stands there whether it is used or not is summed: instances, nodes, gateways, allocated storage, keys. What
grows with use (replicated gigabytes, stored objects, log volume) is given as a rate, since any sum would be a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifeboat.model.settings.sites import Nat, RoutingKind
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism, ObjectMechanism
from lifeboat.reporting.prices import HOURS_A_MONTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.design import DatabaseDesign, Topology
    from lifeboat.model.settings import Settings
    from lifeboat.reporting.prices import Prices

KEYS_A_SITE = 8
"""One key for each purpose that the components know; a test compares."""

HEALTH_OPTIONS = 3
"""Options that a check of an endpoint is billed for: HTTPS, measured latency, an interval of 10 s."""

REPLICATION_METRICS = 6
"""What S3 publishes of buckets that replicate into each other: bytes and operations pending, and latency, both ways."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One position of an estimate."""

    capability: str
    """As in the design's decisions: ``network``, ``database orders``, ``keys``, ..."""
    item: str
    """What is counted, such as ``2 x cache.r6g.large``."""
    monthly_usd: float | None
    """Fixed cost a month; None without a price, or when it goes by use."""
    note: str = ""
    """The missing price, or the rate of what goes by use."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The cost of a standby."""

    region: str
    lines: tuple[Line, ...]

    @property
    def monthly_usd(self) -> float:
        """The sum of all that has a price."""
        return sum(line.monthly_usd or 0 for line in self.lines)

    @property
    def missing(self) -> tuple[str, ...]:
        """What has no price here, so that the sum is a lower limit; empty when everything has one."""
        return tuple(dict.fromkeys(line.note for line in self.lines if line.note.startswith("no price")))

    def of(self, capability: str) -> tuple[Line, ...]:
        """The lines of one capability."""
        return tuple(line for line in self.lines if line.capability == capability)


@dataclass(frozen=True)
class _Desk:
    """Makes lines from prices of one region."""

    prices: Prices
    region: str

    def fixed(self, capability: str, item: str, price: tuple[str, str], count: float) -> Line:
        """A position that stands whether it is used or not: `count` units of a price per hour or per month."""
        group, name = price
        usd = self.prices.usd(group, name, self.region)
        if usd is None:
            what = name if "." in name else f"{group} {name}"
            return Line(
                capability=capability, item=item, monthly_usd=None, note=f"no price for {what} in {self.region}"
            )
        hours = HOURS_A_MONTH if self.prices.groups[group].unit == "hour" else 1
        return Line(capability=capability, item=item, monthly_usd=usd * hours * count)

    def by_use(self, capability: str, item: str, price: tuple[str, str], region: str | None = None) -> Line:
        """A position that goes by use: its rate."""
        group, name = price
        where = region or self.region
        usd = self.prices.usd(group, name, where)
        note = f"no price for {group} {name} in {where}"
        if usd is not None:
            note = f"${usd:g} a {self.prices.groups[group].unit.upper().replace('-MONTH', ' and month')}"
        return Line(capability=capability, item=item, monthly_usd=None, note=note)


def standby_cost(settings: Settings, topology: Topology, prices: Prices) -> Estimate:
    """Estimate what the standby site, and the routing between the sites, cost a month."""
    desk = _Desk(prices, topology.standby.region)
    lines = [
        *_network(desk, settings, topology),
        *(line for database in topology.databases for line in _database(desk, database, topology)),
        *_caches(desk, topology),
        *_objects(desk, topology),
        *_secrets_and_keys(desk, settings),
        *_routing(desk, settings, topology),
    ]
    return Estimate(region=topology.standby.region, lines=tuple(lines))


def _network(desk: _Desk, settings: Settings, topology: Topology) -> Iterator[Line]:
    zones = len(topology.standby.zones)
    gateways = zones if topology.nat is Nat.PER_ZONE else 1
    yield desk.fixed("network", f"{gateways} x NAT gateway", ("nat-gateway", "gateway"), gateways)
    yield desk.fixed("network", f"{gateways} x public address", ("public-address", "ipv4"), gateways)
    endpoints = len(settings.network.interface_endpoints)
    if endpoints:
        yield desk.fixed(
            "network", f"{endpoints} endpoints x {zones} zones", ("interface-endpoint", "endpoint"), endpoints * zones
        )


def _database(desk: _Desk, database: DatabaseDesign, topology: Topology) -> Iterator[Line]:
    settings = database.settings
    capability = f"database {settings.name}"
    size = settings.standby_instance_class or settings.instance_class
    if database.mechanism is DatabaseMechanism.AURORA_GLOBAL:
        if database.standby_instances:
            item = f"{database.standby_instances} x {size}"
            yield desk.fixed(capability, item, ("aurora-instance", size), database.standby_instances)
        yield desk.by_use(capability, "storage", ("aurora-storage", "standard"))
    else:
        instances = sum(instance.region == topology.standby.region for instance in database.instances)
        if instances:
            # Every generation is Multi-AZ: after a failover it is all there is.
            yield desk.fixed(capability, f"{instances} x {size}, Multi-AZ", ("rds-instance", size), 2 * instances)
            item = f"{instances} x {settings.storage_gib} GiB gp3, Multi-AZ"
            yield desk.fixed(capability, item, ("rds-storage", "gp3"), 2 * instances * settings.storage_gib)
        if database.replicate_backups:
            yield desk.by_use(capability, "replicated backups", ("rds-backup", "backup"))
        if database.mechanism is DatabaseMechanism.BACKUPS:
            yield desk.by_use(capability, "daily copies", ("rds-backup", "backup"))
    yield from _lag_alarms(desk, capability, 0 if database.lag_alarm is None else _replicas(database))
    yield desk.by_use(capability, "replication traffic", ("transfer", "region"), topology.home.region)


def _replicas(database: DatabaseDesign) -> int:
    aurora = database.mechanism is DatabaseMechanism.AURORA_GLOBAL
    return 1 if aurora else sum(instance.source is not None for instance in database.instances)


def _lag_alarms(desk: _Desk, capability: str, count: int) -> Iterator[Line]:
    if count:
        yield desk.fixed(capability, f"{count} x lag alarm", ("alarm", "alarm"), count)


def _caches(desk: _Desk, topology: Topology) -> Iterator[Line]:
    for cache in topology.caches:
        capability = f"cache {cache.settings.name}"
        item = f"{cache.settings.nodes} x {cache.settings.node_type}"
        yield desk.fixed(capability, item, ("cache-node", cache.settings.node_type), cache.settings.nodes)
        if cache.mechanism is CacheMechanism.GLOBAL_DATASTORE:
            yield from _lag_alarms(desk, capability, 0 if cache.rpo is None else 1)
            yield desk.by_use(capability, "replication traffic", ("transfer", "region"), topology.home.region)


def _objects(desk: _Desk, topology: Topology) -> Iterator[Line]:
    for store in topology.object_stores:
        capability = f"objects {store.settings.name}"
        if store.mechanism is ObjectMechanism.NONE:
            continue
        yield from _lag_alarms(desk, capability, 0 if store.rpo is None else len(topology.sites))
        item = f"{REPLICATION_METRICS} metrics of replication"
        yield desk.fixed(capability, item, ("metric", "metric"), REPLICATION_METRICS)
        yield desk.by_use(capability, "storage", ("s3-storage", "standard"))
        yield desk.by_use(capability, "replication traffic", ("transfer", "region"), topology.home.region)
        if store.mechanism is ObjectMechanism.TIME_CONTROL:
            yield desk.by_use(capability, "time control", ("s3-time-control", "replicated"))


def _secrets_and_keys(desk: _Desk, settings: Settings) -> Iterator[Line]:
    # Every database has a master password and every cache an auth token, beside the secrets that are declared.
    secrets = len(settings.secrets) + len(settings.databases) + len(settings.caches)
    if secrets:
        yield desk.fixed("secrets", f"{secrets} replicas", ("secret", "secret"), secrets)
    yield desk.fixed("keys", f"{KEYS_A_SITE} keys", ("key", "key"), KEYS_A_SITE)


def _routing(desk: _Desk, settings: Settings, topology: Topology) -> Iterator[Line]:
    if settings.dns is None or topology.routing is None:
        return
    checks = 2 * len(settings.dns.endpoints)
    if checks:
        yield desk.fixed("routing", f"{checks} endpoint checks", ("health-check", "endpoint"), checks)
        options = checks * HEALTH_OPTIONS
        yield desk.fixed("routing", f"{options} options of checks", ("health-check", "option"), options)
        yield desk.fixed("routing", f"{checks} alarms on checks", ("alarm", "alarm"), checks)
    if settings.dns.zone_id is None:
        yield desk.fixed("routing", "hosted zone", ("zone", "zone"), 1)
    if topology.routing is RoutingKind.ALARM:
        yield desk.fixed("routing", "2 switches", ("health-check", "alarm"), 2)
    elif topology.routing is RoutingKind.ROUTING_CONTROL:
        yield desk.fixed("routing", "control cluster", ("routing-control-cluster", "cluster"), 1)
