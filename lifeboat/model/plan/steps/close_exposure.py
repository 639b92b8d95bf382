"""Close the ledger of time without protection, once every store has its second copy again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import deadline
from lifeboat.model.plan.graph import Mode, PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "close_exposure"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where a lost site comes back."""
    if context.mode is not Mode.REJOIN:
        return
    timing = TIMINGS[Step.LEASE_ACCESS]
    yield PlanStep(
        key="close-exposure",
        kind=KIND,
        title="Close the ledger of time without protection",
        stage=Stage.AFTERWARDS,
        region=context.target,
        after=frozenset({"rejoin"}),
        calls=context.ledger_write,
        timing=timing,
        timeout=deadline(timing),
        idempotency="entries that are closed stay as they are",
        undo="open the entries again, from when they were opened first",
        by_hand=("# Write down when each store had its second copy again.",),
    )
