"""Runs, phases and times without protection, from a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.graph import Mode, Stage
from lifeboat.model.records import Subject
from lifeboat.recovery.drill.measurements import record
from lifeboat.recovery.drill.timeline import durations, phases, runs, unprotected
from lifeboat.recovery.journal import Event
from lifeboat.reporting.records import Where, load_records
from tests.unit.recovery.drill.parts import RUN, entry, failover, physical

if TYPE_CHECKING:
    from pathlib import Path


def test_phases_follow_one_another_from_the_fault_on() -> None:
    (run,) = runs(failover(110.0), physical())
    assert (run.name, run.mode, run.result) == (RUN, Mode.FAILOVER, "done")
    found = {phase.stage: (phase.began, phase.ended) for phase in phases(run, 100.0)}
    assert found == {Stage.DECIDE: (0.0, 10.1), Stage.RECOVER: (10.1, 14.0), Stage.VERIFY: (14.0, 15.0)}


def test_runs_of_before_the_fault_do_not_count() -> None:
    assert runs(failover(90.0), physical(), since=100.0) == ()


def test_a_refusal_and_a_failure_tell_why() -> None:
    refused = entry(1, 5, Event.REFUSED, run="failover-a", mode="failover", reasons="key of orders: gone")
    failed = [each for each in failover(110.0)[:5] if each.run == RUN]
    failed += [
        entry(6, 113, Event.FAILED, "promote-database/orders", fault="not so in time", took=2.0),
        entry(7, 114, Event.ENDED, result="failed", why="Promote: not so in time"),
    ]
    first, second = runs([refused, *failed], physical())
    assert (first.result, first.why, first.steps) == ("refused", "key of orders: gone", ())
    assert (second.result, second.why) == ("failed", "Promote: not so in time")
    promoted = next(each for each in second.steps if each.step.key == "promote-database/orders")
    assert (promoted.ended, promoted.said) == (None, "not so in time")


def test_a_warden_that_came_second_stood_back_as_it_should() -> None:
    second = entry(1, 110.5, Event.REFUSED, run="failover-b", mode="failover", reasons="under way", claimed_by=RUN)
    claimed, stood_back = runs([*failover(110.0), second], physical())
    assert (claimed.result, stood_back.result, stood_back.ended) == ("done", "stood back", 110.5)
    assert stood_back.why.startswith(f"as it should: {RUN} had claimed")


def test_calls_between_are_no_steps() -> None:
    entries = [*failover(110.0), entry(0, 111, Event.OUTCOME, "fence", service="http", region="us-east-1")]
    assert runs(entries, physical()) == runs(failover(110.0), physical())


def test_times_without_protection_are_those_of_the_ledger() -> None:
    closed = entry(2, 130.0, Event.DONE, run="exposure", store="orders", seconds=16.0)
    (open_,) = unprotected(failover(110.0), 100.0)
    assert (open_.store, open_.since, open_.until) == ("orders", 114.0, None)
    (over,) = unprotected([*failover(110.0), closed], 100.0)
    assert over.until == 130.0
    assert unprotected([*failover(110.0), closed], 120.0) == ()


def test_measured_steps_are_a_file_that_a_projection_reads(tmp_path: Path) -> None:
    (run,) = runs(failover(110.0), physical())
    assert durations(run)["fence", None] == [0.8]
    text = record([run, run], Mode.FAILOVER, stack="reskflow", taken="2027-01-31", by="lifeboat drill reskflow")
    (tmp_path / "drill.json").write_text(text)
    found = load_records(tmp_path, Where.SANDBOX)
    assert found[Subject(Mode.FAILOVER, "promote_database", "aurora-global")].seconds == (3.0, 3.0)
    assert not any(kind == "decide" for _, kind, _ in found)
