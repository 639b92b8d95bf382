"""moto's CloudWatch, fed from inside: data arrives although a control plane is lost, and what is kept is bounded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from moto.cloudwatch.models import MetricAggregatedDatum, MetricDatum, cloudwatch_backends

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEPT: Final = timedelta(hours=3)
"""How long datapoints are kept."""
MOST: Final = 50_000
"""Datapoints that are kept in a region at most."""
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


def publish(account: str, points: Iterable[Point], now: float) -> None:
    """Put datapoints into moto's CloudWatch; `now` is in seconds since the epoch."""
    at = _moto_time(now)
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


def trim(account: str, now: float) -> None:
    """Drop every region's datapoints, whoever published them, that are too old or too many.

    Raises nothing when others publish at the same time: only the front of each list is cut.
    """
    oldest = _moto_time(now) - KEPT
    for backend in list(cloudwatch_backends[account].values()):
        data: list[Any] = backend.metric_data
        size = len(data)
        young = next((index for index in range(size) if data[index].timestamp >= oldest), size)
        del data[: max(young, size - MOST)]
    kept = {id(datum) for backend in list(cloudwatch_backends[account].values()) for datum in backend.metric_data}
    # moto also notes every object that it ever made, for its dashboard, and would keep it in memory.
    for made in _MADE:
        made.instances_tracked[:] = [datum for datum in made.instances_tracked if id(datum) in kept]


def _moto_time(now: float) -> datetime:
    """As moto keeps time: UTC, without saying so."""
    return datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
