"""The whole program with both stacks' settings: what only shows when every component is there."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase

import pulumi
import pytest

from lifeboat.sandbox.inprocess.config import read_config
from lifeboat.sandbox.plugin.wire import holds_secret
from tests.components.harness import regions_in
from tests.program import PROVIDER, Evaluation, evaluate
from tests.project import ROOT

ROLE = re.compile(
    r"(^|-)(primary|secondary|home|standby|active|passive|leader|follower|master|slave|writer|reader|replica|main|dr)(-|$)"
)
"""Words of a role, which a failover moves; a logical name is for ever."""

REACHING = {
    # Members of what spans both sites.
    "aws:rds/cluster:Cluster",
    "aws:rds/instance:Instance",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    # Copies from one site to the other.
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
    # The contract, which speaks of both.
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:ssm/parameter:Parameter",
}
"""Types of a site's resources that may need the other site to be created."""


@pytest.fixture(scope="module", params=["reskflow", "prod"])
def stack(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def program(stack: str) -> Evaluation:
    return evaluate(stack)


def _settings(stack: str) -> dict[str, str]:
    return read_config(ROOT, stack, passphrase=None).values


def test_a_target_selects_exactly_what_lives_in_a_region(program: Evaluation) -> None:
    custom = {each.urn: each for each in program.registrations.values() if each.custom}
    for region in program.regions.values():
        selected = {urn for urn in program.registrations if fnmatchcase(urn, f"**{region}**")}
        lives = {urn for urn, each in custom.items() if each.inputs.get("region") == region and each.type == PROVIDER}
        lives |= {urn for urn, each in custom.items() if program.region(each) == region and "-global-" not in each.name}
        assert selected & custom.keys() == lives
        # A component that is selected holds nothing of another region.
        assert {urn for urn, each in custom.items() if each.parent in selected} <= lives


def test_names_say_the_region_or_that_there_is_none(program: Evaluation) -> None:
    for each in program.resources:
        expected = set[str]() if "-global-" in each.name else {program.region(each)}
        assert regions_in(each.name) == expected, each.name


def test_every_resource_names_its_provider(program: Evaluation) -> None:
    """But for `random`, which has no region and calls nobody."""
    unprovided = {each.type for each in program.resources if not each.provider}
    assert unprovided <= {"random:index/randomPassword:RandomPassword"}


def test_no_name_is_a_role(program: Evaluation) -> None:
    assert [each.name for each in program.registrations.values() if ROLE.search(each.name)] == []


def test_names_are_unique(program: Evaluation) -> None:
    custom = [(each.type, each.name) for each in program.registrations.values()]
    assert len(custom) == len(set(custom))


def test_providers_refuse_every_other_account(program: Evaluation, stack: str) -> None:
    providers = [each for each in program.registrations.values() if each.type == PROVIDER]
    assert {each.name: json.loads(each.inputs["allowedAccountIds"]) for each in providers} == {
        f"aws-{region}": [_settings(stack)["lifeboat:account"]] for region in program.regions.values()
    }


def _needed(program: Evaluation, region: str) -> dict[str, set[str | None]]:
    """Regions of what each resource of a region needs, by URN."""
    return {
        each.urn: {
            program.region(program.registrations[urn]) for urn in each.depends_on if program.registrations[urn].custom
        }
        for each in program.resources
        if program.region(each) == region
    }


def test_the_witness_needs_no_site(program: Evaluation, stack: str) -> None:
    """Switches and zone can be made and mended with either site gone."""
    witness = _settings(stack)["lifeboat:witness"]
    needed = _needed(program, witness)
    assert len(needed) >= 3
    assert set[str | None]().union(*needed.values()) <= {witness}


def test_the_other_site_needs_the_home_only_for_what_spans_both(program: Evaluation, stack: str) -> None:
    """Its keys, network, buckets, alarms and checks can be made and mended with the home gone."""
    home = _settings(stack)["lifeboat:home"]
    (other,) = {site["region"] for site in json.loads(_settings(stack)["lifeboat:sites"])} - {home}
    reaching = {urn for urn, regions in _needed(program, other).items() if home in regions}
    assert {program.registrations[urn].type for urn in reaching} <= REACHING
    policies = [urn for urn in reaching if program.registrations[urn].type == "aws:iam/rolePolicy:RolePolicy"]
    assert all(urn.endswith("-replication-policy") for urn in policies)


def test_only_the_contract_is_exported_and_it_holds_no_secret(program: Evaluation) -> None:
    assert program.exports.keys() == {"contract"}
    assert not holds_secret(program.exports)
    text = json.dumps(program.exports)
    generated = [each for each in program.resources if each.type == "random:index/randomPassword:RandomPassword"]
    assert generated
    for each in generated:
        assert each.state["result"] not in text, each.name


def test_the_order_of_sites_changes_nothing(program: Evaluation, stack: str) -> None:
    sites = json.loads(_settings(stack)["lifeboat:sites"])
    turned = evaluate(stack, config={"lifeboat:sites": json.dumps(sites[::-1])})
    assert turned.raw == program.raw
    assert turned.exports == program.exports
    for urn, each in program.registrations.items():
        other = turned.registrations[urn]
        assert (other.provider, other.parent, other.depends_on) == (each.provider, each.parent, each.depends_on)


def test_settings_that_hold_faults_end_the_program_with_a_line_each() -> None:
    faults = {"lifeboat:home": "mars", "lifeboat:aproval": "one", "lifeboat:objectives": '{"stack": {"rto": "soon"}}'}
    with pytest.raises(pulumi.RunError) as caught:
        evaluate("prod", config=faults)
    lines = str(caught.value).splitlines()
    assert sorted(line.partition(": ")[0] for line in lines) == [
        "lifeboat:aproval",
        "lifeboat:home",
        "lifeboat:objectives.stack.rto",
    ]
    assert all("accepted is" in line for line in lines)


def test_what_cannot_be_met_ends_the_program_with_its_arithmetic() -> None:
    objectives = json.loads(_settings("prod")["lifeboat:objectives"])
    objectives["stack"]["rpo"] = "1s"
    with pytest.raises(
        pulumi.RunError, match=r"RPO 1s of objectives\.stack cannot be met by a plain replica: worst loss 5m"
    ):
        evaluate("prod", config={"lifeboat:objectives": json.dumps(objectives)})


def test_a_decrypted_setting_is_not_shown() -> None:
    wrong = {"lifeboat:home": "hunter2", "lifeboat:witness": "pluto"}
    with pytest.raises(pulumi.RunError) as caught:
        evaluate("prod", config=wrong, secret_keys=["lifeboat:home"])
    assert "hunter2" not in str(caught.value)
    assert "pluto" in str(caught.value)
