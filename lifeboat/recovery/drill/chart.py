"""The geometry of the page's charts: where lines and blocks stand. Drawing them is the template's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lifeboat.recovery.drill.evidence import Evidence, SliceRow

WIDTH: Final = 880
HEIGHT: Final = 150
LEFT: Final = 52
RIGHT: Final = 8
_TICKS: Final = 8
_STEPS: Final = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """From seconds since the fault to pixels."""

    begin: float
    end: float

    def x(self, at: float) -> float:
        """Where a moment is."""
        share = (min(max(at, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    @property
    def ticks(self) -> list[float]:
        """Round moments, few enough to be read."""
        span = self.end - self.begin
        step = next((each for each in _STEPS if span / each <= _TICKS), span)
        first = int(self.begin // step) + 1
        return [round(number * step, 2) for number in range(first, int(self.end // step) + 1)]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A stack of counts in one slice."""

    x: float
    width: float
    y: float
    height: float
    kind: str
    """A region's place among the sites (``site0``, ``site1``), ``refused`` or ``unknown``."""


def axis(evidence: Evidence) -> Axis:
    """The time that all charts show."""
    parts = evidence.series.slices
    ends = [run.ended for run in evidence.runs if run.ended is not None]
    begin = parts[0].at if parts else -1.0
    end = parts[-1].at + evidence.series.width if parts else 1.0
    return Axis(begin=min(begin, -1.0), end=max([end, 1.0, *ends]))


def highest(evidence: Evidence) -> int:
    """The most that happened in a slice; at least 1."""
    return max((_total(each) for each in evidence.series.slices), default=1) or 1


def bars(evidence: Evidence, scale: Axis) -> Iterator[Bar]:
    """Throughput: what was acknowledged, by site, and above it what was refused, and what is unknown."""
    most = highest(evidence)
    for each in evidence.series.slices:
        x = scale.x(each.at)
        width = max(0.5, round(scale.x(each.at + evidence.series.width) - x - 0.3, 1))
        top = float(HEIGHT)
        for kind, count in _counts(each, evidence):
            height = round(count / most * HEIGHT, 1)
            if height:
                top = round(top - height, 1)
                yield Bar(x=x, width=width, y=top, height=height, kind=kind)


def slowest(evidence: Evidence) -> float:
    """The longest latency that is drawn, seconds."""
    return max((each.p95 for each in evidence.series.slices if each.p95 is not None), default=0.001) or 0.001


def lines(evidence: Evidence, scale: Axis, which: str) -> Iterator[str]:
    """A percentile of the latency as points of polylines: interrupted where nothing was acknowledged.

    Args:
        evidence: The record.
        scale: The time.
        which: ``p50`` or ``p95``.
    """
    most, middle = slowest(evidence), evidence.series.width / 2
    found = [(each.at + middle, each.p50 if which == "p50" else each.p95) for each in evidence.series.slices]
    for drawn, group in groupby(found, key=lambda each: each[1] is not None):
        if drawn:
            yield " ".join(f"{scale.x(at)},{_height(value or 0.0, most)}" for at, value in _wide(list(group), middle))


def _wide(points: Sequence[tuple[float, float | None]], middle: float) -> Iterable[tuple[float, float | None]]:
    """One point alone is a line as long as its slice."""
    if len(points) > 1:
        return points
    ((at, value),) = points
    return [(at - middle, value), (at + middle, value)]


def _height(value: float, most: float) -> float:
    return round(HEIGHT - value / most * HEIGHT, 1)


def _counts(each: SliceRow, evidence: Evidence) -> Iterator[tuple[str, int]]:
    for at, region in enumerate((evidence.home, evidence.standby)):
        yield f"site{at}", each.acknowledged.get(region, 0)
    yield "unknown", each.unknown
    yield "refused", each.refused


def _total(each: SliceRow) -> int:
    return sum(each.acknowledged.values()) + each.unknown + each.refused
