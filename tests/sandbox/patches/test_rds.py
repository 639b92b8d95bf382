"""RDS: instances, read replicas and parameter groups, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients, Request

pytestmark = pytest.mark.usefixtures("clean_gateway")

EAST, WEST = "us-east-1", "us-west-2"


def key(clients: Clients, region: str) -> str:
    return clients("kms", region).create_key()["KeyMetadata"]["Arn"]


def create(clients: Clients, name: str = "orders", **more: Request) -> dict[str, Any]:
    wanted = {
        "DBInstanceIdentifier": name,
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "DBInstanceClass": "db.r6g.large",
        "AllocatedStorage": 20,
        "MasterUsername": "app",
        "MasterUserPassword": "correct-horse",
        "BackupRetentionPeriod": 7,
    }
    return clients("rds", EAST).create_db_instance(**{**wanted, **more})["DBInstance"]


def describe(clients: Clients, region: str, name: str) -> dict[str, Any]:
    return clients("rds", region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def replicate(clients: Clients, source: dict[str, Any], name: str = "orders-west", **more: Request) -> dict[str, Any]:
    return clients("rds", WEST).create_db_instance_read_replica(
        DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source["DBInstanceArn"], **more
    )["DBInstance"]


def network(clients: Clients, region: str, group: str) -> str:
    ec2 = clients("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    clients("rds", region).create_db_subnet_group(
        DBSubnetGroupName=group, DBSubnetGroupDescription="isolated", SubnetIds=[subnet]
    )
    return subnet


def test_create_db_instance_has_a_resource_id_of_its_own_and_keeps_insights(clients: Clients) -> None:
    first = create(clients, EnablePerformanceInsights=True, PerformanceInsightsRetentionPeriod=7)
    second = create(clients, "payments")
    assert first["DbiResourceId"] != second["DbiResourceId"]
    assert first["PerformanceInsightsEnabled"] is True
    assert describe(clients, EAST, "orders")["PerformanceInsightsRetentionPeriod"] == 7


def test_create_db_instance_refuses_a_key_of_another_region(clients: Clients) -> None:
    with pytest.raises(ClientError, match="KMSKeyNotAccessible"):
        create(clients, StorageEncrypted=True, KmsKeyId=key(clients, WEST))


def test_modify_db_instance_keeps_insights(clients: Clients) -> None:
    create(clients)
    clients("rds").modify_db_instance(DBInstanceIdentifier="orders", EnablePerformanceInsights=True)
    assert describe(clients, EAST, "orders")["PerformanceInsightsEnabled"] is True


def test_create_db_instance_read_replica_lives_in_its_own_region(clients: Clients) -> None:
    for region in (EAST, WEST):
        network(clients, region, "isolated")
    primary = create(
        clients,
        DBSubnetGroupName="isolated",
        DeletionProtection=True,
        MultiAZ=True,
        StorageEncrypted=True,
        KmsKeyId=key(clients, EAST),
        EnableCloudwatchLogsExports=["postgresql"],
    )
    west_key = key(clients, WEST)
    replicate(clients, primary, DBSubnetGroupName="isolated", KmsKeyId=west_key)
    replica = describe(clients, WEST, "orders-west")
    assert replica["DBSubnetGroup"]["VpcId"] != primary["DBSubnetGroup"]["VpcId"]
    assert replica["AvailabilityZone"].startswith(WEST)
    assert replica["KmsKeyId"] == west_key
    assert replica["BackupRetentionPeriod"] == 0
    assert (replica["DeletionProtection"], replica["MultiAZ"]) == (False, False)
    assert replica["EnabledCloudwatchLogsExports"] == []
    assert replica["EngineVersion"] == "16.4"
    assert replica["DbiResourceId"] != primary["DbiResourceId"]


def test_create_db_instance_read_replica_without_the_primarys_parameter_group_stays_readable(clients: Clients) -> None:
    clients("rds", EAST).create_db_parameter_group(
        DBParameterGroupName="tuned", DBParameterGroupFamily="postgres16", Description="east only"
    )
    replicate(clients, create(clients, DBParameterGroupName="tuned"))
    groups = describe(clients, WEST, "orders-west")["DBParameterGroups"]
    assert groups[0]["DBParameterGroupName"].startswith("default.postgres16")


def test_create_db_instance_read_replica_of_encrypted_storage_wants_a_key(clients: Clients) -> None:
    primary = create(clients, StorageEncrypted=True, KmsKeyId=key(clients, EAST))
    with pytest.raises(ClientError, match="KmsKeyId should be explicitly specified"):
        replicate(clients, primary)
    with pytest.raises(ClientError, match="KMSKeyNotAccessible"):
        replicate(clients, primary, KmsKeyId=primary["KmsKeyId"])


def test_promote_read_replica_parts_both_ends(clients: Clients) -> None:
    replica = replicate(clients, create(clients))
    assert describe(clients, EAST, "orders")["ReadReplicaDBInstanceIdentifiers"] == [replica["DBInstanceArn"]]
    clients("rds", WEST).promote_read_replica(DBInstanceIdentifier="orders-west", BackupRetentionPeriod=7)
    promoted = describe(clients, WEST, "orders-west")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in promoted
    assert promoted["BackupRetentionPeriod"] == 7
    assert describe(clients, EAST, "orders")["ReadReplicaDBInstanceIdentifiers"] == []


def test_promote_read_replica_refuses_what_is_none(clients: Clients) -> None:
    create(clients)
    with pytest.raises(ClientError, match="is not a read replica"):
        clients("rds", EAST).promote_read_replica(DBInstanceIdentifier="orders")


def test_remove_replica_of_another_region(clients: Clients) -> None:
    replicate(clients, create(clients))
    clients("rds", WEST).delete_db_instance(DBInstanceIdentifier="orders-west", SkipFinalSnapshot=True)
    assert describe(clients, EAST, "orders")["ReadReplicaDBInstanceIdentifiers"] == []


def test_delete_db_instance_frees_its_replicas(clients: Clients) -> None:
    replicate(clients, create(clients))
    clients("rds", EAST).delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in describe(clients, WEST, "orders-west")
    clients("rds", WEST).delete_db_instance(DBInstanceIdentifier="orders-west", SkipFinalSnapshot=True)
    assert clients("rds", WEST).describe_db_instances()["DBInstances"] == []


def test_modify_db_subnet_group_keeps_it(clients: Clients) -> None:
    subnet = network(clients, EAST, "isolated")
    rds = clients("rds")
    rds.modify_db_subnet_group(DBSubnetGroupName="isolated", DBSubnetGroupDescription="d", SubnetIds=[subnet])
    found = rds.describe_db_subnet_groups(DBSubnetGroupName="isolated")["DBSubnetGroups"]
    assert [group["DBSubnetGroupDescription"] for group in found] == ["d"]
    with pytest.raises(ClientError, match="DBSubnetGroupNotFound"):
        rds.modify_db_subnet_group(DBSubnetGroupName="absent", SubnetIds=[subnet])


@pytest.mark.parametrize("everything", [True, False])
def test_reset_db_parameter_group(clients: Clients, everything: bool) -> None:
    rds = clients("rds")
    rds.create_db_parameter_group(DBParameterGroupName="pg", DBParameterGroupFamily="postgres16", Description="tuned")
    change = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="pg", Parameters=[change])
    wanted = {"ResetAllParameters": True} if everything else {"Parameters": [change]}
    rds.reset_db_parameter_group(DBParameterGroupName="pg", **wanted)
    assert rds.describe_db_parameters(DBParameterGroupName="pg")["Parameters"] == []


def test_reset_db_cluster_parameter_group(clients: Clients) -> None:
    rds = clients("rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="cpg", DBParameterGroupFamily="aurora-postgresql16", Description="tuned"
    )
    change = {"ParameterName": "rds.global_db_rpo", "ParameterValue": "300", "ApplyMethod": "immediate"}
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="cpg", Parameters=[change])
    rds.reset_db_cluster_parameter_group(DBClusterParameterGroupName="cpg", Parameters=[change])
    assert rds.describe_db_cluster_parameters(DBClusterParameterGroupName="cpg")["Parameters"] == []


def test_describe_db_parameter_groups_of_no_such_name(clients: Clients) -> None:
    with pytest.raises(ClientError, match="DBParameterGroupNotFound"):
        clients("rds").describe_db_parameter_groups(DBParameterGroupName="absent")
