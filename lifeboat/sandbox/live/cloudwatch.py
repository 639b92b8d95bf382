"""moto's CloudWatch from inside: data come and go although a control plane is lost, and what is kept is bounded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from moto.cloudwatch.models import MetricAggregatedDatum, MetricDatum, cloudwatch_backends

from lifeboat.sandbox.live.alarm_rules import COMPARISONS, STATISTICS, Datapoint, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifeboat.sandbox.patches.base import Moto

KEPT: Final = 3 * 3600.0
"""Seconds that datapoints are kept."""
MOST: Final = 50_000
"""Datapoints that are kept in a region at most."""
_IGNORING: Final = "AWS/DynamoDB"
_MADE: Final[tuple[Any, ...]] = (MetricDatum, MetricAggregatedDatum)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One datapoint.

    Attributes:
        region: Where it is published.
        namespace: Such as ``AWS/S3``.
        metric: Its name.
        dimensions: By name.
        value: In `unit`.
        unit: As CloudWatch calls it, such as ``Seconds``, ``Count`` or ``Bytes``.
    """

    region: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    value: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric of a region, as an alarm names it.

    Attributes:
        namespace: Such as ``AWS/S3``.
        metric: Its name.
        dimensions: Names and values, all of them.
        unit: The only one that counts; None: any does.
    """

    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    unit: str | None = None


def series_of(alarm: Moto) -> Series:
    """What one of moto's alarms watches."""
    return Series(
        namespace=alarm.namespace, metric=alarm.metric_name, dimensions=_dimensions(alarm), unit=alarm.unit or None
    )


def rule_of(alarm: Moto, scale: float = 1.0) -> Rule | None:
    """The rule of one of moto's alarms; None when it is of a kind that is not evaluated.

    Args:
        alarm: The alarm.
        scale: How many times faster than declared its periods pass.
    """
    if alarm.rule or alarm.metric_data_queries:
        return None
    if alarm.statistic not in STATISTICS or alarm.comparison_operator not in COMPARISONS or not alarm.period:
        return None
    return Rule(
        statistic=alarm.statistic,
        period=int(alarm.period),
        evaluation_periods=int(alarm.evaluation_periods),
        datapoints_to_alarm=int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        threshold=float(alarm.threshold),
        comparison=alarm.comparison_operator,
        # Of such metrics CloudWatch ignores what is missing, whatever the alarm says (PutMetricAlarm).
        missing="ignore" if alarm.namespace == _IGNORING else alarm.treat_missing_data or "missing",
        scale=scale,
    )


def publish(account: str, points: Iterable[Point], now: float) -> None:
    """Put datapoints into moto's CloudWatch; `now` is in seconds since the epoch."""
    # As moto keeps time: UTC, without saying so.
    at = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    for point in points:
        cloudwatch_backends[account][point.region].put_metric_data(
            point.namespace,
            [
                {
                    "MetricName": point.metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in point.dimensions.items()],
                    "Value": point.value,
                    "Unit": point.unit,
                    "Timestamp": at,
                }
            ],
        )


def read(account: str, region: str, wanted: Iterable[tuple[Series, float]]) -> dict[Series, list[Datapoint]]:
    """What was published of several metrics, whoever published it; all are read at once.

    Args:
        account: 12 digits.
        region: Where they are published.
        wanted: Each metric, and since when, seconds since the epoch.

    Returns:
        Datapoints in the order in which they arrived; no entry for a metric without any.
    """
    sought: dict[tuple[str, str], dict[Series, float]] = defaultdict(dict)
    for series, since in wanted:
        known = sought[series.namespace, series.metric]
        known[series] = min(since, known.get(series, since))
    found: dict[Series, list[Datapoint]] = defaultdict(list)
    for datum in list[Any](cloudwatch_backends[account][region].metric_data) if sought else ():
        candidates = sought.get((datum.namespace, datum.name))
        if candidates:
            at, dimensions = epoch_seconds(datum.timestamp), _dimensions(datum)
            for series, since in candidates.items():
                if at >= since and dimensions == series.dimensions and series.unit in {None, datum.unit}:
                    found[series].append(_datapoint(datum, at))
    return dict(found)


def trim(account: str, now: float) -> None:
    """Drop every region's datapoints, whoever published them, that are too old or too many.

    Raises nothing when others publish at the same time: only the front of each list is cut.
    """
    oldest = now - KEPT
    for backend in list(cloudwatch_backends[account].values()):
        data: list[Any] = backend.metric_data
        size = len(data)
        young = next((index for index in range(size) if epoch_seconds(data[index].timestamp) >= oldest), size)
        del data[: max(young, size - MOST)]
    kept = {id(datum) for backend in list(cloudwatch_backends[account].values()) for datum in backend.metric_data}
    # moto also notes every object that it ever made, for its dashboard, and would keep it in memory.
    for made in _MADE:
        made.instances_tracked[:] = [datum for datum in made.instances_tracked if id(datum) in kept]


def epoch_seconds(at: datetime) -> float:
    """One of moto's times in seconds since the epoch; its own are UTC and do not say so."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _dimensions(metric: Moto) -> frozenset[tuple[str, str]]:
    return frozenset((str(part.name), str(part.value)) for part in metric.dimensions)


def _datapoint(datum: Moto, at: float) -> Datapoint:
    # One of two classes of moto's.
    if hasattr(datum, "value"):
        return Datapoint.of(at, float(datum.value))
    return Datapoint(time=at, minimum=datum.min, maximum=datum.max, total=datum.sum, count=datum.sample_count)
