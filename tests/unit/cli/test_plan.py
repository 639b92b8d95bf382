"""`lifeboat plan` from the outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]


@pytest.mark.usefixtures("checkout")
def test_each_format_goes_to_stdout_alone(run: Run) -> None:
    starts = {
        "table": "reskflow production: failover",
        "mermaid": "%% reskflow production: failover",
        "json": "{",
        "runbook": "# Runbook: reskflow production: failover",
    }
    for form, start in starts.items():
        ran = run("plan", "reskflow", "--lost", "us-east-1", "--format", form)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(start)


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    ("options", "mode", "target"),
    [
        ((), "failover", "us-west-2"),
        (("--to", "us-east-1"), "failover", "us-east-1"),
        (("--graceful",), "switchover", "us-west-2"),
        (("--graceful", "--to", "us-east-1"), "switchover", "us-east-1"),
        (("--mode", "failback"), "failback", "us-east-1"),
        (("--mode", "rejoin"), "rejoin", "us-west-2"),
    ],
)
def test_what_is_not_told_is_the_usual(run: Run, options: tuple[str, ...], mode: str, target: str) -> None:
    ran = run("plan", "reskflow", *options, "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert (found["mode"], found["target"]) == (mode, target)


def test_a_file_gets_what_stdout_would(run: Run, checkout: Path) -> None:
    shown = run("plan", "reskflow", "--format", "runbook").out
    ran = run("plan", "reskflow", "--format", "runbook", "--output", "runbook.md")
    assert (ran.code, ran.out) == (0, "")
    assert (checkout / "runbook.md").read_text() == shown


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--lost", "us-est-1"), "--lost: us-est-1: accepted is an AWS region"),
        (("--lost", "us-east-2"), "--lost: us-east-2: accepted is a site, us-east-1 or us-west-2"),
        (("--graceful", "--to", "eu-west-1"), "--to: eu-west-1: accepted is a site, us-east-1 or us-west-2"),
        (("--graceful", "--lost", "us-east-1"), "--graceful: with --lost us-east-1: "),
        (("--graceful", "--mode", "rejoin"), "--graceful: with --mode rejoin: accepted is --mode switchover"),
        (("--json", "--format", "table"), "--format: table: with --json accepted is json"),
        (("--output", "nowhere/plan.md"), "--output: nowhere/plan.md: No such file or directory"),
    ],
)
def test_bad_input_is_one_line_with_what_is_accepted(run: Run, options: tuple[str, ...], said: str) -> None:
    ran = run("plan", "reskflow", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"lifeboat: {said}")
    assert ran.err.count("\n") == 1


@pytest.mark.usefixtures("checkout")
def test_a_plan_that_needs_what_is_lost_is_refused_with_3(run: Run) -> None:
    ran = run("plan", "reskflow", "--lost", "us-east-1", "--lost", "us-east-2")
    assert (ran.code, ran.out) == (3, "")
    assert all(line.startswith("lifeboat: ") and "lost" in line for line in ran.err.splitlines())
    assert "take-lease: dynamodb" in ran.err


def test_measurements_of_the_project_are_used(run: Run, checkout: Path) -> None:
    (checkout / "records").mkdir()
    step = {"kind": "promote_database", "mechanism": "aurora-global", "seconds": [30, 31, 32]}
    record = {
        "format": 1,
        "where": "aws",
        "taken": "2026-03-01",
        "stack": "reskflow",
        "mode": "failover",
        "by": "a drill",
    }
    (checkout / "records" / "drill.json").write_text(json.dumps({**record, "steps": [step]}))
    ran = run("plan", "reskflow")
    assert "promote-database/orders as measured: 3 runs, records/drill.json" in ran.out
    (checkout / "records" / "drill.json").write_text("{}")
    ran = run("plan", "reskflow")
    assert ran.code == 2
    assert "records/drill.json: format: " in ran.err
