"""RDS: Aurora global clusters, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lifeboat.sandbox.patches.base import endpoint_suffix
from tests.sandbox.patches.test_rds import EAST, WEST, key

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients, Request

pytestmark = pytest.mark.usefixtures("clean_gateway")

ENGINE = {"Engine": "aurora-postgresql", "EngineVersion": "16.4"}


def cluster(clients: Clients, region: str, **more: Request) -> str:
    made = clients("rds", region).create_db_cluster(DBClusterIdentifier=f"orders-{region}", **ENGINE, **more)
    return made["DBCluster"]["DBClusterArn"]


def pair(clients: Clients) -> tuple[str, str]:
    clients("rds", EAST).create_global_cluster(GlobalClusterIdentifier="orders", **ENGINE)
    login = {"MasterUsername": "app", "MasterUserPassword": "correct-horse", "DatabaseName": "orders"}
    east = cluster(clients, EAST, GlobalClusterIdentifier="orders", **login)
    return east, cluster(clients, WEST, GlobalClusterIdentifier="orders")


def writers(clients: Clients, region: str = WEST) -> dict[str, bool]:
    found = clients("rds", region).describe_global_clusters(GlobalClusterIdentifier="orders")["GlobalClusters"]
    assert len(found) == 1
    return {member["DBClusterArn"]: member["IsWriter"] for member in found[0]["GlobalClusterMembers"]}


def describe(clients: Clients, region: str) -> dict[str, Any]:
    found = clients("rds", region).describe_db_clusters(DBClusterIdentifier=f"orders-{region}")
    return found["DBClusters"][0]


def test_default_allocated_storage_of_io_optimized_clusters(clients: Clients) -> None:
    cluster(clients, EAST, MasterUsername="app", MasterUserPassword="correct-horse", StorageType="aurora-iopt1")
    assert describe(clients, EAST)["StorageType"] == "aurora-iopt1"


def test_create_global_cluster_around_a_cluster_elsewhere_makes_it_the_writer(clients: Clients) -> None:
    west = cluster(clients, WEST, MasterUsername="app", MasterUserPassword="correct-horse")
    clients("rds", WEST).create_global_cluster(GlobalClusterIdentifier="orders", SourceDBClusterIdentifier=west)
    assert writers(clients) == {west: True}


def test_create_global_cluster_keeps_name_and_tags_and_refuses_a_second(clients: Clients) -> None:
    rds = clients("rds")
    tags = [{"Key": "system", "Value": "reskflow"}]
    made = rds.create_global_cluster(GlobalClusterIdentifier="orders", DatabaseName="orders", Tags=tags, **ENGINE)
    assert made["GlobalCluster"]["DatabaseName"] == "orders"
    assert made["GlobalCluster"]["TagList"] == tags
    with pytest.raises(ClientError, match="GlobalClusterAlreadyExists"):
        rds.create_global_cluster(GlobalClusterIdentifier="orders", **ENGINE)


def test_create_db_cluster_as_a_secondary_replicates_from_the_writer(clients: Clients) -> None:
    east, west = pair(clients)
    assert writers(clients) == {east: True, west: False}
    assert describe(clients, WEST)["ReplicationSourceIdentifier"] == east
    assert describe(clients, WEST)["MasterUsername"] == "app"
    assert describe(clients, EAST)["ReadReplicaIdentifiers"] == [west]


def test_create_db_cluster_refuses_a_key_elsewhere_and_a_global_cluster_that_is_not(clients: Clients) -> None:
    login = {"MasterUsername": "app", "MasterUserPassword": "correct-horse"}
    with pytest.raises(ClientError, match="KMSKeyNotAccessible"):
        cluster(clients, EAST, StorageEncrypted=True, KmsKeyId=key(clients, WEST), **login)
    with pytest.raises(ClientError, match="GlobalClusterNotFound"):
        cluster(clients, EAST, GlobalClusterIdentifier="absent", **login)


def test_delete_db_cluster_refuses_a_member(clients: Clients) -> None:
    _, west = pair(clients)
    rds = clients("rds", WEST)
    with pytest.raises(ClientError, match="part of a global cluster"):
        rds.delete_db_cluster(DBClusterIdentifier="orders-us-west-2", SkipFinalSnapshot=True)
    rds.remove_from_global_cluster(GlobalClusterIdentifier="orders", DbClusterIdentifier=west)
    rds.delete_db_cluster(DBClusterIdentifier="orders-us-west-2", SkipFinalSnapshot=True)


def test_describe_global_clusters_by_name(clients: Clients) -> None:
    pair(clients)
    clients("rds").create_global_cluster(GlobalClusterIdentifier="payments", **ENGINE)
    assert len(writers(clients)) == 2
    with pytest.raises(ClientError, match="GlobalClusterNotFound"):
        clients("rds").describe_global_clusters(GlobalClusterIdentifier="absent")


def test_delete_global_cluster_honours_protection(clients: Clients) -> None:
    rds = clients("rds")
    rds.create_global_cluster(GlobalClusterIdentifier="orders", DeletionProtection=True, **ENGINE)
    with pytest.raises(ClientError, match="Cannot delete protected"):
        rds.delete_global_cluster(GlobalClusterIdentifier="orders")
    with pytest.raises(ClientError, match="GlobalClusterNotFound"):
        rds.delete_global_cluster(GlobalClusterIdentifier="absent")


def test_remove_from_global_cluster_of_another_region(clients: Clients) -> None:
    east, west = pair(clients)
    clients("rds", EAST).remove_from_global_cluster(GlobalClusterIdentifier="orders", DbClusterIdentifier=west)
    assert writers(clients) == {east: True}
    assert "ReplicationSourceIdentifier" not in describe(clients, WEST)
    clients("rds", EAST).remove_from_global_cluster(GlobalClusterIdentifier="orders", DbClusterIdentifier=east)
    clients("rds", EAST).delete_global_cluster(GlobalClusterIdentifier="orders")


def test_failover_global_cluster_moves_the_writer(clients: Clients) -> None:
    east, west = pair(clients)
    clients("rds", WEST).failover_global_cluster(
        GlobalClusterIdentifier="orders", TargetDbClusterIdentifier=west, AllowDataLoss=True
    )
    assert writers(clients) == {east: False, west: True}
    assert describe(clients, EAST)["ReplicationSourceIdentifier"] == west
    assert "ReplicationSourceIdentifier" not in describe(clients, WEST)
    with pytest.raises(ClientError, match="primary cluster already"):
        clients("rds", WEST).failover_global_cluster(
            GlobalClusterIdentifier="orders", TargetDbClusterIdentifier=west, AllowDataLoss=True
        )


def test_switchover_global_cluster_there_and_back(clients: Clients) -> None:
    east, west = pair(clients)
    for target, other in ((west, east), (east, west)):
        clients("rds", EAST).switchover_global_cluster(
            GlobalClusterIdentifier="orders", TargetDbClusterIdentifier=target
        )
        assert writers(clients) == {target: True, other: False}


def test_modify_global_cluster(clients: Clients) -> None:
    pair(clients)
    changed = clients("rds").modify_global_cluster(
        GlobalClusterIdentifier="orders", DeletionProtection=True, EngineVersion="16.6"
    )["GlobalCluster"]
    assert changed["DeletionProtection"] is True
    assert describe(clients, WEST)["EngineVersion"] == "16.6"


def test__get_resource_for_tagging_of_a_global_cluster(clients: Clients) -> None:
    rds = clients("rds", WEST)
    arn = rds.create_global_cluster(GlobalClusterIdentifier="orders", **ENGINE)["GlobalCluster"]["GlobalClusterArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "system", "Value": "reskflow"}])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "system", "Value": "reskflow"}]


def test_endpoint_and_reader_endpoint_are_those_of_an_earlier_life(clients: Clients) -> None:
    made = _with_endpoints(clients)
    suffix = endpoint_suffix(made["DBClusterArn"].split(":")[4], "us-east-1", "shop", 12)
    assert made["Endpoint"] == f"shop.cluster-{suffix}.us-east-1.rds.amazonaws.com"


def test_reader_endpoint_has_the_suffix_of_the_writer_s(clients: Clients) -> None:
    made = _with_endpoints(clients)
    assert made["ReaderEndpoint"] == made["Endpoint"].replace(".cluster-", ".cluster-ro-")


def _with_endpoints(clients: Clients) -> dict[str, str]:
    owner = {"MasterUsername": "app", "MasterUserPassword": "correct-horse"}
    rds = clients("rds", "us-east-1")
    return rds.create_db_cluster(DBClusterIdentifier="shop", Engine="aurora-postgresql", **owner)["DBCluster"]
