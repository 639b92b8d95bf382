"""The Aurora database: two clusters, a global one, and an RPO that is enforced where the writer is."""

from __future__ import annotations

import pulumi_aws as aws
import pytest

from tests.components.examples.aurora import aurora
from tests.components.harness import ACCOUNT, HOME, OTHER, Deployment, deploy
from tests.components.stores import PASSWORD


@pytest.fixture(scope="module")
def both() -> Deployment:
    return deploy(aurora())


def test_the_global_cluster_is_encrypted_and_cannot_be_deleted(both: Deployment) -> None:
    cluster = both.named("orders-global-cluster")
    assert cluster.inputs["globalClusterIdentifier"] == "acme-production-orders"
    assert cluster.inputs["engine"] == "aurora-postgresql"
    assert cluster.inputs["engineVersion"] == "16.8"
    assert cluster.inputs["storageEncrypted"] is True
    assert cluster.inputs["deletionProtection"] is True
    assert cluster.protect
    assert "forceDestroy" not in cluster.inputs
    assert both.region(cluster) == HOME


def test_every_cluster_is_ready_to_write(both: Deployment) -> None:
    assert {both.region(cluster) for cluster in both.of(aws.rds.Cluster)} == {HOME, OTHER}
    for cluster in both.of(aws.rds.Cluster):
        region = both.region(cluster)
        assert cluster.inputs["globalClusterIdentifier"] == "orders-global-cluster-id"
        assert cluster.inputs["storageEncrypted"] is True
        assert cluster.inputs["kmsKeyId"] == f"arn:aws:kms:{region}:{ACCOUNT}:key/database-{region}"
        assert cluster.inputs["backupRetentionPeriod"] == 14
        assert cluster.inputs["preferredBackupWindow"] == "02:00-03:00"
        assert cluster.inputs["deletionProtection"] is True
        assert cluster.inputs["skipFinalSnapshot"] is False
        assert cluster.inputs["finalSnapshotIdentifier"] == f"{cluster.inputs['clusterIdentifier']}-final"
        assert cluster.inputs["deleteAutomatedBackups"] is False
        assert cluster.inputs["copyTagsToSnapshot"] is True
        assert cluster.inputs["enabledCloudwatchLogsExports"] == ["postgresql"]
        assert cluster.inputs["iamDatabaseAuthenticationEnabled"] is True
        assert "manageMasterUserPassword" not in cluster.inputs
        assert "replicationSourceIdentifier" not in cluster.inputs
        assert cluster.protect


def test_only_the_home_is_born_with_a_master_user(both: Deployment) -> None:
    home, other = both.named(f"orders-{HOME}"), both.named(f"orders-{OTHER}")
    born_with = {"masterUsername": "lifeboat", "masterPassword": PASSWORD, "databaseName": "app"}
    assert born_with.items() <= home.inputs.items()
    assert "masterPassword" in home.secrets
    assert not born_with.keys() & other.inputs.keys()


def test_the_other_cluster_joins_once_the_home_has_an_instance(both: Deployment) -> None:
    needed = {both.named(f"orders-{HOME}").urn, both.named(f"orders-{HOME}-1").urn}
    assert needed <= both.named(f"orders-{OTHER}").depends_on
    assert both.named(f"orders-{OTHER}").urn not in both.named(f"orders-{HOME}").depends_on


def test_the_other_cluster_names_the_region_that_an_encrypted_source_lives_in(both: Deployment) -> None:
    clusters = both.of(aws.rds.Cluster)
    assert {each.name: each.inputs.get("sourceRegion") for each in clusters} == {
        f"orders-{HOME}": None,
        f"orders-{OTHER}": HOME,
    }


def test_both_sites_force_tls_and_bound_the_lag() -> None:
    deployment = deploy(aurora(parameters={"rds.force_ssl": "0", "rds.global_db_rpo": "2147483647", "work_mem": "64"}))
    groups = deployment.of(aws.rds.ClusterParameterGroup)
    assert {deployment.region(group) for group in groups} == {HOME, OTHER}
    for group in groups:
        assert group.inputs["family"] == "aurora-postgresql16"
        values = {each["name"]: (each["value"], each["applyMethod"]) for each in group.inputs["parameters"]}
        assert values == {
            "rds.force_ssl": ("1", "immediate"),
            "rds.global_db_rpo": ("60", "immediate"),
            "work_mem": ("64", "pending-reboot"),
        }


def test_without_a_bound_none_is_set() -> None:
    for group in deploy(aurora(global_rpo=None)).of(aws.rds.ClusterParameterGroup):
        assert [each["name"] for each in group.inputs["parameters"]] == ["rds.force_ssl"]


def test_instances_are_spread_over_zones_and_watched() -> None:
    deployment = deploy(aurora(home_instances=4, standby_instances=2))
    instances = deployment.of(aws.rds.ClusterInstance)
    zones = {each.name: each.inputs["availabilityZone"] for each in instances}
    assert [zones[f"orders-{HOME}-{n}"] for n in (1, 2, 3, 4)] == [f"{HOME}{zone}" for zone in "abca"]
    assert [zones[f"orders-{OTHER}-{n}"] for n in (1, 2)] == [f"{OTHER}a", f"{OTHER}b"]
    for instance in instances:
        region = deployment.region(instance)
        assert instance.inputs["publiclyAccessible"] is False
        assert instance.inputs["monitoringInterval"] == 60
        assert instance.inputs["performanceInsightsKmsKeyId"].startswith(f"arn:aws:kms:{region}:")
        assert instance.inputs["instanceClass"] == ("db.r6g.large" if region == HOME else "db.r6g.medium")


def test_a_headless_site_has_storage_and_no_instance() -> None:
    deployment = deploy(aurora(standby_instances=0))
    assert {deployment.region(each) for each in deployment.of(aws.rds.ClusterInstance)} == {HOME}
    assert {deployment.region(each) for each in deployment.of(aws.rds.Cluster)} == {HOME, OTHER}


def test_lag_is_alarmed_in_milliseconds_where_it_is_published(both: Deployment) -> None:
    (alarm,) = both.of(aws.cloudwatch.MetricAlarm)
    assert both.region(alarm) == OTHER
    assert alarm.inputs["metricName"] == "AuroraGlobalDBRPOLag"
    assert alarm.inputs["dimensions"] == {"DBClusterIdentifier": "acme-production-orders-us-west-2"}
    assert alarm.inputs["threshold"] == 300_000
    assert alarm.inputs["treatMissingData"] == "breaching"
    assert alarm.inputs["alarmActions"] == [f"arn:aws:sns:{OTHER}:{ACCOUNT}:alerts"]


def test_a_global_cluster_is_made_around_an_adopted_one() -> None:
    deployment = deploy(aurora(imports={HOME: "legacy"}))
    made, adopted = deployment.named("orders-global-cluster"), deployment.named(f"orders-{HOME}")
    assert made.inputs["sourceDbClusterIdentifier"] == f"arn:aws:rds:{HOME}:{ACCOUNT}:cluster:legacy"
    assert made.inputs["forceDestroy"] is True
    assert not {"engine", "engineVersion", "storageEncrypted"} & made.inputs.keys()
    assert made.import_id == ""
    assert (adopted.import_id, adopted.inputs["clusterIdentifier"]) == ("legacy", "legacy")


def test_an_existing_global_database_is_adopted_whole() -> None:
    deployment = deploy(aurora(imports={"global": "legacy-global", HOME: "legacy-east", OTHER: "legacy-west"}))
    found = deployment.named("orders-global-cluster")
    assert (found.import_id, found.inputs["globalClusterIdentifier"]) == ("legacy-global", "legacy-global")
    assert "sourceDbClusterIdentifier" not in found.inputs
    assert deployment.named(f"orders-{OTHER}").import_id == "legacy-west"


def test_outputs_are_by_region(both: Deployment) -> None:
    for output in ("writer_endpoints", "reader_endpoints", "cluster_arns"):
        assert set(both.values[output]) == {HOME, OTHER}
    assert both.values["writer_endpoints"][OTHER] == f"orders-{OTHER}/endpoint"
    assert both.values["global_cluster_id"] == "acme-production-orders"
    assert both.values["global_endpoint"] == "orders-global-cluster/endpoint"
