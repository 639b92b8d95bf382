"""Tell people, by the target's topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: what was told is known by the journal alone."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Publish one message."""
    plan = run.plan
    which = "begun" if step.key.endswith("/began") else "ended"
    text = f"{run.physical.prefix}: {plan.mode} from {plan.source} to {plan.target} has {which} (run {run.run})"
    if which == "ended":
        text += f". Decided by {', '.join(run.consent.by)}. `lifeboat journal STACK {run.run}` has every step."
    answer = run.ports.client("sns", plan.target).publish(
        TopicArn=run.physical.alerts(plan.target),
        Subject=f"{run.physical.prefix}: {plan.mode} has {which}"[:100],
        Message=text,
    )
    return Outcome(said=f"told that it has {which}", facts={"message": str(answer["MessageId"])})
