"""AWS: whether each replica keeps up is watched, against what may be lost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from policies.core.arns import arn_region, arn_resource
from policies.core.results import Kind, attempt, require, undecided, violation
from policies.core.roles import (
    BUCKET,
    BUCKET_REPLICATION,
    CLUSTER,
    INSTANCE,
    REPLICATION_GROUP,
    global_source,
)
from policies.core.values import UNKNOWN, at_most, is_set, number
from policies.rules.aws_alarms_metrics import subject, watches
from policies.rules.aws_routing_graph import region_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource, View
    from policies.core.results import Result
    from policies.rules.aws_alarms_metrics import Subject, Watch, Watches

_CLUSTER_INSTANCE: Final = "aws:rds/clusterInstance:ClusterInstance"
_TABLE: Final = "aws:dynamodb/table:Table"
_TABLE_REPLICA: Final = "aws:dynamodb/tableReplica:TableReplica"

_SECOND: Final = ("seconds", 1.0)
_MILLISECOND: Final = ("milliseconds", 1000.0)
_UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "AWS/RDS ReplicaLag": _SECOND,
    "AWS/RDS AuroraGlobalDBReplicationLag": _MILLISECOND,
    "AWS/RDS AuroraGlobalDBRPOLag": _MILLISECOND,
    "AWS/ElastiCache GlobalDatastoreReplicationLag": _SECOND,
    "AWS/S3 ReplicationLatency": _SECOND,
    "AWS/DynamoDB ReplicationLatency": _MILLISECOND,
}
"""Unit of each metric, and how many of it make a second."""
_AURORA: Final = ("AWS/RDS AuroraGlobalDBRPOLag", "AWS/RDS AuroraGlobalDBReplicationLag")
_ABOVE: Final = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")


@dataclass(frozen=True, kw_only=True)
class _Replica:
    """Something that lags.

    Attributes:
        about: What the finding is about.
        metrics: Any of which will do.
        region: Where the metric is published, which is where an alarm can read it; empty for not known.
        subjects: What the dimensions must name.
    """

    about: Resource | View
    metrics: tuple[str, ...]
    region: str
    subjects: tuple[Subject, ...]


def _replica_lag_alarm(context: Context) -> Iterable[Result]:
    alarms = watches(context.index, _UNITS)
    for type_, check in _KINDS.items():
        for resource in context.index.of(type_):
            yield from attempt(resource, partial(check, resource, context, alarms))


def _instance(replica: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    index, path = context.index, "replicateSourceDb"
    if not (replica.peek(path) is UNKNOWN or is_set(replica.peek(path))):
        return
    source = index.target(replica, path, INSTANCE)
    # A source outside this stack is in the region of its ARN; a plain name is in the replica's own.
    home = index.region(source) if source is not None else arn_region(replica.get(path))
    region = index.region(replica)
    if home and home != region:
        subjects = (subject(replica, dimensions=("DBInstanceIdentifier",)),)
        about = _Replica(about=replica, metrics=("AWS/RDS ReplicaLag",), region=region, subjects=subjects)
        yield from _watched(about, context, alarms)


def _cluster(replica: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    if global_source(replica, context.index) is None:
        return
    instances = context.index.companions(replica, _CLUSTER_INSTANCE, "clusterIdentifier")
    # Only instances of this cluster give their own names; `clusterIdentifier` of theirs is the cluster's.
    subjects = (subject(replica, *instances, dimensions=("DBClusterIdentifier", "DBInstanceIdentifier")),)
    region = context.index.region(replica)
    yield from _watched(_Replica(about=replica, metrics=_AURORA, region=region, subjects=subjects), context, alarms)


def _cache(replica: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    path = "globalReplicationGroupId"
    if not (replica.peek(path) is UNKNOWN or is_set(replica.peek(path))):
        return
    metrics = ("AWS/ElastiCache GlobalDatastoreReplicationLag",)
    subjects = (subject(replica, dimensions=("ReplicationGroupId", "CacheClusterId")),)
    region = context.index.region(replica)
    yield from _watched(_Replica(about=replica, metrics=metrics, region=region, subjects=subjects), context, alarms)


def _bucket(config: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    for rule in config.items("rules"):
        yield from attempt(rule, partial(_bucket_rule, config, rule, context, alarms))


def _bucket_rule(config: Resource, rule: View, context: Context, alarms: Watches) -> Iterator[Result]:
    if rule.get("status") != "Enabled":
        return
    index, path = context.index, "destination.bucket"
    source, destination = index.target(config, "bucket", BUCKET), index.target(rule, path, BUCKET)
    # What is not in this stack must at least have a name.
    bucket = config.peek("bucket") if source is not None else config.get("bucket")
    literal = rule.peek(path) if destination is not None else rule.get(path)
    region = index.region(destination) if destination is not None else ""
    if region and region == (index.region(source) if source is not None else index.region(config)):
        return
    subjects = (
        subject(*_given(source), dimensions=("SourceBucket",), literal=bucket),
        subject(*_given(destination), dimensions=("DestinationBucket",), literal=arn_resource(literal) or literal),
    )
    about = _Replica(about=rule, metrics=("AWS/S3 ReplicationLatency",), region=region, subjects=subjects)
    yield from _watched(about, context, alarms)
    if not _exempt(config, context):
        expected = "`Enabled`: S3 measures the lag of no other rule"
        yield from require(rule, "destination.metrics.status", lambda value: value == "Enabled", expected)


def _table(table: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    for replica in table.items("replicas"):
        if replica.peek("consistencyMode") != "STRONG":
            check = partial(_table_replica_in, replica, "regionName", table, context, alarms)
            yield from attempt(replica, check)


def _table_replica(replica: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    table = context.index.target(replica, "globalTableArn", _TABLE)
    yield from _table_replica_in(replica, "", table, context, alarms)


def _table_replica_in(
    replica: Resource | View, path: str, table: Resource | None, context: Context, alarms: Watches
) -> Iterator[Result]:
    index = context.index
    receiving = replica.get(path) if path else index.region(replica.resource)
    arn = replica.peek("globalTableArn")
    if table is None and arn is UNKNOWN:
        yield undecided(replica, "globalTableArn")
        return
    name = arn_resource(arn).removeprefix("table/")
    subjects = (
        subject(*_given(table), dimensions=("TableName",), literal=name),
        subject(dimensions=("ReceivingRegion",), literal=receiving),
    )
    region = index.region(table) if table is not None else arn_region(arn)
    metrics = ("AWS/DynamoDB ReplicationLatency",)
    yield from _watched(_Replica(about=replica, metrics=metrics, region=region, subjects=subjects), context, alarms)


def _given(resource: Resource | None) -> tuple[Resource, ...]:
    return () if resource is None else (resource,)


def _exempt(resource: Resource, context: Context) -> bool:
    """Whether a declaration knows the store and gives it no RPO."""
    objectives = context.objectives(resource)
    return objectives.rpo is None and objectives.source == "declaration"


def _watched(replica: _Replica, context: Context, alarms: Watches) -> Iterator[Result]:
    if _exempt(replica.about.resource, context):
        return
    rpo = context.objectives(replica.about.resource).rpo
    complaints: list[list[Result]] = []
    unplaced = [watch for metric in replica.metrics for watch in alarms.loose.get(metric, ())[:1]]
    for metric in replica.metrics:
        for watch in alarms.on(metric, replica.subjects):
            region = region_or_none(context.index, watch.metric.resource)
            if region is None:
                unplaced.append(watch)
            elif region == replica.region or not replica.region:
                complaints.append(list(_in_time(watch, metric, rpo)))
    if complaints:
        # One good alarm is enough, and one that may be good is better than one that is not.
        yield from min(complaints, key=lambda each: (any(one.kind is Kind.VIOLATION for one in each), len(each)))
    elif unplaced:
        yield undecided(unplaced[0].metric, _unknown_path(unplaced[0]))
    else:
        names = " or ".join(f"`{metric.partition(' ')[2]}`" for metric in replica.metrics)
        yield violation(replica.about, "", f"no alarm, where the metric is published, watches {names} of this replica")


def _unknown_path(watch: Watch) -> str:
    paths = ("namespace", "metricName", "dimensions")
    return next((path for path in paths if watch.metric.peek(path) is UNKNOWN), "dimensions")


def _in_time(watch: Watch, metric: str, rpo: float | None) -> Iterator[Result]:
    alarm = watch.metric.resource
    unit, per_second = _UNITS[metric]
    yield from require(alarm, "comparisonOperator", lambda value: value in _ABOVE, " or ".join(_ABOVE))
    if rpo is None:
        yield from require(alarm, "threshold", lambda value: number(value) is not None, f"set, in {unit}")
    else:
        yield from require(alarm, "threshold", at_most(rpo * per_second), f"at most the RPO, in {unit}")


_KINDS: Final[Mapping[str, Callable[[Resource, Context, Watches], Iterator[Result]]]] = {
    INSTANCE: _instance,
    CLUSTER: _cluster,
    REPLICATION_GROUP: _cache,
    BUCKET_REPLICATION: _bucket,
    _TABLE: _table,
    _TABLE_REPLICA: _table_replica,
}

CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {"replica-lag-alarm": _replica_lag_alarm}
