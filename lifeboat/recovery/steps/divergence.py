"""Report what the site that comes back had acknowledged, and the active one never got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery import divergence
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.recovery.journal import Detail

GATE = True
"""It only looks."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run writes the report anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Compare every store; what an earlier run reported, before it overwrote anything, is told as well."""
    del step
    found = divergence.report(run, back=run.plan.source, active=run.plan.target)
    said = "; ".join(each.said for each in found) or "nothing keeps data"
    facts: dict[str, Detail] = {f"{each.store}-{name}": value for each in found for name, value in each.facts.items()}
    first = divergence.first_report(run)
    if first is None:
        return Outcome(said=said, facts=facts)
    name, told = first
    kept = {f"first-{fact}": value for fact, value in told.items() if fact not in {"said", "took"}}
    return Outcome(said=f"{name} had found: {told.get('said')}. Now: {said}", facts={"first": name, **kept, **facts})
