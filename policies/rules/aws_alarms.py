"""AWS: alarms reach somebody, and silence is not taken for health."""

from __future__ import annotations

import re
from collections import defaultdict
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from policies.core.results import Kind, Result, attempt, require, undecided, unknown, violation
from policies.core.roles import CLUSTER, INSTANCE
from policies.core.values import UNKNOWN, UnknownPropertyError, is_false, is_set, texts
from policies.rules.aws_alarms_metrics import measured, metric_of
from policies.rules.aws_routing_graph import ALARM, alarms_behind_checks, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource

_COMPOSITE: Final = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
_SUBSCRIPTION: Final = "aws:rds/eventSubscription:EventSubscription"
_SOURCES: Final = {INSTANCE: "db-instance", CLUSTER: "db-cluster"}
_IN_RULE: Final = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*\"?([^\")]+?)\"?\s*\)")
"""An alarm's name or ARN in the rule of a composite alarm."""


def _alarm_actions(context: Context) -> Iterable[Result]:
    exempt = {alarm.urn for alarm in alarms_behind_checks(context.index)} | _composed(context.index)
    for alarm in context.index.of(ALARM):
        if alarm.urn not in exempt:
            yield from require(alarm, "actionsEnabled", lambda value: not is_false(value), "true")
            yield from require(alarm, "alarmActions", _acts, "set to whom the alarm calls")


def _acts(value: Any) -> bool:  # noqa: ANN401 - JSON
    # An action that is known only after an update is one all the same.
    return isinstance(value, list) and (UNKNOWN in value or any(texts(value)))


def _composed(index: Index) -> set[str]:
    """URNs of the alarms that composite alarms speak for."""
    found: set[str] = set()
    named: set[str] = set()
    for composite in index.of(_COMPOSITE):
        found.update(composite.property_dependencies.get("alarmRule", ()))
        rule = composite.peek("alarmRule")
        if isinstance(rule, str):
            named.update(name.rpartition(":alarm:")[2] for name in _IN_RULE.findall(rule))
    return found | {alarm.urn for alarm in index.of(ALARM) if str(alarm.peek("name")) in named}


def _alarm_missing_data(context: Context) -> Iterable[Result]:
    wanted = frozenset(texts(context.parameters["metrics"]))
    exempt = switches(context.index).urns
    for alarm in context.index.of(ALARM):
        if alarm.urn not in exempt:
            yield from attempt(alarm, partial(_breaches, alarm, wanted))


def _breaches(alarm: Resource, wanted: frozenset[str]) -> Iterator[Result]:
    if any(fnmatchcase(metric_of(metric), known) for metric in measured(alarm) for known in wanted):
        expected = "breaching: what reports nothing is not known to be well"
        yield from require(alarm, "treatMissingData", lambda value: value == "breaching", expected)


class _Subscriptions:
    """The event subscriptions of a stack, by region and by what they listen to."""

    def __init__(self, index: Index) -> None:
        self.general: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.named: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.loose: list[Result] = []
        self._open: dict[tuple[str | None, str], Result] = {}
        for subscription in index.of(_SUBSCRIPTION):
            try:
                self._add(subscription, index)
            except UnknownPropertyError as fault:
                source = subscription.peek("sourceType")
                place = (index.region_or(subscription, None), source if isinstance(source, str) else "")
                self.loose.append(self._open.setdefault(place, unknown(subscription.urn, fault.path)))

    def of(self, database: Resource, region: str) -> Iterator[Resource]:
        """Those that listen to a database."""
        for source in (_SOURCES[database.type], ""):
            yield from self.general.get((region, source), ())
        names = (database.urn, *(str(database.peek(path)) for path in ("identifier", "clusterIdentifier")))
        for name in names:
            yield from self.named.get((region, name), ())

    def may(self, database: Resource, region: str) -> bool:
        """Whether one whose sources or region are not known yet may listen to a database."""
        return any(
            (place, source) in self._open for place in (region, None) for source in (_SOURCES[database.type], "")
        )

    def _add(self, subscription: Resource, index: Index) -> None:
        region, source = index.region(subscription), subscription.get("sourceType")
        ids = subscription.peek("sourceIds")
        depended = subscription.property_dependencies.get("sourceIds", ())
        if ids is not UNKNOWN and not is_set(ids):
            self.general[region, source if isinstance(source, str) else ""].append(subscription)
            return
        if ids is UNKNOWN and not depended:
            raise UnknownPropertyError("sourceIds")
        for name in (*depended, *texts(ids)):
            self.named[region, name].append(subscription)


def _event_subscription(context: Context) -> Iterable[Result]:
    subscriptions = _Subscriptions(context.index)
    wanted = texts(context.parameters["categories"])
    for subscription in context.index.of(_SUBSCRIPTION):
        yield from _listens(subscription, wanted)
    yield from subscriptions.loose
    for database in context.index.of(*_SOURCES):
        yield from attempt(database, partial(_heard, database, context.index, subscriptions))


def _listens(subscription: Resource, wanted: tuple[str, ...]) -> Iterator[Result]:
    yield from require(subscription, "enabled", lambda value: not is_false(value), "true")
    source = subscription.peek("sourceType")
    if source is UNKNOWN or source is None or source in tuple(_SOURCES.values()):
        categories = subscription.peek("eventCategories")
        if isinstance(categories, list) and UNKNOWN in categories and not set(wanted) <= set(texts(categories)):
            yield undecided(subscription, "eventCategories")
            return
        # Without categories it listens to all of them.
        expected = f"absent, or have {' and '.join(wanted)} among them"
        yield from require(
            subscription,
            "eventCategories",
            lambda value: not is_set(value) or set(wanted) <= set(texts(value)),
            expected,
        )


def _heard(database: Resource, index: Index, subscriptions: _Subscriptions) -> Iterator[Result]:
    region = index.region(database)
    if next(subscriptions.of(database, region), None) is not None:
        return
    kind = _SOURCES[database.type]
    if subscriptions.may(database, region):
        message = f"no event subscription of its region is known yet to listen to this {kind}"
        yield Result(kind=Kind.UNDECIDED, urn=database.urn, path="", message=message)
    else:
        yield violation(database, "", f"no event subscription of its region listens to this {kind}")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "alarm-actions": _alarm_actions,
    "alarm-missing-data": _alarm_missing_data,
    "rds-event-subscription": _event_subscription,
}
