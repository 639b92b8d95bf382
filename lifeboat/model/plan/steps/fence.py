"""Fence the site that is left: seen to have stopped, else waited for until its lease has run out.

Invariant 1 rests on this step: nothing in the target takes writes before it has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import RENEWAL, deadline
from lifeboat.model.plan.graph import Mode, PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Evidence, Step, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "fence"


def steps(context: Context) -> Iterable[PlanStep]:
    """One; of a rejoin, that the site which comes back still is fenced."""
    lease = context.settings.lease
    waits = lease.ttl + lease.clock_margin
    if context.mode is Mode.FAILOVER:
        timing = expiry(context)
        title = f"Fence {context.source}: seen to have stopped, else its lease has run out"
        hands = (
            f"# The lease has run out when epoch, holder and beat in it stood still for {waits} s of your own watch.",
            *context.change_lease(f"add {context.source} to the fenced sites"),
        )
    else:
        timing = TIMINGS[Step.LEASE_ACCESS]
        title = f"Fence {context.source}: it must be seen to refuse writes"
        hands = (
            *context.change_lease(f"add {context.source} to the fenced sites"),
            f"# Then see every gateway in {context.source} refuse writes.",
        )
    yield PlanStep(
        key="fence",
        kind=KIND,
        title=title,
        stage=Stage.RECOVER,
        region=context.target,
        after=frozenset({"decide", "stop_writes"}),
        calls=context.lease_write,
        timing=timing,
        timeout=deadline(timing, 2.0 * waits),
        idempotency="the site stands among the lease's fenced ones",
        undo=f"take {context.source} off the lease's fenced sites, while the epoch is still its own",
        by_hand=hands,
    )


def expiry(context: Context) -> Timing:
    """What is left to wait once a loss is confirmed: who confirmed it has watched the lease all the while."""
    lease, access = context.settings.lease, TIMINGS[Step.LEASE_ACCESS]
    longest = max(access.p95, lease.ttl + lease.clock_margin + RENEWAL - lease.confirm_for)
    usual = max(access.p50, longest - RENEWAL - TIMINGS[Step.HEALTH_CHECK_FAST].p50)
    return Timing(usual, longest, (Evidence.DECLARED, Evidence.PRIOR), "lease.ttl + clock_margin - confirm_for")
