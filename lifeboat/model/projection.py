"""How long a plan takes, by Monte Carlo over its graph. Durations are seconds.

Each step's duration is lognormal through its p50 and p95, independent of the others'; the plan's is the longest path.
A step without any bound at p95 takes its median in half of the samples and never ends in the others. A step that
reaches its deadline is given up there: its sample counts as the deadline, and `Projection.given_up` counts the sample.

Every step draws from a stream of its own, seeded by what it does and its number among those that do the same: a step
more or less leaves the others' samples alone, and names do not change what is drawn.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lifeboat.model.plan.graph import Mode, Stage
from lifeboat.model.records import timing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from lifeboat.model.plan.graph import Plan, PlanStep
    from lifeboat.model.records import Measurement, Subject
    from lifeboat.model.timings import Timing

SEED = 6
SAMPLES = 10_000
_Z95 = 1.6448536269514722
"""Standard deviations from the median to the 95th percentile of a normal distribution."""

_DEVIATIONS = np.linspace(-8.0, 8.0, 1601)
_LOG_BELOW = np.array(
    [
        math.log1p(-math.erfc(z / math.sqrt(2)) / 2) if z > 0 else math.log(math.erfc(-z / math.sqrt(2)) / 2)
        for z in _DEVIATIONS.tolist()
    ]
)
"""Logarithm of the probability that a standard normal variable is below each of them."""

_LEAST = 0.001

_COUNTED = {Stage.DETECT, Stage.DECIDE, Stage.RECOVER, Stage.VERIFY, Stage.COMMUNICATE}
"""Communication stands there only where the stack declares it."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A step as the simulation sees it."""

    key: str
    timing: Timing
    after: frozenset[str] = frozenset()
    timeout: float = math.inf
    stream: str = ""
    """What it draws from; its key where nothing is told."""
    copies: int = 1
    """How many like it run side by side: the last of them to end is what is drawn."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A step's part in the whole."""

    key: str
    timing: Timing
    """As it was drawn from: the plan's, or what was measured."""
    critical: float
    """Share of the samples in which the longest path leads through it, 0 to 1."""
    seconds: float
    """What it adds to the whole, on average over all samples: nothing where it is not on the longest path."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """How long a plan takes until clients are served, or until its end where no client waits."""

    what: str
    """What is measured, in words: ``fault to first durable write``."""
    p50: float
    p95: float
    bound: float
    """If every step ran to its deadline."""
    shares: tuple[Share, ...]
    """Every step that counts, the one that adds most first."""
    priors: float
    """Share of the time that rests on our own guesses, 0 to 1."""
    given_up: float
    """Share of the samples in which a step that counts runs into its deadline, 0 to 1."""
    samples: int
    seed: int

    @property
    def dominating(self) -> Share | None:
        """The step that adds most; None when nothing takes time."""
        return self.shares[0] if self.shares and self.shares[0].seconds else None

    @property
    def path(self) -> tuple[Share, ...]:
        """Steps that the longest path leads through more often than not, longest first."""
        return tuple(share for share in self.shares if share.critical > 1 / 2)


@dataclass(frozen=True)
class Simulation:
    """What `simulate` found, sample by sample."""

    totals: NDArray[np.float64]
    """The longest path of each sample."""
    durations: NDArray[np.float64]
    """By task, then sample."""
    on_path: NDArray[np.bool_]
    """Whether the longest path of a sample leads through a task; by task, then sample."""

    @property
    def spent(self) -> NDArray[np.float64]:
        """What each task adds to the longest path, on average over all samples."""
        return np.where(self.on_path, self.durations, 0.0).mean(axis=1)


def project(
    plan: Plan,
    *,
    seed: int = SEED,
    samples: int = SAMPLES,
    records: Mapping[Subject, Measurement] | None = None,
) -> Projection:
    """Simulate a plan.

    A failover is timed from the fault to the first durable write through DNS, verified; a planned move from when
    writes stop; a rejoin from its beginning to its end.

    Args:
        plan: What is simulated.
        seed: The same seed gives the same answer.
        samples: How many runs.
        records: What drills measured, in place of the plan's own timings.
    """
    measured = records or {}
    tasks = tasks_of(counted(plan), lambda step: timing_of(plan.mode, step, measured))
    run = simulate(tasks, seed=seed, samples=samples)
    p50, p95 = percentiles(run.totals)
    spent = run.spent
    often = run.on_path.mean(axis=1)
    shares = sorted(
        (
            Share(key=task.key, timing=task.timing, critical=float(often[at]), seconds=float(spent[at]))
            for at, task in enumerate(tasks)
        ),
        key=lambda share: -share.seconds,
    )
    whole = sum(share.seconds for share in shares)
    guessed = sum(share.seconds for share in shares if share.timing.prior)
    late = run.durations >= np.array([task.timeout for task in tasks])[:, np.newaxis]
    return Projection(
        what=_WHAT[plan.mode],
        p50=p50,
        p95=p95,
        bound=longest(tasks),
        shares=tuple(shares),
        priors=guessed / whole if whole else 0.0,
        given_up=float(late.any(axis=0).mean()),
        samples=samples,
        seed=seed,
    )


_WHAT = {
    Mode.FAILOVER: "fault to first durable write",
    Mode.SWITCHOVER: "time without writes",
    Mode.FAILBACK: "time without writes",
    Mode.REJOIN: "beginning to full protection",
}


def simulate(tasks: Sequence[Task], *, seed: int, samples: int) -> Simulation:
    """Draw every task's duration and find each sample's longest path.

    Args:
        tasks: In an order in which each comes after those in its `after`.
        seed: Of every stream.
        samples: How many.
    """
    at = {task.key: number for number, task in enumerate(tasks)}
    before = [[at[key] for key in sorted(task.after)] for task in tasks]
    durations = np.empty((len(tasks), samples))
    starts = np.zeros((len(tasks), samples))
    ends = np.empty((len(tasks), samples))
    for number, task in enumerate(tasks):
        durations[number] = drawn(task, seed, samples)
        for earlier in before[number]:
            np.maximum(starts[number], ends[earlier], out=starts[number])
        np.add(starts[number], durations[number], out=ends[number])
    on_path = np.zeros((len(tasks), samples), dtype=np.bool_)
    if not tasks:
        return Simulation(np.zeros(samples), durations, on_path)
    last = ends.argmax(axis=0)
    on_path[last, np.arange(samples)] = True
    for number in range(len(tasks) - 1, -1, -1):
        # Of several that ended at the same moment one is taken: the path stays one.
        waiting = on_path[number].copy()
        for earlier in before[number]:
            waited = waiting & (ends[earlier] == starts[number])
            on_path[earlier] |= waited
            waiting &= ~waited
    return Simulation(ends.max(axis=0), durations, on_path)


def tasks_of(steps: Iterable[PlanStep], timed: Callable[[PlanStep], Timing]) -> list[Task]:
    """Steps as tasks, in the same order; what is not among them is nothing to wait for."""
    found = list(steps)
    keys = {step.key for step in found}
    alike: Counter[tuple[str, str | None]] = Counter()
    tasks: list[Task] = []
    for step in found:
        what = (step.kind, step.mechanism)
        stream = f"{step.kind}/{step.mechanism}/{alike[what]}"
        alike[what] += 1
        tasks.append(
            Task(key=step.key, timing=timed(step), after=step.after & keys, timeout=step.timeout, stream=stream)
        )
    return tasks


def drawn(task: Task, seed: int, samples: int) -> NDArray[np.float64]:
    """Durations of one task; read-only, since equal draws are kept."""
    return _drawn(task.stream or task.key, task.timing, task.timeout, task.copies, seed, samples)


@lru_cache(maxsize=64)
def _drawn(  # noqa: PLR0913, PLR0917 - all that a draw depends on
    name: str, timing: Timing, timeout: float, copies: int, seed: int, samples: int
) -> NDArray[np.float64]:
    found = np.minimum(_lognormal(name, timing, copies, seed, samples), timeout)
    found.flags.writeable = False
    return found


def _lognormal(name: str, timing: Timing, copies: int, seed: int, samples: int) -> NDArray[np.float64]:
    # No lognormal has nothing as its median: as good as nothing.
    median = max(timing.p50, _LEAST)
    if timing.p95 <= median:
        return np.full(samples, timing.p50)
    stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))
    if copies == 1:
        normal = stream.standard_normal(samples)
    else:
        # The greatest of n is below z with the nth power of one's probability.
        normal = np.interp(np.log(stream.random(samples)) / copies, _LOG_BELOW, _DEVIATIONS)
    if math.isinf(timing.p95):
        return np.where(normal > 0, math.inf, median)
    return median * np.exp(math.log(timing.p95 / median) / _Z95 * normal)


def percentiles(totals: NDArray[np.float64]) -> tuple[float, float]:
    """Median and 95th percentile: samples that occurred, so that one without end stays one."""
    p50, p95 = np.quantile(totals, [0.5, 0.95], method="higher")
    return float(p50), float(p95)


def longest(tasks: Iterable[Task]) -> float:
    """The longest path if every task ran to its deadline."""
    ends: dict[str, float] = {}
    for task in tasks:
        ends[task.key] = task.timeout + max((ends[key] for key in task.after), default=0.0)
    return max(ends.values(), default=0.0)


def counted(plan: Plan) -> tuple[PlanStep, ...]:
    """The steps that the time is made of, in the plan's order."""
    if plan.mode is Mode.REJOIN:
        return plan.steps
    served = {step.key: step for step in plan.steps if step.stage in _COUNTED}
    if plan.mode is Mode.FAILOVER:
        return tuple(served.values())
    # In a planned move clients are served until writes stop: the clock starts there, and what comes before is over.
    since = {step.key for step in served.values() if step.kind == "stop_writes"}
    for step in plan.steps:
        if step.after & since:
            since.add(step.key)
    return tuple(step for key, step in served.items() if key in since)
