"""How a plan is carried out, whatever its steps do."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifeboat.recovery.errors import JournalLost, RecoveryRefused
from lifeboat.recovery.journal import Event
from tests.unit.recovery.memory import CHAIN, CONSENT, Played, Scene, fail, plan, step

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import Plan, PlanStep
    from lifeboat.recovery.run_state import StepRun


@pytest.fixture
def scene() -> Scene:
    return Scene()


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """Any graph of up to nine steps: a step comes after some of those that stand before it."""
    steps: list[PlanStep] = []
    for number in range(draw(st.integers(1, 9))):
        keys = [each.key for each in steps]
        after = draw(st.sets(st.sampled_from(keys))) if keys else set[str]()
        steps.append(step(f"s{number}", after))
    return plan(*steps)


@settings(max_examples=30, deadline=None)
@given(graphs(), st.sets(st.integers(0, 8), max_size=2))
def test_a_step_runs_when_all_before_it_ended_well_and_never_otherwise(of: Plan, broken: set[int]) -> None:
    scene = Scene()
    failing = {f"s{number}" for number in broken}
    scene.actions["played"] = Played(does={key: fail() for key in failing})
    report = scene.runner(of).start(CONSENT)
    ended: set[str] = set()
    for what, key in scene.played.log:
        if what == "began":
            assert of.by_key[key].after <= ended
        else:
            ended.add(key)
    # Exactly those run that nothing before them keeps from it.
    reachable: set[str] = set()
    for each in of.steps:
        if each.after <= reachable and each.key not in failing:
            reachable.add(each.key)
    assert ended == reachable
    assert report.result == ("done" if ended == set(of.by_key) else "failed")
    assert set(report.steps) == set(of.by_key)


def test_what_does_not_wait_for_each_other_runs_at_once(scene: Scene) -> None:
    together = threading.Barrier(3, timeout=20)

    def meet(run: StepRun) -> None:
        del run
        together.wait()

    scene.actions["played"] = Played(does=dict.fromkeys("abc", meet))
    assert scene.runner(plan(step("a"), step("b"), step("c"))).start(CONSENT).result == "done"


def test_what_is_done_is_not_done_again(scene: Scene) -> None:
    scene.played.already.add("b")
    assert scene.runner(CHAIN).start(CONSENT).result == "done"
    assert scene.played.began() == ["a", "c", "d"]


def test_a_failed_run_is_resumed_where_it_stood(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"c": fail("no room")})
    failed = scene.runner(CHAIN).start(CONSENT)
    assert (failed.result, failed.faults) == ("failed", ("Do c: no room",))
    assert failed.steps["d"] == "not begun"
    claimed = scene.lease.read().record.run
    assert claimed is not None
    assert claimed.id == failed.run
    scene.actions["played"] = Played()
    assert scene.runner(CHAIN).resume(failed.run, CONSENT).result == "done"
    assert scene.played.began() == ["c", "d"]
    assert scene.lease.read().record.run is None


def test_facts_of_steps_outlive_their_process(scene: Scene) -> None:
    scene.actions["played"] = Played(does={"c": fail()})
    failed = scene.runner(CHAIN).start(CONSENT)
    seen: list[object] = []
    scene.actions["played"] = Played(does={"c": lambda run: seen.append(run.facts["a"]["key"])})
    scene.runner(CHAIN).resume(failed.run, CONSENT)
    assert seen == ["a"]


def test_a_step_that_misses_its_deadline_makes_no_more_calls(scene: Scene) -> None:
    hangs, seen = threading.Event(), threading.Event()
    calls: list[str] = []

    def hang(run: StepRun) -> None:
        hangs.wait(60)
        try:
            run.ports.client("any", "us-west-2").put_thing()
            calls.append("put")
        finally:
            seen.set()

    scene.actions["played"] = Played(does={"a": hang})
    report = scene.runner(plan(step("a", timeout=0.2), step("b", {"a"}))).start(CONSENT)
    assert report.faults == ("Do a: missed its deadline of 0.2 s",)
    assert report.steps["b"] == "not begun"
    hangs.set()
    assert seen.wait(20)
    assert calls == []


def test_what_is_not_answered_is_tried_again(scene: Scene) -> None:
    left = [ConnectionError("no answer"), ConnectionError("no answer")]

    def shaky(run: StepRun) -> None:
        del run
        if left:
            raise left.pop()

    scene.actions["played"] = Played(does={"a": shaky})
    assert scene.runner(plan(step("a"))).start(CONSENT).result == "done"
    assert scene.played.began() == ["a", "a", "a"]


@pytest.mark.parametrize("how", ["gate", "claim"])
def test_a_refusal_is_one_entry_and_nothing_else(scene: Scene, how: str) -> None:
    scene.actions["gate"] = Played(GATE=True)
    of = plan(step("look", kind="gate"), step("a", {"look"}))
    if how == "gate":

        def refuse(run: StepRun) -> None:
            del run
            raise RecoveryRefused("not ready", "make it so")

        scene.actions["gate"] = Played(GATE=True, does={"look": refuse})
    else:
        scene.actions["played"] = Played(does={"a": fail()})
        scene.runner(of).start(CONSENT)
        scene.actions["played"] = Played()
    before, entries = scene.lease.read(), set(scene.journal.entries)
    with pytest.raises(RecoveryRefused) as refused:
        scene.runner(of, runner="somebody else").start(CONSENT)
    added = [entry for key, entry in scene.journal.entries.items() if key not in entries]
    assert [entry.event for entry in added] == [Event.REFUSED]
    assert scene.lease.read() == before
    assert scene.played.log == []
    # A drill tells by it that this is no failure.
    assert ("claimed_by" in added[0].detail) == (how == "claim")
    if how == "claim":
        assert "is under way since 20" in str(refused.value)
        assert "by somebody@nowhere" in str(refused.value)
    else:
        assert refused.value.lines == ("not ready", "make it so")


def test_what_a_gate_meets_of_a_run_that_began_meanwhile_is_no_refusal_of_its_own(scene: Scene) -> None:
    scene.actions["gate"] = Played(GATE=True)
    of = plan(step("look", kind="gate"), step("a", {"look"}))

    def meet(run: StepRun) -> None:
        del run
        scene.actions["gate"], scene.actions["played"] = Played(GATE=True), Played(does={"a": fail()})
        scene.runner(of).start(CONSENT)
        raise RecoveryRefused("its group is modifying")

    scene.actions["gate"] = Played(GATE=True, does={"look": meet})
    with pytest.raises(RecoveryRefused, match="is under way since 20"):
        scene.runner(of, runner="somebody else").start(CONSENT)


def test_a_gate_cannot_change_anything(scene: Scene) -> None:
    scene.actions["gate"] = Played(GATE=True, does={"look": lambda run: run.ports.client("any", "x").put_thing()})
    with pytest.raises(RecoveryRefused, match="would have changed something: any PutThing"):
        scene.runner(plan(step("look", kind="gate"))).start(CONSENT)


def test_two_processes_cannot_write_one_journal(scene: Scene) -> None:
    def intrude(run: StepRun) -> None:
        entries = scene.journal.read(run.run)
        scene.journal.append(replace(entries[-1], seq=len(entries) + 1, writer="other"))

    scene.actions["played"] = Played(does={"a": intrude})
    with pytest.raises(JournalLost, match="another process writes"):
        scene.runner(CHAIN).start(CONSENT)
    assert scene.played.began() == ["a"]


def test_calls_that_change_are_journaled_and_those_that_read_are_not(scene: Scene) -> None:
    def ask(run: StepRun) -> None:
        client = run.ports.client("any", "us-west-2")
        client.get_thing(Name="one")
        client.put_thing(Name="one", Password="hidden", TokenName="hidden")

    scene.actions["played"] = Played(does={"a": ask})
    report = scene.runner(plan(step("a"))).start(CONSENT)
    assert scene.events(report.run) == [
        ("opened", None),
        ("started", "a"),
        ("intent", "a"),
        ("outcome", "a"),
        ("done", "a"),
        ("ended", None),
    ]
    intent = scene.journal.read(report.run)[2]
    assert intent.detail["operation"] == "PutThing"
    assert intent.detail["Name"] == "one"
    assert "hidden" not in str(intent.document())


def test_a_database_s_error_fails_its_step_alone(scene: Scene) -> None:
    def write(run: StepRun) -> None:
        del run
        raise psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction\nLINE 1")

    scene.actions["played"] = Played(does={"b": write})
    report = scene.runner(CHAIN).start(CONSENT)
    assert report.faults == ("Do b: cannot execute INSERT in a read-only transaction",)


def test_people_are_told_of_a_step_that_failed(scene: Scene) -> None:
    told: list[str] = []
    scene.actions["played"] = Played(does={"b": fail("no room")})
    scene.runner(CHAIN, alarm=told.append).start(CONSENT)
    assert [line.partition(": ")[2] for line in told] == ["Do b: no room"]


def test_a_rehearsal_leaves_no_trace(scene: Scene) -> None:
    scene.actions["gate"] = Played(GATE=True)
    scene.played.already.add("a")
    told = scene.runner(plan(step("look", kind="gate"), step("a", {"look"}), step("b", {"a"}))).rehearse(CONSENT)
    assert told == {"look": "look is done", "a": "done already", "b": "would be done"}
    assert scene.journal.entries == {}
    assert scene.lease.read().version == 1
