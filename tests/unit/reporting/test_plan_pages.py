"""A plan's outlets: table, flowchart, document, runbook."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import botocore.session
import pytest

from lifeboat.cli.output import plain
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.projection import project
from lifeboat.model.records import Measurement, Subject
from lifeboat.reporting.plan import FORMAT, PlanReport, document, page
from lifeboat.reporting.plan_drawing import drawing
from lifeboat.reporting.plan_runbook import runbook

if TYPE_CHECKING:
    from lifeboat.model.records import Records
    from tests.unit.reporting.conftest import Subject as Stack


def reported(stack: Stack, mode: Mode = Mode.FAILOVER, records: Records | None = None) -> PlanReport:
    lost = {stack.topology.home.region} if mode is Mode.FAILOVER else set[str]()
    plan = derive(stack.settings, stack.topology, mode=mode, lost=lost)
    projection = project(plan, samples=500, records=records)
    return PlanReport(settings=stack.settings, topology=stack.topology, plan=plan, projection=projection)


def test_the_table_has_every_step_and_the_projection_beside_the_objective(fast: Stack) -> None:
    report = reported(fast)
    text = plain(page(report))
    assert text.startswith("reskflow production: failover from us-east-1 to us-west-2, us-east-1 lost\n")
    assert re.search(r"p50 \d+m\S*, p95 \d+m\S*; the objective of 15m is met at p95 \(500 samples, seed 6\)", text)
    assert "if every step ran to its deadline: " in text
    assert "promote-database/orders adds most: " in text
    numbers = [int(line.split()[0]) for line in text.splitlines() if re.match(r" ?\d+  \w", line)]
    assert numbers == list(range(1, len(report.plan.steps) + 1))


def test_an_objective_that_is_missed_is_said_so(fast: Stack) -> None:
    slow = Measurement(seconds=(1000, 1200, 1400), source="records/a.json")
    report = reported(fast, records={Subject(Mode.FAILOVER, "promote_database", "aurora-global"): slow})
    text = plain(page(report))
    assert "the objective of 15m is MISSED at p95" in text
    assert "promote-database/orders as measured: 3 runs, records/a.json" in text
    assert document(report)["projection"]["met"] is False


def test_a_rejoin_has_no_objective(fast: Stack) -> None:
    report = reported(fast, Mode.REJOIN)
    assert "objective" not in plain(page(report))
    assert document(report)["projection"]["met"] is None
    assert report.heading == "reskflow production: rejoin of us-east-1 beside us-west-2"


STEP_KEYS = {
    "key",
    "kind",
    "title",
    "stage",
    "region",
    "store",
    "mechanism",
    "after",
    "calls",
    "timing",
    "timeout",
    "idempotency",
    "undo",
    "no_undo",
    "who",
    "by_hand",
}


@pytest.mark.parametrize("mode", list(Mode))
def test_the_document_keeps_its_shape(fast: Stack, mode: Mode) -> None:
    report = reported(fast, mode)
    found = json.loads(json.dumps(document(report), allow_nan=False))
    assert found["format"] == FORMAT == 1
    assert found.keys() == {
        "format",
        "system",
        "environment",
        "mode",
        "source",
        "target",
        "lost",
        "steps",
        "projection",
    }
    assert all(step.keys() == STEP_KEYS for step in found["steps"])
    assert [step["key"] for step in found["steps"]] == [step.key for step in report.plan.steps]
    assert found["projection"].keys() == {
        "what",
        "p50",
        "p95",
        "bound",
        "objective",
        "met",
        "priors",
        "given_up",
        "samples",
        "seed",
        "dominating",
        "shares",
        "conservative_sum",
    }
    described = (document.__doc__ or "").partition("``format``")
    for key in STEP_KEYS | found["projection"].keys():
        assert f"``{key}``" in "".join(described), key


@pytest.mark.parametrize("mode", list(Mode))
def test_the_flowchart_leads_through_every_step(fast: Stack, mode: Mode) -> None:
    report = reported(fast, mode)
    text = drawing(report)
    nodes = re.findall(r'^ +s(\d+)\["(.*)"\]$', text, re.MULTILINE)
    assert sorted(int(number) for number, _ in nodes) == list(range(1, len(report.plan.steps) + 1))
    assert not any('"' in label for _, label in nodes)
    edges = {(int(a), int(b)) for a, b in re.findall(r"^ +s(\d+) [=-]+> s(\d+)$", text, re.MULTILINE)}
    numbers = {step.key: at for at, step in enumerate(report.plan.steps, start=1)}
    for step in report.plan.steps:
        # Every wait is drawn, or follows from those that are.
        reached, seek = set[int](), [numbers[step.key]]
        while seek:
            at = seek.pop()
            for a, b in edges:
                if b == at and a not in reached:
                    reached.add(a)
                    seek.append(a)
        assert {numbers[key] for key in step.after} <= reached
    assert text.count("subgraph") == text.count("    end\n")


def test_the_longest_path_is_thick(fast: Stack) -> None:
    report = reported(fast)
    numbers = {step.key: at for at, step in enumerate(report.plan.steps, start=1)}
    text = drawing(report)
    assert f"s{numbers['take-lease']} ==> s{numbers['switch-routing']}" in text
    assert f"s{numbers['take-lease']} --> s{numbers['open-exposure']}" in text


def test_what_follows_from_other_waits_is_not_drawn(fast: Stack) -> None:
    report = reported(fast, Mode.SWITCHOVER)
    numbers = {step.key: at for at, step in enumerate(report.plan.steps, start=1)}
    assert "decide" in report.plan.by_key["fence"].after
    assert not re.search(rf"s{numbers['decide']} [=-]+> s{numbers['fence']}\n", drawing(report))


@pytest.mark.parametrize("mode", list(Mode))
def test_the_runbook_can_be_followed_without_this_tool(fast: Stack, mode: Mode) -> None:
    report = reported(fast, mode)
    text = runbook(report)
    assert text.count("- [ ] **") == len(report.plan.steps)
    assert text.count("```") == 2 * len(report.plan.steps)
    for number, step in enumerate(report.plan.steps, start=1):
        part = text.partition(f"- [ ] **{number}. {step.title}** (`{step.key}`)")[2].partition("- [ ] ")[0]
        assert f"Who: {step.who}." in part
        assert "give up after" in part
        assert ("  - Undo: " in part) is (step.undo is not None)
        assert ("  - No way back: " in part) is (step.no_undo is not None)


@pytest.mark.parametrize("mode", list(Mode))
def test_commands_are_whole_and_name_a_region(fast: Stack, mode: Mode) -> None:
    for step in reported(fast, mode).plan.steps:
        for line in step.by_hand:
            if line.startswith("#"):
                continue
            words = shlex.split(line)
            assert words[0] in {"aws", "curl", "dig", "psql", "pg_dump", "redis-cli"} or "=" in words[0]
            assert words[0] != "aws" or "--region" in words
            assert not words[0].startswith("lifeboat")


def test_commands_exist_in_the_api(fast: Stack, slow: Stack) -> None:
    """Each command of the AWS CLI is an operation of botocore's models, with parameters that it takes."""
    session = botocore.session.get_session()
    global_options = {"region", "query", "output", "endpoint-url", "source-region", "filters", "body"}
    clean = re.compile(r"\$\(|\)$")
    checked = 0
    for stack in (fast, slow):
        for mode in (Mode.FAILOVER, Mode.SWITCHOVER, Mode.REJOIN):
            for step in reported(stack, mode).plan.steps:
                for line in step.by_hand:
                    if "aws " not in line.split(" | ")[0] or line.startswith("#"):
                        continue
                    words = shlex.split(clean.sub("", line.split(" | ")[0].partition("aws ")[2]))
                    service, command = words[0].replace("s3api", "s3"), words[1]
                    if command == "wait":
                        continue
                    model = session.get_service_model(service)
                    operations = {re.sub(r"(?<!^)(?=[A-Z])", "-", n).lower(): n for n in model.operation_names}
                    known = {re.sub(r"[^a-z]", "", key): name for key, name in operations.items()}
                    operation = model.operation_model(known[re.sub(r"[^a-z]", "", command)])
                    shape = operation.input_shape
                    members = {name.lower() for name in ({} if shape is None else shape.members)}
                    for option in (word[2:] for word in words[2:] if word.startswith("--")):
                        name = option.removeprefix("no-").replace("-", "")
                        assert option in global_options or name in members, (line, option)
                    checked += 1
    assert checked > 50
