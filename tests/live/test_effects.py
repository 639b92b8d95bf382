"""Durations of control-plane effects."""

from __future__ import annotations

import random
import statistics

import pytest

from lifeboat.model.timings import TIMINGS, Step
from lifeboat.sandbox.live.effects import Effects
from lifeboat.sandbox.state import SandboxInputError


def test_the_same_seed_gives_the_same_durations_whatever_else_is_asked() -> None:
    alone, among_others = Effects(7, 1), Effects(7, 1)
    expected = [alone.seconds(Step.RDS_PROMOTION) for _ in range(5)]
    found: list[float] = []
    for other in (Step.AURORA_FAILOVER, Step.RDS_SNAPSHOT, Step.CACHE_PROMOTION, Step.RDS_RESTORE, Step.RDS_CREATE):
        among_others.seconds(other)
        found.append(among_others.seconds(Step.RDS_PROMOTION))
    assert found == expected
    assert len(set(expected)) == 5


def test_another_seed_gives_other_durations() -> None:
    assert Effects(1, 1).seconds(Step.RDS_PROMOTION) != Effects(2, 1).seconds(Step.RDS_PROMOTION)


def test_durations_have_the_published_median_and_95th_percentile() -> None:
    effects = Effects(3, 1)
    drawn = [effects.seconds(Step.AURORA_SWITCHOVER) for _ in range(4000)]
    cuts = statistics.quantiles(drawn, n=20)
    assert cuts[9] == pytest.approx(TIMINGS[Step.AURORA_SWITCHOVER].p50, rel=0.05)
    assert cuts[18] == pytest.approx(TIMINGS[Step.AURORA_SWITCHOVER].p95, rel=0.05)


def test_the_scale_divides() -> None:
    real, fast = Effects(5, 1), Effects(5, 60)
    assert fast.seconds(Step.RDS_SNAPSHOT) == pytest.approx(real.seconds(Step.RDS_SNAPSHOT) / 60)


@pytest.mark.parametrize("scale", [None, "instant"])
def test_instant_effects_take_no_time(scale: None) -> None:
    assert Effects(5, scale).seconds(Step.CACHE_SNAPSHOT) == 0


def test_a_ceiling_without_spread_is_always_the_same() -> None:
    effects = Effects(1, 1)
    assert {round(effects.seconds(Step.GLACIER_STANDARD)) for _ in range(3)} == {18_000}


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_must_be_a_positive_number(scale: float) -> None:
    with pytest.raises(SandboxInputError, match="time scale"):
        Effects(1, scale)


def test_what_has_no_upper_bound_is_not_sampled() -> None:
    with pytest.raises(ValueError, match="record edit"):
        Effects(1, 1).seconds(Step.RECORD_EDIT_WITHOUT_US_EAST_1)


def test_nothing_depends_on_the_global_generator() -> None:
    random.seed(1)
    first = Effects(9, 1).seconds(Step.RDS_RESTORE)
    random.seed(2)
    assert Effects(9, 1).seconds(Step.RDS_RESTORE) == first
