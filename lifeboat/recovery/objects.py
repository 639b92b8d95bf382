"""Object stores: what is still on its way to the other site, and what never got there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lifeboat.recovery.run_state import StepRun

_LOOK_BACK: Final = timedelta(minutes=15)
_COMPARED: Final = 20_000
"""Keys of a bucket that are compared by listing; beyond, an inventory is the right tool."""


def pending(run: StepRun, store: str, region: str) -> float:
    """Operations that wait to be replicated from a region's bucket, by S3's own metric; 0 without any measurement.

    S3 publishes it in the destination's region, per minute and rule, and nothing while there is nothing to do.
    """
    bucket, destination = run.physical.bucket(store, region), run.physical.other(region)
    now = datetime.fromtimestamp(run.ports.wall(), tz=UTC)
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
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
        ],
        StartTime=now - _LOOK_BACK,
        EndTime=now + timedelta(minutes=1),
        ScanBy="TimestampDescending",
    )
    values: list[float] = answer["MetricDataResults"][0]["Values"] if answer["MetricDataResults"] else []
    return values[0] if values else 0.0


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
