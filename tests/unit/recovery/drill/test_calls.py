"""Whether a step depended on an answer from what was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lifeboat.recovery.drill.calls import Window, attempted
from lifeboat.recovery.journal import Event
from tests.unit.recovery.drill.parts import HOME, STANDBY, call, entry

if TYPE_CHECKING:
    from lifeboat.recovery.journal import Entry

WINDOW = Window(lost=frozenset({HOME}), dark=frozenset({HOME}), begin=100.0, end=200.0)
GREY = Window(lost=frozenset({HOME}), dark=frozenset(), begin=100.0, end=200.0)


def outcome(*, best_effort: bool, fault: str | None = None, wall: float = 150.0, region: str = HOME) -> Entry:
    made = entry(
        0,
        wall,
        Event.OUTCOME,
        "fence",
        service="rds",
        operation="DescribeDBClusters",
        region=region,
        best_effort=best_effort,
    )
    return made if fault is None else replace(made, detail={**made.detail, "fault": fault})


def test_calls_that_nobody_answered_are_listed_and_were_not_needed() -> None:
    (found,) = attempted([call(120), call(130)], [outcome(best_effort=True, fault="timed out")], WINDOW)
    assert (found.made, found.answered, found.by_step, found.best_effort) == (2, 0, ("fence",), True)
    assert not found.depended


def test_an_answer_that_a_step_needed_is_found() -> None:
    (found,) = attempted([call(120, answer="200")], [outcome(best_effort=False)], GREY)
    assert found.depended
    (spared,) = attempted([call(120, answer="200")], [outcome(best_effort=True)], GREY)
    assert not spared.depended


def test_a_needed_call_that_failed_was_not_depended_on() -> None:
    (found,) = attempted([call(120)], [outcome(best_effort=False, fault="timed out")], WINDOW)
    assert not found.depended
    assert found.best_effort is False


def test_a_dark_region_that_answers_anybody_outside_is_a_fault() -> None:
    (found,) = attempted([call(120, answer="200")], [], WINDOW)
    assert found.depended
    assert found.by_step == ()
    (seen,) = attempted([call(120, answer="200")], [], GREY)
    assert not seen.depended


def test_only_recoverys_calls_from_outside_count_while_it_is_lost() -> None:
    calls = [
        call(99),
        call(201),
        call(120, region=STANDBY),
        call(120, caller=HOME, answer="200"),
        call(120, principal="LIFEBOATDRILL", answer="200"),
    ]
    entries = [outcome(best_effort=False, wall=99), outcome(best_effort=False, region=STANDBY)]
    assert attempted(calls, entries, WINDOW) == ()


def test_servers_that_are_no_api_stand_in_the_journal_alone() -> None:
    asked = outcome(best_effort=True, fault="refused")
    asked = replace(asked, detail={**asked.detail, "service": "http", "operation": "get"})
    (found,) = attempted([], [asked], WINDOW)
    assert (found.service, found.made, found.answered, found.depended) == ("http", 1, 0, False)
