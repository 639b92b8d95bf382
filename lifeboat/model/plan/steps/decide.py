"""Decide, or have it decided: by the warden, by one person, by two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import deadline
from lifeboat.model.plan.graph import Mode, PlanStep, Stage
from lifeboat.model.settings.sites import Approval
from lifeboat.model.timings import TIMINGS, Step, Timing, declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "decide"

_WHO = {
    Approval.AUTOMATIC: "the warden",
    Approval.ONE: "one approver",
    Approval.TWO: "two approvers, not the same person",
}


def steps(context: Context) -> Iterable[PlanStep]:
    """Always one; whoever starts a planned move by hand has decided it, and still needs the approvals."""
    approval = context.settings.approval
    if approval is Approval.AUTOMATIC and context.mode is not Mode.FAILOVER:
        # The warden decides only about a loss.
        approval = Approval.ONE
    timing = _timing(context, approval)
    what = "rejoin" if context.mode is Mode.REJOIN else f"move to {context.target}"
    yield PlanStep(
        key="decide",
        kind=KIND,
        title=f"Decide to {what} (approval: {approval})",
        stage=Stage.DECIDE,
        region=context.target,
        after=frozenset({"confirm_outage", "readiness", "divergence"}),
        calls=context.lease_write,
        timing=timing,
        timeout=deadline(timing, 60),
        idempotency="the run's approval stands in the journal; a hold in the lease stops it",
        no_undo="what was decided was decided; nothing has moved yet, and the run's claim ends with the run",
        who=_WHO[approval],
        by_hand=(
            "# A hold in the lease means no. Write down who decided, when, and what may be lost.",
            context.show_lease,
        ),
    )


def _timing(context: Context, approval: Approval) -> Timing:
    told = context.declared.decide
    if told is not None:
        return declared(told, "objectives.stack.phases.decide")
    person = TIMINGS[Step.PERSON_DECIDES]
    match approval:
        case Approval.AUTOMATIC:
            return TIMINGS[Step.LEASE_ACCESS]
        case Approval.ONE:
            return person
        case Approval.TWO:
            # One after the other: nobody promises that the second looks before the first has.
            return person.then(person)
