"""Stop writes in the source: its gates by the lease, its databases by their own setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.fence import DatabaseFence, FenceError
from lifeboat.recovery.run_state import Outcome, StepRun
from lifeboat.recovery.steps.fence import lift

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether the source said itself that its writes have stopped."""
    del step
    return run.plan.source in run.lease.read().record.stopped


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Fence it in the lease, which shuts its gates; and make its databases read-only without waiting for that."""
    del step
    source = run.plan.source
    run.change(lambda record: record.fence(source))
    names = [design.settings.name for design in run.physical.topology.databases]
    fencing = DatabaseFence(lambda name: run.ports.sql(source, name), names)

    def look() -> bool | None:
        try:
            fencing.fence()
        except FenceError as fault:
            run.progress(str(fault))
            return None
        return True

    run.until(look, f"every database in {source} is read-only")
    return Outcome(said=f"{source} takes no writes: {len(names)} databases are read-only, gates shut with the lease")


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Let the source write again; its warden opens the gates and lifts the databases' setting."""
    return lift(step, run)
