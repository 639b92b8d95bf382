"""ElastiCache's Global Datastore, as boto3 sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.patches.test_elasticache import create, describe
from tests.sandbox.patches.test_rds import EAST, WEST

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")


def pair(clients: Clients) -> str:
    create(clients, EAST, "sessions-east")
    made = clients("elasticache", EAST).create_global_replication_group(
        GlobalReplicationGroupIdSuffix="sessions", PrimaryReplicationGroupId="sessions-east"
    )
    identifier = made["GlobalReplicationGroup"]["GlobalReplicationGroupId"]
    create(clients, WEST, "sessions-west", GlobalReplicationGroupId=identifier)
    return identifier


def read(clients: Clients, identifier: str) -> dict[str, Any]:
    found = clients("elasticache", WEST).describe_global_replication_groups(
        GlobalReplicationGroupId=identifier, ShowMemberInfo=True
    )
    return found["GlobalReplicationGroups"][0]


def roles(clients: Clients, identifier: str) -> dict[str, str]:
    return {member["ReplicationGroupRegion"]: member["Role"] for member in read(clients, identifier)["Members"]}


def test_create_global_replication_group(clients: Clients) -> None:
    create(clients)
    client = clients("elasticache")
    wanted = {"GlobalReplicationGroupIdSuffix": "sessions", "PrimaryReplicationGroupId": "sessions"}
    made = client.create_global_replication_group(**wanted)["GlobalReplicationGroup"]
    assert made["GlobalReplicationGroupId"].endswith("-sessions")
    assert made["Status"] == "primary-only"
    with pytest.raises(ClientError, match="member of"):
        client.create_global_replication_group(**wanted)


def test_create_replication_group_as_a_secondary(clients: Clients) -> None:
    identifier = pair(clients)
    assert roles(clients, identifier) == {EAST: "PRIMARY", WEST: "SECONDARY"}
    secondary = describe(clients, WEST, "sessions-west")
    assert secondary["CacheNodeType"] == "cache.r7g.large"
    assert secondary["GlobalReplicationGroupInfo"] == {
        "GlobalReplicationGroupId": identifier,
        "GlobalReplicationGroupMemberRole": "SECONDARY",
    }
    with pytest.raises(ClientError, match="comes from"):
        create(clients, WEST, "third", GlobalReplicationGroupId=identifier, CacheNodeType="cache.t4g.micro")
    with pytest.raises(ClientError, match="GlobalReplicationGroupNotFound"):
        create(clients, WEST, "third", GlobalReplicationGroupId="absent")


def test_describe_global_replication_groups(clients: Clients) -> None:
    identifier = pair(clients)
    assert read(clients, identifier)["Status"] == "available"
    with pytest.raises(ClientError, match="GlobalReplicationGroupNotFound"):
        read(clients, "absent")


def test_modify_global_replication_group(clients: Clients) -> None:
    identifier = pair(clients)
    client = clients("elasticache", EAST)
    with pytest.raises(ClientError, match="ModifyGlobalReplicationGroup"):
        client.modify_replication_group(ReplicationGroupId="sessions-east", EngineVersion="7.2")
    client.modify_global_replication_group(
        GlobalReplicationGroupId=identifier, ApplyImmediately=True, CacheNodeType="cache.r7g.xlarge"
    )
    assert describe(clients, WEST, "sessions-west")["CacheNodeType"] == "cache.r7g.xlarge"


def test_failover_global_replication_group_there_and_back(clients: Clients) -> None:
    identifier = pair(clients)
    for region, name in ((WEST, "sessions-west"), (EAST, "sessions-east")):
        clients("elasticache", region).failover_global_replication_group(
            GlobalReplicationGroupId=identifier, PrimaryRegion=region, PrimaryReplicationGroupId=name
        )
        other = EAST if region == WEST else WEST
        assert roles(clients, identifier) == {region: "PRIMARY", other: "SECONDARY"}


def test_disassociate_global_replication_group(clients: Clients) -> None:
    identifier = pair(clients)
    client = clients("elasticache", EAST)
    with pytest.raises(ClientError, match="disassociate it first"):
        clients("elasticache", WEST).delete_replication_group(ReplicationGroupId="sessions-west")
    with pytest.raises(ClientError, match="is the primary"):
        client.disassociate_global_replication_group(
            GlobalReplicationGroupId=identifier,
            ReplicationGroupId="sessions-east",
            ReplicationGroupRegion=EAST,
        )
    client.disassociate_global_replication_group(
        GlobalReplicationGroupId=identifier, ReplicationGroupId="sessions-west", ReplicationGroupRegion=WEST
    )
    assert roles(clients, identifier) == {EAST: "PRIMARY"}
    assert "GlobalReplicationGroupInfo" not in describe(clients, WEST, "sessions-west")


@pytest.mark.parametrize("retained", [True, False])
def test_delete_global_replication_group(clients: Clients, retained: bool) -> None:
    identifier = pair(clients)
    client = clients("elasticache", EAST)
    wanted = {"GlobalReplicationGroupId": identifier, "RetainPrimaryReplicationGroup": retained}
    with pytest.raises(ClientError, match="has secondary members"):
        client.delete_global_replication_group(**wanted)
    client.disassociate_global_replication_group(
        GlobalReplicationGroupId=identifier, ReplicationGroupId="sessions-west", ReplicationGroupRegion=WEST
    )
    client.delete_global_replication_group(**wanted)
    assert client.describe_global_replication_groups()["GlobalReplicationGroups"] == []
    assert len(client.describe_replication_groups()["ReplicationGroups"]) == int(retained)
