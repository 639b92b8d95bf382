"""AWS: what has no backups of its own is under a plan of AWS Backup, whose rules are worth it and are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.backups import PROTECTED, SELECTION, keeps_itself, kept_days, selections
from policies.core.results import Result, attempt, undecided, unknown, violation
from policies.core.schedules import longest_interval
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set, number, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.backups import Selections
    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource, View

    Kind = tuple[str, str]

TESTING_PLAN: Final = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
TESTING_SELECTION: Final = "aws:backup/restoreTestingSelection:RestoreTestingSelection"
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_DAILY: Final = "cron(0 5 ? * * *)"
"""When AWS Backup runs a rule without a schedule."""
_COLD_DAYS: Final = 90
"""What AWS Backup bills for cold storage at least, and so demands between both."""


def _backup_plan_frequency_retention(plan: Resource, context: Context) -> Iterable[Result]:
    hours, days = context.parameters["hours"], _demanded_days(plan, context)
    faults: list[Result] = []
    for rule in plan.items("rules"):
        found = list(_rule(rule, hours, days))
        if not found:
            # One such rule is enough: others may run more rarely and be kept longer, or the other way round.
            return
        faults += found
    yield from faults or [violation(plan, "rules", "needs a rule", absent=True)]


def _rule(rule: View, hours: float, days: float) -> Iterator[Result]:
    yield from attempt(rule, lambda: _frequency(rule, hours))
    yield from attempt(rule, lambda: _retention(rule, days))


def _frequency(rule: View, hours: float) -> Iterator[Result]:
    written = rule.get("schedule")
    interval = longest_interval(_DAILY if written is None else written)
    if interval is None or interval > hours * _HOUR:
        yield violation(rule, "schedule", f"must run at least every {hours:g} hours")


def _retention(rule: View, days: float) -> Iterator[Result]:
    if kept_days(rule) < days:
        yield violation(rule, "lifecycle.deleteAfter", f"must be at least {days:g} days, or absent to keep for ever")


def _demanded_days(plan: Resource, context: Context) -> float:
    """The most that is declared for anything that a plan takes by name, else for the plan, else the rule's own."""
    index = context.index
    taken = (
        target
        for selection in index.companions(plan, SELECTION, "planId")
        for target in index.targets(selection, "resources", *PROTECTED)
    )
    declared = [context.objectives(each).retention_days for each in (*taken, plan)]
    # A declared retention of nothing is no reason to keep nothing.
    return max((max(days, 1) for days in declared if days is not None), default=context.parameters["days"])


def _resource_in_backup_plan(context: Context) -> Iterator[Result]:
    taken = selections(context.index)
    for resource in context.index.of(*PROTECTED):
        yield from attempt(resource, lambda each=resource: _in_plan(each, context, taken))


def _in_plan(resource: Resource, context: Context, taken: Selections) -> Iterator[Result]:
    covered = taken.covers(resource)
    if covered or keeps_itself(resource, context.index):
        return
    if covered is None:
        yield undecided(resource, "")
    else:
        message = "needs a backup plan that selects it, or backups of its own that outlive its region"
        yield violation(resource, "", message, absent=True)


def _backup_lifecycle_valid(plan: Resource, _: Context) -> Iterable[Result]:
    for rule in plan.items("rules"):
        yield from attempt(rule, lambda each=rule: _cold(each))
        yield from attempt(
            rule, lambda each=rule: [found for copy in each.items("copyActions") for found in _cold(copy)]
        )


def _cold(about: View) -> Iterator[Result]:
    cold = number(about.get("lifecycle.coldStorageAfter"))
    if cold is not None and cold > 0 and kept_days(about) < cold + _COLD_DAYS:
        message = f"must be at least {_COLD_DAYS} days after `coldStorageAfter`"
        yield violation(about, "lifecycle.deleteAfter", message)


def _restore_test_scheduled(context: Context) -> Iterator[Result]:
    taken = selections(context.index)
    shortest, vague = _tests(context.index)
    days = context.parameters["days"]
    asked: set[Kind] = set()
    for resource in context.index.of(*PROTECTED):
        try:
            kind = (PROTECTED[resource.type], context.index.region(resource))
            due = kind not in asked and context.tier1(resource) and _is_restorable(resource, context, taken)
        except UnknownPropertyError as fault:
            yield unknown(resource.urn, fault.path)
            continue
        if not due:
            continue
        # One test stands for all stores of its kind.
        asked.add(kind)
        interval = shortest.get(kind)
        if interval is not None and interval <= days * _DAY:
            continue
        if vague & {kind[1], ""}:
            yield undecided(resource, "")
        else:
            message = f"needs a restore test of its kind in its region, at least every {days:g} days"
            yield violation(resource, "", message, absent=interval is None)


def _tests(index: Index) -> tuple[Mapping[Kind, float], set[str]]:
    """The shortest interval between restore tests by kind, and the regions of tests that are not known yet."""
    shortest: dict[Kind, float] = {}
    vague: set[str] = set()
    for selection in index.of(TESTING_SELECTION):
        try:
            region = index.region(selection)
            store = selection.get("protectedResourceType")
            if not _tests_kind(selection, store, index):
                continue
            plan = index.target(selection, "restoreTestingPlanName", TESTING_PLAN)
            # The plan of another stack has a schedule that is its business.
            interval = 0 if plan is None else longest_interval(plan.get("scheduleExpression"))
        except UnknownPropertyError:
            vague.add(index.region_or(selection, ""))
            continue
        if isinstance(store, str) and interval is not None:
            shortest[(store, region)] = min(interval, shortest.get((store, region), interval))
    return shortest, vague


def _tests_kind(selection: Resource, store: Any, index: Index) -> bool:  # noqa: ANN401 - JSON
    """Whether a selection takes all of its kind, or names one of that kind in this stack."""
    written = selection.peek("protectedResourceArns")
    if not is_set(written) or "*" in texts(written):
        return True
    kinds = [type_ for type_, kind in PROTECTED.items() if kind == store]
    if kinds and index.targets(selection, "protectedResourceArns", *kinds):
        return True
    open_ = written is UNKNOWN or (isinstance(written, list) and UNKNOWN in cast("list[Any]", written))
    # What it is made from is of another kind where it is of this stack.
    if open_ and not index.targets(selection, "protectedResourceArns"):
        raise UnknownPropertyError("protectedResourceArns")
    return False


def _is_restorable(resource: Resource, context: Context, taken: Selections) -> bool:
    # AWS Backup restores only what it has: not what keeps backups by itself and is in no plan.
    return taken.covers(resource) is True or not keeps_itself(resource, context.index)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "backup-plan-frequency-retention": _backup_plan_frequency_retention,
    "resource-in-backup-plan": _resource_in_backup_plan,
    "backup-lifecycle-valid": _backup_lifecycle_valid,
    "restore-test-scheduled": _restore_test_scheduled,
}
