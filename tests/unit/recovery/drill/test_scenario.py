"""Scenarios as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifeboat.recovery.drill.scenario import Expect, Roles, ScenarioError, read, scenario, scenarios
from lifeboat.sandbox.live.fault_documents import parse
from tests.unit.recovery.drill.parts import HOME, STANDBY, WITNESS, physical

if TYPE_CHECKING:
    from pathlib import Path

ROLES = Roles(home="eu-west-1", standby="eu-central-1", witness="eu-north-1")


def test_every_scenario_that_was_promised_is_there() -> None:
    assert set(scenarios()) == {
        "asymmetric-partition",
        "database-corruption",
        "graceful-switchover",
        "grey-failure",
        "network-partition",
        "region-failure",
        "standby-unready",
        "throttled-failure",
    }


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_faults_are_the_sandboxes_own_in_the_stacks_regions(name: str) -> None:
    found = scenario(name)
    for documents in (found.documents(ROLES, 5), found.preparation(ROLES, 5)):
        assert all(fault.seed == 5 for fault in (parse(documents) if documents else []))
        assert "{" not in "".join(str(value) for document in documents for value in document.values())


def test_roles_are_those_of_the_stack() -> None:
    assert Roles.of(physical().topology) == Roles(home=HOME, standby=STANDBY, witness=WITNESS)
    (fault,) = scenario("region-failure").documents(Roles.of(physical().topology), 0)
    assert fault == {"kind": "region-blackout", "region": HOME, "seed": 0}


def test_a_slow_site_moves_only_where_a_rule_is_declared() -> None:
    grey = scenario("grey-failure")
    assert grey.expectation(physical().settings) is Expect.NOTHING
    ruled = physical("  lifeboat:grey_failure: {latency_ms: 800}\n")
    assert grey.expectation(ruled.settings) is Expect.FAILOVER


def test_only_faults_of_the_whole_api_make_a_region_dark() -> None:
    assert scenario("network-partition").dark(ROLES) == {"eu-west-1"}
    assert scenario("asymmetric-partition").dark(ROLES) == frozenset()


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(ScenarioError, match="--scenario: flood: accepted is one of asymmetric-partition, database"):
        scenario("flood")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("expect: failover\nloss: none\nfaults: [{kind: flood}]", "flood"),
        ("expect: failover\nloss: none", "faults: empty: accepted where a switchover is expected"),
        ("expect: refused\nloss: some\nfaults: [{kind: region-blackout, region: '{home}'}]", "loss: Input should be"),
        ("expect: switchover\nloss: none\nafterwards: [failback, rejoin]", "in the order heal, rejoin, failback"),
        ("[]", "bad.yaml: accepted are the keys of a scenario"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text if text == "[]" else f"title: t\nabout: a\n{text}\n")
    with pytest.raises(ScenarioError) as refused:
        read(path)
    assert told in str(refused.value)
