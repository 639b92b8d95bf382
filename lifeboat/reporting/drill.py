"""A drill for a terminal: the verdict, the numbers, every check; several drills beside each other."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifeboat.model.settings import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from lifeboat.recovery.drill.evidence import Evidence
    from lifeboat.recovery.drill.scenario import Scenario

_STYLES = {"met": "green", "missed": "bold red", "not judged": "dim"}


def listing(scenarios: Mapping[str, Scenario]) -> RenderableType:
    """Every scenario in a line."""
    table = Table.grid(padding=(0, 2))
    for name, scenario in scenarios.items():
        table.add_row(name, Text(scenario.title), Text(f"expects {scenario.expect}", style="dim"))
    return table


def result(evidence: Evidence) -> RenderableType:
    """One drill."""
    table = Table.grid(padding=(0, 2))
    for check in evidence.verdict.checks:
        table.add_row(f"  {check.name}", Text(check.result, style=_STYLES[check.result]), Text(check.said))
    passed = evidence.verdict.passed
    style = "bold green" if passed else "bold red"
    parts: list[RenderableType] = [Text(evidence.verdict.headline, style=style), table]
    recovery = evidence.recovery
    if recovery.projected_p50 is not None and recovery.projected_p95 is not None:
        p50, p95 = (format_duration(round(each)) for each in (recovery.projected_p50, recovery.projected_p95))
        parts.append(Text(f"  projected apart from it, p50 / p95: {p50} / {p95}", style="dim"))
    return Group(*parts)


def summary(drills: Sequence[Evidence]) -> RenderableType:
    """Several drills of one scenario: each, and the spread of their recovery times."""
    table = Table.grid(padding=(0, 2))
    for each in drills:
        rto = each.recovery.rto
        table.add_row(
            f"  seed {each.seed}",
            "passed" if each.verdict.passed else "failed",
            "" if rto is None else f"{rto.scaled_back:.0f} s",
            f"{sum(loss.lost for loss in each.losses)} lost",
        )
    times = [each.recovery.rto.scaled_back for each in drills if each.recovery.rto is not None]
    parts: list[RenderableType] = [table]
    if times:
        told = f"  recovery time: median {statistics.median(times):.0f} s, {min(times):.0f} s to {max(times):.0f} s"
        parts.append(Text(told))
    passed = sum(each.verdict.passed for each in drills)
    parts.append(Text(f"{passed} of {len(drills)} passed", style="bold"))
    return Group(*parts)
