"""The page for people, and the document for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lifeboat.checks.document import document
from lifeboat.checks.page import page, summary
from lifeboat.cli.output import plain
from tests.unit.checks.conftest import SECRET, report

if TYPE_CHECKING:
    import pytest

    from lifeboat.checks.report import Report
    from policies.core.resource import Resource


def test_the_page_says_what_fails_and_then_what_to_do(full: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = plain(page(full))
    order = ["violations", "what to do", "advice: ", "undecided: ", "suppressed: ", "the pack itself", "FAILED: "]
    places = [text.index(f"\n{title}" if title != "violations" else title) for title in order]
    assert places == sorted(places)
    violations = text[: places[1]].splitlines()
    severities = [line.split()[0] for line in violations if line.startswith("  ") and line.strip()[:3] != "aws"]
    assert severities == ["critical", *["high"] * 6, "medium"]
    assert "it is absent, and it is not safe by default" in text
    assert "is-safe: Title of is-safe" in text[places[1] : places[2]]
    assert "until 2027-01-31 by team: Ordered" in text[places[4] : places[5]]
    assert "the stack" in text
    assert SECRET not in text


def test_nothing_in_a_name_is_markup_and_a_file_has_no_colour(full: Report) -> None:
    text = plain(page(full))
    assert text.partition("the pack itself")[0].count("[bold]") == 4, "in every row about that resource"
    assert "\x1b" not in text


def test_a_clean_stack_is_one_line(clean: Report) -> None:
    assert plain(page(clean)) == f"{summary(clean)}\n"
    assert summary(clean) == "passed: 0 violations; test: 1 resource, 2 rules of production"


def test_the_summary_counts_by_severity(full: Report) -> None:
    assert summary(full) == (
        "FAILED: 8 violations (1 critical, 6 high, 1 medium), 2 advised, 2 undecided, 1 suppressed, "
        "4 faults of the pack; test: 3 resources, 6 rules of production"
    )


def test_the_document_keeps_its_keys(full: Report) -> None:
    found = document(full)
    assert list(found) == ["stack", "profile", "strict", "failed", "rules", "resources", "findings", "faults"]
    assert (found["failed"], found["rules"], found["resources"], len(found["faults"])) == (True, 6, 3, 4)
    common = {"rule", "severity", "level", "status", "urn", "path", "message"}
    extra = {"violation": {"remediation"}, "undecided": set[str](), "suppressed": {"suppression"}}
    for finding in found["findings"]:
        assert set(finding) == common | extra[finding["status"]]
    assert {each["status"] for each in found["findings"]} == set(extra)
    (accepted,) = (each["suppression"] for each in found["findings"] if "suppression" in each)
    assert accepted == {
        "resource": "*accepted*",
        "reason": "Ordered \x00 <soon>",
        "owner": "team",
        "expires": "2027-01-31",
    }
    assert SECRET not in json.dumps(found)


def test_strict_is_told_and_leaves_nothing_undecided(stack: list[Resource]) -> None:
    found = report(stack, settings={"strict": True})
    assert found.undecided == ()
    assert "bad later" in " ".join(each.urn.rpartition("::")[2] for each in found.violations if each.rule == "is-safe")
    assert summary(found).endswith("rules of production, strict")
