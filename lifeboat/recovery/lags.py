"""How far copies are behind, by the metrics that AWS publishes in the copy's region, and by heartbeats.

The lag *at last contact* is what a failover loses. A metric of lag grows with the time once its source is dead, so its
newest value says nothing. What its values do say: at the time of each, the newest row that had arrived was written
that many seconds before. The last measurement that was not later than the newest such moment was taken while rows still
arrived, and so while the source lived: its lag is the lag at last contact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lifeboat.model.settings.stores import DatabaseMechanism

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifeboat.recovery.run_state import StepRun

_WINDOW: Final = timedelta(hours=1)
_KEEPS_UP: Final = 60.0
"""Seconds behind with which a copy keeps up: its metric comes each minute, and a drain follows."""
_SLACK: Final = 1.0
"""Seconds; measurements and beats are rounded."""


@dataclass(frozen=True)
class Point:
    """One measurement: when, seconds since the epoch; and the lag, seconds."""

    at: float
    lag: float


def at_last_contact(points: Sequence[Point]) -> float | None:
    """The lag when the source was last known to live; None when that was never measured."""
    if not points:
        return None
    newest = max(point.at - point.lag for point in points)
    # With rows that still arrive at the end of the series, the last measurement is as good.
    alive = [point for point in points if point.at <= newest + _SLACK]
    latest = max(points, key=lambda point: point.at)
    if latest.at - latest.lag >= newest - _SLACK and latest.lag <= _SLACK:
        return latest.lag
    return max(alive, key=lambda point: point.at).lag if alive else min(point.lag for point in points)


def keeps_up(points: Sequence[Point]) -> float | None:
    """The newest lag, when it is small enough to go on; None otherwise."""
    if not points:
        return None
    lag = max(points, key=lambda point: point.at).lag
    return lag if lag <= _KEEPS_UP else None


def database(run: StepRun, name: str, region: str) -> Sequence[Point]:
    """Measurements of a database's copy in one region, of the last hour."""
    if run.physical.database(name).mechanism is DatabaseMechanism.AURORA_GLOBAL:
        identifier = run.physical.cluster(name, region)
        return _points(run, region, "AWS/RDS", "AuroraGlobalDBReplicationLag", "DBClusterIdentifier", identifier, 0.001)
    identifier = run.physical.instance(name, region)
    return _points(run, region, "AWS/RDS", "ReplicaLag", "DBInstanceIdentifier", identifier, 1.0)


def cache(run: StepRun, name: str, region: str) -> Sequence[Point]:
    """Measurements of a cache's copy in one region, of the last hour."""
    group = run.physical.replication_group(name, region)
    return _points(run, region, "AWS/ElastiCache", "GlobalDatastoreReplicationLag", "ReplicationGroupId", group, 1.0)


def _points(  # noqa: PLR0913, PLR0917 - what a metric is
    run: StepRun, region: str, namespace: str, metric: str, dimension: str, identifier: str, unit: float
) -> Sequence[Point]:
    now = datetime.fromtimestamp(run.ports.wall(), tz=UTC)
    query: dict[str, Any] = {
        "Id": "lag",
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": dimension, "Value": identifier}],
            },
            "Period": 60,
            "Stat": "Maximum",
        },
    }
    answer = run.ports.client("cloudwatch", region).get_metric_data(
        MetricDataQueries=[query], StartTime=now - _WINDOW, EndTime=now + timedelta(minutes=1)
    )
    results = answer["MetricDataResults"]
    if not results:
        return ()
    times: list[datetime] = results[0]["Timestamps"]
    values: list[float] = results[0]["Values"]
    return tuple(Point(at.timestamp(), value * unit) for at, value in zip(times, values, strict=True))
