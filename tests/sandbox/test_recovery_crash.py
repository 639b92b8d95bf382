"""Killed at an external call and gone on with by another process, a failover ends as one that nobody killed.

Every call counts: those of steps, of the journal, of the lease. `LIFEBOAT_CRASH_STRIDE=1` kills at each one, before and
after it was answered; the gate takes a sample of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.recovery.journal import Event
from tests.sandbox.recovery_world import CONSENT, EAST, WEST, Death, RecoveryWorld, killed

if TYPE_CHECKING:
    from lifeboat.sandbox.state import Record

STRIDE = int(os.environ.get("LIFEBOAT_CRASH_STRIDE", "48"))
_RESUMED_AT_MOST = 3


@pytest.fixture(scope="module")
def world(gateway: Record) -> RecoveryWorld:
    return RecoveryWorld(gateway)


@pytest.fixture(scope="module")
def undisturbed(world: RecoveryWorld) -> tuple[dict[str, Any], int]:
    """What a failover that nobody kills ends with, and how many calls it makes."""
    world.build()
    world.lose(EAST)
    death = Death()
    assert world.runner(death=death).start(CONSENT).result == "done"
    return world.snapshot(), death.calls


def finish(world: RecoveryWorld) -> None:
    """Go on as an operator would: resume what the lease or the journal has as under way, else start."""
    for _ in range(_RESUMED_AT_MOST):
        claimed = world.lease().run
        if claimed is not None:
            report = world.runner().resume(claimed.id, CONSENT)
        elif world.lease().holder == WEST:
            return
        else:
            report = world.runner().start(CONSENT)
        assert report.result == "done", report
    assert world.lease().run is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_anywhere_it_ends_the_same(
    world: RecoveryWorld, undisturbed: tuple[dict[str, Any], int], after: bool
) -> None:
    expected, calls = undisturbed
    deaths = 0
    for at in range(1 + STRIDE // 2 * after, calls + 1, STRIDE):
        world.build()
        world.lose(EAST)
        death = Death(at=at, after=after)
        with killed():
            world.runner(death=death).start(CONSENT)
        deaths += death.dead
        finish(world)
        assert world.snapshot() == expected, f"killed {'after' if after else 'before'} call {at}"
        assert not world.outages.asked
    # The last calls of a run vary by a few: it looks at some things until they are so.
    assert deaths >= 0.8 * len(range(1 + STRIDE // 2 * after, calls + 1, STRIDE))


def test_killed_twice_it_ends_the_same(world: RecoveryWorld, undisturbed: tuple[dict[str, Any], int]) -> None:
    expected, calls = undisturbed
    world.build()
    world.lose(EAST)
    with killed():
        world.runner(death=Death(at=calls // 2)).start(CONSENT)
    claimed = world.lease().run
    assert claimed is not None
    with killed():
        world.runner(death=Death(at=calls // 8, after=True)).resume(claimed.id, CONSENT)
    finish(world)
    assert world.snapshot() == expected


def test_the_journal_has_an_intent_before_each_change_and_an_outcome_after(world: RecoveryWorld) -> None:
    world.build()
    world.lose(EAST)
    runner = world.runner()
    run = runner.start(CONSENT).run
    store = world.outside().stores.journal(world.ports())
    entries = store.read(run)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0].event is Event.OPENED
    assert entries[-1].event is Event.ENDED
    open_calls: dict[tuple[object, ...], int] = {}
    for entry in entries:
        if entry.event in {Event.INTENT, Event.OUTCOME}:
            key = (entry.step, entry.detail["service"], entry.detail["operation"], entry.detail["region"])
            open_calls[key] = open_calls.get(key, 0) + (1 if entry.event is Event.INTENT else -1)
            assert open_calls[key] >= 0
    assert not any(open_calls.values())
    assert ("promote-database/orders", "rds", "FailoverGlobalCluster", WEST) in open_calls
