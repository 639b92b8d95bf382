"""Open the ledger of time without protection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery import exposure
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether it is open for every store."""
    del step
    return exposure.unprotected(run.plan, run.physical) <= set(exposure.open_since(run.entries))


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Open it for every store that has no second copy from now on."""
    del step
    stores = exposure.unprotected(run.plan, run.physical)
    exposure.open_for(run.entries, stores, run=run.run, wall=run.ports.wall())
    return Outcome(said=f"without a second copy from now on: {', '.join(sorted(stores))}")


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Close what this run opened."""
    del step
    exposure.close(run.entries, run=run.run, wall=run.ports.wall(), of_run=run.run)
    return Outcome(said="the ledger is closed")
