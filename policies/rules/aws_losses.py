"""The most that a store can lose, and the longest that its past is kept, by what its resources declare."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from policies.core.backups import kept_days
from policies.core.roles import BUCKET, CLUSTER, INSTANCE, REPLICATION_GROUP
from policies.core.schedules import longest_interval
from policies.core.values import is_false, is_true, mapping, number
from policies.rules.aws_copies import DOCUMENTS, FILE_SYSTEM, GRAPH, TABLE, WAREHOUSE, Mechanism

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.rules.aws_copies import Copy

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
PARAMETERS: Final = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
FILE_BACKUP: Final = "aws:efs/backupPolicy:BackupPolicy"

POINT_IN_TIME: Final = 300.0
"""RDS, Aurora and DynamoDB: the latest restorable time is within the last five minutes (their user guides on
point-in-time recovery)."""
REPLICATED_BACKUPS: Final = 600.0
"""RDS ships a transaction log every five minutes; the copy to the other region is taken to need as long again."""
TIME_CONTROL: Final = 900.0
"""S3 Replication Time Control: 99.9 % of objects within 15 minutes, by its SLA."""
FILE_REPLICATION: Final = 900.0
"""EFS replication is designed for an RPO of 15 minutes for most file systems (EFS user guide)."""
WAREHOUSE_SNAPSHOTS: Final = 28800.0
"""Redshift takes an automated snapshot every eight hours, or more often when much changes."""
DAILY: Final = 86400.0
START_WINDOW: Final = 60
"""Minutes in which AWS Backup begins, where the provider is told nothing else."""
LAG_UNITS: Final[Mapping[str, float]] = {
    "AWS/RDS AuroraGlobalDBReplicationLag": 1000,
    "AWS/RDS AuroraGlobalDBRPOLag": 1000,
    "AWS/RDS AuroraBinlogReplicaLag": 1,
    "AWS/RDS ReplicaLag": 1,
    "AWS/ElastiCache GlobalDatastoreReplicationLag": 1,
    "AWS/DynamoDB ReplicationLatency": 1000,
    "AWS/EFS TimeSinceLastSync": 1,
    "AWS/DocDB GlobalClusterReplicationLag": 1000,
    "AWS/Neptune GlobalDbProgressLag": 1000,
}
"""How many of a lag metric's unit are a second: some of them count milliseconds."""


class Lags:
    """The alarms on replication lag, by what they watch.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._on: dict[str, list[tuple[Resource, float]]] = defaultdict(list)
        for alarm in index.of(ALARM):
            unit = LAG_UNITS.get(f"{alarm.peek('namespace')} {alarm.peek('metricName')}")
            if unit is not None and str(alarm.peek("comparisonOperator")).startswith("GreaterThan"):
                names = [name for name in mapping(alarm.peek("dimensions")) if "." not in name]
                for urn in {
                    each.urn
                    for path in ("dimensions", *(f"dimensions.{name}" for name in names))
                    for each in index.targets(alarm, path)
                }:
                    self._on[urn].append((alarm, unit))

    def of(self, resource: Resource) -> Iterator[float]:
        """Seconds of lag at which each alarm on a resource rings.

        Raises:
            UnknownPropertyError: when a threshold is not known yet.
        """
        for alarm, unit in self._on.get(resource.urn, ()):
            threshold = number(alarm.get("threshold"))
            if threshold is not None and not is_false(alarm.get("actionsEnabled")):
                yield threshold / unit


def loss(copy: Copy, index: Index, lags: Lags) -> Iterator[float]:
    """Seconds of writes that a copy may lack, one bound for each thing that bounds it; none where nothing does.

    Raises:
        UnknownPropertyError: when a bound is not known yet.
    """
    match copy.mechanism:
        case Mechanism.REPLICA:
            yield from _enforced(copy.source, index)
            yield from lags.of(copy.about.resource)
        case Mechanism.TABLE:
            if copy.about.get("consistencyMode") == "STRONG":
                yield 0
            yield from lags.of(copy.source)
            yield from () if copy.about.resource is copy.source else lags.of(copy.about.resource)
        case Mechanism.FILES:
            yield FILE_REPLICATION
        case Mechanism.OBJECTS:
            # An alarm tells of a lag and bounds none; it counts only where replication has nothing better.
            statuses = [copy.about.get(f"destination.{part}.status") for part in ("replicationTime", "metrics")]
            if all(status == "Enabled" for status in statuses):
                yield TIME_CONTROL
        case Mechanism.BACKUPS:
            yield REPLICATED_BACKUPS
        case Mechanism.PLAN:
            yield from _planned(copy.about)
        case Mechanism.SNAPSHOTS:
            yield WAREHOUSE_SNAPSHOTS


def _enforced(cluster: Resource, index: Index) -> Iterator[float]:
    """The bound at which a global Aurora PostgreSQL stalls commits rather than lag further."""
    path = "dbClusterParameterGroupName"
    group = index.target(cluster, path, PARAMETERS) if cluster.type == CLUSTER else None
    for parameter in () if group is None else group.items("parameters"):
        if parameter.get("name") == "rds.global_db_rpo":
            seconds = number(parameter.get("value"))
            if seconds is not None and seconds > 0:
                yield seconds


def _planned(rule: Resource | View) -> Iterator[float]:
    """The longest between two backups of a plan's rule: its interval, and the window in which each may begin."""
    interval = longest_interval(rule.get("schedule"))
    written = rule.get("startWindow")
    window = START_WINDOW if written is None else number(written)
    if interval is not None and window is not None:
        yield interval + window * 60


def local_loss(store: Resource, index: Index, plans: Iterable[Resource]) -> Iterator[float]:
    """The same for a store whose region stays: what can be restored in place.

    Raises:
        UnknownPropertyError: when a bound is not known yet.
    """
    if store.type == BUCKET and _is_versioned(store, index):
        yield 0
    elif (
        store.type in (CLUSTER, DOCUMENTS, GRAPH)
        or (store.type == INSTANCE and (number(store.get("backupRetentionPeriod")) or 0) > 0)
        or (store.type == TABLE and is_true(store.get("pointInTimeRecovery.enabled")))
    ):
        yield POINT_IN_TIME
    elif store.type == REPLICATION_GROUP and (number(store.get("snapshotRetentionLimit")) or 0) > 0:
        yield DAILY
    elif store.type == WAREHOUSE and number(store.get("automatedSnapshotRetentionPeriod")) != 0:
        yield WAREHOUSE_SNAPSHOTS
    elif store.type == FILE_SYSTEM:
        policies = index.companions(store, FILE_BACKUP, "fileSystemId")
        if any(each.get("backupPolicy.status") == "ENABLED" for each in policies):
            yield DAILY
    for plan in plans:
        for rule in plan.items("rules"):
            yield from _planned(rule)


def kept(store: Resource, index: Index, plans: Iterable[Resource]) -> Iterator[float]:
    """Days for which each mechanism keeps a past state of a store in its own region, infinite for without end.

    Raises:
        UnknownPropertyError: when they are not known yet.
    """
    days = _OWN_DAYS.get(store.type)
    if days is not None:
        property_, default = days
        written = store.get(property_)
        yield default if written is None else number(written) or 0
    elif store.type == TABLE and is_true(store.get("pointInTimeRecovery.enabled")):
        written = store.get("pointInTimeRecovery.recoveryPeriodInDays")
        yield 35 if written is None else number(written) or 0
    elif store.type == BUCKET and _is_versioned(store, index):
        yield _noncurrent_days(store, index)
    for plan in plans:
        for rule in plan.items("rules"):
            yield kept_days(rule)


_OWN_DAYS: Final[Mapping[str, tuple[str, float]]] = {
    INSTANCE: ("backupRetentionPeriod", 0),
    CLUSTER: ("backupRetentionPeriod", 1),
    DOCUMENTS: ("backupRetentionPeriod", 1),
    GRAPH: ("backupRetentionPeriod", 1),
    REPLICATION_GROUP: ("snapshotRetentionLimit", 0),
    WAREHOUSE: ("automatedSnapshotRetentionPeriod", 1),
}
"""Property, and the days where it is absent."""


def _is_versioned(bucket: Resource, index: Index) -> bool:
    statuses = [each.get("versioningConfiguration.status") for each in index.companions(bucket, VERSIONING, "bucket")]
    return "Enabled" in statuses or (not statuses and is_true(bucket.get("versioning.enabled")))


def _noncurrent_days(bucket: Resource, index: Index) -> float:
    """Days until the first rule removes an old version; any rule counts, as it may be for what matters."""
    shortest = math.inf
    for config in index.companions(bucket, LIFECYCLE, "bucket"):
        for rule in config.items("rules"):
            if rule.get("status") == "Enabled" and rule.get("noncurrentVersionExpiration") is not None:
                days = number(rule.get("noncurrentVersionExpiration.noncurrentDays"))
                shortest = min(shortest, days or 0)
    return shortest
