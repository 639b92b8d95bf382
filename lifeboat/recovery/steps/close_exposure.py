"""Close the ledger of time without protection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery import exposure
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether nothing is open."""
    del step
    return not exposure.open_since(run.entries)


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Close it for every store."""
    del step
    times = exposure.close(run.entries, run=run.run, wall=run.ports.wall())
    told = ", ".join(f"{store} for {seconds:.0f} s" for store, seconds in sorted(times.items()))
    return Outcome(
        said=f"were without a second copy: {told}", facts={f"{name}-seconds": s for name, s in times.items()}
    )


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Open it again, from when it was opened first."""
    del step
    stores = exposure.reopen(run.entries, run=run.run, wall=run.ports.wall())
    return Outcome(said=f"open again: {', '.join(sorted(stores))}")
