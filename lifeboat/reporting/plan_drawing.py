"""A plan as a Mermaid flowchart: stages as boxes, steps with their p95, the longest path drawn thick."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lifeboat.model.bounds import duration
from lifeboat.reporting.plan import awaited, numbered

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.reporting.plan import PlanReport


def drawing(report: PlanReport) -> str:
    """The flowchart's text."""
    plan, numbers = report.plan, numbered(report.plan)
    thick = {numbers[share.key] for share in report.projection.path}
    lines = [f"%% {report.heading}", "flowchart TD"]
    for stage, steps in groupby(sorted(plan.steps, key=_stage_of), key=_stage_of):
        lines.append(f"    subgraph stage{stage}[{list(type(plan.steps[0].stage))[stage]}]")
        lines += [f'        s{numbers[step.key]}["{_label(step, numbers[step.key])}"]' for step in steps]
        lines.append("    end")
    for step in plan.steps:
        number = numbers[step.key]
        for earlier in _shortest(step, report, numbers):
            lines.append(f"    s{earlier} {'==>' if {earlier, number} <= thick else '-->'} s{number}")
    if thick:
        lines.append("    classDef longest stroke-width:4px")
        lines.append(f"    class {','.join(f's{number}' for number in sorted(thick))} longest")
    return "\n".join(lines) + "\n"


def _stage_of(step: PlanStep) -> int:
    return list(type(step.stage)).index(step.stage)


def _label(step: PlanStep, number: int) -> str:
    # What Mermaid takes for markup is written as its entity.
    title = step.title.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return f"{number}. {title}<br/>p95 {duration(step.timing.p95)}, deadline {duration(step.timeout)}"


def _shortest(step: PlanStep, report: PlanReport, numbers: dict[str, int]) -> list[int]:
    """What a step waits for, without what those wait for themselves."""
    steps = report.plan.by_key
    passed: set[str] = set()
    seek = [key for earlier in step.after for key in steps[earlier].after]
    while seek:
        key = seek.pop()
        if key not in passed:
            passed.add(key)
            seek += steps[key].after
    return [number for number in awaited(step, numbers) if number not in {numbers[key] for key in passed}]
