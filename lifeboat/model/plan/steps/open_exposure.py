"""Open the ledger of time without protection, for every store that has no second copy from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import deadline
from lifeboat.model.plan.graph import PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "open_exposure"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where something is left without a copy."""
    if not context.moves or not context.unprotected:
        return
    timing = TIMINGS[Step.LEASE_ACCESS]
    yield PlanStep(
        key="open-exposure",
        kind=KIND,
        title=f"Open the ledger of time without protection: {', '.join(context.unprotected)}",
        stage=Stage.AFTERWARDS,
        region=context.target,
        after=frozenset({"take_lease"}),
        calls=context.ledger_write,
        timing=timing,
        timeout=deadline(timing),
        idempotency="an entry that is open stays as it is",
        undo="close the entries",
        by_hand=(f"# Write down since when these have no second copy: {', '.join(context.unprotected)}.",),
    )
