"""A plan as a runbook in Markdown: boxes to tick, commands to paste. It can be followed without this tool."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lifeboat.model.bounds import duration
from lifeboat.model.plan.graph import Mode, Stage
from lifeboat.reporting.plan import asked, awaited, numbered, projected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.reporting.plan import PlanReport

_STAGES = {
    Stage.DETECT: "Look",
    Stage.DECIDE: "Decide",
    Stage.RECOVER: "Move",
    Stage.VERIFY: "Verify",
    Stage.COMMUNICATE: "Tell",
    Stage.AFTERWARDS: "Afterwards",
}


def runbook(report: PlanReport) -> str:
    """The whole page."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: PlanReport) -> Iterator[str]:
    plan, numbers = report.plan, numbered(report.plan)
    yield f"# Runbook: {report.heading}"
    yield ""
    yield f"Account {report.settings.account}. Witness: {report.topology.witness}. " + (
        "The region that is lost is asked for nothing whose answer is needed."
        if plan.mode is Mode.FAILOVER
        else "Both sites answer; if one stops to, stop as well and undo."
    )
    yield ""
    yield from (f"- {line}" for line in projected(report))
    yield ""
    yield "How to follow it: one person leads and ticks the boxes, in order; steps that wait for the same ones may be"
    yield "done side by side. Give a step up at its deadline: undo what can be undone, from the last to the first, and"
    yield "call the owner. Words that begin with `$` are for you to fill in. Write down when each step began and ended."
    yield ""
    yield "Before anything else: credentials that do not need the lost region (the break-glass role), the AWS CLI, and"
    yield "`aws sts get-caller-identity` answered by the account above."
    for stage, steps in groupby(plan.steps, key=lambda step: step.stage):
        yield ""
        yield f"## {_STAGES[stage]}"
        for step in steps:
            yield ""
            yield from _step(step, numbers)
    yield ""
    yield "## Sign off"
    yield ""
    yield "- [ ] Led by: ______________  begun (UTC): ______________  ended (UTC): ______________"


def _step(step: PlanStep, numbers: dict[str, int]) -> Iterator[str]:
    waits = ", ".join(map(str, awaited(step, numbers))) or "nothing"
    yield f"- [ ] **{numbers[step.key]}. {step.title}** (`{step.key}`)"
    yield ""
    usual, rare = duration(step.timing.p50), duration(step.timing.p95)
    yield f"  Who: {step.who}. Where: {step.region}. After: {waits}."
    yield f"  Usually {usual}, rarely more than {rare}; give up after {duration(step.timeout)}."
    yield ""
    yield "  ```sh"
    yield from (f"  {line}" for line in step.by_hand)
    yield "  ```"
    yield ""
    yield f"  - Asks: {'; '.join(asked(step)) or 'nobody'}"
    yield f"  - Done before, if: {step.idempotency}"
    yield f"  - Undo: {step.undo}" if step.undo is not None else f"  - No way back: {step.no_undo}"
    yield "  - Began: ________  ended: ________"
