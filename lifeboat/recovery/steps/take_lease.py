"""Take the lease: a new epoch, held by the target, whose databases take writes of new sessions from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from lifeboat.recovery import fence, lease
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether the target is the holder, and may write."""
    del step
    return run.lease.read().record.may_write(run.plan.target)


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Take it in the epoch that the fence was seen in.

    Raises:
        StepFailed: when the source may still write at the step's deadline.
        LeaseError: when another epoch began meanwhile.
    """
    del step
    fenced = run.facts.get("fence", {}).get("epoch")
    expected = fenced if isinstance(fenced, int) else run.lease.read().record.epoch
    while True:
        try:
            taken = lease.take(run.lease, run.watch, target=run.plan.target, expected=expected, owner=run.run)
        except lease.NotOverError as still:
            if run.ports.clock() + still.seconds > run.deadline:
                raise StepFailed(str(still)) from still
            run.ports.wait(None, max(still.seconds, 0.05))
        else:
            epoch = taken.record.epoch
            for design in run.physical.topology.databases:
                name = design.settings.name
                # A copy of a database that was fenced is fenced like it: the setting came with the data.
                run.until(lambda name=name: _lifted(run, name), f"{name} takes writes in {run.plan.target}")
            return Outcome(said=f"{run.plan.target} holds epoch {epoch}", facts={"epoch": epoch})


def _lifted(run: StepRun, database: str) -> bool | None:
    try:
        with run.ports.sql(run.plan.target, database) as session:
            fence.lift(session)
    except (psycopg.Error, fence.FenceError, OSError) as fault:
        run.progress(f"{database}: {' '.join(str(fault).split())}")
        return None
    return True
