"""What alarms look at, and the replicas whose lag an alarm must look at."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from policies.core.values import UNKNOWN, UnknownPropertyError, mapping
from policies.rules.aws_routing_graph import ALARM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policies.core.index import Index
    from policies.core.resource import Resource, View

_MEMBER: Final = re.compile(r"(-\d{4})?-\d{3}$")
"""What ElastiCache appends to a replication group's name for each of its nodes."""
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


def spellings(value: str) -> tuple[str, ...]:
    """A dimension's value, and the replication group's name where it is that of a node."""
    return (value, _MEMBER.sub("", value))


@dataclass(frozen=True, kw_only=True)
class Watch:
    """An alarm's metric, with the resources that its dimensions are made from."""

    metric: Resource | View
    depended: frozenset[str]


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


def watches(index: Index, wanted: Iterable[str]) -> Watches:
    """All alarms of a stack on some metrics."""
    names = frozenset(wanted)
    found = Watches()
    for alarm in index.of(ALARM):
        try:
            metrics = {metric_of(metric): metric for metric in measured(alarm)}
        except UnknownPropertyError:
            # It may watch anything.
            for name in names:
                found.loose[name].append(Watch(metric=alarm, depended=frozenset()))
            continue
        for name in names & metrics.keys():
            _add(found, name, metrics[name])
    return found


def _add(found: Watches, name: str, metric: Resource | View) -> None:
    # Dependencies are known for a resource's own properties, not for what is in them.
    property_ = f"{metric.prefix}.dimensions".removeprefix(".").split(".", 1)[0]
    depended = frozenset(metric.resource.property_dependencies.get(property_, ()))
    watch = Watch(metric=metric, depended=depended)
    for urn in depended:
        found.by_urn[name, urn].append(watch)
    dimensions = metric.peek("dimensions")
    for value in mapping(dimensions).values():
        if isinstance(value, str):
            for each in dict.fromkeys(spellings(value)):
                found.by_name[name, each].append(watch)
    if not depended and (dimensions is UNKNOWN or UNKNOWN in mapping(dimensions).values()):
        found.loose[name].append(watch)
