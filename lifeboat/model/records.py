"""What drills measured: durations of steps, which replace priors in a projection.

Plain data; `lifeboat.reporting.records` reads the files.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lifeboat.model.timings import Evidence, Timing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.model.plan.graph import Mode, PlanStep

LEAST_RUNS = 3
"""Fewer say nothing about a spread: the prior stays."""


class Subject(NamedTuple):
    """What was measured: every step of a kind that does the same thing."""

    mode: Mode
    kind: str
    mechanism: str | None

    @classmethod
    def of(cls, mode: Mode, step: PlanStep) -> Subject:
        """What a measurement of this step is one of."""
        return cls(mode, step.kind, step.mechanism)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How long it took, run by run."""

    seconds: tuple[float, ...]
    source: str
    """Where it stands, such as ``records/2026-03-drill.json``."""

    @property
    def timing(self) -> Timing:
        """Median and 95th percentile, the longest of fewer than twenty runs."""
        longest_first = sorted(self.seconds)
        p95 = longest_first[math.ceil(0.95 * len(longest_first)) - 1]
        runs = f"{len(self.seconds)} runs, {self.source}"
        return Timing(statistics.median(self.seconds), p95, (Evidence.MEASURED,), runs)


Records = dict[Subject, Measurement]
"""Everything measured."""


def timing_of(mode: Mode, step: PlanStep, records: Mapping[Subject, Measurement]) -> Timing:
    """How long a step takes: as it was measured, where that was done often enough, else as the plan says.

    What the stack declares is not replaced: an organisation's word about its people is no prior.
    """
    found = records.get(Subject.of(mode, step))
    if found is None or len(found.seconds) < LEAST_RUNS or step.timing.evidence == (Evidence.DECLARED,):
        return step.timing
    return found.timing
