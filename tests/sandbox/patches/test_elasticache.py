"""ElastiCache: replication groups, subnet groups and parameter groups, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.patches.test_rds import EAST, WEST, key

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client, Clients, Request

pytestmark = pytest.mark.usefixtures("clean_gateway")


def create(clients: Clients, region: str = EAST, name: str = "sessions", **more: Request) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "ReplicationGroupId": name,
        "ReplicationGroupDescription": "sessions",
        "NumCacheClusters": 3,
        "AutomaticFailoverEnabled": True,
        "MultiAZEnabled": True,
    }
    if "GlobalReplicationGroupId" not in more:
        wanted |= {"Engine": "redis", "EngineVersion": "7.1", "CacheNodeType": "cache.r7g.large"}
    return clients("elasticache", region).create_replication_group(**{**wanted, **more})["ReplicationGroup"]


def describe(clients: Clients, region: str = EAST, name: str = "sessions") -> dict[str, Any]:
    found = clients("elasticache", region).describe_replication_groups(ReplicationGroupId=name)
    return found["ReplicationGroups"][0]


def member(clients: Clients, region: str = EAST, name: str = "sessions-001") -> dict[str, Any]:
    return clients("elasticache", region).describe_cache_clusters(CacheClusterId=name)["CacheClusters"][0]


def subnet_group(clients: Clients, region: str = EAST) -> list[str]:
    ec2 = clients("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    cidrs = ("10.0.1.0/24", "10.0.2.0/24")
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"] for cidr in cidrs]
    clients("elasticache", region).create_cache_subnet_group(
        CacheSubnetGroupName="isolated", CacheSubnetGroupDescription="isolated", SubnetIds=subnets[:1]
    )
    return subnets


def parameter_group(clients: Clients) -> Client:
    client = clients("elasticache")
    client.create_cache_parameter_group(
        CacheParameterGroupName="tuned", CacheParameterGroupFamily="redis7", Description="tuned"
    )
    client.modify_cache_parameter_group(
        CacheParameterGroupName="tuned",
        ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"}],
    )
    return client


def parameters(client: Client) -> dict[str, str]:
    found = client.describe_cache_parameters(CacheParameterGroupName="tuned", Source="user")["Parameters"]
    return {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in found}


def test_create_replication_group_has_its_members_in_its_region(clients: Clients) -> None:
    create(clients, WEST, SecurityGroupIds=["sg-1"], CacheParameterGroupName="tuned", AtRestEncryptionEnabled=True)
    group = describe(clients, WEST)
    assert group["MemberClusters"] == ["sessions-001", "sessions-002", "sessions-003"]
    node_group = group["NodeGroups"][0]
    assert ".usw2.cache." in node_group["PrimaryEndpoint"]["Address"]
    assert ".usw2.cache." in node_group["ReaderEndpoint"]["Address"]
    zones = [known["PreferredAvailabilityZone"] for known in node_group["NodeGroupMembers"]]
    assert zones == ["us-west-2a", "us-west-2b", "us-west-2c"]
    cluster = member(clients, WEST)
    assert cluster["EngineVersion"] == "7.1"
    assert cluster["SecurityGroups"] == [{"SecurityGroupId": "sg-1", "Status": "active"}]
    assert cluster["CacheParameterGroup"]["CacheParameterGroupName"] == "tuned"


def test_create_replication_group_refuses_a_key_of_another_region(clients: Clients) -> None:
    with pytest.raises(ClientError, match="of another region"):
        create(clients, AtRestEncryptionEnabled=True, KmsKeyId=key(clients, WEST))


def test_modify_replication_group_reaches_the_members(clients: Clients) -> None:
    create(clients)
    clients("elasticache").modify_replication_group(
        ReplicationGroupId="sessions", EngineVersion="7.2", SnapshotWindow="01:00-02:00", ApplyImmediately=True
    )
    assert member(clients)["EngineVersion"] == "7.2"
    assert describe(clients)["SnapshotWindow"] == "01:00-02:00"


def test_increase_replica_count(clients: Clients) -> None:
    create(clients, NumCacheClusters=2)
    clients("elasticache").increase_replica_count(
        ReplicationGroupId="sessions", NewReplicaCount=2, ApplyImmediately=True
    )
    assert len(describe(clients)["MemberClusters"]) == 3
    assert member(clients, name="sessions-003")["ReplicationGroupId"] == "sessions"


def test_decrease_replica_count(clients: Clients) -> None:
    create(clients)
    clients("elasticache").decrease_replica_count(
        ReplicationGroupId="sessions", NewReplicaCount=1, ApplyImmediately=True
    )
    assert describe(clients)["MemberClusters"] == ["sessions-001", "sessions-002"]
    with pytest.raises(ClientError, match="CacheClusterNotFound"):
        member(clients, name="sessions-003")


def test_test_failover(clients: Clients) -> None:
    create(clients, NumCacheClusters=2)
    clients("elasticache").test_failover(ReplicationGroupId="sessions", NodeGroupId="0001")
    roles = [known["CurrentRole"] for known in describe(clients)["NodeGroups"][0]["NodeGroupMembers"]]
    assert roles == ["replica", "primary"]


def test_delete_replication_group_is_gone(clients: Clients) -> None:
    create(clients)
    deleted = clients("elasticache").delete_replication_group(ReplicationGroupId="sessions")["ReplicationGroup"]
    assert deleted["Status"] == "deleting"
    with pytest.raises(ClientError, match="ReplicationGroupNotFoundFault"):
        describe(clients)
    assert clients("elasticache").describe_cache_clusters()["CacheClusters"] == []


def test_modify_cache_subnet_group(clients: Clients) -> None:
    subnets = subnet_group(clients)
    changed = clients("elasticache").modify_cache_subnet_group(CacheSubnetGroupName="isolated", SubnetIds=subnets)
    found = [known["SubnetIdentifier"] for known in changed["CacheSubnetGroup"]["Subnets"]]
    assert sorted(found) == sorted(subnets)


def test_delete_cache_subnet_group(clients: Clients) -> None:
    subnet_group(clients)
    create(clients, CacheSubnetGroupName="isolated")
    client = clients("elasticache")
    with pytest.raises(ClientError, match="in use"):
        client.delete_cache_subnet_group(CacheSubnetGroupName="isolated")
    client.delete_replication_group(ReplicationGroupId="sessions")
    client.delete_cache_subnet_group(CacheSubnetGroupName="isolated")
    assert client.describe_cache_subnet_groups()["CacheSubnetGroups"] == []


def test_create_cache_parameter_group(clients: Clients) -> None:
    client = parameter_group(clients)
    with pytest.raises(ClientError, match="already exists"):
        client.create_cache_parameter_group(
            CacheParameterGroupName="tuned", CacheParameterGroupFamily="redis7", Description="again"
        )


def test_describe_cache_parameter_groups(clients: Clients) -> None:
    client = parameter_group(clients)
    found = client.describe_cache_parameter_groups(CacheParameterGroupName="tuned")["CacheParameterGroups"]
    assert [group["CacheParameterGroupFamily"] for group in found] == ["redis7"]
    with pytest.raises(ClientError, match="CacheParameterGroupNotFound"):
        client.describe_cache_parameter_groups(CacheParameterGroupName="absent")


def test_modify_cache_parameter_group(clients: Clients) -> None:
    assert parameters(parameter_group(clients)) == {"maxmemory-policy": "noeviction"}


def test_describe_cache_parameters_that_are_the_engines_own(clients: Clients) -> None:
    client = parameter_group(clients)
    assert client.describe_cache_parameters(CacheParameterGroupName="tuned", Source="system")["Parameters"] == []


def test_reset_cache_parameter_group(clients: Clients) -> None:
    client = parameter_group(clients)
    client.reset_cache_parameter_group(CacheParameterGroupName="tuned", ResetAllParameters=True)
    assert parameters(client) == {}


def test_delete_cache_parameter_group(clients: Clients) -> None:
    client = parameter_group(clients)
    create(clients, CacheParameterGroupName="tuned")
    with pytest.raises(ClientError, match="in use"):
        client.delete_cache_parameter_group(CacheParameterGroupName="tuned")
    client.delete_replication_group(ReplicationGroupId="sessions")
    client.delete_cache_parameter_group(CacheParameterGroupName="tuned")
    assert client.describe_cache_parameter_groups()["CacheParameterGroups"] == []


def test_list_tags_for_resource_of_a_parameter_group(clients: Clients) -> None:
    client = parameter_group(clients)
    arn = client.describe_cache_parameter_groups()["CacheParameterGroups"][0]["ARN"]
    client.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "system", "Value": "reskflow"}])
    assert client.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "system", "Value": "reskflow"}]


def test_create_replication_group_names_its_endpoints_as_in_an_earlier_life(clients: Clients) -> None:
    first, second = create(clients), create(clients, name="carts")
    client = clients("elasticache", EAST)
    client.delete_replication_group(ReplicationGroupId="sessions")
    again = create(clients)
    names = [group["NodeGroups"][0]["PrimaryEndpoint"]["Address"] for group in (first, second, again)]
    assert names[0] == names[2]
    assert names[0].split(".")[2] != names[1].split(".")[2]
