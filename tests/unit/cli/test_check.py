"""`lifeboat check --file`: a state is judged without anything deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from policies.core.rules import load_rules
from policies.core.settings import profile_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]

SECRET = "hunter2"
ROOT = "urn:pulumi:reskflow::lifeboat::pulumi:pulumi:Stack::lifeboat-reskflow"
ORDERS = "urn:pulumi:reskflow::lifeboat::aws:rds/instance:Instance::orders"
ENTRY = {"urn": ORDERS, "type": "aws:rds/instance:Instance", "custom": True, "id": "orders", "parent": ROOT}
UNREADABLE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": SECRET}
SUPPRESSION = {
    "rule": "rds-retention",
    "resource": ORDERS,
    "reason": "It can be made again",
    "owner": "platform",
    "expires": "2999-12-31",
}


def _state(checkout: Path, **inputs: Any) -> str:  # noqa: ANN401 - JSON
    resources = [
        {"urn": ROOT, "type": "pulumi:pulumi:Stack"},
        {**ENTRY, "inputs": {"password": SECRET, **inputs}},
    ]
    return _write(checkout / "state.json", {"version": 3, "deployment": {"resources": resources}})


def _config(checkout: Path, **settings: Any) -> str:  # noqa: ANN401 - JSON
    """Settings under which only the rule runs that the state is about."""
    rules = {name: {"level": "disabled"} for name in load_rules()}
    rules["rds-retention"] = {"level": "mandatory"}
    return _write(checkout / "config.json", {"settings": {"rules": rules, **settings}})


def _write(file: Path, document: object) -> str:
    file.write_text(json.dumps(document))
    return str(file)


def test_a_violation_is_exit_1_and_what_holds_is_0(run: Run, checkout: Path) -> None:
    config = _config(checkout)
    ran = run("check", "--file", _state(checkout), "--config", config)
    assert (ran.code, ran.err) == (1, "")
    assert "`backupRetentionPeriod` must be at least 7 days; it is absent" in ran.out
    assert "what to do" in ran.out
    assert ran.out.splitlines()[-1].startswith("FAILED: 1 violation (1 high)")
    ran = run("check", "--file", _state(checkout, backupRetentionPeriod=7), "--config", config)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("passed: 0 violations")


def test_advice_does_not_fail(run: Run, checkout: Path) -> None:
    document = json.loads(Path(_config(checkout)).read_text())
    document["settings"]["rules"]["rds-retention"]["level"] = "advisory"
    ran = run("check", "--file", _state(checkout), "--config", _write(checkout / "advisory.json", document))
    assert ran.code == 0
    assert ran.out.startswith("advice: does not fail this check\n")
    assert "at least 7 days" in ran.out


@pytest.mark.parametrize("form", ["human", "json", "sarif", "junit"])
def test_no_format_tells_a_secret(run: Run, checkout: Path, form: str) -> None:
    ran = run("check", "--file", _state(checkout, backupRetentionPeriod=SECRET), "--format", form)
    assert ran.code == 1
    assert "rds-retention" in ran.out
    assert SECRET not in ran.out + ran.err


def test_the_formats_say_the_same(run: Run, checkout: Path) -> None:
    arguments = ("check", "--file", _state(checkout))
    document = json.loads(run(*arguments, "--json").out)
    assert json.loads(run(*arguments, "--format", "json").out) == document
    results = json.loads(run(*arguments, "--format", "sarif").out)["runs"][0]["results"]
    assert [each["ruleId"] for each in results] == [each["rule"] for each in document["findings"]]
    failing = {
        each["rule"] for each in document["findings"] if each["status"] == "violation" and each["level"] == "mandatory"
    }
    root = ET.fromstring(run(*arguments, "--format", "junit").out.encode())  # noqa: S314 - our own text
    assert {case.get("name") for case in root.iter("testcase") if case.find("failure") is not None} == failing
    assert (document["stack"], document["profile"]) == ("reskflow", "production")


def test_a_report_goes_to_a_file_and_the_page_to_the_log(run: Run, checkout: Path) -> None:
    arguments = ("check", "--file", _state(checkout), "--format", "sarif", "--output", "out.sarif")
    ran = run(*arguments)
    assert ran.code == 1
    assert ran.out.splitlines()[-1].startswith("FAILED: ")
    assert json.loads((checkout / "out.sarif").read_text())["version"] == "2.1.0"
    assert json.loads(run(*arguments, "--json").out)["failed"]
    run("check", "--file", _state(checkout), "--output", "page.txt")
    assert (checkout / "page.txt").read_text() == ran.out


def test_an_output_is_tried_before_anything_else_and_not_left(run: Run, checkout: Path) -> None:
    ran = run("check", "--file", "none.json", "--output", "out.txt")
    assert (ran.code, ran.err) == (2, "lifeboat: --file: none.json: No such file or directory\n")
    assert not (checkout / "out.txt").exists()
    (checkout / "out.txt").write_text("kept")
    run("check", "--file", "none.json", "--output", "out.txt")
    assert (checkout / "out.txt").read_text() == "kept"


def test_flags_win_over_the_settings(run: Run, checkout: Path) -> None:
    config = _write(checkout / "c.json", {"settings": {"profile": "soc2", "rules": {"rds-retention": {"days": 30}}}})
    arguments = ("check", "--file", _state(checkout, backupRetentionPeriod=29), "--config", config, "--json")
    document = json.loads(run(*arguments).out)
    assert (document["profile"], document["strict"]) == ("soc2", False)
    assert "at least 30 days" in next(
        each["message"] for each in document["findings"] if each["rule"] == "rds-retention"
    )
    document = json.loads(run(*arguments, "--profile", "baseline", "--strict").out)
    assert (document["profile"], document["strict"]) == ("baseline", True)


def test_suppressions_beside_the_project_or_by_name(run: Run, checkout: Path) -> None:
    arguments = ("check", "--file", _state(checkout), "--config", _config(checkout))
    _write(checkout / "policy-suppressions.yaml", [SUPPRESSION])
    ran = run(*arguments)
    assert ran.code == 0
    assert "until 2999-12-31 by platform: It can be made again" in ran.out
    expired = _write(checkout / "other.yaml", [{**SUPPRESSION, "expires": "2026-01-01"}])
    ran = run(*arguments, "--suppressions", expired)
    assert ran.code == 1
    assert "expired on 2026-01-01" in ran.out


def test_a_program_s_directory_is_where_suppressions_are(
    run: Run, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(checkout / "policy-suppressions.yaml", [SUPPRESSION])
    (checkout / "deeper").mkdir()
    monkeypatch.chdir(checkout / "deeper")
    assert run("check", "--file", _state(checkout), "--config", _config(checkout)).code == 0


def test_a_state_is_judged_outside_of_any_project(
    run: Run, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, config = _state(checkout), _config(checkout)
    monkeypatch.chdir(tmp_path)
    assert run("check", "--file", state, "--config", config).code == 1


BAD = {
    "no stack": ((), "STACK: absent, and there is no --file either"),
    "unknown profile": (
        ("--file", "state.json", "--profile", "prod"),
        f"profile: prod: there are {', '.join(profile_names())}",
    ),
    "no state": (("--file", "none.json"), "--file: none.json: No such file or directory"),
    "no JSON": (("--file", "broken"), "broken: not JSON: Expecting value: line 1 column 1 (char 0)"),
    "no deployment": (
        ("--file", "list.json"),
        "list.json: a deployment as `pulumi stack export` writes it is expected",
    ),
    "no resource": (("--file", "half.json"), "half.json: deployment.resources.0.type: Field required"),
    "no inputs": (
        ("--file", "inputs.json"),
        "inputs.json: deployment.resources.0.inputs: Input should be a valid dictionary",
    ),
    "no plaintext": (
        ("--file", "secret.json"),
        "secret.json: a secret's plaintext: JSON in a string is expected",
    ),
    "no text": (("--file", "binary"), "--file: binary: not UTF-8 text"),
    "another stack": (("prod", "--file", "state.json"), "STACK: prod: state.json is of stack reskflow"),
    "no config": (("--file", "state.json", "--config", "none.json"), "--config: none.json: No such file or directory"),
    "another config": (
        ("--file", "state.json", "--config", "half.json"),
        "--config: half.json: deployment: only 'settings' is expected; rules are set under settings.rules",
    ),
    "unknown rule": (
        ("--file", "state.json", "--config", "unknown.json"),
        "rules.rds-retentoin: no such rule; `docs/policies.md` lists them",
    ),
    "no level": (
        ("--file", "state.json", "--config", "level.json"),
        "rules.rds-retention.level: ['mandatory']: mandatory, advisory or disabled is expected",
    ),
    "no suppressions": (
        ("--file", "state.json", "--suppressions", "{checkout}/none.yaml"),
        "suppressions: {checkout}/none.yaml: No such file or directory",
    ),
    "suppressions without an owner": (
        ("--file", "state.json", "--suppressions", "{checkout}/owner.yaml"),
        "{checkout}/owner.yaml: 0.owner: Field required",
    ),
    "suppressions that are no list": (
        ("--file", "state.json", "--suppressions", "{checkout}/half.json"),
        "{checkout}/half.json: document: Input should be a valid list",
    ),
    "suppressions that are no text": (
        ("--file", "state.json", "--suppressions", "{checkout}/binary"),
        "suppressions: {checkout}/binary: not UTF-8 text",
    ),
    "two formats": (
        ("--file", "state.json", "--json", "--format", "sarif"),
        "--format: sarif: --json takes stdout; tell an --output for the other",
    ),
    "no directory": (
        ("--file", "state.json", "--output", "no/where"),
        "--output: no/where: there is no directory no",
    ),
    "an output that is a directory": (("prod", "--output", "{checkout}"), "--output: {checkout}: Is a directory"),
    "an output with too long a name": (
        ("prod", "--output", "x" * 300),
        f"--output: {'x' * 300}: File name too long",
    ),
    "an output on a full disk": (
        ("--file", "state.json", "--output", "/dev/full"),
        "--output: /dev/full: No space left on device",
    ),
    "a state nested too deeply": (("--file", "deep.json"), "deep.json: nested too deeply"),
    "settings nested too deeply": (
        ("--file", "state.json", "--config", "deep.json"),
        "--config: deep.json: nested too deeply",
    ),
    "suppressions until a day that there is not": (
        ("--file", "state.json", "--suppressions", "{checkout}/day.yaml"),
        "{checkout}/day.yaml: a date or a number that there is not: day is out of range for month",
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_what_cannot_be_used_is_exit_2_with_a_line(run: Run, checkout: Path, case: str) -> None:
    (checkout / "broken").write_text("x")
    (checkout / "deep.json").write_text("[" * 100000)
    (checkout / "day.yaml").write_text("- expires: 2027-02-30")
    (checkout / "binary").write_bytes(b"\xff\xfe")
    _write(checkout / "list.json", [])
    _write(checkout / "half.json", {"version": 3, "deployment": {"resources": [{"urn": ROOT}]}})
    _state(checkout, token=UNREADABLE)
    (checkout / "state.json").rename(checkout / "secret.json")
    _state(checkout)
    _write(checkout / "inputs.json", {"version": 3, "deployment": {"resources": [{**ENTRY, "inputs": SECRET}]}})
    _write(checkout / "unknown.json", {"settings": {"rules": {"rds-retentoin": {"days": 1}}}})
    _write(checkout / "level.json", {"settings": {"rules": {"rds-retention": {"level": ["mandatory"]}}}})
    _write(checkout / "owner.yaml", [{key: value for key, value in SUPPRESSION.items() if key != "owner"}])
    arguments, line = BAD[case]
    ran = run("check", *(each.format(checkout=checkout) for each in arguments))
    assert (ran.code, ran.out, ran.err) == (2, "", f"lifeboat: {line.format(checkout=checkout)}\n")


def test_an_unknown_format_lists_those_there_are(run: Run) -> None:
    ran = run("check", "--format", "xml")
    assert ran.code == 2
    assert all(form in ran.err for form in ("human", "json", "sarif", "junit"))
