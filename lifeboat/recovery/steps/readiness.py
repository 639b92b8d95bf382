"""Check that the site which takes over can; one reason that says no is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.readiness import checks, refusals
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

GATE = True
"""It only looks."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run checks anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Make every check.

    Raises:
        RecoveryRefused: with every reason.
    """
    made = checks(run, step.region)
    reasons = refusals(made, run)
    if reasons:
        raise RecoveryRefused(*reasons)
    return Outcome(
        said=f"{step.region} is ready: {sum(check.passed is True for check in made)} checks passed, "
        f"{sum(check.passed is None for check in made)} could not be made",
        facts={check.name.replace(" ", "-"): check.said for check in made if check.passed is None},
    )
