"""The watch over a holder, by a clock that stands still until it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lifeboat.recovery.lease import LeaseWatch, NotOverError, take
from lifeboat.recovery.lease_record import LeaseRecord, StaleEpochError
from lifeboat.recovery.lease_store import Conflict, change
from tests.unit.recovery.test_lease_keeper import EAST, PACE, WEST, Clock, Store


def watch(clock: Clock) -> LeaseWatch:
    return LeaseWatch(margin=5, pace=PACE, clock=clock)


def test_the_holders_time_is_over_after_silence_of_ttl_and_margin_since_it_was_seen() -> None:
    clock, store = Clock(), Store()
    store.create(LeaseRecord.first(EAST, 60))
    eye = watch(clock)
    assert not eye.expired
    store.during = lambda: setattr(clock, "now", 1001.0)
    eye.look(store)
    assert eye.remaining == 6.5
    clock.now = 1007.4
    eye.look(store)
    with pytest.raises(NotOverError, match="us-east-1 may still write in epoch 1") as refusal:
        take(store, eye, target=WEST, expected=1, owner="r")
    assert refusal.value.seconds == pytest.approx(0.1)
    clock.now = 1007.5
    # Silence that nobody looked at proves nothing.
    assert not eye.expired
    assert take(store, eye, target=WEST, expected=1, owner="r").record.holder == WEST
    # The same again finds it done; somebody who decided in another epoch is refused.
    assert take(store, eye, target=WEST, expected=1, owner="r").record.epoch == 2
    with pytest.raises(StaleEpochError):
        take(store, eye, target=EAST, expected=1, owner="r")


def test_a_claim_or_a_hold_is_no_sign_of_life_and_a_renewal_is() -> None:
    clock, store = Clock(), Store()
    store.create(LeaseRecord.first(EAST, 60))
    eye = watch(clock)
    eye.look(store)
    clock.now = 1004.0
    change(store, lambda record: record.hold_by("ops", "a drill"))
    eye.look(store)
    assert eye.remaining == pytest.approx(2.5)
    change(store, lambda record: record.renew(EAST, 1, owner="w", ttl=60))
    eye.look(store)
    assert eye.remaining == 6.5


def test_a_read_that_does_not_see_everything_proves_neither_life_nor_silence() -> None:
    clock, store = Clock(), Store()
    store.create(LeaseRecord.first(EAST, 60))
    eye = watch(clock)

    def look(now: float, aside: str | None) -> float:
        clock.now = now
        assert store.kept is not None
        store.kept = replace(store.kept, aside=aside)
        eye.look(store)
        return eye.remaining

    # What was not seen may have been renewed: the silence begins with the first whole look.
    assert look(1000.0, None) == 6.5
    assert look(1003.0, "1/5") == 6.5
    assert look(1006.0, "1/5") == pytest.approx(3.5)
    assert look(1007.0, None) == pytest.approx(3.5)
    assert look(1008.0, "1/5") == pytest.approx(1.5)
    assert look(1020.0, None) == pytest.approx(1.5)
    assert not eye.expired
    assert look(1021.0, "1/6") == 6.5


def test_a_watch_goes_on_from_another_one_where_it_sees_the_same() -> None:
    clock, store = Clock(), Store()
    store.create(LeaseRecord.first(EAST, 60))
    first = watch(clock)
    assert first.watched is None

    def next_one(aside: str | None) -> LeaseWatch:
        assert store.kept is not None
        store.kept = replace(store.kept, aside=aside)
        made = LeaseWatch(margin=5, pace=PACE, clock=clock, known=first.watched)
        assert not made.expired
        made.look(store)
        return made

    assert store.kept is not None
    store.kept = replace(store.kept, aside="1/5")
    first.look(store)
    clock.now = 1006.5
    assert next_one("1/5").expired
    # What cannot be seen proves nothing; what changed begins anew.
    unseen = next_one(None)
    assert unseen.remaining == 6.5
    assert next_one("1/6").remaining == 6.5
    change(store, lambda record: record.renew(EAST, 1, owner="w", ttl=60))
    assert next_one("1/5").remaining == 6.5


def test_an_observed_fence_needs_no_waiting_and_a_renewal_meanwhile_refuses() -> None:
    clock, store = Clock(), Store()
    store.create(LeaseRecord.first(EAST, 60))
    eye = watch(clock)
    eye.look(store)
    clock.now = 1006.5
    seen = eye.look(store)
    change(store, lambda record: record.renew(EAST, 1, owner="w", ttl=60))
    with pytest.raises(Conflict):
        store.replace(seen, seen.record.take(WEST, 1))
    change(store, lambda record: record.stop(EAST))
    assert take(store, eye, target=WEST, expected=1, owner="r").record.holder == WEST
