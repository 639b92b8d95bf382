"""AWS: whether each replica keeps up is watched, against what may be lost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from policies.core.arns import arn_region, arn_resource
from policies.core.results import Kind, Result, attempt, require, undecided, violation
from policies.core.roles import (
    BUCKET,
    BUCKET_REPLICATION,
    CLUSTER,
    INSTANCE,
    REPLICATION_GROUP,
    global_source,
)
from policies.core.values import UNKNOWN, at_most, is_set, number
from policies.rules.aws_alarms_metrics import (
    ABOVE,
    BINLOG_AURORA,
    BUCKET_LAG,
    LAG_UNITS,
    LAGS,
    TABLE_LAG,
    lag_watches,
    replication_subjects,
    sees_lag,
    subject,
)
from policies.rules.aws_copies import DOCUMENTS, GLOBAL_DATASTORE, GRAPH, joins_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.objectives import Objectives
    from policies.core.resource import Resource, View
    from policies.rules.aws_alarms_metrics import Measured, Subject, Watch, Watches

_TABLE: Final = "aws:dynamodb/table:Table"
_TABLE_REPLICA: Final = "aws:dynamodb/tableReplica:TableReplica"
_ORIGINS: Final = ("masterUsername", "snapshotIdentifier", "restoreToPointInTime", "s3Import")
"""What a cluster names that has data of its own."""


@dataclass(frozen=True, kw_only=True)
class _Replica:
    """Something that lags.

    Attributes:
        about: What the finding is about.
        metrics: Any of which will do.
        region: Where the metric is published, which is where an alarm can read it; empty for not known.
        subjects: What the dimensions must name.
        source: What it follows, as far as that is in this stack.
    """

    about: Resource | View
    metrics: tuple[str, ...]
    region: str
    subjects: tuple[Subject, ...]
    source: Resource | None = None


def _replica_lag_alarm(context: Context) -> Iterable[Result]:
    alarms = lag_watches(context.index)
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
        yield from _follows(replica, LAGS[INSTANCE][0], source, context, alarms)


def _follows(
    replica: Resource, kind: Measured, source: Resource | None, context: Context, alarms: Watches
) -> Iterator[Result]:
    index = context.index
    about = _Replica(
        about=replica,
        metrics=kind.metrics,
        region=index.region(replica),
        subjects=(kind.subject(replica, index),),
        source=source,
    )
    yield from _watched(about, context, alarms)


def _cluster(replica: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    index, path = context.index, "replicationSourceIdentifier"
    source = global_source(replica, index)
    if source is not None or _joins(replica, index):
        yield from _follows(replica, LAGS[replica.type][0], source, context, alarms)
    elif replica.type == CLUSTER and (replica.peek(path) is UNKNOWN or is_set(replica.peek(path))):
        source = index.target(replica, path, CLUSTER, INSTANCE)
        home = index.region(source) if source is not None else arn_region(replica.get(path))
        if home and home != index.region(replica):
            yield from _follows(replica, BINLOG_AURORA, source, context, alarms)


def _joins(cluster: Resource, index: Index) -> bool:
    """Whether a cluster without data of its own is a member of a global cluster that another stack declares.

    A global cluster has one member in a region, so that the one with the data is elsewhere.
    """
    return joins_elsewhere(cluster, index) and not any(
        cluster.peek(path) is UNKNOWN or is_set(cluster.peek(path)) for path in _ORIGINS
    )


def _cache(replica: Resource, context: Context, alarms: Watches) -> Iterator[Result]:
    index, path = context.index, "globalReplicationGroupId"
    if not (replica.peek(path) is UNKNOWN or is_set(replica.peek(path))):
        return
    datastore = index.target(replica, path, GLOBAL_DATASTORE)
    source = index.target(datastore, "primaryReplicationGroupId", REPLICATION_GROUP) if datastore else None
    yield from _follows(replica, LAGS[REPLICATION_GROUP][0], source, context, alarms)


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
    subjects = replication_subjects(source, destination, bucket, literal)
    about = _Replica(about=rule, metrics=(BUCKET_LAG,), region=region, subjects=subjects, source=source)
    yield from _watched(about, context, alarms)
    if not _exempt(about, context):
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
    about = _Replica(about=replica, metrics=(TABLE_LAG,), region=region, subjects=subjects, source=table)
    yield from _watched(about, context, alarms)


def _given(resource: Resource | None) -> tuple[Resource, ...]:
    return () if resource is None else (resource,)


def _demanded(replica: _Replica, context: Context) -> list[Objectives]:
    return [context.objectives(each) for each in (replica.about.resource, *_given(replica.source))]


def _exempt(replica: _Replica, context: Context) -> bool:
    """Whether a declaration knows the store and gives it no RPO, neither here nor where it comes from."""
    demanded = _demanded(replica, context)
    # What the settings demand of everything is no word about this one.
    known = any(each.without_rpo for each in demanded)
    return known and all(each.source in ("", "settings") or each.rpo is None for each in demanded)


def _watched(replica: _Replica, context: Context, alarms: Watches) -> Iterator[Result]:
    if _exempt(replica, context):
        return
    # A replica of what may lose less may lose no more than that.
    rpo = min((each.rpo for each in _demanded(replica, context) if each.rpo is not None), default=None)
    complaints: list[list[Result]] = []
    unplaced = [watch for metric in replica.metrics for watch in alarms.loose.get(metric, ())[:1]]
    for metric in replica.metrics:
        for watch in alarms.on(metric, replica.subjects):
            region = context.index.region_or(watch.metric.resource, None)
            if region is None:
                unplaced.append(watch)
            elif region == replica.region or not replica.region:
                complaints.append(list(_in_time(watch, metric, rpo, context.parameters["delay_seconds"])))
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


def _in_time(watch: Watch, metric: str, rpo: float | None, delay: float) -> Iterator[Result]:
    alarm = watch.metric.resource
    if not watch.compared:
        message = (
            "`metricQueries`: what is returned is made from the metric of a lag, and its threshold cannot be judged"
        )
        yield Result(kind=Kind.UNDECIDED, urn=alarm.urn, path="metricQueries", message=message)
        return
    unit, per_second = LAG_UNITS[metric]
    yield from require(alarm, "comparisonOperator", lambda value: value in ABOVE, " or ".join(ABOVE))
    expected = "Maximum, Average or a percentile from the median up"
    yield from require(watch.metric, watch.statistic, sees_lag, expected)
    if rpo is None:
        yield from require(alarm, "threshold", lambda value: number(value) is not None, f"set, in {unit}")
    else:
        yield from require(alarm, "threshold", at_most(rpo * per_second), f"at most the RPO, in {unit}")
        yield from _soon_enough(watch.metric, max(rpo, delay))


def _soon_enough(metric: Resource | View, most: float) -> Iterator[Result]:
    alarm = metric.resource
    counted = "evaluationPeriods" if alarm.peek("datapointsToAlarm") is None else "datapointsToAlarm"
    times = alarm.peek(counted)
    period = metric.peek("period")
    if UNKNOWN in (times, period):
        yield undecided(*((alarm, counted) if times is UNKNOWN else (metric, "period")))
        return
    periods, seconds = number(times), number(period)
    if periods is None or seconds is None or periods * seconds > most:
        about, path = (alarm, counted) if periods is None else (metric, "period")
        full = ".".join(part for part in (about.prefix, path) if part)
        message = f"`{full}`: the periods that must pass before the alarm must come to at most {most:g} seconds"
        yield violation(about, path, message, absent=about.peek(path) is None)


_KINDS: Final[Mapping[str, Callable[[Resource, Context, Watches], Iterator[Result]]]] = {
    INSTANCE: _instance,
    CLUSTER: _cluster,
    DOCUMENTS: _cluster,
    GRAPH: _cluster,
    REPLICATION_GROUP: _cache,
    BUCKET_REPLICATION: _bucket,
    _TABLE: _table,
    _TABLE_REPLICA: _table_replica,
}

CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {"replica-lag-alarm": _replica_lag_alarm}
