"""``python -m benchmarks.projection``: 10,000 samples of a plan of 200 steps, beside its aim of a second."""

from __future__ import annotations

from benchmarks.measure import ROUNDS, Series, report, timed
from lifeboat.model.plan.graph import Mode, Plan, PlanStep, Stage
from lifeboat.model.projection import SAMPLES, project
from lifeboat.model.timings import Evidence, Timing

STEPS = 200
_WIDTH = 10
"""Steps side by side, each of which waits for all of the ten before."""


def plan_of(steps: int) -> Plan:
    """A plan of that many steps, in layers."""
    timing = Timing(60, 180, (Evidence.PRIOR,), "made up")
    return Plan(
        mode=Mode.FAILOVER,
        source="us-east-1",
        target="us-west-2",
        lost=frozenset({"us-east-1"}),
        steps=tuple(
            PlanStep(
                key=f"step/{number}",
                kind="step",
                title="A step",
                stage=Stage.RECOVER,
                region="us-west-2",
                after=frozenset(f"step/{layer + at}" for layer in _layer_before(number) for at in range(_WIDTH)),
                calls=(),
                timing=timing,
                timeout=600,
                idempotency="none",
                undo="none",
                by_hand=(),
            )
            for number in range(steps)
        ),
    )


def compare_projection() -> None:
    """Time it, and report."""
    plan = plan_of(STEPS)
    project(plan, samples=SAMPLES)
    seconds = [timed(lambda: project(plan, samples=SAMPLES)) for _ in range(ROUNDS)]
    series = Series(name=f"{SAMPLES} samples of {STEPS} steps", seconds=seconds)
    report("projection", [series], f"median {series.median:.2f} s (aim: under a second)")


def _layer_before(number: int) -> tuple[int, ...]:
    layer = number // _WIDTH
    return () if layer == 0 else ((layer - 1) * _WIDTH,)


if __name__ == "__main__":
    compare_projection()
