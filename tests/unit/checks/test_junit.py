"""JUnit XML: well-formed whatever names hold, and failing where the check fails."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from lifeboat.checks.junit import junit
from tests.policies.harness import make
from tests.unit.checks.conftest import BUCKET, RULES, SECRET, report

if TYPE_CHECKING:
    from lifeboat.checks.report import Report


def _case(found: Report, name: str) -> ET.Element:
    (case,) = ET.fromstring(junit(found)).findall(f".//testcase[@name='{name}']")  # noqa: S314 - our own text
    return case


def test_a_suite_per_subject_with_a_case_per_rule(full: Report) -> None:
    root = ET.fromstring(junit(full))  # noqa: S314 - our own text
    suites = {suite.get("name"): [case.get("name") for case in suite] for suite in root}
    assert suites == {
        "Subject | one": ["is-safe", "is-double"],
        "Subject two": ["is-low", "is-whole", "is-fine", "is-broken"],
        "Policy pack": ["suppressions and rules"],
    }
    assert [root.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["7", "3", "1", "1"]
    assert root.find("testsuite[@name='Subject | one']").get("failures") == "2"  # type: ignore[union-attr]


def test_a_failure_names_every_resource_and_what_to_do(full: Report) -> None:
    case = _case(full, "is-double")
    (failure,) = case
    assert failure.get("type") == "high"
    assert (failure.text or "").count("it needs <one>") == (failure.text or "").count("another & more") == 3
    assert (failure.text or "").endswith("1. First do this.\n2. Then that.")


def test_what_does_not_fail_is_told_beside(full: Report) -> None:
    case = _case(full, "is-safe")
    assert [each.tag for each in case] == ["failure", "system-out"]
    lines = (case.findtext("system-out") or "").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["undecided", "suppressed"]
    assert lines[1].endswith("(until 2027-01-31 by team: Ordered  <soon>)")


def test_a_rule_that_only_advises_passes_or_waits(full: Report) -> None:
    assert [each.tag for each in _case(full, "is-low")] == ["skipped", "system-out"]
    only_bad = report([make(BUCKET, "bad")])
    assert [each.tag for each in _case(only_bad, "is-low")] == ["system-out"]
    assert (_case(only_bad, "is-low").findtext("system-out") or "").startswith("advice: ")
    assert len(_case(only_bad, "is-fine")) == 0


def test_faults_are_errors(full: Report, clean: Report) -> None:
    (error,) = _case(full, "suppressions and rules")
    assert error.tag == "error"
    assert "ZeroDivisionError" in (error.text or "")
    assert "expired on" in (error.text or "")
    assert len(_case(clean, "suppressions and rules")) == 0


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x0b", "\ud800", "\ufffe", "]]>", "\x85", "é", "\U0001f600"])
def test_any_character_may_be_in_a_name(character: str) -> None:
    resource = make(BUCKET, f"a{character}b")
    rule = RULES["is-double"]
    text = junit(report([resource], rules={rule.name: rule}))
    failure = ET.fromstring(text.encode()).find(".//failure")  # noqa: S314 - our own text
    assert failure is not None
    kept = "" if character in "\x00\x1b\x0b\ud800\ufffe" else character
    assert f"::a{kept}b: it needs" in (failure.text or "")


def test_no_value_is_in_it(full: Report) -> None:
    assert SECRET not in junit(full)
