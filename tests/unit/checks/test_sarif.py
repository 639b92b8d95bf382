"""SARIF: valid by its published schema, and meaning what it should."""

from __future__ import annotations

import copy
import hashlib
import json
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft4Validator, ValidationError

from lifeboat.checks.sarif import SCHEMA, sarif
from tests.unit.checks.conftest import SECRET, report

if TYPE_CHECKING:
    from lifeboat.checks.report import Report
    from policies.core.resource import Resource

PUBLISHED = Path(str(distribution("linceo").locate_file("linceo/data/sarif-schema-2.1.0.json")))
"""The standard's own file, which a package happens to carry."""
DIGEST = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""Of the schema of SARIF 2.1.0 with errata 01, so that it is that one and nothing else."""


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    text = PUBLISHED.read_bytes()
    assert hashlib.sha256(text).hexdigest() == DIGEST
    document = json.loads(text)
    assert document["id"] == SCHEMA
    Draft4Validator.check_schema(document)
    return Draft4Validator(document, format_checker=Draft4Validator.FORMAT_CHECKER)


def _results(found: Report) -> list[dict[str, Any]]:
    return sarif(found)["runs"][0]["results"]


def _of(found: Report, rule: str, name: str) -> list[dict[str, Any]]:
    return [
        each
        for each in _results(found)
        if each["ruleId"] == rule and each["locations"][0]["logicalLocations"][0]["name"].startswith(name)
    ]


def test_it_is_valid(full: Report, clean: Report, schema: Draft4Validator) -> None:
    for found in (full, clean, report([])):
        schema.validate(json.loads(json.dumps(sarif(found))))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("results", 0, "kind"), "undecided"),
        (("results", 0, "level"), "mandatory"),
        (("results", 0, "suppressions"), [{"justification": "no kind"}]),
        (("invocations", 0, "executionSuccessful"), None),
        (("tool", "driver", "rules", 0, "help"), {"markdown": "no text"}),
        (("results", 0, "locations", 0, "physicalLocation"), {"region": {"startLine": 1}}),
    ],
)
def test_the_schema_would_notice(
    full: Report, schema: Draft4Validator, path: tuple[str | int, ...], value: object
) -> None:
    document = copy.deepcopy(sarif(full))
    holder = document["runs"][0]
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    with pytest.raises(ValidationError):
        schema.validate(document)


def test_mandatory_violations_are_errors_and_advice_is_not(full: Report) -> None:
    (bad,) = _of(full, "is-safe", "bad")
    assert (bad["kind"], bad["level"], bad["properties"]["path"]) == ("fail", "error", "safe")
    (low,) = _of(full, "is-low", "bad")
    assert (low["kind"], low["level"]) == ("fail", "note")
    baseline = report([*()], settings={"profile": "baseline"})
    rules = {each["id"]: each for each in sarif(baseline)["runs"][0]["tool"]["driver"]["rules"]}
    assert rules["is-double"]["defaultConfiguration"] == {"level": "warning"}
    assert "is-low" not in rules, "a disabled rule did not run"


def test_undecided_is_open_without_a_level(full: Report) -> None:
    (later,) = _of(full, "is-safe", "later")
    assert (later["kind"], later["level"]) == ("open", "none")


def test_suppressed_is_external_with_its_reason(full: Report) -> None:
    (accepted,) = _of(full, "is-safe", "accepted")
    (own,) = accepted["suppressions"]
    assert (own["kind"], own["status"]) == ("external", "accepted")
    assert own["justification"] == "accepted until 2027-01-31 by team: Ordered \x00 <soon>"
    assert not any("suppressions" in each for each in _results(full) if each is not accepted and each != accepted)


def test_rules_can_be_found_and_carry_what_people_search_for(full: Report) -> None:
    rules = sarif(full)["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in _results(full))
    safe, double = rules[0], rules[1]
    assert safe["properties"]["tags"] == ["security", "soc2:A1.2"]
    assert double["properties"]["tags"] == ["security", "checkov:CKV_1"]
    assert safe["help"]["text"] == "1. First do this.\n2. Then that."
    assert safe["fullDescription"]["text"] == "Title of is-safe. Default: it is not safe by default."
    scores = [float(each["properties"]["security-severity"]) for each in rules[:4]]
    assert [score >= least for score, least in zip(scores, (9.0, 7.0, 0.1, 4.0), strict=True)] == [True] * 4
    assert scores[2] < 4.0


def test_a_result_points_at_the_resource_and_at_a_file(full: Report) -> None:
    (bad,) = _of(full, "is-safe", "bad")
    (place,) = bad["locations"]
    assert place["physicalLocation"]["artifactLocation"] == {"uri": "Pulumi.test.yaml"}
    assert place["logicalLocations"] == [
        {
            "name": "bad",
            "fullyQualifiedName": "urn:pulumi:test::project::aws:s3/bucket:Bucket::bad",
            "kind": "resource",
        }
    ]
    (whole,) = _of(full, "is-whole", "the stack")
    assert whole["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "test"


def test_fingerprints_stay_and_differ(full: Report, stack: list[Resource]) -> None:
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in _results(full)]
    assert len(set(prints)) == len(prints)
    # Another resource, in front of the others, changes none of theirs.
    again = report(stack[::-1])
    kept = {each["partialFingerprints"]["primaryLocationLineHash"] for each in _results(again)}
    assert kept == set(prints)
    fewer = {each["partialFingerprints"]["primaryLocationLineHash"] for each in _results(report(stack[:1]))}
    assert fewer < kept


def test_faults_are_notifications_and_no_success(full: Report, clean: Report) -> None:
    (invocation,) = sarif(full)["runs"][0]["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 1)
    texts = [each["message"]["text"] for each in invocation["toolExecutionNotifications"]]
    assert any(text.startswith("is-broken: the rule itself failed with ZeroDivisionError") for text in texts)
    assert any("expired on 2026-01-31" in text for text in texts)
    (invocation,) = sarif(clean)["runs"][0]["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 0)


def test_no_value_is_in_it(full: Report) -> None:
    assert SECRET not in json.dumps(sarif(full))
