"""Switch traffic to the target: first in the lease, which wardens publish from, then at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.settings.sites import RoutingKind
from lifeboat.recovery import routing
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: levels are set, and setting them again changes nothing."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Set every switch as the lease has it.

    Raises:
        NotHolderError: when the target does not hold the lease: traffic never flips before.
    """
    record = run.change(lambda record: record.serve(run.plan.target))
    routing.switch(run, RoutingKind(step.mechanism or ""), record)
    return Outcome(said=f"traffic goes to {run.plan.target} by {step.mechanism}")
