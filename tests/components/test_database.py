"""The plain database: what each instance has, and how a chain of generations grows and shrinks."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest

from components.aws.promotion import INSTANCE, ignored
from tests.components.examples.database import NEW, OLD, OLDEST_LEFT, REPLICA, database
from tests.components.harness import ACCOUNT, HOME, OTHER, Deployment, Registration, deploy
from tests.components.stores import CIDRS, PASSWORD


@pytest.fixture(scope="module")
def pair() -> Deployment:
    return deploy(database(OLD, REPLICA))


def parameters(group: Registration) -> dict[str, str]:
    return {each["name"]: each["value"] for each in group.inputs["parameters"]}


def after_up(old: Deployment, new: Deployment) -> tuple[set[str], set[str], set[str]]:
    """Names that an `up` from one deployment to another creates, deletes and changes, `ignoreChanges` applied.

    Changed is what has other inputs once every ignored property keeps the value it had, as the engine does it.
    """
    before = {each.name: each for each in old.children}
    after = {each.name: each for each in new.children}

    def inputs(name: str) -> dict[str, Any]:
        ignored_here = set(after[name].ignore_changes)
        kept = {key: value for key, value in before[name].inputs.items() if key in ignored_here}
        return {key: value for key, value in after[name].inputs.items() if key not in ignored_here} | kept

    changed = {name for name in before.keys() & after.keys() if inputs(name) != before[name].inputs}
    return after.keys() - before.keys(), before.keys() - after.keys(), changed


def test_every_instance_is_ready_to_be_the_only_one(pair: Deployment) -> None:
    for instance in pair.of(aws.rds.Instance):
        region = pair.region(instance)
        assert instance.inputs["multiAz"] is True
        assert instance.inputs["storageEncrypted"] is True
        assert instance.inputs["kmsKeyId"] == f"arn:aws:kms:{region}:{ACCOUNT}:key/database-{region}"
        assert instance.inputs["performanceInsightsKmsKeyId"] == instance.inputs["kmsKeyId"]
        assert instance.inputs["backupRetentionPeriod"] == 14
        assert instance.inputs["backupWindow"] == "02:00-03:00"
        assert instance.inputs["deletionProtection"] is True
        assert instance.inputs["skipFinalSnapshot"] is False
        assert instance.inputs["deleteAutomatedBackups"] is False
        assert instance.inputs["finalSnapshotIdentifier"] == f"{instance.inputs['identifier']}-final"
        assert instance.inputs["copyTagsToSnapshot"] is True
        assert instance.inputs["publiclyAccessible"] is False
        assert instance.inputs["autoMinorVersionUpgrade"] is False
        assert instance.inputs["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
        assert instance.inputs["monitoringInterval"] == 60
        assert instance.inputs["monitoringRoleArn"].endswith(f":orders-{region}-monitoring")
        assert instance.protect


def test_the_oldest_is_born_with_the_master_user_and_replicas_take_everything(pair: Deployment) -> None:
    first, replica = pair.named(f"orders-{OLD.key}"), pair.named(f"orders-{REPLICA.key}")
    born_with = {"username": "lifeboat", "password": PASSWORD, "dbName": "app"}
    assert born_with.items() <= first.inputs.items()
    assert "password" in first.secrets
    assert "replicateSourceDb" not in first.inputs
    assert replica.inputs["replicateSourceDb"] == first.state["arn"]
    assert not born_with.keys() & replica.inputs.keys()


def test_classes_belong_to_sites(pair: Deployment) -> None:
    assert pair.named(f"orders-{OLD.key}").inputs["instanceClass"] == "db.r6g.large"
    assert pair.named(f"orders-{REPLICA.key}").inputs["instanceClass"] == "db.r6g.medium"


def test_parameters_force_tls_and_cannot_be_unset() -> None:
    deployment = deploy(database(OLD, REPLICA, parameters={"rds.force_ssl": "0", "max_connections": "500"}))
    groups = deployment.of(aws.rds.ParameterGroup)
    assert [parameters(group) for group in groups] == [{"max_connections": "500", "rds.force_ssl": "1"}] * 2
    assert groups[0].inputs["parameters"][0]["applyMethod"] == "pending-reboot"
    assert groups[0].inputs["family"] == "postgres16"


def test_a_replica_finds_its_sources_parameter_group_by_name_in_its_own_region(pair: Deployment) -> None:
    groups = pair.of(aws.rds.ParameterGroup)
    assert {pair.region(group) for group in groups} == {HOME, OTHER}
    assert len({group.inputs["name"] for group in groups}) == 1
    assert {each.inputs["parameterGroupName"] for each in pair.of(aws.rds.Instance)} == {groups[0].inputs["name"]}


def test_only_the_sites_networks_reach_it(pair: Deployment) -> None:
    for region in (HOME, OTHER):
        group = pair.named(f"orders-{region}-access")
        assert "ingress" not in group.inputs
        assert "egress" not in group.inputs
    rules = pair.of(aws.vpc.SecurityGroupIngressRule)
    assert not pair.of(aws.vpc.SecurityGroupEgressRule)
    assert sorted((pair.region(rule), rule.inputs["cidrIpv4"]) for rule in rules) == sorted(
        (region, cidr) for region in CIDRS for cidr in CIDRS.values()
    )
    assert {(rule.inputs["ipProtocol"], rule.inputs["fromPort"], rule.inputs["toPort"]) for rule in rules} == {
        ("tcp", 5432, 5432)
    }


def test_the_monitoring_role_is_for_rds_and_this_regions_group_only(pair: Deployment) -> None:
    role = pair.named(f"orders-{OTHER}-monitoring")
    trust = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    policy = pair.named(f"orders-{OTHER}-monitoring-policy").inputs["policy"]
    resources = [each for statement in json.loads(policy)["Statement"] for each in [statement["Resource"]]]
    assert f"arn:aws:logs:{OTHER}:{ACCOUNT}:log-group:RDSOSMetrics:log-stream:*" in resources
    assert HOME not in policy


def test_lag_of_every_replica_is_alarmed_in_its_own_region(pair: Deployment) -> None:
    (alarm,) = pair.of(aws.cloudwatch.MetricAlarm)
    assert alarm.name == f"orders-{REPLICA.key}-lag"
    assert pair.region(alarm) == OTHER
    assert alarm.inputs["namespace"] == "AWS/RDS"
    assert alarm.inputs["metricName"] == "ReplicaLag"
    assert alarm.inputs["dimensions"] == {
        "DBInstanceIdentifier": pair.named(f"orders-{REPLICA.key}").inputs["identifier"]
    }
    # Seconds, and more than the RPO.
    assert (alarm.inputs["threshold"], alarm.inputs["comparisonOperator"]) == (900, "GreaterThanThreshold")
    assert alarm.inputs["treatMissingData"] == "breaching"
    assert alarm.inputs["alarmActions"] == [f"arn:aws:sns:{OTHER}:{ACCOUNT}:alerts"]


def test_without_an_rpo_nothing_is_alarmed() -> None:
    assert not deploy(database(OLD, REPLICA, lag_alarm_seconds=None)).of(aws.cloudwatch.MetricAlarm)


def test_backups_replicate_from_the_oldest_into_the_other_site_with_its_key() -> None:
    deployment = deploy(database(OLD, replicate_backups=True))
    (replication,) = deployment.of(aws.rds.InstanceAutomatedBackupsReplication)
    assert deployment.region(replication) == OTHER
    assert replication.inputs == {
        "sourceDbInstanceArn": deployment.named(f"orders-{OLD.key}").state["arn"],
        "kmsKeyId": f"arn:aws:kms:{OTHER}:{ACCOUNT}:key/backups-{OTHER}",
        "retentionPeriod": 14,
    }


def test_a_failback_adds_exactly_the_new_generation(pair: Deployment) -> None:
    failback = deploy(database(OLD, REPLICA, NEW))
    assert after_up(pair, failback) == ({f"orders-{NEW.key}", f"orders-{NEW.key}-lag"}, set(), set())
    new = failback.named(f"orders-{NEW.key}")
    assert new.inputs["replicateSourceDb"] == failback.named(f"orders-{REPLICA.key}").state["arn"]
    assert failback.region(new) == HOME


def test_retiring_the_oldest_removes_it_and_the_alarm_on_what_it_sent() -> None:
    failback, retired = deploy(database(OLD, REPLICA, NEW)), deploy(database(OLDEST_LEFT, NEW))
    assert after_up(failback, retired) == (set(), {f"orders-{OLD.key}", f"orders-{REPLICA.key}-lag"}, set())


def test_replicated_backups_follow_the_oldest_when_it_is_retired() -> None:
    failback = deploy(database(OLD, REPLICA, NEW, replicate_backups=True))
    retired = deploy(database(OLDEST_LEFT, NEW, replicate_backups=True))
    created, deleted, changed = after_up(failback, retired)
    assert created == {f"orders-{HOME}-backups"}
    assert deleted == {f"orders-{OLD.key}", f"orders-{REPLICA.key}-lag", f"orders-{OTHER}-backups"}
    assert not changed


def test_without_the_ignored_properties_a_retirement_would_replace_the_promoted_replica() -> None:
    """Each entry of the table is needed: leaving one out shows as a change."""
    failback, retired = deploy(database(OLD, REPLICA, NEW)), deploy(database(OLDEST_LEFT, NEW))
    promoted = retired.named(f"orders-{REPLICA.key}")
    assert promoted.ignore_changes == tuple(ignored(INSTANCE))
    for left_out in promoted.ignore_changes:
        promoted.ignore_changes = tuple(each for each in ignored(INSTANCE) if each != left_out)
        assert after_up(failback, retired)[2] == {promoted.name}, left_out


def test_a_chain_that_starts_with_a_promoted_replica_can_be_built_anew() -> None:
    first = deploy(database(OLDEST_LEFT, NEW)).named(f"orders-{REPLICA.key}")
    assert first.inputs["username"] == "lifeboat"


def test_an_existing_instance_is_adopted_under_its_own_name() -> None:
    deployment = deploy(database(OLD, REPLICA, imports={OLD.key: "legacy-orders"}))
    adopted = deployment.named(f"orders-{OLD.key}")
    assert (adopted.import_id, adopted.inputs["identifier"]) == ("legacy-orders", "legacy-orders")
    assert deployment.named(f"orders-{REPLICA.key}").import_id == ""


def test_a_source_must_be_listed_before_its_replica() -> None:
    with pytest.raises(ValueError, match="us-west-2-g1 replicates from us-east-1-g1, which is not listed before it"):
        deploy(database(REPLICA, OLD))


def test_outputs_are_by_instance(pair: Deployment) -> None:
    assert pair.values["port"] == 5432
    for output in ("endpoints", "arns", "identifiers"):
        assert set(pair.values[output]) == {OLD.key, REPLICA.key}
    assert pair.values["identifiers"][REPLICA.key] == "acme-production-orders-us-west-2-g1"
    assert pair.values["endpoints"][OLD.key] == f"orders-{OLD.key}/address"
