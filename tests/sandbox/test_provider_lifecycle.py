"""Every type of the catalogue through its whole life, against the running gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.catalogue import load, sdk
from lifeboat.sandbox.provider import Provider, ProviderError, Result
from tests.sandbox.provider_examples import EXAMPLES, HOME, MORE, STANDBY, Example, resolve

if TYPE_CHECKING:
    from lifeboat.sandbox.provider import Values
    from lifeboat.sandbox.state import Record

ACCOUNT = "123456789012"

# What deleting does not take away, on the real cloud either: settings of what stays, and what the vendor itself made.
STAYS = {
    "accepter": "deleting forgets the accepter; the requester deletes the connection",
    "default-group": "a VPC always has its default group",
    "lock": "object lock stays for the bucket's life",
    "secret-version": "a version goes with its secret",
    "topic-policy": "the vendor's default policy comes back",
    "versioning-home": "versioning can only be suspended",
    "versioning-standby": "versioning can only be suspended",
}


class World:
    """The examples, made."""

    def __init__(self, endpoint: str) -> None:
        self.providers = {
            region: Provider(region=region, account=ACCOUNT, endpoint=endpoint, catalogue=load())
            for region in (HOME, STANDBY)
        }
        self.made: dict[str, Result] = {}
        for example in EXAMPLES:
            provider = self.providers[example.region]
            known = {name: (result.id, result.outputs) for name, result in self.made.items()}
            wanted = resolve(example.inputs, known)
            assert isinstance(wanted, dict)
            inputs, failures = provider.check(example.token, None, wanted, name=example.name)
            assert failures == [], example.name
            self.made[example.name] = provider.create(example.token, inputs)

    def changed(self, example: Example) -> Values:
        """An example's inputs with its update, and other tags where it has any."""
        known = {name: (result.id, result.outputs) for name, result in self.made.items()}
        update = resolve(example.update, known)
        assert isinstance(update, dict)
        inputs = {**self.made[example.name].inputs, **update}
        return {**inputs, "tags": MORE} if "tags" in inputs else inputs


@pytest.fixture(scope="module")
def world(gateway: Record) -> World:
    return World(gateway.endpoint)


each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
calls_apis = {entry.token for entry in load() if entry.running.calls_apis}
each_real = pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.token in calls_apis], ids=lambda example: example.name
)


def test_every_type_of_the_catalogue_has_an_example() -> None:
    assert {example.token for example in EXAMPLES} == {entry.token for entry in load()}


@each_example
def test_created_with_every_output_of_the_type(world: World, example: Example) -> None:
    result = world.made[example.name]
    assert result.id
    assert set(result.outputs) == set(sdk.resource_type(example.token).outputs)


@each_example
def test_a_refresh_after_creation_finds_no_drift(world: World, example: Example) -> None:
    provider, result = world.providers[example.region], world.made[example.name]
    read = provider.read(example.token, result.id, result.inputs, result.outputs)
    assert read is not None
    assert read.id == result.id
    diff = provider.diff(example.token, read.inputs, result.inputs)
    assert diff.detailed == {}


@each_real
def test_adopted_without_replacement(world: World, example: Example) -> None:
    """What exists can be imported by its identifier; what cannot be read back is set in place, never replaced."""
    provider, result = world.providers[example.region], world.made[example.name]
    identifier = result.id
    if example.name == "route":
        identifier = f"{result.outputs['routeTableId']}_{result.outputs['destinationCidrBlock']}"
    if example.name == "event-target":
        identifier = f"default/{result.outputs['rule']}/{result.outputs['targetId']}"
    if example.name == "task":
        identifier = str(result.outputs["arn"])
    if example.name == "selection":
        identifier = f"{result.outputs['planId']}|{result.id}"
    read = provider.read(example.token, identifier)
    assert read is not None
    if example.name == "record":
        # Adopted by its full name, which the program then has to write.
        assert read.inputs["name"] == "api.reskflow.example"
        return
    assert read.id == result.id
    assert provider.diff(example.token, read.inputs, result.inputs).replaces == ()


@each_example
def test_an_update_in_place_reads_back_as_written(world: World, example: Example) -> None:
    provider, result = world.providers[example.region], world.made[example.name]
    news = world.changed(example)
    diff = provider.diff(example.token, result.inputs, news)
    assert (diff.replaces, diff.refused) == ((), {})
    outputs = provider.update(example.token, result.id, result.outputs, news, old_inputs=result.inputs)
    world.made[example.name] = Result(result.id, outputs, news)
    read = provider.read(example.token, result.id, news, outputs)
    assert read is not None
    assert provider.diff(example.token, read.inputs, news).detailed == {}
    if "tags" in news:
        assert outputs["tags"] == outputs["tagsAll"] == MORE


def test_deleted_in_reverse_and_then_gone(gateway: Record) -> None:
    """A world of its own: the tests above share theirs in any order."""
    from lifeboat.sandbox import supervisor  # noqa: PLC0415 - only this test resets the gateway

    supervisor.control(gateway, "POST", "reset", deadline=60)
    world = World(gateway.endpoint)
    left: set[str] = set()
    for example in reversed(EXAMPLES):
        provider, result = world.providers[example.region], world.made[example.name]
        provider.delete(example.token, result.id, result.outputs)
        known = example.token in calls_apis
        if known and provider.read(example.token, result.id, result.inputs, result.outputs) is not None:
            left.add(example.name)
        # Deleting what is gone is no error: a run that was cut off is repeated.
        if example.name not in STAYS:
            provider.delete(example.token, result.id, result.outputs)
    assert left == set(STAYS)


def test_a_promoted_replica_reads_back_without_its_source(clean_gateway: Record, clients: object) -> None:
    world = World(clean_gateway.endpoint)
    provider, replica = world.providers[STANDBY], world.made["replica"]
    assert callable(clients)
    clients("rds", STANDBY).promote_read_replica(DBInstanceIdentifier="orders-us-west-2", BackupRetentionPeriod=7)
    read = provider.read("aws:rds/instance:Instance", replica.id, replica.inputs, replica.outputs)
    assert read is not None
    assert "replicateSourceDb" not in read.inputs
    diff = provider.diff("aws:rds/instance:Instance", read.inputs, replica.inputs)
    assert diff.outcome == "refused"
    assert "cannot elect new source database" in diff.refused["replicateSourceDb"]
    ignored = provider.diff("aws:rds/instance:Instance", read.inputs, replica.inputs, ["replicateSourceDb"])
    assert ignored.detailed == {}


def test_an_api_that_refuses_is_one_line(gateway: Record) -> None:
    provider = Provider(region=HOME, account=ACCOUNT, endpoint=gateway.endpoint, catalogue=load())
    with pytest.raises(ProviderError, match=r"^CreateSubnet: InvalidVpcID\.NotFound: .*$") as caught:
        provider.create("aws:ec2/subnet:Subnet", {"vpcId": "vpc-0", "cidrBlock": "10.0.0.0/24"})
    assert "\n" not in str(caught.value)


def test_nothing_answers() -> None:
    provider = Provider(region=HOME, account=ACCOUNT, endpoint="http://127.0.0.1:9", catalogue=load())
    with pytest.raises(ProviderError) as caught:
        provider.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    assert caught.value.code == "Unreachable"


def test_functions_without_a_resource(gateway: Record) -> None:
    provider = Provider(region=STANDBY, account=ACCOUNT, endpoint=gateway.endpoint, catalogue=load())
    assert provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"] == ACCOUNT
    assert provider.invoke("aws:index/getRegion:getRegion", {})["region"] == STANDBY
    zones = provider.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {"region": HOME})
    assert "us-east-1a" in str(zones["names"])
    with pytest.raises(ProviderError, match="getAmi"):
        provider.invoke("aws:ec2/getAmi:getAmi", {})
