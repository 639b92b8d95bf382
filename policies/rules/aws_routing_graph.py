"""Failover records, the health checks behind them, and the alarms behind those."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from policies.core.results import undecided, unknown
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result

RECORD: Final = "aws:route53/record:Record"
ZONE: Final = "aws:route53/zone:Zone"
HEALTH_CHECK: Final = "aws:route53/healthCheck:HealthCheck"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
PRIMARY: Final = "PRIMARY"
SECONDARY: Final = "SECONDARY"
RANK: Final = "failoverRoutingPolicies"
SWITCH_TYPE: Final = "CLOUDWATCH_METRIC"


def rank(record: Resource) -> str:
    """``PRIMARY`` or ``SECONDARY``, another text where neither is declared; empty for a record that does not fail over.

    Raises:
        UnknownPropertyError: when it is not known yet.
    """
    policies = record.items(RANK)
    if not policies:
        return ""
    found = policies[0].get("type")
    return found if isinstance(found, str) and found else "?"


def fails_over(record: Resource) -> bool:
    """Whether a record is one of a pair; one whose policy is not known yet is taken for one."""
    try:
        return bool(rank(record))
    except UnknownPropertyError:
        return True


def checks_of(index: Index, resource: Resource, path: str) -> Sequence[Resource]:
    """The health checks of this stack that a record, or a calculated check, names.

    A list may hold some that are known by their ID beside some that are not, so both joins count.
    """
    depended = (index.find(urn) for urn in resource.property_dependencies.get(path, ()))
    found = [each for each in depended if each is not None and each.type == HEALTH_CHECK]
    return list(dict.fromkeys([*found, *index.targets(resource, path, HEALTH_CHECK)]))


@dataclass(frozen=True, kw_only=True)
class Group:
    """The failover records of one name.

    Attributes:
        records: By rank, in the order of the stack.
        sure: The zone is known, so that nothing else belongs to the group and nothing in it to another.
    """

    records: dict[str, list[Resource]]
    sure: bool

    @property
    def pair(self) -> tuple[Resource, Resource] | None:
        """The PRIMARY and the SECONDARY, where there are both."""
        primaries, secondaries = self.records.get(PRIMARY, []), self.records.get(SECONDARY, [])
        return (primaries[0], secondaries[0]) if primaries and secondaries else None


@dataclass(frozen=True, kw_only=True)
class Groups:
    """All failover records of a stack.

    Attributes:
        found: By zone, name and type.
        loose: What is undecided of records that cannot be put into a group yet.
    """

    found: Sequence[Group]
    loose: Sequence[Result]


def failover_groups(index: Index) -> Groups:
    """The failover records by zone, name and type."""
    found: dict[tuple[object, str, str], Group] = {}
    loose: list[Result] = []
    for record in index.of(RECORD):
        try:
            place = rank(record)
            if not place:
                continue
            zone, sure = _zone(index, record)
            key = (zone, _full_name(index, record), str(record.get("type")))
        except UnknownPropertyError as fault:
            loose.append(unknown(record.urn, fault.path))
            continue
        group = found.setdefault(key, Group(records=defaultdict(list), sure=sure))
        group.records[place].append(record)
    return Groups(found=tuple(found.values()), loose=tuple(loose))


def _zone(index: Index, record: Resource) -> tuple[object, bool]:
    """What stands for a record's zone, and whether that is certain.

    A preview does not know a new zone's ID, but which resource it comes from.
    """
    zone = index.target(record, "zoneId", ZONE)
    if zone is not None:
        return zone.urn, True
    literal = record.peek("zoneId")
    if isinstance(literal, str):
        return literal.removeprefix("/hostedzone/"), True
    return tuple(sorted(record.property_dependencies.get("zoneId", ()))), literal is not UNKNOWN


def _full_name(index: Index, record: Resource) -> str:
    """A record's name as resolvers ask for it; the provider accepts names relative to the zone."""
    name = str(record.get("name") or "").lower().rstrip(".")
    zone = index.target(record, "zoneId", ZONE)
    suffix = zone.peek("name") if zone is not None else None
    if not isinstance(suffix, str) or not suffix:
        return name
    suffix = suffix.lower().rstrip(".")
    if name == suffix or name.endswith(f".{suffix}"):
        return name
    return f"{name}.{suffix}" if name else suffix


@dataclass(frozen=True, kw_only=True)
class Switches:
    """Alarms that move traffic: behind a health check on an alarm that a failover record follows.

    Attributes:
        alarms: By the URN of the health check, as far as they are in this stack.
        checks: The health checks.
        pending: What is undecided of records and checks that may have a switch behind them.
    """

    alarms: dict[str, tuple[Resource, ...]] = field(default_factory=dict[str, "tuple[Resource, ...]"])
    checks: list[Resource] = field(default_factory=list["Resource"])
    pending: list[Result] = field(default_factory=list["Result"])

    @property
    def urns(self) -> frozenset[str]:
        """URNs of all of them, checks and alarms."""
        alarms = (alarm.urn for each in self.alarms.values() for alarm in each)
        return frozenset([*(check.urn for check in self.checks), *alarms])


def switches(index: Index) -> Switches:
    """The switches of a stack, also those below a calculated check."""
    found = Switches()
    waiting: list[Resource] = []
    for record in index.of(RECORD):
        if fails_over(record):
            checks = checks_of(index, record, "healthCheckId")
            waiting += checks
            if record.peek("healthCheckId") is UNKNOWN and not checks:
                found.pending.append(undecided(record, "healthCheckId"))
            elif checks and record.peek(RANK) is UNKNOWN:
                found.pending.append(undecided(record, RANK))
    seen: set[str] = set()
    while waiting:
        check = waiting.pop(0)
        if check.urn in seen or check.inputs is None:
            continue
        seen.add(check.urn)
        waiting += checks_of(index, check, "childHealthchecks")
        kind = check.peek("type")
        if kind is UNKNOWN:
            found.pending.append(undecided(check, "type"))
        elif kind == SWITCH_TYPE:
            found.checks.append(check)
            found.alarms[check.urn] = tuple(_alarms(index, check))
    return found


def alarms_behind_checks(index: Index) -> Iterator[Resource]:
    """Every alarm that some health check follows, whether a failover record follows that check or not."""
    for check in index.of(HEALTH_CHECK):
        yield from _alarms(index, check)


def _alarms(index: Index, check: Resource) -> Sequence[Resource]:
    if not is_set(check.peek("cloudwatchAlarmName")):
        return ()
    found = [each for each in index.targets(check, "cloudwatchAlarmName", ALARM) if each.inputs is not None]
    region = check.peek("cloudwatchAlarmRegion")
    if len(found) > 1 and isinstance(region, str):
        # One name may be used in every region.
        found = [each for each in found if index.region_or(each, None) in {None, "", region}]
    return found
