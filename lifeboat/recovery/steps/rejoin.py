"""Take the site that comes back off the lease's fenced sites: it is the standby now.

Of a plan from a site to itself (`lifeboat.recovery.holder_rejoin`), the holder writes again, in a new epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.recovery.lease_record import LeaseRecord


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether it is not fenced."""
    del step
    return run.plan.source not in run.lease.read().record.fenced


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Unfence it.

    Raises:
        StepFailed: when it holds the lease, and should be the standby; or the other way round.
    """
    del step
    back, stays = run.plan.source, run.plan.target == run.plan.source

    def free(record: LeaseRecord) -> LeaseRecord:
        if record.holder == back and not stays:
            raise StepFailed(f"{back} holds epoch {record.epoch}: accepted is a site that does not")
        if record.holder != back and stays:
            raise StepFailed(f"{record.holder or 'nobody'} holds epoch {record.epoch}: accepted is {back}, its holder")
        return record.unfence(back) if back in record.fenced else record

    left = run.change(free)
    if stays:
        return Outcome(said=f"{back} may write again, in epoch {left.epoch}", facts={"epoch": left.epoch})
    return Outcome(said=f"{back} is the standby; {left.holder} holds epoch {left.epoch}", facts={"epoch": left.epoch})


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Fence it again."""
    del step
    run.change(lambda record: record.fence(run.plan.source))
    return Outcome(said=f"{run.plan.source} is fenced again")
