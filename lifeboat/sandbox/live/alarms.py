"""Evaluates CloudWatch's metric alarms, which moto only stores.

As AWS documents it (*Configuring how CloudWatch alarms treat missing data*): an alarm looks at the last whole periods,
at some more of them than it evaluates, so that a late or missing datapoint can be made up by an older one; what is
still missing counts as the alarm says. Alarms on metric math, anomaly bands, percentiles and other alarms stay as they
are.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from moto.cloudwatch.models import cloudwatch_backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

INTERVAL: Final = 5.0
"""Seconds between evaluations."""
EXTRA_PERIODS: Final = 2
"""Periods looked at beyond those evaluated; AWS publishes no number, and its examples show two."""
HISTORY: Final = 100
"""State changes that an alarm remembers."""
OK: Final = "OK"
ALARM: Final = "ALARM"
INSUFFICIENT_DATA: Final = "INSUFFICIENT_DATA"

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_log = logging.getLogger(__name__)


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


_STATISTICS: Final[dict[str, Callable[[Sequence[Datapoint]], float]]] = {
    "Minimum": lambda points: min(point.minimum for point in points),
    "Maximum": lambda points: max(point.maximum for point in points),
    "Sum": lambda points: sum(point.total for point in points),
    "SampleCount": lambda points: sum(point.count for point in points),
    "Average": lambda points: sum(point.total for point in points) / sum(point.count for point in points),
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When an alarm is in which state; the names are those of CloudWatch's API.

    Attributes:
        statistic: ``Maximum``, ``Minimum``, ``Average``, ``Sum`` or ``SampleCount`` of a period.
        period: Seconds.
        evaluation_periods: Datapoints evaluated.
        datapoints_to_alarm: How many of them must breach.
        threshold: In the metric's unit.
        comparison: Such as ``GreaterThanThreshold``.
        missing: ``missing``, ``ignore``, ``breaching`` or ``notBreaching``.
    """

    statistic: str
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison: str
    missing: str = "missing"

    @property
    def known(self) -> bool:
        """Whether it can be evaluated here."""
        return self.statistic in _STATISTICS and self.comparison in _COMPARISONS and self.period > 0

    def range_start(self, now: float) -> float:
        """When the oldest period that counts at `now` began, seconds since the epoch."""
        end = now // self.period * self.period
        return end - (self.evaluation_periods + EXTRA_PERIODS) * self.period


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


def evaluate(rule: Rule, datapoints: Iterable[Datapoint], now: float) -> Evaluation:
    """Evaluate an alarm.

    Args:
        rule: When it is in which state.
        datapoints: Those of its metric; what lies outside the periods that count is ignored.
        now: Seconds since the epoch; the period that runs at this time does not count yet.
    """
    start, end = rule.range_start(now), now // rule.period * rule.period
    periods: list[list[Datapoint]] = [[] for _ in range(rule.evaluation_periods + EXTRA_PERIODS)]
    for point in datapoints:
        if start <= point.time < end:
            periods[int((point.time - start) // rule.period)].append(point)
    values = tuple(_STATISTICS[rule.statistic](points) if points else None for points in periods)
    # By age in periods, the youngest being 1.
    breaching = {
        len(values) - index: _COMPARISONS[rule.comparison](value, rule.threshold)
        for index, value in enumerate(values)
        if value is not None
    }
    state = _state(rule, breaching)
    found = sum(breaching.values())
    reason = (
        f"Threshold Crossed: {found} of the {len(breaching)} datapoints since {_written(start)} breach "
        f"{rule.comparison} {rule.threshold:g}; missing ones are {rule.missing}; "
        f"{rule.datapoints_to_alarm} of {rule.evaluation_periods} alarm"
    )
    return Evaluation(state=state, reason=reason, values=values)


def _state(rule: Rule, breaching: dict[int, bool]) -> str | None:
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


class Alarms:
    """Evaluates the alarms of every region, again and again, on a thread of its own.

    What it does needs no API: it goes on while a region's control plane is lost.

    Args:
        account: 12 digits.
        interval: Seconds between evaluations. Periods of alarms are real time, whatever the time scale of effects.
        clock: Seconds since the epoch.
    """

    def __init__(self, account: str, interval: float = INTERVAL, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._interval = interval
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when no evaluation runs any more."""
        self._stopped.set()
        self._thread.join()

    def evaluate(self) -> None:
        """Evaluate every alarm of every region once."""
        now = self._clock()
        for backend in list(cloudwatch_backends[self._account].values()):
            published = list(backend.metric_data)
            for alarm in list(backend.alarms.values()):
                rule = rule_of(alarm)
                if rule is not None:
                    _settle(alarm, evaluate(rule, _datapoints(alarm, published, rule.range_start(now)), now))

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self.evaluate()
            except Exception:  # noqa: BLE001 - an alarm that changes meanwhile must not end all evaluation for good
                _log.warning("alarms were not evaluated", exc_info=True)


def rule_of(alarm: Any) -> Rule | None:  # noqa: ANN401 - an object of moto's, without static types
    """The rule of one of moto's alarms; None when it is of a kind that is not evaluated."""
    if alarm.rule or alarm.metric_data_queries or alarm.statistic is None:
        return None
    rule = Rule(
        statistic=alarm.statistic,
        period=int(alarm.period),
        evaluation_periods=int(alarm.evaluation_periods),
        datapoints_to_alarm=int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        threshold=float(alarm.threshold),
        comparison=alarm.comparison_operator,
        missing=alarm.treat_missing_data or "missing",
    )
    return rule if rule.known else None


def _datapoints(alarm: Any, published: Iterable[Any], since: float) -> list[Datapoint]:  # noqa: ANN401 - moto's
    wanted = {(dimension.name, dimension.value) for dimension in alarm.dimensions}
    # moto's times are UTC without saying so.
    oldest = datetime.fromtimestamp(since, UTC).replace(tzinfo=None)
    return [
        _datapoint(datum)
        for datum in published
        if datum.timestamp >= oldest
        and (datum.name, datum.namespace) == (alarm.metric_name, alarm.namespace)
        and {(dimension.name, dimension.value) for dimension in datum.dimensions} == wanted
        and (alarm.unit is None or datum.unit == alarm.unit)
    ]


def _datapoint(datum: Any) -> Datapoint:  # noqa: ANN401 - one of two classes of moto's
    at = datum.timestamp.replace(tzinfo=UTC).timestamp()
    if hasattr(datum, "value"):
        return Datapoint.of(at, datum.value)
    return Datapoint(time=at, minimum=datum.min, maximum=datum.max, total=datum.sum, count=datum.sample_count)


def _settle(alarm: Any, evaluation: Evaluation) -> None:  # noqa: ANN401 - moto's
    if evaluation.state is None or evaluation.state == alarm.state_value:
        return
    data = {"recentDatapoints": evaluation.values, "threshold": alarm.threshold, "period": alarm.period}
    alarm.update_state(evaluation.reason, json.dumps(data), evaluation.state)
    del alarm.history[:-HISTORY]


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
