"""What the other tests take for our deployed stacks is that: the rules say of both the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import Directory
from lifeboat.sandbox.up import up
from policies.core.judge import Status, judge
from policies.core.settings import SUPPRESSIONS, resolve_settings
from policies.core.state import index_of_state
from policies.core.suppressions import parse_suppressions
from tests.policies.harness import TODAY, rules
from tests.policies.own import STACKS, own
from tests.project import ROOT, link_project

if TYPE_CHECKING:
    from pathlib import Path

    from policies.core.index import Index

# So demanding that there is something to compare.
DEMANDING = {
    name: {key: each.default * 1000 + 999 for key, each in rule.metadata.parameters.items() if each.type == "integer"}
    for name, rule in rules().items()
}


def _found(index: Index) -> set[tuple[str, str, str]]:
    judgement = judge(index, rules(), resolve_settings({"rules": DEMANDING}, rules()), today=TODAY)
    assert judgement.faults == ()
    return {(each.rule, each.urn, each.path) for each in judgement.findings}


@pytest.mark.parametrize("stack", STACKS)
def test_our_own_stacks_pass_what_production_demands(stack: str) -> None:
    accepted = parse_suppressions((ROOT / SUPPRESSIONS).read_text(), rules())
    judgement = judge(own(stack), rules(), resolve_settings({"profile": "production"}, rules()), accepted, today=TODAY)
    assert judgement.faults == ()
    assert judgement.having(Status.UNDECIDED) == ()
    assert [each for each in judgement.findings if each.fails] == []
    assert len(accepted) <= 5


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_without_a_cloud_is_judged_as_the_deployed_one(stack: str, tmp_path: Path) -> None:
    directory = Directory.of_project(link_project(tmp_path))
    try:
        state = up(stack, directory, progress=lambda _: None).state.read_text()
    finally:
        supervisor.stop(directory)
    evaluated = _found(own(stack))
    assert evaluated
    assert evaluated == _found(index_of_state(state))
