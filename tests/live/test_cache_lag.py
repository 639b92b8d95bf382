"""How far a cache's replica is behind."""

from __future__ import annotations

import pytest

from lifeboat.sandbox.live.cache_lag import Trail
from lifeboat.sandbox.live.redisserver import Position


def position(history: str, offset: int) -> Position:
    return Position(history=history, offset=offset)


def test_a_lag_is_the_age_of_the_oldest_thing_lacked() -> None:
    trail = Trail()
    assert trail.note(0, position("a", 10), position("a", 10)) == 0
    assert trail.note(1, position("a", 20), position("a", 10)) == 0
    assert trail.note(4, position("a", 30), position("a", 10)) == 3
    assert trail.note(5, position("a", 40), position("a", 25)) == 1
    assert trail.note(6, position("a", 40), position("a", 40)) == 0


def test_a_lag_spans_a_primary_s_restart() -> None:
    trail = Trail()
    trail.note(0, position("a", 90), position("a", 90))
    trail.note(1, position("a", 95), position("a", 90))
    assert trail.note(2, None, position("a", 90)) is None
    assert trail.note(3, position("b", 0), position("a", 90)) == 2
    assert trail.note(4, position("b", 5), position("b", 5)) == 0


def test_a_lag_without_end_takes_no_memory_without_end() -> None:
    trail = Trail()
    lags = [trail.note(second, position("a", second + 1), position("a", 0)) for second in range(2500)]
    assert lags[-1] == 2499
    assert trail.note(2500, position("a", 2501), position("a", 2490)) == pytest.approx(10, abs=16)
