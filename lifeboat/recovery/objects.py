"""Object stores: what is still on its way to the other site, and what never got there."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lifeboat.recovery.run_state import StepRun

_MINUTE: Final = 60
"""Seconds of a period in which S3 measures."""
_LOOK_BACK: Final = 15 * _MINUTE
"""Seconds."""
_COMPARED: Final = 20_000
"""Keys of a bucket that are compared by listing; beyond, an inventory is the right tool."""


def pending(run: StepRun, store: str, region: str) -> float:
    """Operations that wait to be replicated from a region's bucket, by S3's own metric; 0 without any measurement."""
    now = run.ports.wall()
    values = _measured(run, store, region, now - _LOOK_BACK, _MINUTE)
    return values[0] if values else 0.0


def settled(run: StepRun, store: str, region: str, since: float) -> bool | None:
    """Whether nothing that was put into a region's bucket before a moment is on its way any more; None: not yet.

    What was measured in a minute that began before that moment says nothing of its last writes. Nor does silence, until
    two whole minutes of it have passed: a measurement comes late.

    Args:
        run: Its ports tell.
        store: Logical name.
        region: Where the bucket is.
        since: The moment, in seconds since the epoch.
    """
    # Periods are whole seconds, also where the protocol's minutes are shorter.
    period = max(1, round(run.ports.pace.real(_MINUTE)))
    first = math.ceil(since / period) * period
    now = run.ports.wall()
    if now <= first:
        return None
    values = _measured(run, store, region, first, period)
    if values:
        return values[0] == 0 or None
    return now >= first + 2 * period or None


def _measured(run: StepRun, store: str, region: str, start: float, period: int) -> list[float]:
    """What was measured in periods that began at `start` or later, the newest first.

    S3 publishes it in the destination's region, per minute and rule, and nothing while there is nothing to do.
    """
    bucket, destination = run.physical.bucket(store, region), run.physical.other(region)
    answer = run.ports.client("cloudwatch", destination).get_metric_data(
        MetricDataQueries=[
            {
                "Id": "pending",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/S3",
                        "MetricName": "OperationsPendingReplication",
                        "Dimensions": [
                            {"Name": "SourceBucket", "Value": bucket},
                            {"Name": "DestinationBucket", "Value": run.physical.bucket(store, destination)},
                            {"Name": "RuleId", "Value": "everything"},
                        ],
                    },
                    "Period": period,
                    "Stat": "Maximum",
                },
            }
        ],
        StartTime=datetime.fromtimestamp(start, tz=UTC),
        EndTime=datetime.fromtimestamp(run.ports.wall() + _MINUTE, tz=UTC),
        ScanBy="TimestampDescending",
    )
    # CloudWatch may round the start down.
    return [
        value
        for result in answer["MetricDataResults"]
        for at, value in zip(result["Timestamps"], result["Values"], strict=True)
        if at.timestamp() >= start
    ]


def keys(run: StepRun, store: str, region: str) -> frozenset[str] | None:
    """Keys in a region's bucket; None when there are more than a listing should compare."""
    pages: Any = (
        run.ports.client("s3", region)
        .get_paginator("list_objects_v2")
        .paginate(Bucket=run.physical.bucket(store, region))
    )
    found: set[str] = set()
    for page in pages:
        found.update(item["Key"] for item in page.get("Contents", []))
        if len(found) > _COMPARED:
            return None
    return frozenset(found)


def missing(run: StepRun, store: str, source: str, destination: str) -> frozenset[str] | None:
    """Keys that one region's bucket has and the other's has not; None when there are too many to compare."""
    here, there = keys(run, store, source), keys(run, store, destination)
    return None if here is None or there is None else here - there
