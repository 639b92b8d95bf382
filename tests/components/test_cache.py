"""The cache: members of a global datastore, or two that know nothing of each other."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws
import pytest

from tests.components.examples.cache import cache
from tests.components.harness import ACCOUNT, HOME, OTHER, Deployment, Registration, deploy
from tests.components.stores import CIDRS, PASSWORD

REFUSED_IN_A_DATASTORE = {
    "engine",
    "engineVersion",
    "nodeType",
    "parameterGroupName",
    "atRestEncryptionEnabled",
    "transitEncryptionEnabled",
    "transitEncryptionMode",
    "numNodeGroups",
    "securityGroupNames",
    "snapshotArns",
    "snapshotName",
}


@pytest.fixture(scope="module")
def joined() -> Deployment:
    return deploy(cache(global_datastore=True))


@pytest.fixture(scope="module")
def independent() -> Deployment:
    return deploy(cache())


def assert_protected(deployment: Deployment, group: Registration) -> None:
    region = deployment.region(group)
    assert group.inputs["kmsKeyId"] == f"arn:aws:kms:{region}:{ACCOUNT}:key/cache-{region}"
    assert group.inputs["authToken"] == PASSWORD
    assert "authToken" in group.secrets
    assert group.inputs["automaticFailoverEnabled"] is True
    assert group.inputs["multiAzEnabled"] is True
    assert group.inputs["numCacheClusters"] == 3
    assert group.inputs["snapshotRetentionLimit"] == 7
    assert group.inputs["finalSnapshotIdentifier"] == f"{group.inputs['replicationGroupId']}-final"
    assert group.inputs["autoMinorVersionUpgrade"] is False
    assert group.protect


def assert_encrypted(group: Registration) -> None:
    assert group.inputs["atRestEncryptionEnabled"] is True
    assert group.inputs["transitEncryptionEnabled"] is True
    assert group.inputs["transitEncryptionMode"] == "required"
    assert (group.inputs["engine"], group.inputs["engineVersion"]) == ("redis", "7.1")
    assert group.inputs["nodeType"] == "cache.r6g.large"


def test_independent_groups_are_whole_in_both_sites(independent: Deployment) -> None:
    groups = independent.of(aws.elasticache.ReplicationGroup)
    assert {independent.region(group) for group in groups} == {HOME, OTHER}
    for group in groups:
        assert_protected(independent, group)
        assert_encrypted(group)
        assert "globalReplicationGroupId" not in group.inputs
    assert not independent.of(aws.elasticache.GlobalReplicationGroup)
    assert independent.values["global_id"] is None


def test_the_datastore_is_made_around_the_homes_group(joined: Deployment) -> None:
    datastore, home = joined.named("sessions-global-datastore"), joined.named(f"sessions-{HOME}")
    assert datastore.inputs["primaryReplicationGroupId"] == f"sessions-{HOME}-id"
    assert datastore.inputs["globalReplicationGroupIdSuffix"] == "acme-production-sessions"
    assert datastore.inputs["automaticFailoverEnabled"] is True
    assert datastore.inputs["cacheNodeType"] == home.inputs["nodeType"]
    assert datastore.inputs["engineVersion"] == home.inputs["engineVersion"]
    assert datastore.protect
    assert_protected(joined, home)
    assert_encrypted(home)
    assert "globalReplicationGroupId" not in home.inputs


def test_the_other_group_has_only_what_a_member_may_have(joined: Deployment) -> None:
    other = joined.named(f"sessions-{OTHER}")
    assert other.inputs["globalReplicationGroupId"] == joined.values["global_id"]
    assert not REFUSED_IN_A_DATASTORE & other.inputs.keys()
    assert_protected(joined, other)


def test_members_and_independent_groups_differ_only_in_what_a_datastore_takes_over(
    joined: Deployment, independent: Deployment
) -> None:
    name = f"sessions-{OTHER}"
    member, alone = joined.named(name).inputs, independent.named(name).inputs
    assert alone.keys() - member.keys() <= REFUSED_IN_A_DATASTORE
    assert member.keys() - alone.keys() == {"globalReplicationGroupId"}


def test_lag_is_alarmed_in_seconds_where_it_is_published(joined: Deployment) -> None:
    (alarm,) = joined.of(aws.cloudwatch.MetricAlarm)
    assert alarm.name == f"sessions-{OTHER}-lag"
    assert joined.region(alarm) == OTHER
    assert alarm.inputs["namespace"] == "AWS/ElastiCache"
    assert alarm.inputs["metricName"] == "GlobalDatastoreReplicationLag"
    group = joined.named(f"sessions-{OTHER}").inputs["replicationGroupId"]
    assert alarm.inputs["dimensions"] == {"ReplicationGroupId": group}
    assert (alarm.inputs["threshold"], alarm.inputs["comparisonOperator"]) == (300, "GreaterThanThreshold")
    assert alarm.inputs["treatMissingData"] == "breaching"
    assert alarm.inputs["alarmActions"] == [f"arn:aws:sns:{OTHER}:{ACCOUNT}:alerts"]


@pytest.mark.parametrize("changes", [{"global_datastore": False}, {"lag_alarm_seconds": None}])
def test_what_does_not_replicate_or_has_no_rpo_is_not_alarmed(changes: dict[str, Any]) -> None:
    assert not deploy(cache(**{"global_datastore": True, **changes})).of(aws.cloudwatch.MetricAlarm)


def test_only_the_sites_networks_reach_it(joined: Deployment) -> None:
    rules = joined.of(aws.vpc.SecurityGroupIngressRule)
    assert sorted((joined.region(rule), rule.inputs["cidrIpv4"]) for rule in rules) == sorted(
        (region, cidr) for region in CIDRS for cidr in CIDRS.values()
    )
    assert {(rule.inputs["fromPort"], rule.inputs["toPort"]) for rule in rules} == {(6379, 6379)}
    for region in (HOME, OTHER):
        group = joined.named(f"sessions-{region}")
        assert group.inputs["securityGroupIds"] == [f"sessions-{region}-access-id"]
        subnets = joined.named(f"sessions-{region}-subnets")
        assert subnets.inputs["subnetIds"] == [f"subnet-{region}-{zone}" for zone in "abc"]


def test_existing_groups_and_datastores_are_adopted() -> None:
    imports = {"global": "ldgnf-legacy-global", HOME: "legacy-east", OTHER: "legacy-west"}
    deployment = deploy(cache(global_datastore=True, imports=imports))
    datastore = deployment.named("sessions-global-datastore")
    assert datastore.import_id == "ldgnf-legacy-global"
    assert datastore.inputs["globalReplicationGroupIdSuffix"] == "legacy-global"
    adopted = deployment.named(f"sessions-{OTHER}")
    assert (adopted.import_id, adopted.inputs["replicationGroupId"]) == ("legacy-west", "legacy-west")


def test_outputs_are_by_region(joined: Deployment) -> None:
    for output in ("primary_endpoints", "reader_endpoints"):
        assert set(joined.values[output]) == {HOME, OTHER}
    assert joined.values["primary_endpoints"][HOME] == f"sessions-{HOME}/primaryEndpointAddress"
    assert joined.values["port"] == 6379
