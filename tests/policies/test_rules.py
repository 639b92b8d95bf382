"""Every rule, by its cases."""

from __future__ import annotations

import pkgutil
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from policies.core.judge import Status
from policies.core.suppressions import Suppression
from tests.policies import cases
from tests.policies.harness import rules, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.policies.harness import Case

MODULES = [import_module(f"{cases.__name__}.{each.name}") for each in pkgutil.iter_modules(cases.__path__)]
CASES: Mapping[str, list[Case]] = {
    name: [case for each in MODULES for case in each.CASES.get(name, ())] for module in MODULES for name in module.CASES
}
NOT_APPLICABLE = {name: kinds for module in MODULES for name, kinds in module.NOT_APPLICABLE.items()}
KINDS = {"passes", "fails", "absent", "unknown", "exempt", "companion"}
EACH = [
    pytest.param(name, case, id="-".join(part.replace(" ", "_") for part in (name, case.kind, case.about) if part))
    for name, found in CASES.items()
    for case in found
]


@pytest.mark.parametrize(("rule", "case"), EACH)
def test_a_rule_says_what_its_case_expects(rule: str, case: Case) -> None:
    judgement = case.run(rule)
    assert judgement.faults == ()
    assert said(judgement, Status.VIOLATION) == sorted(case.violated)
    assert said(judgement, Status.UNDECIDED) == sorted(case.undecided)
    assert bool(case.violated) == (case.kind in {"fails", "absent"}) or case.kind in {"companion", "unknown", "absent"}


@pytest.mark.parametrize("rule", list(rules()))
def test_a_rule_has_a_case_of_every_kind(rule: str) -> None:
    kinds = {case.kind for case in CASES.get(rule, ())}
    not_applicable = NOT_APPLICABLE.get(rule, {})
    assert kinds <= KINDS
    assert not kinds & not_applicable.keys(), "a kind with a case does apply"
    assert kinds | not_applicable.keys() == KINDS
    assert all(not_applicable.values())


@pytest.mark.parametrize(
    ("rule", "case"),
    [pytest.param(name, next(c for c in found if c.kind == "fails"), id=name) for name, found in CASES.items()],
)
def test_a_violation_can_be_suppressed(rule: str, case: Case) -> None:
    accepted = Suppression(rule=rule, resource="*", reason="tested", owner="tests", expires=date(2026, 12, 31))
    judgement = case.run(rule, [accepted])
    assert judgement.faults == ()
    assert not judgement.failed
    assert said(judgement, Status.SUPPRESSED) == sorted(case.violated)
