"""See how far objects had arrived; where both sites answer, wait until all of them have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery import objects
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: it only reads."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Buckets take writes in both sites: nothing is promoted."""
    store, source, target = step.store or "", run.plan.source, run.plan.target
    bucket = run.physical.bucket(store, target)
    client = run.ports.client("s3", target)
    client.head_bucket(Bucket=bucket)
    if run.plan.mode is Mode.FAILOVER:
        page = client.list_objects_v2(Bucket=bucket)
        count, more = page["KeyCount"], bool(page.get("IsTruncated"))
        said = f"{bucket} answers, with {count}{' or more' if more else ''} objects"
        return Outcome(said=said, facts={"objects": count, "more": more})
    began = run.ports.wall()
    run.until(lambda: objects.settled(run, store, source, began), f"no object of {store} is on its way")
    return Outcome(said=f"every object of {store} has arrived in {target}")
