"""What alarms look at, and the replicas whose lag an alarm must look at."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from policies.core.arns import arn_resource
from policies.core.roles import CLUSTER, INSTANCE, REPLICATION_GROUP
from policies.core.values import UNKNOWN, UnknownPropertyError, is_true, mapping, number
from policies.rules.aws_routing_graph import ALARM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from policies.core.index import Index
    from policies.core.resource import Resource, View

_MEMBER: Final = re.compile(r"(-\d{4})?-\d{3}$")
"""What ElastiCache appends to a replication group's name for each of its nodes."""
LAG_UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "AWS/RDS ReplicaLag": ("seconds", 1),
    "AWS/RDS AuroraBinlogReplicaLag": ("seconds", 1),
    "AWS/RDS AuroraGlobalDBReplicationLag": ("milliseconds", 1000),
    "AWS/RDS AuroraGlobalDBRPOLag": ("milliseconds", 1000),
    "AWS/DocDB GlobalClusterReplicationLag": ("milliseconds", 1000),
    "AWS/Neptune GlobalDbProgressLag": ("milliseconds", 1000),
    "AWS/ElastiCache GlobalDatastoreReplicationLag": ("seconds", 1),
    "AWS/S3 ReplicationLatency": ("seconds", 1),
    "AWS/DynamoDB ReplicationLatency": ("milliseconds", 1000),
}
"""Unit of each metric of a lag, and how many of it make a second."""
ABOVE: Final = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")
_STATISTICS: Final = ("Maximum", "Average")
_PERCENTILE: Final = re.compile(r"p(\d{1,3}(?:\.\d{1,9})?)")
_MEDIAN: Final = 50
_IDENTIFIER: Final = re.compile(r"\b[a-z]\w*")
"""What a metric-math expression calls another query by: functions are in capitals."""
_NAMES: Final = ("identifier", "clusterIdentifier", "replicationGroupId", "bucket", "name", "id")


def measured(alarm: Resource) -> Sequence[Resource | View]:
    """What has ``namespace``, ``metricName`` and ``dimensions``: an alarm, or each metric of its queries.

    Raises:
        UnknownPropertyError: when the queries are not known yet.
    """
    queries = alarm.items("metricQueries")
    return [metric for query in queries for metric in query.items("metric")] if queries else [alarm]


def metric_of(metric: Resource | View) -> str:
    """Namespace and name, such as ``AWS/RDS ReplicaLag``.

    Raises:
        UnknownPropertyError: when one of them is not known yet.
    """
    return f"{metric.get('namespace')} {metric.get('metricName')}"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a dimension must name.

    Attributes:
        dimensions: Names of the dimension, any of which will do.
        resources: What it names, as far as this stack has it.
        values: What it may be called.
    """

    dimensions: tuple[str, ...]
    resources: tuple[Resource, ...] = ()
    values: frozenset[str] = frozenset()

    def named_by(self, metric: Resource | View, depended: frozenset[str]) -> bool:
        """Whether a metric's dimensions name it: by value where both values are known, else by dependency."""
        bag = mapping(metric.peek("dimensions"))
        for dimension in self.dimensions:
            value = bag.get(dimension)
            if isinstance(value, str) and self.values:
                if self.values & set(spellings(value)):
                    return True
            elif value is not None and any(each.urn in depended for each in self.resources):
                return True
        # A preview may know the dimensions as a whole only after an update.
        return metric.peek("dimensions") is UNKNOWN and any(each.urn in depended for each in self.resources)


def subject(*resources: Resource, dimensions: tuple[str, ...], literal: Any = None) -> Subject:  # noqa: ANN401 - JSON
    """A subject from resources, or from a literal name where this stack has none."""
    names: set[str] = {literal} if isinstance(literal, str) and literal else set()
    for resource in resources:
        for bag in (resource.inputs or {}, resource.outputs):
            names |= {value for key in _NAMES if isinstance(value := bag.get(key), str) and value}
    return Subject(dimensions=dimensions, resources=resources, values=frozenset(names))


def replication_subjects(
    source: Resource | None,
    destination: Resource | None,
    named_source: Any = None,  # noqa: ANN401 - JSON
    named_destination: Any = None,  # noqa: ANN401 - JSON
) -> tuple[Subject, Subject]:
    """What the dimensions of `BUCKET_LAG` must name: both buckets, by their names where this stack lacks one."""
    given, received = ((each,) if each is not None else () for each in (source, destination))
    return (
        subject(*given, dimensions=("SourceBucket",), literal=named_source),
        subject(
            *received, dimensions=("DestinationBucket",), literal=arn_resource(named_destination) or named_destination
        ),
    )


def spellings(value: str) -> tuple[str, ...]:
    """A dimension's value, and the replication group's name where it is that of a node."""
    return (value, _MEMBER.sub("", value))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How the lag of a type of replica is measured, in the replica's own region.

    Attributes:
        metrics: Any of which will do.
        dimensions: Names of the dimension that names the replica.
        instances: Type of what belongs to it and may stand for it in the dimensions, or empty.
    """

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...]
    instances: str = ""

    def subject(self, replica: Resource, index: Index) -> Subject:
        """What the dimensions of an alarm must name."""
        # Only instances of this cluster give their own names; `clusterIdentifier` of theirs is the cluster's.
        own = index.companions(replica, self.instances, "clusterIdentifier") if self.instances else ()
        return subject(replica, *own, dimensions=self.dimensions)


_OF_CLUSTERS: Final = ("DBClusterIdentifier", "DBInstanceIdentifier")
GLOBAL_AURORA: Final = Measured(
    metrics=("AWS/RDS AuroraGlobalDBRPOLag", "AWS/RDS AuroraGlobalDBReplicationLag"),
    dimensions=_OF_CLUSTERS,
    instances="aws:rds/clusterInstance:ClusterInstance",
)
BINLOG_AURORA: Final = Measured(
    metrics=("AWS/RDS AuroraBinlogReplicaLag",), dimensions=_OF_CLUSTERS, instances=GLOBAL_AURORA.instances
)
LAGS: Final[Mapping[str, tuple[Measured, ...]]] = {
    INSTANCE: (Measured(metrics=("AWS/RDS ReplicaLag",), dimensions=("DBInstanceIdentifier",)),),
    CLUSTER: (GLOBAL_AURORA, BINLOG_AURORA),
    "aws:docdb/cluster:Cluster": (
        Measured(
            metrics=("AWS/DocDB GlobalClusterReplicationLag",),
            dimensions=_OF_CLUSTERS,
            instances="aws:docdb/clusterInstance:ClusterInstance",
        ),
    ),
    "aws:neptune/cluster:Cluster": (
        Measured(
            metrics=("AWS/Neptune GlobalDbProgressLag",),
            dimensions=_OF_CLUSTERS,
            instances="aws:neptune/clusterInstance:ClusterInstance",
        ),
    ),
    REPLICATION_GROUP: (
        Measured(
            metrics=("AWS/ElastiCache GlobalDatastoreReplicationLag",),
            dimensions=("ReplicationGroupId", "CacheClusterId"),
        ),
    ),
}
"""By type of replica, the most usual kind first."""
TABLE_LAG: Final = "AWS/DynamoDB ReplicationLatency"
BUCKET_LAG: Final = "AWS/S3 ReplicationLatency"
"""Published where the destination is."""
"""Measured in the table's region, towards each other one."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """An alarm's metric, with the resources that its dimensions are made from.

    Attributes:
        metric: The alarm, or the metric of one of its queries.
        depended: URNs of what the dimensions are made from.
        compared: The threshold is held against this very metric, and not against what an expression makes of it.
    """

    metric: Resource | View
    depended: frozenset[str]
    compared: bool = True

    @property
    def statistic(self) -> str:
        """Path of the statistic, from the metric."""
        if self.metric.prefix:
            return "stat"
        return "extendedStatistic" if self.metric.peek("extendedStatistic") is not None else "statistic"


def sees_lag(statistic: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a statistic grows with what it is of: the least of a period says nothing of its worst."""
    if statistic in _STATISTICS:
        return True
    found = _PERCENTILE.fullmatch(statistic) if isinstance(statistic, str) else None
    return found is not None and (number(found[1]) or 0) >= _MEDIAN


@dataclass(frozen=True, kw_only=True)
class Watches:
    """The alarms on some metrics, by what their dimensions name.

    Attributes:
        by_name: By metric and dimension's value.
        by_urn: By metric and URN of what the dimensions are made from.
        loose: By metric: alarms whose dimensions are not known yet and are made from nothing in this stack.
    """

    by_name: Mapping[tuple[str, str], list[Watch]] = field(default_factory=lambda: defaultdict(list))
    by_urn: Mapping[tuple[str, str], list[Watch]] = field(default_factory=lambda: defaultdict(list))
    loose: Mapping[str, list[Watch]] = field(default_factory=lambda: defaultdict(list))

    def on(self, metric: str, subjects: Sequence[Subject]) -> list[Watch]:
        """The alarms on a metric of all of some subjects."""
        first = subjects[0]
        found = [each for value in first.values for each in self.by_name.get((metric, value), ())]
        found += [each for about in first.resources for each in self.by_urn.get((metric, about.urn), ())]
        return [
            each
            for each in {id(watch): watch for watch in found}.values()
            if all(about.named_by(each.metric, each.depended) for about in subjects)
        ]


def lag_watches(index: Index) -> Watches:
    """All alarms of a stack on the lag of something."""
    return index.once("alarms on lags", lambda: watches(index, LAG_UNITS))


def watches(index: Index, wanted: Iterable[str]) -> Watches:
    """All alarms of a stack on some metrics."""
    names = frozenset(wanted)
    found = Watches()
    for alarm in index.of(ALARM):
        try:
            metrics = [(metric_of(metric), metric, compared) for metric, compared in _compared(alarm)]
        except UnknownPropertyError:
            # It may watch anything.
            for name in names:
                found.loose[name].append(Watch(metric=alarm, depended=frozenset()))
            continue
        for name, metric, compared in metrics:
            if name in names:
                _add(found, name, metric, compared=compared)
    return found


def _compared(alarm: Resource) -> Iterator[tuple[Resource | View, bool]]:
    """The metrics that decide over an alarm, and whether its threshold is held against the metric itself.

    Raises:
        UnknownPropertyError: when the queries are not known yet.
    """
    queries = alarm.items("metricQueries")
    if not queries:
        yield alarm, True
    returned = [query for query in queries if len(queries) == 1 or _is_returned(query)]
    named = _named(returned, queries)
    for query in queries:
        mine = query in returned and query.peek("returnData") is not UNKNOWN
        if mine or query in returned or str(query.peek("id")) in named:
            for metric in query.items("metric"):
                yield metric, mine


def _is_returned(query: View) -> bool:
    value = query.peek("returnData")
    return value is UNKNOWN or is_true(value)


def _named(returned: Sequence[View], queries: Sequence[View]) -> set[str]:
    """The queries that the expressions of some are made from, near or far."""
    expressions = {str(query.peek("id")): query.peek("expression") for query in queries}
    waiting = [query.peek("expression") for query in returned]
    found: set[str] = set()
    while waiting:
        expression = waiting.pop()
        if expression is UNKNOWN:
            return set(expressions)
        names = set(_IDENTIFIER.findall(expression)) if isinstance(expression, str) else set[str]()
        waiting += [expressions[name] for name in names - found if name in expressions]
        found |= names
    return found


def _add(found: Watches, name: str, metric: Resource | View, *, compared: bool) -> None:
    # Dependencies are known for a resource's own properties, not for what is in them.
    property_ = f"{metric.prefix}.dimensions".removeprefix(".").split(".", 1)[0]
    depended = frozenset(metric.resource.property_dependencies.get(property_, ()))
    watch = Watch(metric=metric, depended=depended, compared=compared)
    for urn in depended:
        found.by_urn[name, urn].append(watch)
    dimensions = metric.peek("dimensions")
    for value in mapping(dimensions).values():
        if isinstance(value, str):
            for each in dict.fromkeys(spellings(value)):
                found.by_name[name, each].append(watch)
    if not depended and (dimensions is UNKNOWN or UNKNOWN in mapping(dimensions).values()):
        found.loose[name].append(watch)
