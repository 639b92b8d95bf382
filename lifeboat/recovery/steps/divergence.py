"""Report what the site that comes back had acknowledged, and the active one never got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery import divergence
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

GATE = True
"""It only looks."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run writes the report anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Compare every store."""
    del step
    found = divergence.report(run, back=run.plan.source, active=run.plan.target)
    return Outcome(
        said="; ".join(each.said for each in found) or "nothing keeps data",
        facts={f"{each.store}-{name}": value for each in found for name, value in each.facts.items()},
    )
