"""The commands of a recovery, as far as they need no outside: what is bad input, and what freezes an update."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import typer

from lifeboat.cli import recovery
from lifeboat.deployment.project import Refused
from lifeboat.deployment.update import Updater
from lifeboat.recovery.runner import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["failover", "reskflow"], "accepted is either --lost REGION or --graceful"),
        (["failover", "reskflow", "--lost", "us-east-1", "--graceful"], "accepted is either --lost REGION or"),
        (["failover", "reskflow", "--lost", "us-west-1"], "accepted is a site, us-east-1 or us-west-2"),
        (["failover", "reskflow", "--lost", "us-east-1"], "--yes: absent"),
        (["failover", "prd", "--lost", "us-east-1"], "no stack 'prd'"),
        (["hold", "reskflow", "--reason", " "], "--reason: empty"),
    ],
)
def test_bad_input_is_2_and_one_line(run: Run, arguments: list[str], said: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_lease_that_does_not_answer_is_1_and_one_line(run: Run) -> None:
    ran = run("lease", "reskflow")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("lifeboat: the lease's table reskflow-production-lease does not answer")
    assert len(ran.err.splitlines()) == 1


def test_an_update_of_everything_is_frozen_while_failed_over() -> None:
    class Untouched:
        """An engine that nobody may ask."""

        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    updater = Updater(
        engine=Untouched(),  # pyright: ignore[reportArgumentType]
        sites=("us-east-1", "us-west-2"),
        tell=print,
        confirm=lambda _scope, _preview: True,
        frozen=lambda: "us-east-1 is fenced, until `lifeboat rejoin`",
    )
    with pytest.raises(Refused, match=r"us-east-1 is fenced.*\n.*--without"):
        updater.everything()


@pytest.mark.parametrize(
    ("report", "said", "unsaid"),
    [
        (Report(run="r", result="failed", steps={}), ["failover x --resume r", "--abort r"], []),
        (Report(run="r", result="failed", steps={}, aborting=True), ["failover x --abort r"], ["--resume"]),
        (Report(run="r", result="failed", steps={}, go_back=True), [], ["--resume", "--abort"]),
        (Report(run="r", result="done", steps={}, warnings=("still claimed",)), ["still claimed"], ["--abort"]),
    ],
)
def test_the_end_of_a_run_names_only_ways_that_are_open(
    report: Report, said: list[str], unsaid: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    well = contextlib.nullcontext() if report.result == "done" else pytest.raises(typer.Exit)
    with well:
        recovery.end(report, json=False, command="lifeboat failover x")
    shown = " ".join(capsys.readouterr().out.split())
    assert all(each in shown for each in said)
    assert not any(each in shown for each in unsaid)
