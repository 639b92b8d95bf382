"""Before a planned move: each copy keeps up, so that little is left to wait for once writes have stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, data, deadline
from lifeboat.model.plan.graph import Call, PlanStep, Stage
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.timings import TIMINGS, Step, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.design import CacheDesign, DatabaseDesign, ObjectsDesign
    from lifeboat.model.plan.context import Context

KIND = "resynchronise"

_AS_WRITTEN = {DatabaseMechanism.REPLICA, DatabaseMechanism.AURORA_GLOBAL}


def steps(context: Context) -> Iterable[PlanStep]:
    """One a store that is copied as it is written, where both sites answer."""
    if not context.graceful:
        return
    target, lagging = context.target, TIMINGS[Step.DRAIN]
    lag = data("cloudwatch", target, "GetMetricData")
    for database in context.databases:
        if database.mechanism in _AS_WRITTEN:
            yield _step(context, database, lag, lagging)
    for cache in context.replicated_caches:
        yield _step(context, cache, lag, lagging)
    for store in context.replicated_objects:
        yield _step(context, store, lag, TIMINGS[Step.OBJECTS_CAUGHT_UP])


def _step(
    context: Context, design: DatabaseDesign | CacheDesign | ObjectsDesign, calls: tuple[Call, ...], timing: Timing
) -> PlanStep:
    name = design.settings.name
    return PlanStep(
        key=f"resynchronise/{name}",
        kind=KIND,
        title=f"Wait until the copy of {name} in {context.target} keeps up",
        stage=Stage.DETECT,
        region=context.target,
        store=name,
        mechanism=design.mechanism,
        calls=calls,
        timing=timing,
        timeout=deadline(timing, 900),
        idempotency="it only looks at the lag; each run looks anew",
        undo=READS_ONLY,
        by_hand=(f"# The alarm on the lag of {name} must be OK for ten minutes.",),
    )
