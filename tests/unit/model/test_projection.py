"""The projection: percentiles of paths, deadlines, what dominates, and measurements in place of priors."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifeboat.model.plan.graph import Mode, Plan, PlanStep, Stage
from lifeboat.model.projection import Task, drawn, percentiles, project, simulate, tasks_of
from lifeboat.model.records import Measurement, Subject
from lifeboat.model.timings import Evidence, Timing, declared

if TYPE_CHECKING:
    from collections.abc import Sequence

PRIOR, MEASURED = (Evidence.PRIOR,), (Evidence.MEASURED,)


def timing(p50: float, p95: float, *evidence: Evidence) -> Timing:
    return Timing(p50, p95, evidence or PRIOR, "test")


def step(key: str, length: Timing, *after: str, stage: Stage = Stage.RECOVER, timeout: float = 10_000) -> PlanStep:
    return PlanStep(
        key=key,
        kind=key.partition("/")[0].replace("-", "_"),
        title=key,
        stage=stage,
        region="us-west-2",
        after=frozenset(after),
        calls=(),
        timing=length,
        timeout=timeout,
        idempotency="none",
        undo="none",
        by_hand=(),
    )


def plan(*steps: PlanStep, mode: Mode = Mode.FAILOVER) -> Plan:
    return Plan(mode=mode, source="us-east-1", target="us-west-2", lost=frozenset(), steps=steps)


def test_one_step_has_its_own_percentiles() -> None:
    found = project(plan(step("a", timing(60, 180))))
    assert found.p50 == pytest.approx(60, rel=0.05)
    assert found.p95 == pytest.approx(180, rel=0.05)


def test_percentiles_do_not_add() -> None:
    chain = [step(f"s{n}", timing(60, 180), *([f"s{n - 1}"] if n else [])) for n in range(10)]
    found = project(plan(*chain))
    assert 600 < found.p50 < found.p95 < 1500


def test_side_by_side_the_longest_counts_and_the_rest_is_told_apart() -> None:
    slow, quick = step("slow", declared(100, "test")), step("quick", declared(40, "test"))
    last = step("last", declared(10, "test"), "slow", "quick")
    found = project(plan(slow, quick, last))
    assert (found.p50, found.p95) == (110, 110)
    assert {share.key: (share.critical, share.seconds) for share in found.shares} == {
        "slow": (1.0, 100.0),
        "last": (1.0, 10.0),
        "quick": (0.0, 0.0),
    }
    assert found.dominating is not None
    assert found.dominating.key == "slow"
    assert [share.key for share in found.path] == ["slow", "last"]
    assert found.priors == 0


def test_equal_paths_are_one_path() -> None:
    twins = [step(name, declared(50, "test")) for name in ("a", "b")]
    found = project(plan(*twins, step("last", declared(1, "test"), "a", "b")))
    assert sum(share.seconds for share in found.shares) == found.p50 == 51


def test_what_happens_afterwards_does_not_count() -> None:
    served = step("verify", declared(10, "test"), stage=Stage.VERIFY)
    after = step("notify", declared(500, "test"), "verify", stage=Stage.AFTERWARDS)
    assert project(plan(served, after)).p95 == 10


def test_a_planned_move_is_timed_from_when_writes_stop() -> None:
    decide = step("decide", declared(1800, "test"), stage=Stage.DECIDE)
    scale = step("scale-compute", declared(700, "test"), "decide")
    stop = step("stop-writes", declared(5, "test"), "decide", "scale-compute")
    promote = step("promote-database", declared(200, "test"), "stop-writes")
    found = project(plan(decide, scale, stop, promote, mode=Mode.SWITCHOVER))
    assert found.what == "time without writes"
    assert found.p95 == 205


def test_a_rejoin_is_timed_to_its_end() -> None:
    steps = (step("fence", declared(5, "test")), step("rejoin", declared(7, "test"), "fence", stage=Stage.AFTERWARDS))
    assert project(plan(*steps, mode=Mode.REJOIN)).p95 == 12


def test_a_step_is_given_up_at_its_deadline() -> None:
    found = project(plan(step("a", timing(60, 180), timeout=60)))
    assert found.p95 == found.bound == 60
    assert found.given_up == pytest.approx(0.5, abs=0.03)


def test_a_step_without_any_bound_runs_to_its_deadline_or_for_ever() -> None:
    endless = timing(3600, math.inf)
    found = project(plan(step("switch-routing", endless, timeout=7200)))
    assert (found.p50, found.p95, found.bound) == (3600, 7200, 7200)
    assert found.given_up == pytest.approx(0.5, abs=0.03)
    totals = simulate([Task(key="a", timing=endless)], seed=1, samples=1000).totals
    assert percentiles(totals)[1] == math.inf


def test_a_step_whose_median_is_nothing() -> None:
    found = drawn(Task(key="a", timing=timing(0, 30)), seed=1, samples=10_000)
    assert np.median(found) < 0.01
    assert 10 < percentiles(found)[1] < 90
    assert set(drawn(Task(key="a", timing=timing(0, 0)), seed=1, samples=10)) == {0.0}


def test_the_same_seed_gives_the_same_answer() -> None:
    subject = plan(step("a", timing(60, 180)), step("b", timing(30, 60), "a"))
    assert project(subject) == project(subject)
    assert project(subject, seed=7).p95 != project(subject).p95


def test_nothing_to_do_takes_no_time() -> None:
    found = project(plan())
    assert (found.p50, found.p95, found.bound, found.dominating, found.priors) == (0, 0, 0, None, 0)


def measured(*seconds: float) -> dict[Subject, Measurement]:
    subject = Subject(Mode.FAILOVER, "promote_database", None)
    return {subject: Measurement(seconds=seconds, source="records/drill.json")}


def test_measurements_replace_priors_and_are_said_to() -> None:
    subject = plan(step("promote-database", timing(120, 300)))
    found = project(subject, records=measured(40, 50, 44))
    assert found.shares[0].timing == Timing(44, 50, MEASURED, "3 runs, records/drill.json")
    assert found.p95 == pytest.approx(50, rel=0.05)
    assert found.priors == 0
    assert project(subject).priors == 1


def test_too_few_runs_another_mode_and_a_declared_phase_keep_what_the_plan_says() -> None:
    subject = plan(step("promote-database", timing(120, 300)))
    assert project(subject, records=measured(40, 50)) == project(subject)
    elsewhere = plan(*subject.steps, mode=Mode.REJOIN)
    assert project(elsewhere, records=measured(40, 50, 60)) == project(elsewhere)
    fixed = plan(step("promote-database", declared(500, "phases")))
    assert project(fixed, records=measured(40, 50, 60)).p95 == 500


def test_the_95th_percentile_of_many_runs_leaves_the_worst_out() -> None:
    runs = Measurement(seconds=(*[10.0] * 19, *[20.0] * 19, 30.0, 900.0), source="x")
    assert (runs.timing.p50, runs.timing.p95) == (20, 20)


lengths = st.tuples(st.floats(0, 1000), st.floats(0, 1000)).map(lambda pair: timing(min(pair), max(pair)))


@st.composite
def graphs(draw: st.DrawFn) -> Sequence[PlanStep]:
    """Steps, each after some of those before it."""
    steps: list[PlanStep] = []
    for number in range(draw(st.integers(1, 8))):
        after = draw(st.sets(st.sampled_from([each.key for each in steps]))) if steps else set[str]()
        steps.append(step(f"s{number}", draw(lengths), *after, timeout=draw(st.floats(1, 2000))))
    return steps


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_p50_p95_and_the_bound_stand_in_this_order(steps: Sequence[PlanStep]) -> None:
    found = project(plan(*steps), samples=200)
    assert 0 <= found.p50 <= found.p95 <= found.bound
    assert 0 <= found.priors <= 1
    assert sum(share.seconds for share in found.shares) == pytest.approx(
        float(simulate(tasks_of(steps, lambda each: each.timing), seed=6, samples=200).totals.mean())
    )


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_more_steps_never_shorten(steps: Sequence[PlanStep]) -> None:
    projections = [project(plan(*steps[: count + 1]), samples=200) for count in range(len(steps))]
    for fewer, more in pairwise(projections):
        assert fewer.p50 <= more.p50
        assert fewer.p95 <= more.p95
        assert fewer.bound <= more.bound
