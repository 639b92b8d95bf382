"""The lease's transitions: what each allows and refuses, and the text that a record is kept as."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.recovery.drill.history import Acknowledgement, check
from lifeboat.recovery.lease_record import (
    FencedError,
    Hold,
    LeaseError,
    LeaseRecord,
    NotHolderError,
    RunClaim,
    RunClaimedError,
    StaleEpochError,
    dump,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EAST, WEST = "us-east-1", "us-west-2"
FIRST = LeaseRecord.first(EAST, 60.0)
CLAIM = RunClaim(id="r1", runner="p1", kind="failover", target=WEST)


def test_the_first_lease_is_homes() -> None:
    assert (FIRST.epoch, FIRST.holder, FIRST.serving) == (1, EAST, EAST)
    assert FIRST.may_write(EAST)
    assert not FIRST.may_write(WEST)


def test_a_renewal_counts_up_and_says_whose_it_is() -> None:
    renewed = FIRST.renew(EAST, 1, owner="w", ttl=30.0)
    assert renewed == replace(FIRST, owner="w", ttl=30.0, beat=1)
    assert renewed.pulse != FIRST.pulse


@pytest.mark.parametrize(
    ("change", "fault", "text"),
    [
        (lambda: FIRST.renew(WEST, 1, owner="w", ttl=60), NotHolderError, "us-east-1 holds 1"),
        (lambda: FIRST.renew(EAST, 2, owner="w", ttl=60), NotHolderError, "epoch 2"),
        (lambda: FIRST.fence(EAST).renew(EAST, 1, owner="w", ttl=60), FencedError, "lifeboat rejoin"),
        (lambda: FIRST.take(WEST, 2), StaleEpochError, "epoch 1 holds"),
        (lambda: FIRST.take(EAST, 1), LeaseError, "holds the lease already"),
        (lambda: FIRST.fence(WEST).take(WEST, 1), FencedError, "before `lifeboat rejoin`"),
        (lambda: FIRST.serve(WEST), NotHolderError, "cannot get the traffic"),
        (lambda: FIRST.fence(EAST).serve(EAST), NotHolderError, "cannot get the traffic"),
        (lambda: FIRST.unfence(EAST), LeaseError, "not fenced"),
        (lambda: FIRST.claim_run(CLAIM).claim_run(replace(CLAIM, id="r2")), RunClaimedError, "run r1"),
        (lambda: FIRST.claim_run(CLAIM).claim_run(replace(CLAIM, runner="p2")), RunClaimedError, "run r1"),
        (lambda: FIRST.adopt_run("r1", "p2", seen=None), RunClaimedError, "none is"),
        (
            lambda: FIRST.claim_run(CLAIM).touch_run("r1", "p1").adopt_run("r1", "p2", seen=CLAIM),
            RunClaimedError,
            "p1 lives",
        ),
        (
            lambda: FIRST.claim_run(CLAIM).adopt_run("r1", "p2", seen=CLAIM).adopt_run("r1", "p3", seen=CLAIM),
            RunClaimedError,
            "p2 lives",
        ),
        (
            lambda: FIRST.claim_run(replace(CLAIM, aborting=True)).adopt_run("r1", "p1", seen=CLAIM),
            RunClaimedError,
            "accepted is --abort r1",
        ),
        (lambda: FIRST.claim_run(CLAIM).touch_run("r1", "p2"), RunClaimedError, "lost its claim"),
        (lambda: FIRST.claim_run(CLAIM).end_run("r2", "p1"), RunClaimedError, "lost its claim"),
    ],
)
def test_what_is_refused_says_why(change: Callable[[], LeaseRecord], fault: type[LeaseError], text: str) -> None:
    with pytest.raises(fault, match=text):
        change()


def test_a_take_begins_an_epoch_and_fences_who_held() -> None:
    taken = FIRST.renew(EAST, 1, owner="w", ttl=60).take(WEST, 1, owner="r")
    assert (taken.epoch, taken.holder, taken.owner, taken.beat, taken.fenced) == (2, WEST, "r", 0, {EAST})
    # Traffic follows later, once the stores take writes.
    assert taken.serving == EAST
    assert taken.serve(WEST).serving == WEST


def test_a_fence_is_observed_when_the_holder_says_so() -> None:
    assert not FIRST.fence(EAST).has_stopped
    assert FIRST.stop(EAST).has_stopped
    assert not FIRST.stop(WEST).has_stopped
    assert not FIRST.stop(EAST).take(WEST, 1).has_stopped


def test_who_rejoins_may_hold_again_and_the_holder_itself_in_a_new_epoch() -> None:
    away = FIRST.take(WEST, 1)
    assert away.unfence(EAST) == replace(away, fenced=frozenset())
    same = FIRST.stop(EAST).unfence(EAST)
    assert (same.epoch, same.holder, same.fenced, same.stopped) == (2, EAST, set(), set())


def test_only_renewals_and_takes_are_a_pulse() -> None:
    for other in (FIRST.fence(WEST), FIRST.hold_by("ops", "a drill"), FIRST.claim_run(CLAIM), FIRST.stop(EAST)):
        assert other.pulse == FIRST.pulse


def test_a_run_is_claimed_kept_adopted_and_ended() -> None:
    kept = FIRST.claim_run(CLAIM).touch_run("r1", "p1")
    assert kept.run == replace(CLAIM, beat=1)
    assert kept.claim_run(CLAIM) == kept
    adopted = kept.adopt_run("r1", "p2", seen=kept.run)
    assert adopted.run == replace(CLAIM, runner="p2", beat=2)
    # Whoever was not told that it has it asks again.
    assert adopted.adopt_run("r1", "p2", seen=kept.run) == adopted
    taken_back = adopted.adopt_run("r1", "p3", seen=adopted.run, aborting=True).touch_run("r1", "p3")
    assert taken_back.run == replace(CLAIM, runner="p3", beat=4, aborting=True)
    assert load(dump(taken_back)) == taken_back
    assert adopted.end_run("r1", "p2") == FIRST


def test_a_hold_stands_until_it_is_released() -> None:
    held = FIRST.hold_by("ops", "a drill")
    assert held.hold == Hold(by="ops", reason="a drill")
    assert held.release() == FIRST


CHANGES: dict[str, Callable[[LeaseRecord, str], LeaseRecord]] = {
    "take": lambda record, site: record.take(site, record.epoch),
    "fence": lambda record, site: record.fence(site),
    "stop": lambda record, site: record.stop(site),
    "unfence": lambda record, site: record.unfence(site),
    "hold": lambda record, site: record.hold_by(site, "ein Grund: \u00fc"),
    "claim": lambda record, site: record.claim_run(replace(CLAIM, target=site)),
    "renew": lambda record, site: record.renew(site, record.epoch, owner="w", ttl=60.0),
}


@st.composite
def records(draw: st.DrawFn) -> LeaseRecord:
    record = FIRST
    for name in draw(st.lists(st.sampled_from(sorted(CHANGES)))):
        with contextlib.suppress(LeaseError):
            record = CHANGES[name](record, draw(st.sampled_from([EAST, WEST])))
    return record


@given(records())
def test_every_record_survives_its_text(record: LeaseRecord) -> None:
    assert load(dump(record)) == record
    assert dump(load(dump(record))) == dump(record)
    # Whatever happens, nobody who has stopped may write, and an epoch has one holder.
    assert record.stopped <= record.fenced
    assert sum(record.may_write(site) for site in (EAST, WEST)) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps(json.loads(dump(FIRST)) | {"form": 2}),
        json.dumps(json.loads(dump(FIRST)) | {"epoch": True}),
        json.dumps(json.loads(dump(FIRST)) | {"ttl": 0}),
        json.dumps(json.loads(dump(FIRST)) | {"more": 1}),
    ],
)
def test_a_text_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(LeaseError, match="the lease's record"):
        load(text)


def ack(epoch: int, site: str, began: float, ended: float) -> Acknowledgement:
    return Acknowledgement(epoch=epoch, site=site, began=began, ended=ended)


SOUND = [ack(1, EAST, 0, 1), ack(1, EAST, 9, 10), ack(2, WEST, 70, 71), ack(2, WEST, 72, 73), ack(4, EAST, 90, 91)]


def test_a_sound_history_is_proved() -> None:
    verdict = check(SOUND)
    assert verdict.one_writer
    assert verdict.writers == {1: EAST, 2: WEST, 4: EAST}
    assert verdict.acknowledged == 5
    # In flight while the epoch ended: nobody can say which was first.
    assert check([*SOUND, ack(1, EAST, 69, 80)]).one_writer


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        (ack(2, EAST, 72, 72.5), "two writers in an epoch"),
        (ack(1, EAST, 71.5, 71.6), "an epoch after its end"),
        (ack(2, WEST, 91.1, 92), "an epoch after its end"),
        (ack(1, WEST, 95, 96), "two writers in an epoch"),
    ],
)
def test_a_seeded_double_writer_is_rejected(more: Acknowledgement, rule: str) -> None:
    verdict = check([more, *SOUND])
    assert not verdict.one_writer
    assert rule in {each.rule for each in verdict.violations}
    assert more in {each.second for each in verdict.violations}
    assert str(verdict.violations[0]).startswith(verdict.violations[0].rule)


def test_acknowledgements_of_two_clocks_are_no_history() -> None:
    with pytest.raises(ValueError, match="one clock"):
        check([ack(1, EAST, 5, 4)])
