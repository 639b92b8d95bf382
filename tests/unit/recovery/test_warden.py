"""What wardens agree on, decide, ask and publish; by a clock that stands still until it is told."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace

import pytest

from lifeboat.model.settings.sites import Approval
from lifeboat.recovery.gatefile import boot_id
from lifeboat.recovery.lease_record import LeaseRecord, RunClaim
from lifeboat.recovery.lease_store import Unreachable, change
from lifeboat.recovery.switches import levels
from lifeboat.recovery.views import Confirmed, GreyRule, Probe
from lifeboat.recovery.warden_log import JsonLines
from tests.unit.recovery.warden_stage import EAST, SITES, WEST, WITNESS, Stage

CLAIM = RunClaim(id="r1", runner="p1", kind="failover", target=WEST)


def test_nothing_is_decided_while_all_is_well() -> None:
    stage = Stage()
    stage.go(600)
    assert (stage.begun, stage.told) == ([], [])


def test_a_loss_that_two_of_three_see_for_the_declared_time_is_decided_once_by_the_target() -> None:
    stage = Stage()
    stage.dead = {EAST}
    stage.lose(EAST, WEST, WITNESS)
    stage.go(60)
    assert stage.begun == []
    # The target hears of the witness's view a look later.
    stage.go(20)
    assert stage.begun == [(WEST, WEST, None)]
    (told,) = stage.told
    assert told[0] == WEST
    assert "us-east-1 has failed (us-east-2 sees: no answer; us-west-2 sees: no answer)" in told[2]


def test_one_viewpoint_is_not_enough_and_a_break_begins_anew() -> None:
    stage = Stage()
    stage.lose(EAST, WEST)
    stage.go(300)
    stage.lose(EAST, WITNESS)
    stage.go(50)
    del stage.seen[WITNESS, EAST]
    stage.go(10)
    stage.lose(EAST, WITNESS)
    stage.go(50)
    assert stage.begun == []
    stage.go(30)
    assert stage.begun


def test_the_view_of_a_warden_that_is_gone_counts_no_more() -> None:
    stage = Stage()
    stage.lose(EAST, WEST, WITNESS)
    stage.go(30)
    stage.dead = {WITNESS}
    stage.go(300)
    assert stage.begun == []


def test_where_the_target_has_no_warden_nothing_begins_and_the_witness_tells_people_once_what_to_run() -> None:
    stage = Stage()
    stage.dead = {WEST}
    stage.lose(EAST, EAST, WITNESS)
    stage.go(900)
    assert stage.begun == []
    ((who, _, text),) = stage.told
    assert who == WITNESS
    assert text.endswith("the warden of us-west-2 is silent or took nothing over: `lifeboat failover` to us-west-2")


@pytest.mark.parametrize("rule", [None, GreyRule(errors=None, latency=2.0, sustained=60)])
def test_of_a_target_that_begins_and_takes_nothing_over_the_witness_tells_people_later_and_once(
    rule: GreyRule | None,
) -> None:
    stage = Stage(grey=rule)
    for observer in (WEST, WITNESS):
        stage.seen[observer, EAST] = Probe(ready=rule is not None, seconds=5.0, reason="no answer")
    stage.go(130)
    assert {who for who, _, _ in stage.told} == {WEST}
    stage.go(900)
    assert {who for who, _, _ in stage.begun} == {WEST}
    (told,) = [text for who, _, text in stage.told if who == WITNESS]
    assert "took nothing over: `lifeboat failover` to us-west-2" in told


def test_a_run_that_the_target_does_not_go_on_with_is_told_of_by_the_witness_once() -> None:
    stage = Stage()
    stage.dead = {WEST}
    change(stage.store, lambda record: record.claim_run(CLAIM))
    stage.go(900)
    assert stage.begun == []
    ((who, _, text),) = stage.told
    assert who == WITNESS
    assert "--resume r1" in text
    stage = Stage()
    change(stage.store, lambda record: record.claim_run(CLAIM))
    stage.go(120)
    assert (stage.told, stage.begun[0]) == ([], (WEST, WEST, "r1"))
    stage.go(900)
    assert {who for who, _, _ in stage.begun} == {WEST}
    assert [who for who, _, _ in stage.told] == [WITNESS]


def test_a_holder_that_does_not_renew_is_lost_although_it_answers() -> None:
    stage = Stage()
    stage.go(10)
    stage.silent = True
    stage.go(60 + 5 + 60)
    assert stage.begun == []
    stage.go(20)
    assert stage.begun == [(WEST, WEST, None)]


def test_a_hold_stops_decisions_and_says_so_once() -> None:
    stage = Stage()
    change(stage.store, lambda record: record.hold_by("ops", "a drill"))
    stage.lose(EAST, WEST, WITNESS)
    stage.go(300)
    assert stage.begun == []
    assert [text.rpartition("; ")[2] for _, _, text in stage.told] == [
        "no failover to us-west-2: held by ops: a drill (`lifeboat release` ends that)"
    ]
    change(stage.store, lambda record: record.release())
    stage.go(10)
    assert stage.begun


@pytest.mark.parametrize(("approval", "who"), [(Approval.ONE, "one person"), (Approval.TWO, "two people")])
def test_people_are_asked_where_people_decide(approval: Approval, who: str) -> None:
    stage = Stage(approval=approval)
    stage.lose(EAST, WEST, WITNESS)
    stage.go(600)
    assert stage.begun == []
    (told,) = stage.told
    assert who in told[2]
    assert "`lifeboat failover` to us-west-2" in told[2]


def test_it_never_goes_to_a_site_that_is_fenced_or_lost_too() -> None:
    stage = Stage()
    change(stage.store, lambda record: record.fence(WEST))
    stage.lose(EAST, WEST, WITNESS)
    stage.go(200)
    stage.lose(WEST, EAST, WITNESS)
    stage.go(20)
    change(stage.store, lambda record: record.unfence(WEST))
    stage.go(200)
    assert stage.begun == []
    assert "fenced until" in stage.told[0][2]
    assert "lost too" in stage.told[1][2]


def test_it_never_flips_back_by_itself() -> None:
    stage = Stage()
    change(stage.store, lambda record: record.stop(EAST).take(WEST, 1).serve(WEST))
    stage.go(100)
    stage.lose(WEST, EAST, WITNESS)
    stage.go(400)
    assert stage.begun == []


def test_a_refused_failover_is_tried_again_later_not_at_once() -> None:
    stage = Stage()
    stage.lose(EAST, WEST, WITNESS)
    stage.go(80)
    assert len(stage.begun) == 1
    stage.go(50)
    assert [each for each in stage.begun if each[0] == WEST] == [(WEST, WEST, None)]
    stage.go(10)
    assert [each for each in stage.begun if each[0] == WEST] == [(WEST, WEST, None)] * 2


def test_what_is_refused_again_and_again_is_tried_less_and_less_often_and_people_hear_of_it() -> None:
    stage = Stage()
    stage.dead = {EAST}
    stage.lose(EAST, WEST, WITNESS)
    stage.go(4 * 3600)
    tries = len([each for each in stage.begun if each[0] == WEST])
    # A minute, two, four, eight, and then sixteen between each two.
    assert 15 <= tries <= 20
    said = [text for region, _, text in stage.told if region == WEST]
    assert len(said) == tries
    assert "failover to us-west-2 begins again: 2 before took nothing over" in said[2]
    # Once it was well again, the next loss is a new one: however far away the next attempt was.
    known = len(stage.begun)
    while len(stage.begun) == known:
        stage.go(10)
    stage.seen.clear()
    stage.go(100)
    stage.begun.clear()
    stage.lose(EAST, WEST, WITNESS)
    stage.go(80)
    assert stage.begun == [(WEST, WEST, None)]


def test_a_run_is_given_what_its_warden_confirmed() -> None:
    stage = Stage()
    stage.dead = {EAST}
    stage.lose(EAST, WEST, WITNESS)
    stage.go(80)
    (handed,) = stage.handed
    assert handed is not None
    assert (handed.site, handed.observers, handed.boot) == (EAST, (WITNESS, WEST), boot_id())
    assert handed.seconds >= 60
    assert handed.at == stage.clock.now
    assert handed.watched is not None
    assert handed.watched.pulse == stage.store.record.pulse
    assert Confirmed.load(handed.dump()) == handed


def test_people_are_told_again_until_they_hear_it() -> None:
    stage = Stage(approval=Approval.ONE)
    stage.heard = False
    stage.lose(EAST, WEST, WITNESS)
    stage.go(300)
    stage.heard = True
    stage.go(300)
    assert len(stage.told) == 1


def test_while_a_run_is_under_way_nothing_is_decided_and_a_silent_one_is_gone_on_with() -> None:
    stage = Stage()
    change(stage.store, lambda record: record.claim_run(CLAIM))
    stage.lose(EAST, WEST, WITNESS)
    for _ in range(20):
        stage.go(10)
        change(stage.store, lambda record: record.touch_run("r1", "p1"))
    assert stage.begun == []
    stage.go(80)
    assert stage.begun == [(WEST, WEST, "r1")]


@pytest.mark.parametrize(
    ("claim", "command"),
    [
        (CLAIM, "failover"),
        (replace(CLAIM, kind="switchover"), "failover"),
        (replace(CLAIM, kind="failback"), "failback"),
        (replace(CLAIM, kind="rejoin"), "rejoin"),
    ],
)
def test_a_run_that_is_not_a_wardens_is_left_to_people(claim: RunClaim, command: str) -> None:
    stage = Stage(approval=Approval.ONE if claim is CLAIM else Approval.AUTOMATIC)
    change(stage.store, lambda record: record.claim_run(claim))
    stage.go(200)
    assert stage.begun == []
    (told,) = stage.told
    assert f"`lifeboat {command} STACK --resume r1` or `--abort r1`" in told[2]


def test_a_run_that_is_being_taken_back_is_left_to_people() -> None:
    stage = Stage(approval=Approval.AUTOMATIC)
    change(stage.store, lambda record: record.claim_run(replace(CLAIM, kind="rejoin", aborting=True)))
    stage.go(200)
    assert stage.begun == []
    (told,) = stage.told
    assert "`lifeboat rejoin STACK --abort r1`" in told[2]
    assert "--resume" not in told[2]


def test_out_of_reach_of_the_store_nothing_is_agreed_on() -> None:
    stage = Stage()
    stage.lose(EAST, WEST, WITNESS)
    stage.go(50)
    stage.store.lost = True
    stage.silent = True
    stage.go(30)
    stage.store.lost = stage.silent = False
    stage.go(60)
    assert stage.begun == []
    stage.go(10)
    assert stage.begun


RULE = GreyRule(errors=0.3, latency=2.0, sustained=300)


@pytest.mark.parametrize("slow", [True, False])
def test_a_grey_failure_is_decided_by_the_declared_rule(slow: bool) -> None:
    stage = Stage(grey=RULE)
    stage.go(400)
    for turn in range(40):
        for observer in (WEST, WITNESS):
            bad = Probe(ready=slow, seconds=2.5, reason="500")
            # Slow each time, or failing two times of five, and so never lost without a break.
            stage.seen[observer, EAST] = bad if slow or turn % 5 < 2 else Probe(ready=True, seconds=0.1)
        stage.go(10)
        if turn < 12:
            assert stage.begun == []
    assert stage.begun[0] == (WEST, WEST, None)
    assert "probes" in stage.told[0][2]


@pytest.mark.parametrize("grey", [False, True])
def test_a_silent_run_of_people_does_not_hide_a_loss(grey: bool) -> None:
    stage = Stage(grey=RULE)
    change(stage.store, lambda record: record.fence(WEST).claim_run(replace(CLAIM, kind="rejoin", target=EAST)))
    stage.go(400)
    (silent,) = stage.told
    assert "has been silent for 60 s" in silent[2]
    stage.lose(EAST, WEST, WITNESS)
    if grey:
        for observer in (WEST, WITNESS):
            stage.seen[observer, EAST] = Probe(ready=True, seconds=2.5)
    stage.go(700)
    assert stage.begun == []
    said = [text for _, _, text in stage.told[1:]]
    assert said
    assert all(text.startswith("us-east-1 has failed") for text in said)
    assert {text.rpartition("; ")[2] for text in said} == {
        "no failover to us-west-2: run r1 is in the way: --resume or --abort it"
    }
    assert len(said) == 1
    # It is decided on as soon as nothing is in the way.
    change(stage.store, lambda record: record.end_run("r1", "p1").unfence(WEST))
    stage.go(10)
    assert stage.begun == [(WEST, WEST, None)]


def test_a_run_that_lives_is_not_in_the_way() -> None:
    stage = Stage()
    change(stage.store, lambda record: record.claim_run(replace(CLAIM, kind="switchover")))
    stage.lose(EAST, WEST, WITNESS)
    for _ in range(20):
        stage.go(10)
        change(stage.store, lambda record: record.touch_run("r1", "p1"))
    assert (stage.begun, stage.told) == ([], [])


def test_without_a_rule_slow_is_not_failed() -> None:
    stage = Stage()
    for observer in (EAST, WEST, WITNESS):
        stage.seen[observer, EAST] = Probe(ready=True, seconds=4.9)
    stage.go(1200)
    assert stage.begun == []


def test_switches_follow_the_lease_and_silence_is_no_decision() -> None:
    stage = Stage()
    warden = stage.wardens[WITNESS]
    warden.publish()
    stage.store.lost = True
    warden.publish()
    stage.store.lost = False
    change(stage.store, lambda record: record.take(WEST, 1))
    warden.publish()
    change(stage.store, lambda record: record.serve(WEST))
    warden.publish()
    stage.go(10)
    warden.sign_of_life()
    # No site gets traffic between the take and the moment at which the target's stores take writes.
    assert stage.metrics.levels == [{EAST: 0, WEST: 1}, {EAST: 1, WEST: 1}, {EAST: 1, WEST: 0}]
    assert stage.metrics.beats == [WITNESS]


def test_a_fenced_site_gets_no_traffic() -> None:
    assert levels(LeaseRecord.first(EAST, 60).fence(EAST), SITES) == {EAST: 1, WEST: 1}


def test_a_warden_that_cannot_look_is_silent() -> None:
    stage = Stage()
    stage.go(10)
    stage.store.lost = True
    assert stage.wardens[WEST].silent_for == 0
    stage.clock.now += 100
    assert stage.wardens[WEST].silent_for == 100
    stage.wardens[WEST].sign_of_life()
    assert stage.metrics.beats == []
    with pytest.raises(Unreachable):
        stage.store.read()


def test_a_warden_whose_keeper_hangs_gives_no_sign_of_life() -> None:
    stage = Stage()
    stage.go(10)
    warden = stage.wardens[EAST]
    stage.keeper_silent = 71.0
    warden.sign_of_life()
    assert (stage.metrics.beats, warden.is_well) == ([], False)
    stage.keeper_silent = 0.0
    warden.sign_of_life()
    assert (stage.metrics.beats, warden.is_well) == ([EAST], True)


def test_log_lines_are_json() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines(EAST))
    log = logging.getLogger("lifeboat.recovery.lease")
    log.addHandler(handler)
    log.warning("the gate is shut in epoch %d: %s", 3, 'a "reason"\nof two lines')
    log.removeHandler(handler)
    (line,) = out.getvalue().splitlines()
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "warning",
        "warden": EAST,
        "part": "lease",
        "message": 'the gate is shut in epoch 3: a "reason"\nof two lines',
    }
