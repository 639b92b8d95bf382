"""When an alarm is in which state, as CloudWatch decides it; without any I/O.

As AWS documents it (*Alarm evaluation*, *Configuring how CloudWatch alarms treat missing data*): an alarm is evaluated
at the end of each minute, over the periods that end there, so that periods longer than a minute slide. It looks at more
periods than it evaluates, so that a late or missing datapoint can be made up by an older one; what is still missing
counts as the alarm says.

An alarm uses this, and so does a health check that watches an alarm's metric.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

EXTRA_PERIODS: Final = 2
"""Periods looked at beyond those evaluated; AWS publishes no number, and its examples show two."""
OK: Final = "OK"
ALARM: Final = "ALARM"
INSUFFICIENT_DATA: Final = "INSUFFICIENT_DATA"
_MINUTE: Final = 60
_FAST: Final = 10
"""Seconds between evaluations of an alarm with a period of less than a minute."""

Statistic: TypeAlias = Literal["Average", "Minimum", "Maximum", "Sum", "SampleCount"]
Comparison: TypeAlias = Literal[
    "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
]
STATISTICS: Final = frozenset[str](get_args(Statistic))
COMPARISONS: Final = frozenset[str](get_args(Comparison))


@dataclass(frozen=True, kw_only=True)
class Datapoint:
    """What was published at once: one value, or the statistics of several.

    Attributes:
        time: Seconds since the epoch.
        minimum: The least value, in the metric's unit.
        maximum: The greatest.
        total: The sum of the values.
        count: How many they are.
    """

    time: float
    minimum: float
    maximum: float
    total: float
    count: float

    @classmethod
    def of(cls, at: float, value: float) -> Datapoint:
        """A single value, published at `at` (seconds since the epoch)."""
        return cls(time=at, minimum=value, maximum=value, total=value, count=1)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When an alarm is in which state; the names are those of CloudWatch's API.

    Attributes:
        statistic: Of a period.
        period: Seconds, as declared.
        evaluation_periods: Datapoints evaluated.
        datapoints_to_alarm: How many of them must breach.
        threshold: In the metric's unit.
        comparison: Of a period's statistic with the threshold.
        missing: What a datapoint that is not there counts as.
        scale: How many times faster than declared periods pass.
    """

    statistic: Statistic
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison: Comparison
    missing: Literal["missing", "ignore", "breaching", "notBreaching"] = "missing"
    scale: float = 1.0

    @property
    def interval(self) -> float:
        """Real seconds between evaluations."""
        return (_MINUTE if self.period >= _MINUTE else min(self.period, _FAST)) / self.scale

    @property
    def length(self) -> float:
        """Real seconds of a period."""
        return self.period / self.scale

    def range_end(self, now: float) -> float:
        """When the youngest period that counts at `now` was over, seconds since the epoch."""
        return now // self.interval * self.interval

    def range_start(self, now: float) -> float:
        """When the oldest period that counts at `now` began, seconds since the epoch."""
        return self.range_end(now) - (self.evaluation_periods + EXTRA_PERIODS) * self.length


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The outcome of one evaluation.

    Attributes:
        state: The new state; None when the alarm keeps the one it has.
        reason: Why, in a sentence.
        values: What the periods looked at came to, the oldest first; None is missing.
    """

    state: str | None
    reason: str
    values: tuple[float | None, ...]


_STATISTICS: Final[Mapping[Statistic, Callable[[Sequence[Datapoint]], float]]] = {
    "Minimum": lambda points: min(point.minimum for point in points),
    "Maximum": lambda points: max(point.maximum for point in points),
    "Sum": lambda points: sum(point.total for point in points),
    "SampleCount": lambda points: sum(point.count for point in points),
    "Average": lambda points: sum(point.total for point in points) / sum(point.count for point in points),
}
_COMPARISONS: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def evaluate(rule: Rule, datapoints: Iterable[Datapoint], now: float) -> Evaluation:
    """Evaluate an alarm.

    Args:
        rule: When it is in which state.
        datapoints: Those of its metric; what lies outside the periods that count is ignored.
        now: Seconds since the epoch; the minute that runs at this time does not count yet.
    """
    start, end = rule.range_start(now), rule.range_end(now)
    periods: list[list[Datapoint]] = [[] for _ in range(rule.evaluation_periods + EXTRA_PERIODS)]
    for point in datapoints:
        if start <= point.time < end:
            # Of a length that is no whole number, the last one may seem to end a little early.
            periods[min(int((point.time - start) // rule.length), len(periods) - 1)].append(point)
    values = tuple(_STATISTICS[rule.statistic](points) if points else None for points in periods)
    # By age in periods, the youngest being 1.
    breaching = {
        len(values) - index: _COMPARISONS[rule.comparison](value, rule.threshold)
        for index, value in enumerate(values)
        if value is not None
    }
    found = sum(breaching.values())
    reason = (
        f"Threshold Crossed: {found} of the {len(breaching)} datapoints since {_written(start)} breach "
        f"{rule.comparison} {rule.threshold:g}; missing ones are {rule.missing}; "
        f"{rule.datapoints_to_alarm} of {rule.evaluation_periods} alarm"
    )
    return Evaluation(state=_state(rule, breaching), reason=reason, values=values)


def _state(rule: Rule, breaching: Mapping[int, bool]) -> str | None:
    """The state by whether the datapoints that exist breach, by their age; oldest first."""
    needed = rule.datapoints_to_alarm
    counted = list(breaching.values())[-rule.evaluation_periods :]
    found = sum(counted)
    lacking = rule.evaluation_periods - len(counted)
    if found >= needed:
        return ALARM
    if rule.missing == "breaching":
        return ALARM if found + lacking >= needed else OK
    if rule.missing == "notBreaching" or lacking == 0 or not all(counted):
        return OK
    # Nothing, or too little, and all of it breaching.
    if rule.missing == "ignore":
        return None
    # One that began to breach long enough ago, and was followed by nothing better, alarms before it is complete.
    return ALARM if breaching and max(breaching) >= needed else INSUFFICIENT_DATA


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
