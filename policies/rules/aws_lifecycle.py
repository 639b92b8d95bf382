"""AWS: logs and objects are kept as long as they must be, archived in time, and not archived away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from policies.core.results import attempt, require, undecided, violation
from policies.core.roles import BUCKET
from policies.core.values import UNKNOWN, at_least, is_set, is_true, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource, View
    from policies.core.results import Result

LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_INLINE: Final = "lifecycleRules"
_HOUR: Final = 3600
_RETRIEVAL: Final = {"GLACIER": 5 * _HOUR, "DEEP_ARCHIVE": 12 * _HOUR}
"""Seconds until a standard retrieval gives an object back, at the longest. Instant retrieval takes none."""


def _log_retention(resource: Resource, context: Context) -> Iterable[Result]:
    if resource.get("logGroupClass") == "DELIVERY":
        return
    days = context.parameters["days"]
    enough = at_least(days)
    yield from require(
        resource,
        "retentionInDays",
        lambda value: value is None or number(value) == 0 or enough(value),
        f"at least {days:g} days, or 0 for ever",
    )


def _rules(resource: Resource) -> tuple[View, ...]:
    """The lifecycle rules of a bucket's companion, or the deprecated ones of the bucket itself."""
    return resource.items(_INLINE if resource.type == BUCKET else "rules")


def _enabled(rule: View) -> bool:
    if rule.resource.type == BUCKET:
        return is_true(rule.get("enabled"))
    return rule.get("status") == "Enabled"


def _each_enabled(resource: Resource, check: Callable[[View], Iterable[Result]]) -> Iterator[Result]:
    """What a check says of every rule that is enabled, each rule by itself."""
    for rule in _rules(resource):
        yield from attempt(rule, lambda each=rule: check(each) if _enabled(each) else ())


def _s3_lifecycle_present(bucket: Resource, context: Context) -> Iterable[Result]:
    unknown = None
    holders = (bucket, *context.index.companions(bucket, LIFECYCLE, "bucket"))
    for holder in holders:
        path = _INLINE if holder is bucket else "rules"
        listed = holder.peek(path)
        states = [UNKNOWN] if listed is UNKNOWN else [_state(rule) for rule in _rules(holder)]
        if True in states:
            return
        if UNKNOWN in states:
            unknown = (holder, path)
    if unknown is not None:
        yield undecided(*unknown)
    elif len(holders) > 1:
        yield violation(holders[1], "rules", "needs a rule whose `status` is `Enabled`")
    else:
        message = "needs a lifecycle configuration with a rule that is enabled"
        yield violation(bucket, _INLINE, message, absent=bucket.get(_INLINE) is None)


def _state(rule: View) -> object:
    value = rule.peek("enabled" if rule.resource.type == BUCKET else "status")
    return UNKNOWN if value is UNKNOWN else _enabled(rule)


def _bucket(resource: Resource, context: Context) -> Resource:
    """The bucket that lifecycle rules are for; their own resource where it is not in this stack."""
    if resource.type == BUCKET:
        return resource
    return context.index.target(resource, "bucket", BUCKET) or resource


def _s3_archive_transition(resource: Resource, context: Context) -> Iterable[Result]:
    rto = context.objectives(_bucket(resource, context)).rto
    most, hot = context.parameters["days"], context.parameters["hot_days"]

    def check(rule: View) -> Iterator[Result]:
        for transition in rule.items("transitions"):
            retrieval = _RETRIEVAL.get(str(transition.get("storageClass")))
            if retrieval is None:
                continue
            least = hot if rto is not None and rto < retrieval else 0
            if is_set(transition.get("date")):
                # From that day on, objects of any age are archived.
                if least > 0:
                    message = "archives new objects too, which do not come back within the RTO; use `days`"
                    yield violation(transition, "date", message)
                continue
            yield from require(transition, "days", _between(least, most), f"from {least:g} to {most:g} days")

    yield from _each_enabled(resource, check)


def _between(least: float, most: float) -> Callable[[object], bool]:
    # Without a number of days, an object is archived at once.
    return lambda value: least <= (0 if value is None else _number(value)) <= most


def _number(value: object) -> float:
    found = number(value)
    return math.nan if found is None else found


def _s3_noncurrent_retention(resource: Resource, context: Context) -> Iterable[Result]:
    declared = context.objectives(_bucket(resource, context)).retention_days
    days = context.parameters["days"] if declared is None else max(declared, 1)
    property_ = "days" if resource.type == BUCKET else "noncurrentDays"

    def check(rule: View) -> Iterator[Result]:
        # Without an expiration, old versions are kept for ever.
        for expiration in rule.items("noncurrentVersionExpiration"):
            yield from require(expiration, property_, at_least(days), f"at least {days:g} days")

    yield from _each_enabled(resource, check)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "log-retention": _log_retention,
    "s3-lifecycle-present": _s3_lifecycle_present,
    "s3-archive-transition": _s3_archive_transition,
    "s3-noncurrent-retention": _s3_noncurrent_retention,
}
