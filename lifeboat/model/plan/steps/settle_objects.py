"""Settle the buckets: nothing is in flight in a planned move; what had not arrived is written down in a failover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, aws, data, deadline
from lifeboat.model.plan.graph import PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.design import ObjectsDesign
    from lifeboat.model.plan.context import Context

KIND = "settle_objects"


def steps(context: Context) -> Iterable[PlanStep]:
    """One a replicated store."""
    if context.moves:
        for design in context.replicated_objects:
            yield _settled(context, design)


def _settled(context: Context, design: ObjectsDesign) -> PlanStep:
    name, names = design.settings.name, context.names
    bucket = names.bucket(name, context.target)
    if context.graceful:
        title = f"Wait until every object of {name} has reached {context.target}"
        region, timing = context.source, TIMINGS[Step.OBJECTS_LAST]
        calls = (*data("cloudwatch", context.target, "GetMetricData"), *data("s3", context.target, "HeadBucket"))
        hands = (
            "# Operations pending replication must be 0 for all rules of the bucket:",
            aws(
                "cloudwatch list-metrics --namespace AWS/S3",
                context.target,
                metric_name="OperationsPendingReplication",
                dimensions=f"Name=SourceBucket,Value={names.bucket(name, region)}",
            ),
        )
    else:
        title = f"Write down how far the objects of {name} had arrived in {context.target}"
        region, timing = context.target, TIMINGS[Step.OBJECTS_INVENTORY]
        calls = data("s3", region, "HeadBucket", "ListObjectsV2")
        hands = (
            "# Both buckets take writes: nothing is promoted. What had not arrived is found by rejoin.",
            aws("s3api head-bucket", region, bucket=bucket),
        )
    return PlanStep(
        key=f"settle-objects/{name}",
        kind=KIND,
        title=title,
        stage=Stage.RECOVER,
        region=region,
        store=name,
        mechanism=design.mechanism,
        after=frozenset({"fence"}),
        calls=calls,
        timing=timing,
        timeout=deadline(timing, 900 if context.graceful else 60),
        idempotency="it only reads; each run reads anew",
        undo=READS_ONLY,
        by_hand=hands,
    )
