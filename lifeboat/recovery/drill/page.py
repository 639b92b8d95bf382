"""The record as one self-contained HTML page: the verdict first, no script, nothing fetched from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from lifeboat.model.settings import format_duration
from lifeboat.recovery.drill import chart

if TYPE_CHECKING:
    from lifeboat.recovery.drill.evidence import Clocked, Evidence

_MARKS = {"met": "✓", "missed": "✗", "not judged": "○"}
_PRECISE = 100
"""Seconds from which on tenths say nothing."""


def page(evidence: Evidence) -> str:
    """The page of a drill."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": seconds, "signed": signed, "objective": objective}
    axis = chart.axis(evidence)
    return environment.get_template("page.html.j2").render(
        e=evidence,
        marks=_MARKS,
        axis=axis,
        chart=chart,
        bars=list(chart.bars(evidence, axis)),
        highest=chart.highest(evidence),
        slowest=chart.slowest(evidence),
        p50=list(chart.lines(evidence, axis, "p50")),
        p95=list(chart.lines(evidence, axis, "p95")),
        marked=_marked(evidence),
    )


def seconds(value: float | Clocked | None) -> str:
    """A duration: ``6m 41s`` would hide tenths that matter below two minutes, and be right above."""
    if value is None:
        return "never"
    if not isinstance(value, int | float):
        return seconds(value.scaled_back)
    if value < _PRECISE:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"


def signed(value: float) -> str:
    """Seconds since the fault: ``+12.4 s``."""
    return f"{value:+.1f} s"


def objective(value: float | None) -> str:
    """What is demanded."""
    return "none declared" if value is None else format_duration(value)


def _marked(evidence: Evidence) -> list[tuple[float, str]]:
    """Moments that the charts show as lines: few enough to tell apart."""
    found = [(0.0, "fault" if evidence.faults else "begin")]
    if evidence.recovery.first_write is not None:
        found.append((evidence.recovery.first_write.observed, "first write"))
    found += [(each.at, "healed") for each in evidence.moments if each.what == "the fault is healed"]
    found += [(run.began, run.mode) for run in evidence.runs if run.mode in {"rejoin", "failback"}]
    return found
