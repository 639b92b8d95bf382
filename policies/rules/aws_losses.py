"""The most that a store can lose, and the longest that its past is kept, by what its resources declare."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from policies.core.backups import kept_days
from policies.core.roles import BUCKET, CLUSTER, INSTANCE, REPLICATION_GROUP
from policies.core.schedules import longest_interval
from policies.core.values import UnknownPropertyError, is_false, is_set, is_true, known, number
from policies.rules.aws_alarms_metrics import (
    ABOVE,
    BUCKET_LAG,
    LAG_UNITS,
    LAGS,
    TABLE_LAG,
    lag_watches,
    replication_subjects,
    sees_lag,
    subject,
)
from policies.rules.aws_copies import DOCUMENTS, FILE_SYSTEM, GRAPH, TABLE, WAREHOUSE, Mechanism

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.rules.aws_alarms_metrics import Subject, Watch
    from policies.rules.aws_copies import Copy

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


class Lags:
    """The alarms that bound the lag of replicas: those that `replica-lag-alarm` looks for, and that call somebody.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._alarms = lag_watches(index)

    def of(self, copy: Copy) -> Iterator[float]:
        """Seconds of lag at which each alarm on a copy rings.

        Raises:
            UnknownPropertyError: when a threshold is not known yet, or what an alarm watches where no other one does.
        """
        found = False
        for seconds in self._bounds(copy):
            found = True
            yield seconds
        metrics = (metric for metric, _ in self._measured(copy))
        if not found and any(self._alarms.loose.get(metric) for metric in metrics):
            raise UnknownPropertyError("dimensions")

    def _bounds(self, copy: Copy) -> Iterator[float]:
        region = self._published(copy)
        for metric, subjects in self._measured(copy):
            for watch in self._alarms.on(metric, subjects):
                alarm = watch.metric.resource
                if watch.compared and self._index.region(alarm) == region and _rings(watch):
                    threshold = number(alarm.get("threshold"))
                    if threshold is not None:
                        yield threshold / LAG_UNITS[metric][1]

    def _published(self, copy: Copy) -> str:
        """The region that has the metrics of a copy's lag."""
        if copy.mechanism is Mechanism.OBJECTS:
            return known(copy.place, copy.path) if copy.place else ""
        return self._index.region(copy.source if copy.mechanism is Mechanism.TABLE else copy.about.resource)

    def _measured(self, copy: Copy) -> Iterator[tuple[str, tuple[Subject, ...]]]:
        """The metrics of a copy's lag, each with what their dimensions must name."""
        if copy.mechanism is Mechanism.TABLE:
            table = subject(copy.source, dimensions=("TableName",))
            yield TABLE_LAG, (table, subject(dimensions=("ReceivingRegion",), literal=copy.place))
            return
        if copy.mechanism is Mechanism.OBJECTS:
            # S3 measures the lag of no other rule.
            if copy.about.get("destination.metrics.status") == "Enabled":
                destination = self._index.target(copy.about, "destination.bucket", BUCKET)
                yield BUCKET_LAG, replication_subjects(copy.source, destination)
            return
        replica = copy.about.resource
        for kind in LAGS.get(replica.type, ()):
            about = (kind.subject(replica, self._index),)
            yield from ((metric, about) for metric in kind.metrics)


def _rings(watch: Watch) -> bool:
    alarm = watch.metric.resource
    return (
        alarm.get("comparisonOperator") in ABOVE
        and sees_lag(watch.metric.get(watch.statistic))
        and not is_false(alarm.get("actionsEnabled"))
        and is_set(alarm.peek("alarmActions"))
    )


def loss(copy: Copy, index: Index, lags: Lags) -> Iterator[float]:
    """Seconds of writes that a copy may lack, one bound for each thing that bounds it; none where nothing does.

    Raises:
        UnknownPropertyError: when a bound is not known yet.
    """
    match copy.mechanism:
        case Mechanism.REPLICA:
            yield from _enforced(copy.source, index)
            yield from lags.of(copy)
        case Mechanism.TABLE:
            if copy.about.get("consistencyMode") == "STRONG":
                yield 0
            yield from lags.of(copy)
        case Mechanism.FILES:
            yield FILE_REPLICATION
        case Mechanism.OBJECTS:
            statuses = [copy.about.get(f"destination.{part}.status") for part in ("replicationTime", "metrics")]
            if all(status == "Enabled" for status in statuses):
                yield TIME_CONTROL
            yield from lags.of(copy)
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
