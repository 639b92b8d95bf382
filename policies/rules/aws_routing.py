"""AWS: names fail over to another region, in time, and on a signal that can be trusted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from policies.core.results import Result, attempt, require, undecided, unknown, violation
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set, is_true, number, texts
from policies.rules.aws_routing_graph import (
    HEALTH_CHECK,
    PRIMARY,
    RANK,
    RECORD,
    SECONDARY,
    checks_of,
    failover_groups,
    rank,
    switches,
)
from policies.rules.aws_routing_targets import targets_differ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.rules.aws_routing_graph import Group

_HTTP: Final = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH"})
_ENDPOINT: Final = _HTTP | {"TCP"}
_LATCHED: Final = "LastKnownStatus"


def _off(value: Any) -> bool:  # noqa: ANN401 - JSON
    return not is_true(value)


def _failover_pair(context: Context) -> Iterable[Result]:
    groups = failover_groups(context.index)
    yield from groups.loose
    for group in groups.found:
        # While a record has no group yet, it may be the one that is missing here.
        if not groups.loose:
            yield from _complete(group)
        identifiers: dict[Any, Resource] = {}
        for records in group.records.values():
            for record in records:
                yield from attempt(record, partial(_told_apart, record, identifiers))
        for primary in group.records.get(PRIMARY, ()):
            yield from attempt(primary, partial(_watched, primary, context.index))


def _complete(group: Group) -> Iterator[Result]:
    """One PRIMARY and one SECONDARY, and nothing else."""
    for place, records in group.records.items():
        if place not in {PRIMARY, SECONDARY}:
            for record in records:
                yield violation(record, f"{RANK}.0.type", f"`{RANK}.0.type` must be {PRIMARY} or {SECONDARY}")
            continue
        other = SECONDARY if place == PRIMARY else PRIMARY
        for position, record in enumerate(records):
            if not group.sure and (position or not group.records.get(other)):
                yield undecided(record, "zoneId")
            elif position:
                yield violation(record, RANK, f"`{RANK}`: another record of the same name is {place} too")
            elif not group.records.get(other):
                yield violation(record, RANK, f"`{RANK}`: no record of the same zone, name and type is {other}")


def _told_apart(record: Resource, identifiers: dict[Any, Resource]) -> Iterator[Result]:
    own = record.get("setIdentifier")
    if not isinstance(own, str) or not own:
        yield violation(record, "setIdentifier", "`setIdentifier` must be set", absent=own is None)
    elif identifiers.setdefault(own, record) is not record:
        yield violation(record, "setIdentifier", "`setIdentifier` must differ from the other record's")


def _watched(primary: Resource, index: Index) -> Iterator[Result]:
    """Something tells whether the PRIMARY is healthy; a record without that is healthy for ever."""
    own = primary.peek("healthCheckId")
    if (isinstance(own, str) and own) or (own is UNKNOWN and checks_of(index, primary, "healthCheckId")):
        return
    evaluated = [alias.peek("evaluateTargetHealth") for alias in primary.items("aliases")]
    if any(is_true(each) for each in evaluated):
        return
    if own is UNKNOWN:
        yield undecided(primary, "healthCheckId")
    elif UNKNOWN in evaluated:
        yield undecided(primary, "aliases.0.evaluateTargetHealth")
    else:
        message = f"`healthCheckId` must be set on a {PRIMARY}, or its alias must evaluate the target's health"
        yield violation(primary, "healthCheckId", message, absent=own is None)


def _failover_ttl(context: Context) -> Iterable[Result]:
    detections: dict[str, float | Result] = {}
    for record in context.index.of(RECORD):
        yield from attempt(record, partial(_in_time, record, context, detections))


def _in_time(record: Resource, context: Context, detections: dict[str, float | Result]) -> Iterator[Result]:
    if not rank(record):
        return
    if is_set(record.get("aliases")):
        ttl = float(context.parameters["alias_ttl_seconds"])
    else:
        ttl, most = number(record.get("ttl")), context.parameters["ttl_seconds"]
        if ttl is None or ttl > most:
            absent = record.get("ttl") is None
            yield violation(record, "ttl", f"`ttl` must be at most {most:g} seconds", absent=absent)
            return
    rto = context.objectives(record).rto
    if rto is None:
        return
    checks = checks_of(context.index, record, "healthCheckId")
    if record.peek("healthCheckId") is UNKNOWN and not checks:
        yield undecided(record, "healthCheckId")
    slowest = 0.0
    for check in checks:
        detected = _detection(check, context, detections)
        if isinstance(detected, Result):
            yield detected
        else:
            slowest = max(slowest, detected)
    if ttl + slowest > rto:
        message = "`ttl` and the health check's `requestInterval` x `failureThreshold` must together be at most the RTO"
        yield violation(record, "ttl", message)


def _detection(check: Resource, context: Context, known: dict[str, float | Result]) -> float | Result:
    """Seconds until a health check has seen a failure, or what is undecided about it.

    A switch takes none: that it is set is the decision itself. A calculated check takes as long as its slowest child.
    """
    if check.urn not in known:
        # Stands while the children are asked, so that a circle ends.
        known[check.urn] = 0.0
        try:
            known[check.urn] = _own_detection(check, context, known)
        except UnknownPropertyError as fault:
            known[check.urn] = unknown(check.urn, fault.path)
    return known[check.urn]


def _own_detection(check: Resource, context: Context, known: dict[str, float | Result]) -> float | Result:
    if str(check.get("type")) in _ENDPOINT:
        interval, failures = number(check.get("requestInterval")), number(check.get("failureThreshold"))
        interval = context.parameters["default_interval_seconds"] if interval is None else interval
        failures = context.parameters["default_failures"] if failures is None else failures
        return float(interval) * float(failures)
    slowest = 0.0
    for child in checks_of(context.index, check, "childHealthchecks"):
        detected = _detection(child, context, known)
        if isinstance(detected, Result):
            return detected
        slowest = max(slowest, detected)
    return slowest


def _health_check_usable(context: Context) -> Iterable[Result]:
    exempt = switches(context.index).urns
    for check in context.index.of(HEALTH_CHECK):
        if check.urn not in exempt:
            yield from require(check, "disabled", _off, "false: a disabled check counts as healthy for ever")
            yield from require(check, "invertHealthcheck", _off, "false: an inverted check calls a failure healthy")
            yield from attempt(check, partial(_asks_enough, check, context.parameters["regions"]))


def _asks_enough(check: Resource, least: int) -> Iterator[Result]:
    kind = str(check.get("type"))
    if kind in _HTTP:
        expected = "set to what fails when the service does"
        yield from require(check, "resourcePath", lambda path: isinstance(path, str) and bool(path), expected)
    if kind in _ENDPOINT:
        regions = check.get("regions")
        if is_set(regions) and len(set(texts(regions))) < least:
            if isinstance(regions, list) and UNKNOWN in regions:
                yield undecided(check, "regions")
            else:
                yield violation(check, "regions", f"`regions` must be absent or at least {least:g} of them")


def _switch_latched(context: Context) -> Iterable[Result]:
    found = switches(context.index)
    yield from found.pending
    for check in found.checks:
        yield from require(check, "cloudwatchAlarmName", is_set, "set to the alarm that is the switch")
        yield from require(check, "insufficientDataHealthStatus", lambda value: value == _LATCHED, _LATCHED)
        yield from require(check, "triggers", is_set, "set, from what makes up the alarm")
        yield from require(check, "disabled", _off, "false: a disabled check counts as healthy for ever")
        yield from require(
            check, "invertHealthcheck", _off, "false: an inverted switch sends traffic where it must not"
        )
        for alarm in found.alarms[check.urn]:
            yield from _one_of_one(alarm, context.parameters["period_seconds"])


def _one_of_one(alarm: Resource, period: float) -> Iterator[Result]:
    """One datapoint sets the switch, and silence does not; CloudWatch's own defaults for both would do."""
    yield from require(alarm, "treatMissingData", lambda value: value is None or value == "missing", "missing")
    yield from require(alarm, "evaluationPeriods", lambda value: number(value) == 1, "1")
    yield from require(alarm, "datapointsToAlarm", lambda value: value is None or number(value) == 1, "1")
    yield from require(alarm, "period", lambda value: number(value) == period, f"{period:g} seconds")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "failover-pair": _failover_pair,
    "failover-targets-differ": targets_differ,
    "failover-ttl": _failover_ttl,
    "health-check-usable": _health_check_usable,
    "switch-latched": _switch_latched,
}
