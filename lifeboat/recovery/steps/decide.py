"""Have it decided: by the warden's declared rule, by one person, by two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.sites import Approval
from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.run_state import WARDEN, Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

GATE = True
"""It only looks."""
_NEEDED = {Approval.AUTOMATIC: 1, Approval.ONE: 1, Approval.TWO: 2}


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: who decided is asked of each run."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """See that it may be decided, and by whom it was.

    Raises:
        RecoveryRefused: when too few people approved, or a hold stops the warden.
    """
    del step
    approval = run.physical.settings.approval
    record = run.lease.read().record
    people = {name for name in run.consent.by if name != WARDEN}
    if not people:
        if record.hold is not None:
            raise RecoveryRefused(
                f"held by {record.hold.by}: {record.hold.reason}", "a person may decide, or `lifeboat release`"
            )
        if approval is not Approval.AUTOMATIC or run.plan.mode is not Mode.FAILOVER:
            raise RecoveryRefused(f"approval: {approval}: nobody has approved", "tell who with --approved-by NAME")
    elif len(people) < _NEEDED[approval]:
        raise RecoveryRefused(
            f"approval: {approval}: approved by {', '.join(sorted(people))} alone",
            "two different people must: --approved-by once for each",
        )
    if run.plan.mode is not Mode.REJOIN and run.plan.target in record.fenced:
        raise RecoveryRefused(
            f"{run.plan.target} is fenced since it was left: it may be behind",
            "`lifeboat rejoin` first",
        )
    if run.plan.mode is not Mode.REJOIN and record.holder not in {run.plan.source, None}:
        raise RecoveryRefused(
            f"{record.holder} is active in epoch {record.epoch}, not {run.plan.source}: nothing to move"
        )
    return Outcome(said=f"decided by {', '.join(run.consent.by)}", facts={"epoch": record.epoch})
