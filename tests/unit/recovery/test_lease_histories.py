"""Seeded histories of wardens, sites and clients in a world that goes wrong: one writer an epoch in each.

Two judges that know nothing of each other: the checker, which sees what clients saw, and the world, which sees every
commit and every change of the lease. Doubles that are broken on purpose show that both can say no. The gate takes a
sample: `LIFEBOAT_HISTORIES=50` lives 50 of them, and 20 with the lease in an object; a multiple of ten is accepted.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from lifeboat.recovery import lease
from lifeboat.recovery.drill.history import check
from lifeboat.recovery.lease import LeaseWatch
from tests.unit.recovery.lease_faults import break_things
from tests.unit.recovery.lease_parts import SimGate
from tests.unit.recovery.lease_simulation import SimLock
from tests.unit.recovery.lease_world import City

if TYPE_CHECKING:
    from lifeboat.recovery.drill.history import Verdict
    from lifeboat.recovery.gatefile import GateState

Given: TypeAlias = Any
"""What a city is made with."""
SECONDS = 1200.0
SEEDS = int(os.environ.get("LIFEBOAT_HISTORIES", "20"))
OBJECT_SEEDS = SEEDS // 20 * 10


@pytest.fixture(autouse=True)
def _locks_of_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "threading", SimpleNamespace(Lock=SimLock))


def live(seed: int, **given: Given) -> tuple[City, Verdict]:
    city = City(seed, **given)
    break_things(city, SECONDS - 100)
    city.world.run(SECONDS)
    return city, check(city.tally.acknowledged)


TABLE = [(first, False) for first in range(0, SEEDS, 10)]
OBJECTS = [(first, True) for first in range(0, OBJECT_SEEDS, 10)]


@pytest.mark.parametrize(("first", "objects"), TABLE + OBJECTS)
def test_each_history_has_one_writer_an_epoch(first: int, objects: bool) -> None:
    epochs = runs = 0
    for seed in range(first, first + 10):
        city, verdict = live(seed, objects=objects)
        assert verdict.one_writer, f"seed {seed}: " + "\n".join(map(str, verdict.violations))
        assert not city.tally.late, f"seed {seed}: committed in an epoch that was over"
        assert verdict.acknowledged > 100, f"seed {seed}: a site that never writes proves nothing"
        epochs += len(city.takes)
        runs += city.tally.runs
    # Ten quiet histories would prove nothing either.
    assert epochs >= 10
    assert runs >= 10


def test_the_same_seed_gives_the_same_history() -> None:
    assert live(3)[0].tally.acknowledged == live(3)[0].tally.acknowledged


class Hasty(LeaseWatch):
    """Takes the holder's time for over at half of it."""

    @property
    def remaining(self) -> float:
        return max(0.0, super().remaining - 35)


class Trusting(SimGate):
    """Stays open for as long as nobody shuts it: a warden that stands still cannot."""

    def state(self) -> GateState:
        return self._state


@pytest.mark.parametrize("broken", [{"watch": Hasty}, {"gate": Trusting}], ids=["hasty-watch", "trusting-gate"])
def test_what_is_broken_is_seen_by_both_judges(broken: dict[str, type]) -> None:
    for seed in range(SEEDS):
        city, verdict = live(seed, **broken)
        # What clients saw was there: the checker accuses nobody wrongly.
        assert verdict.one_writer or city.tally.late
        if not verdict.one_writer:
            return
    pytest.fail(f"none of {SEEDS} histories shows what is broken")
