"""Who may go on with a run, who may take it back, and what becomes of its claim meanwhile."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery import run_entries
from lifeboat.recovery.claim import runner_name
from lifeboat.recovery.copies import LeftOver
from lifeboat.recovery.errors import ErrorRateExceeded, RecoveryError, RecoveryRefused
from lifeboat.recovery.journal import Entry, Event
from lifeboat.recovery.lease_store import change
from tests.live.waiting import until
from tests.unit.recovery.memory import CHAIN, CONSENT, EAST, WEST, Played, Scene, fail, plan, step

if TYPE_CHECKING:
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.lease_store import Versioned
    from lifeboat.recovery.run_state import StepRun


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_abort_takes_back_in_reverse_and_says_what_stands(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"d": fail()})
    failed = scene.runner(CHAIN).start(CONSENT)
    report = scene.runner(CHAIN).abort(failed.run)
    assert report.result == "aborted"
    assert [key for what, key in scene.played.log if what == "undone"] == ["d", "b", "a"]
    assert report.steps["c"] == "stands: it cannot be"
    assert scene.lease.read().record.run is None
    assert scene.events(failed.run)[-1] == ("ended", None)


def test_nothing_is_taken_back_once_the_target_has_the_lease(scene: Scene) -> None:
    def take(run: StepRun) -> None:
        run.change(lambda record: record.take(WEST, record.epoch))

    scene.actions["played"] = Played(does={"b": take, "c": fail()})
    failed = scene.runner(CHAIN).start(CONSENT)
    before = scene.lease.read()
    with pytest.raises(RecoveryRefused, match="us-west-2 holds the lease in epoch 2") as refused:
        scene.runner(CHAIN, runner="another").abort(failed.run)
    assert f"--resume {failed.run}" in str(refused.value)
    assert scene.lease.read() == before
    assert not any(what == "undone" for what, _ in scene.played.log)
    scene.actions["played"] = Played()
    assert scene.runner(CHAIN).resume(failed.run, CONSENT).result == "done"


@pytest.mark.parametrize("kind", ["promote_database", "promote_cache"])
def test_nothing_is_taken_back_once_a_promotion_for_good_began(scene: Scene, kind: str) -> None:
    of = plan(step("fence"), step("promote/orders", {"fence"}, kind=kind, fixed=True))
    scene.actions[kind] = Played(does={"promote/orders": fail("its answer was lost")})
    failed = scene.runner(of).start(CONSENT)
    before = scene.lease.read()
    with pytest.raises(RecoveryRefused) as refused:
        scene.runner(of, runner="another").abort(failed.run)
    assert refused.value.lines == (
        f"{failed.run}: promote/orders has begun and cannot be taken back",
        f"go on: --resume {failed.run}",
    )
    # The source stays fenced: what it would write is in no copy.
    assert scene.lease.read() == before
    assert not any(what == "undone" for what, _ in scene.played.log)
    scene.actions[kind] = Played()
    assert scene.runner(of).resume(failed.run, CONSENT).result == "done"


def test_a_promotion_that_can_be_taken_back_is(scene: Scene) -> None:
    of = plan(step("fence"), step("promote/orders", {"fence"}, kind="promote_database"), step("z", {"promote/orders"}))
    scene.actions["promote_database"] = Played()
    scene.actions["played"] = Played(does={"z": fail()})
    failed = scene.runner(of).start(CONSENT)
    report = scene.runner(of).abort(failed.run)
    assert (report.result, report.steps["promote/orders"]) == ("aborted", "promote/orders is undone")


def test_a_promotion_that_begins_while_its_runner_is_watched_is_seen(scene: Scene) -> None:
    of = plan(step("fence"), step("promote/orders", {"fence"}, kind="promote_database", fixed=True))
    scene.actions["promote_database"] = Played()
    scene.actions["played"] = Played(does={"fence": fail()})
    failed = scene.runner(of).start(CONSENT)
    late = replace(scene.journal.read(failed.run)[-1], seq=99, event=Event.STARTED, step="promote/orders")
    read, looks = scene.lease.read, iter(range(1000))

    def watched() -> Versioned:
        if next(looks) == 3:
            scene.journal.append(late)
        return read()

    scene.lease.read = watched
    with pytest.raises(RecoveryRefused, match="promote/orders has begun and cannot be taken back"):
        scene.runner(of, runner="another").abort(failed.run)


def test_an_undo_that_fails_keeps_no_other_step_from_being_taken_back(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"d": fail()}, undoes={"d": fail("it is busy"), "b": fail("it sticks")})
    failed = scene.runner(CHAIN).start(CONSENT)
    cut = scene.runner(CHAIN).abort(failed.run)
    assert (cut.result, cut.aborting) == ("failed", True)
    assert cut.faults == ("Do d: not taken back: it is busy", "Do b: not taken back: it sticks")
    assert [key for what, key in scene.played.log if what == "undone"] == ["a"]
    scene.played.undoes = {}
    report = scene.runner(CHAIN).abort(failed.run)
    assert (report.result, list(report.steps)) == ("aborted", ["d", "b"])
    assert [key for what, key in scene.played.log if what == "undone"] == ["a", "d", "b"]


def test_a_copy_that_may_not_be_deleted_is_left_and_told_of(scene: Scene) -> None:
    def leave(run: StepRun) -> None:
        del run
        raise LeftOver("orders-g2 is left, delete it")

    scene.actions["played"] = Played(does={"d": fail()}, undoes={"b": leave})
    failed = scene.runner(CHAIN).start(CONSENT)
    report = scene.runner(CHAIN).abort(failed.run)
    assert (report.result, report.faults) == ("aborted", ())
    assert report.steps["b"] == "stands: orders-g2 is left, delete it"
    assert ("stands", "b") in scene.events(failed.run)


def test_a_run_that_ended_before_it_went_back_still_says_so_until_it_has(scene: Scene) -> None:
    def take(run: StepRun) -> None:
        run.change(lambda record: record.take(run.plan.target, record.epoch))

    def exceed(run: StepRun) -> None:
        del run
        raise ErrorRateExceeded("9 of 20 requests failed")

    scene.actions["played"] = Played(does={"b": take, "d": exceed})
    report = scene.runner(CHAIN).start(CONSENT)
    assert (report.result, report.go_back) == ("failed", True)
    again = scene.runner(CHAIN).resume(report.run, CONSENT)
    assert (again.go_back, again.faults) == (True, ("Do d: 9 of 20 requests failed",))
    change(scene.lease, lambda record: record.unfence(EAST))
    change(scene.lease, lambda record: record.take(EAST, record.epoch))
    assert not scene.runner(CHAIN).resume(report.run, CONSENT).go_back


def test_a_rejoin_is_taken_back_although_its_target_has_the_lease(scene: Scene) -> None:
    of = replace(CHAIN, mode=Mode.REJOIN, source=WEST, target=EAST, lost=frozenset())
    scene.actions["played"] = Played(does={"b": fail()})
    failed = scene.runner(of).start(CONSENT)
    assert scene.runner(of).abort(failed.run).result == "aborted"


def test_a_run_that_was_partly_taken_back_is_only_taken_back_further(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"d": fail()}, undoes={"a": fail("it sticks")})
    failed = scene.runner(CHAIN).start(CONSENT)
    cut = scene.runner(CHAIN).abort(failed.run)
    assert (cut.result, cut.aborting, cut.faults) == ("failed", True, ("Do a: not taken back: it sticks",))
    claimed = scene.lease.read().record.run
    assert claimed is not None
    assert claimed.aborting
    with pytest.raises(RecoveryRefused, match=f"accepted is --abort {failed.run}"):
        scene.runner(CHAIN).resume(failed.run, CONSENT)
    # The same when it was cut off before its journal had that.
    opened = [key for key, entry in scene.journal.entries.items() if entry.detail.get("aborting")]
    kept = {key: scene.journal.entries.pop(key) for key in list(scene.journal.entries) if key >= opened[0]}
    with pytest.raises(RecoveryRefused, match=f"accepted is --abort {failed.run}"):
        scene.runner(CHAIN).resume(failed.run, CONSENT)
    scene.journal.entries.update(kept)
    # And when the claim does not say so.
    change(scene.lease, lambda record: replace(record, run=replace(claimed, aborting=False)))
    with pytest.raises(RecoveryRefused, match=f"accepted is --abort {failed.run}"):
        scene.runner(CHAIN).resume(failed.run, CONSENT)
    scene.played.undoes = {}
    assert scene.runner(CHAIN).abort(failed.run).result == "aborted"
    assert [key for what, key in scene.played.log if what == "undone"] == ["d", "b", "a"]
    # Over is over, however often it is said.
    assert scene.runner(CHAIN).abort(failed.run).result == "aborted"


def test_what_was_taken_back_is_not_done() -> None:
    def entry(number: int, event: Event, key: str) -> Entry:
        return Entry(run="r", seq=number, wall=0, event=event, step=key, detail={"n": number})

    entries = [entry(1, Event.DONE, "a"), entry(2, Event.DONE, "b"), entry(3, Event.UNDONE, "a")]
    assert set(run_entries.done(entries)) == {"b"}
    assert run_entries.done([*entries, entry(4, Event.DONE, "a")])["a"].seq == 4


def test_who_takes_a_run_back_gives_signs_of_life(scene: Scene) -> None:
    def beats() -> int:
        claimed = scene.lease.read().record.run
        return claimed.beat if claimed else -1

    def wait(run: StepRun) -> None:
        del run
        before = beats()
        until(lambda: beats() > before + 1)

    scene.actions["played"] = Played(does={"b": fail()}, undoes={"b": wait})
    failed = scene.runner(CHAIN).start(CONSENT)
    assert scene.runner(CHAIN).abort(failed.run).result == "aborted"


def test_who_lost_its_claim_takes_nothing_more_back(scene: Scene) -> None:
    def lose(run: StepRun) -> None:
        run.change(lambda record: record.adopt_run(run.run, "another", seen=record.run, aborting=True))
        until(lambda: _stopped(run))

    def _stopped(run: StepRun) -> bool:
        try:
            run.ports.client("any", "us-west-2").get_thing()
        except RecoveryError:
            return True
        return False

    scene.actions["played"] = Played(does={"c": fail()}, undoes={"b": lose})
    failed = scene.runner(CHAIN).start(CONSENT)
    report = scene.runner(CHAIN).abort(failed.run)
    assert (report.result, report.faults) == ("failed", ("stopped before its end",))
    assert [key for what, key in scene.played.log if what == "undone"] == ["b"]


@pytest.mark.parametrize("missed", ["unanswered", "unheard"])
def test_a_lease_that_does_not_answer_once_or_twice_refuses_nothing(scene: Scene, missed: str) -> None:
    def miss(run: StepRun) -> None:
        del run
        setattr(scene.lease, missed, 2)

    # Before the claim is looked at, before it is taken, and before it is given up.
    miss_at_first, of = 2 * (missed == "unanswered"), plan(step("look", kind="gate"), step("a", {"look"}))
    scene.lease.unanswered = miss_at_first
    scene.actions["gate"] = Played(GATE=True, does={"look": miss})
    scene.actions["played"] = Played(does={"a": miss})
    report = scene.runner(of).start(CONSENT)
    assert (report.result, report.warnings) == ("done", ())
    assert scene.lease.read().record.run is None


def test_a_lease_that_does_not_answer_once_or_twice_keeps_nobody_from_a_resume(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"c": fail()})
    failed = scene.runner(CHAIN).start(CONSENT)
    scene.actions["played"] = Played()
    scene.lease.unanswered = 2
    scene.lease.unheard = 1
    assert scene.runner(CHAIN, runner="another").resume(failed.run, CONSENT).result == "done"


def test_a_claim_that_cannot_be_given_up_fails_no_run_that_is_over(scene: Scene) -> None:
    def lose(run: StepRun) -> None:
        del run
        scene.lease.unanswered = 1000

    scene.actions["played"] = Played(does={"d": lose})
    report = scene.runner(CHAIN).start(CONSENT)
    assert report.result == "done"
    (warning,) = report.warnings
    assert f"--resume {report.run}" in warning
    scene.lease.unanswered = 0
    assert scene.lease.read().record.run is not None
    assert scene.runner(CHAIN).resume(report.run, CONSENT).result == "done"
    assert scene.lease.read().record.run is None


def test_a_claim_of_a_run_that_was_refused_all_the_same_is_taken_back(scene: Scene) -> None:
    of = plan(step("look", kind="gate"), step("a", {"look"}))

    def miss(run: StepRun) -> None:
        del run
        # The claim is written, nobody hears so, and then nobody answers.
        scene.lease.unheard, scene.lease.silent_after_write = 1, True

    scene.actions["gate"] = Played(GATE=True, does={"look": miss})
    with pytest.raises(RecoveryRefused, match="no answer"):
        scene.runner(of).start(CONSENT)
    scene.lease.unanswered, scene.lease.silent_after_write = 0, False
    claimed = scene.lease.read().record.run
    assert claimed is not None
    assert scene.runner(of).abort(claimed.id).result == "aborted"
    assert scene.lease.read().record.run is None


def test_a_run_whose_runner_lives_is_not_resumed(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"c": fail()})
    failed = scene.runner(CHAIN, runner=runner_name()).start(CONSENT)
    claimed = scene.lease.read().record.run
    assert claimed is not None
    alive = threading.Event()

    def beat() -> None:
        while not alive.wait(0.02):
            seen = scene.lease.read()
            scene.lease.replace(seen, seen.record.touch_run(failed.run, claimed.runner))

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        with pytest.raises(RecoveryRefused, match="lives"):
            scene.runner(CHAIN, runner="another").resume(failed.run, CONSENT)
    finally:
        alive.set()
        heart.join()


def test_of_two_that_resume_a_run_at_once_one_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.actions["played"] = Played(does={"c": fail()})
    failed = scene.runner(CHAIN).start(CONSENT)
    write = scene.lease.replace

    def overtaken(seen: Versioned, record: LeaseRecord) -> Versioned:
        # The other one has watched for as long, and writes first.
        monkeypatch.setattr(scene.lease, "replace", write)
        now = scene.lease.read()
        write(now, now.record.adopt_run(failed.run, "the first", seen=now.record.run))
        return write(seen, record)

    monkeypatch.setattr(scene.lease, "replace", overtaken)
    with pytest.raises(RecoveryRefused, match="the first lives"):
        scene.runner(CHAIN, runner="the second").resume(failed.run, CONSENT)
    claimed = scene.lease.read().record.run
    assert claimed is not None
    assert claimed.runner == "the first"


def test_another_plan_does_not_resume_a_run(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"c": fail()})
    failed = scene.runner(CHAIN).start(CONSENT)
    with pytest.raises(RecoveryRefused, match="another plan"):
        scene.runner(plan(step("a"), step("b"))).resume(failed.run, CONSENT)
