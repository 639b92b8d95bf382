"""Let the site that comes back be the standby: off the lease's fenced sites, ready to take over again.

A site that was left in a planned move is that at once, unless something in it has to be built anew first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import deadline
from lifeboat.model.plan.graph import Mode, PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "rejoin"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where a lost site comes back, or where one was left with a copy of everything in it."""
    if context.mode is Mode.FAILOVER or (context.graceful and context.unprotected):
        return
    timing = TIMINGS[Step.LEASE_ACCESS]
    yield PlanStep(
        key="rejoin",
        kind=KIND,
        title=f"Take {context.source} off the lease's fenced sites: it is the standby now",
        stage=Stage.AFTERWARDS,
        region=context.target,
        after=frozenset({"fence", "rebuild_protection", "verify"}),
        calls=context.lease_write,
        timing=timing,
        timeout=deadline(timing),
        idempotency="the site is not among the lease's fenced ones",
        undo=f"fence {context.source} again",
        by_hand=context.change_lease(f"take {context.source} off the fenced sites"),
    )
