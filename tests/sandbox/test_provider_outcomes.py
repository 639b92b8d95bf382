"""What a change means, from the catalogue alone: no cloud, no CLI."""

from __future__ import annotations

import pytest

from lifeboat.sandbox.catalogue import load
from lifeboat.sandbox.provider import UNKNOWN, Provider, ProviderError, outcome
from lifeboat.sandbox.provider.equality import covers, same, settle
from lifeboat.sandbox.provider.values import Values, render

INSTANCE = "aws:rds/instance:Instance"
GLOBAL_CACHE = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"
CLUSTER = "aws:rds/cluster:Cluster"
VPC = "aws:ec2/vpc:Vpc"
SOURCE = "arn:aws:rds:us-east-1:123456789012:db:orders-us-east-1"


@pytest.fixture
def provider() -> Provider:
    return Provider(region="us-east-1", account="123456789012", endpoint="http://127.0.0.1:9", catalogue=load())


def test_the_same_inputs_change_nothing() -> None:
    inputs: Values = {"identifier": "a", "instanceClass": "db.r6g.large"}
    assert outcome(INSTANCE, inputs, dict(inputs)).outcome == "none"


def test_a_standalone_instance_cannot_become_a_replica() -> None:
    diff = outcome(INSTANCE, {"identifier": "a"}, {"identifier": "a", "replicateSourceDb": SOURCE})
    assert diff.outcome == "refused"
    assert diff.refused == {"replicateSourceDb": "cannot elect new source database for replication"}


def test_a_replica_is_promoted_in_place() -> None:
    assert outcome(INSTANCE, {"replicateSourceDb": SOURCE}, {}).outcome == "in-place"


def test_a_promotion_behind_the_programs_back_is_refused_unless_ignored() -> None:
    inputs: Values = {"identifier": "b", "replicateSourceDb": SOURCE}
    read_back: Values = {"replicateSourceDb": None}
    assert outcome(INSTANCE, inputs, inputs, read_back=read_back).outcome == "refused"
    assert outcome(INSTANCE, inputs, inputs, ["replicateSourceDb"], read_back=read_back).outcome == "none"


def test_a_failed_over_global_datastore_would_be_replaced_unless_ignored() -> None:
    inputs: Values = {"globalReplicationGroupIdSuffix": "sessions", "primaryReplicationGroupId": "sessions-us-east-1"}
    read_back: Values = {"primaryReplicationGroupId": "sessions-us-west-2"}
    diff = outcome(GLOBAL_CACHE, inputs, inputs, read_back=read_back)
    assert diff.replaces == ("primaryReplicationGroupId",)
    assert diff.detailed == {"primaryReplicationGroupId": "update-replace"}
    assert outcome(GLOBAL_CACHE, inputs, inputs, ["primaryReplicationGroupId"], read_back=read_back).outcome == "none"


def test_a_cluster_that_was_demoted_reads_back_its_source() -> None:
    inputs: Values = {"clusterIdentifier": "orders-us-east-1", "engine": "aurora-postgresql"}
    read_back: Values = {"replicationSourceIdentifier": "arn:aws:rds:us-west-2:123456789012:cluster:orders-us-west-2"}
    assert outcome(CLUSTER, inputs, inputs, read_back=read_back).outcome != "none"
    assert outcome(CLUSTER, inputs, inputs, ["replicationSourceIdentifier"], read_back=read_back).outcome == "none"


def test_a_replacement_outweighs_a_refusal() -> None:
    diff = outcome(INSTANCE, {"storageEncrypted": False}, {"storageEncrypted": True, "replicateSourceDb": SOURCE})
    assert diff.refused
    assert diff.outcome == "replaces"


def test_a_region_replaces_but_naming_the_providers_own_does_not(provider: Provider) -> None:
    assert (
        provider.diff(VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16", "region": "us-east-1"}).outcome
        == "none"
    )
    diff = provider.diff(VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16", "region": "us-west-2"})
    assert diff.replaces == ("region",)


def test_defaults_and_computed_inputs_make_no_change() -> None:
    assert (
        outcome(VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True}, {"cidrBlock": "10.0.0.0/16"}).outcome
        == "none"
    )
    assert outcome(INSTANCE, {"engineVersion": "16.4"}, {}).outcome == "none"


def test_an_unknown_value_may_become_anything() -> None:
    assert outcome(VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": UNKNOWN}).outcome == "replaces"
    assert outcome(VPC, {"tags": {"a": "b"}}, {"tags": {"a": UNKNOWN}}).outcome == "in-place"


def test_ignored_paths_reach_into_values() -> None:
    old: Values = {"tags": {"a": "1", "b": "2"}}
    assert outcome(VPC, old, {"tags": {"a": "9", "b": "2"}}, ["tags.a"]).outcome == "none"
    assert outcome(VPC, old, {"tags": {"a": "9", "b": "2"}}, ['tags["a"]']).outcome == "none"
    assert outcome(VPC, old, {"tags": {"a": "9", "b": "3"}}, ["tags.a"]).outcome == "in-place"
    assert outcome(VPC, old, {"tags": {"a": "1"}}, ["tags.b"]).outcome == "none"


def test_ignoring_leaves_the_programs_inputs_alone() -> None:
    news: Values = {"tags": {"a": "9"}}
    outcome(VPC, {"tags": {"a": "1"}}, news, ["tags.a"])
    assert news == {"tags": {"a": "9"}}


def test_a_named_resource_is_deleted_before_its_replacement() -> None:
    old: Values = {"identifier": "orders", "storageEncrypted": False}
    assert outcome(INSTANCE, old, {"identifier": "orders", "storageEncrypted": True}).delete_before_replace
    assert not outcome(INSTANCE, old, {"identifier": "orders-g2", "storageEncrypted": True}).delete_before_replace


def test_an_update_that_the_vendor_refuses_calls_nothing(provider: Provider) -> None:
    """The endpoint answers nobody, so a call would say ``Unreachable``."""
    news: Values = {"identifier": "a", "replicateSourceDb": SOURCE}
    with pytest.raises(ProviderError, match="replicateSourceDb: cannot elect new source database") as caught:
        provider.update(INSTANCE, "db-1", {"identifier": "a"}, news, old_inputs={"identifier": "a"})
    assert caught.value.code == "Refused"


def test_faults_of_inputs_are_all_told(provider: Provider) -> None:
    news: Values = {"nothing": 1, "enableDnsSupport": "maybe", "tags": {"a": ["b"]}}
    _, failures = provider.check(VPC, None, news)
    assert [failure.property for failure in failures] == ["nothing", "enableDnsSupport", "tags.a"]
    _, failures = provider.check("aws:ec2/subnet:Subnet", None, {})
    assert [failure.reason for failure in failures] == ["missing required property 'vpcId'"]


def test_inputs_that_no_call_carries_are_refused_instead_of_lost(provider: Provider) -> None:
    _, failures = provider.check("aws:s3/bucket:Bucket", None, {"bucket": "a", "versioning": {"enabled": True}})
    assert [failure.property for failure in failures] == ["versioning"]


def test_nested_faults_have_their_path(provider: Provider) -> None:
    rules: Values = {"bucket": "a", "role": "r", "rules": [{"status": "Enabled", "destination": {"bucet": "b"}}]}
    _, failures = provider.check("aws:s3/bucketReplicationConfig:BucketReplicationConfig", None, rules)
    assert [failure.property for failure in failures] == ["rules[0].destination.bucet", "rules[0].destination.bucket"]


def test_a_fault_never_shows_the_value(provider: Provider) -> None:
    _, failures = provider.check(INSTANCE, None, {"instanceClass": "c", "password": ["hunter2"]})
    assert "hunter2" not in str(failures)


def test_checked_inputs_have_the_sdks_types_and_the_providers_defaults(provider: Provider) -> None:
    inputs, failures = provider.check(
        INSTANCE, None, {"instanceClass": "c", "allocatedStorage": 20.0, "multiAz": "true"}
    )
    assert failures == []
    assert (inputs["allocatedStorage"], inputs["multiAz"], inputs["deletionProtection"]) == (20, True, False)
    assert type(inputs["allocatedStorage"]) is int


def test_unknowns_pass_the_check(provider: Provider) -> None:
    inputs, failures = provider.check("aws:ec2/subnet:Subnet", None, {"vpcId": UNKNOWN, "tags": {"a": UNKNOWN}})
    assert failures == []
    assert inputs["vpcId"] is UNKNOWN


def test_an_automatic_name_is_kept(provider: Provider) -> None:
    first, _ = provider.check("aws:sns/topic:Topic", None, {}, name="alerts")
    again, _ = provider.check("aws:sns/topic:Topic", {"name": "alerts-old"}, {}, name="alerts")
    assert str(first["name"]).startswith("alerts-")
    assert again["name"] == "alerts-old"
    prefixed, failures = provider.check("aws:sns/topic:Topic", None, {}, name=None)
    assert ("name" in prefixed, failures) == (False, [])


def test_a_preview_knows_inputs_and_not_identifiers(provider: Provider) -> None:
    outputs = provider.outputs_preview(VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}})
    assert (outputs["cidrBlock"], outputs["tagsAll"], outputs["region"]) == ("10.0.0.0/16", {"a": "b"}, "us-east-1")
    assert outputs["arn"] is UNKNOWN
    updated = provider.outputs_preview(VPC, {"cidrBlock": "10.0.0.0/16"}, {"arn": "arn:x", "cidrBlock": "10.0.0.0/16"})
    assert updated["arn"] == "arn:x"


def test_random_values_fit_what_was_asked(provider: Provider) -> None:
    token = "random:index/randomPassword:RandomPassword"
    inputs, failures = provider.check(
        token, None, {"length": 40, "minUpper": 10, "minNumeric": 10, "overrideSpecial": "_"}
    )
    assert failures == []
    first, second = (str(provider.create(token, inputs).outputs["result"]) for _ in range(2))
    assert first != second
    assert len(first) == 40
    assert sum(c.isupper() for c in first) >= 10
    assert sum(c.isdigit() for c in first) >= 10
    assert set(first) - set("_") == {c for c in first if c.isalnum()}
    with pytest.raises(ProviderError, match="length: 1"):
        provider.create(token, {**inputs, "length": 1})


@pytest.mark.parametrize(
    ("wanted", "got", "equal"),
    [
        (None, [], True),
        (None, False, True),
        ({"a": None}, {}, True),
        (5432, "5432", True),
        (True, "true", True),
        (["a", "b"], ["b", "a"], True),
        (["a", "b"], ["a"], False),
        (["a", "a"], ["a", "b"], False),
        ('{"a": ["x"]}', '{"a":"x"}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("{", "[", False),
        ("a", None, False),
        (UNKNOWN, UNKNOWN, False),
    ],
)
def test_values_that_mean_the_same(wanted: None, got: None, equal: bool) -> None:
    assert same(wanted, got) is equal


def test_order_counts_where_the_catalogue_says_so() -> None:
    assert not same(["a", "b"], ["b", "a"], ordered=True)


def test_what_the_vendor_adds_is_no_drift() -> None:
    assert covers({"a": 1}, {"a": 1, "b": 2})
    assert not covers({"a": 1, "b": 3}, {"a": 1, "b": 2})
    assert covers([{"id": "x"}, {"id": "y"}], [{"id": "y", "n": 1}, {"id": "x", "n": 2}])
    assert settle([{"id": "x"}, {"id": "y"}], [{"id": "y", "n": 1}, {"id": "x", "n": 2}]) == [
        {"id": "x", "n": 2},
        {"id": "y", "n": 1},
    ]


def test_templates_keep_types_and_drop_what_is_not_there() -> None:
    context: Values = {"in": {"port": 5432, "name": "a"}, "doc": {}}
    template = {"Port": "${in.port}", "Text": "${in.name}:${in.port}", "Gone": "${in.none}", "List": ["${in.none}"]}
    assert render(template, context) == {"Port": 5432, "Text": "a:5432", "List": []}
    assert render("${in.{a: name}}", context) == {"a": "a"}
    assert render("x${in.none}", context) is None
