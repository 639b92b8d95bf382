"""DynamoDB: conditional writes and strongly consistent global tables, as boto3 sees them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lifeboat.sandbox.patches import dynamodb

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client, Clients, Request

pytestmark = pytest.mark.usefixtures("clean_gateway")

EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
NAME = "lease"


def create(clients: Clients, name: str = NAME, region: str = EAST) -> Client:
    client = clients("dynamodb", region)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    return client


def strong(clients: Clients, **more: Request) -> Client:
    """A table in the east with a replica in the west and a witness."""
    client = create(clients)
    update = {
        "MultiRegionConsistency": "STRONG",
        "ReplicaUpdates": [{"Create": {"RegionName": WEST}}],
        "GlobalTableWitnessUpdates": [{"Create": {"RegionName": WITNESS}}],
    }
    wanted = {name: value for name, value in {**update, **more}.items() if value}
    client.update_table(TableName=NAME, **wanted)
    return client


def item(version: int) -> dict[str, Any]:
    return {"pk": {"S": "lease"}, "version": {"N": str(version)}}


def refused(call: Client, **arguments: Request) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return caught.value.response["Error"]["Message"]


def meet(patched: Callable[..., bool]) -> bool:
    """Whether two threads can be inside what a patch wraps at once."""
    inside = threading.Barrier(2)

    def original() -> bool:
        try:
            inside.wait(timeout=0.2)
        except threading.BrokenBarrierError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        return any(pool.map(patched, (original, original)))


def test_put_item_is_alone_from_its_condition_to_its_write() -> None:
    assert not meet(dynamodb.put_item)


def test_update_item_is_alone_from_its_condition_to_its_write() -> None:
    assert not meet(dynamodb.update_item)


def test_delete_item_is_alone_from_its_condition_to_its_write() -> None:
    assert not meet(dynamodb.delete_item)


def test_update_table_makes_replicas_that_share_their_items(clients: Clients) -> None:
    east, west = strong(clients), clients("dynamodb", WEST)
    east.put_item(TableName=NAME, Item=item(1))
    assert west.get_item(TableName=NAME, Key={"pk": {"S": "lease"}}, ConsistentRead=True)["Item"] == item(1)
    condition = {"ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": {"N": "0"}}}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        west.put_item(TableName=NAME, Item=item(2), **condition)
    west.delete_item(TableName=NAME, Key={"pk": {"S": "lease"}})
    assert "Item" not in east.get_item(TableName=NAME, Key={"pk": {"S": "lease"}})


def test_update_table_gives_the_witness_nothing_to_read(clients: Clients) -> None:
    strong(clients)
    with pytest.raises(ClientError) as caught:
        clients("dynamodb", WITNESS).get_item(TableName=NAME, Key={"pk": {"S": "lease"}})
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_update_table_changes_the_key(clients: Clients) -> None:
    client = create(clients)
    keys = {region: clients("kms", region).create_key()["KeyMetadata"]["Arn"] for region in (EAST, WEST)}
    wanted = {"Enabled": True, "SSEType": "KMS"}
    client.update_table(TableName=NAME, SSESpecification={**wanted, "KMSMasterKeyId": keys[EAST]})
    assert client.describe_table(TableName=NAME)["Table"]["SSEDescription"]["KMSMasterKeyArn"] == keys[EAST]
    message = refused(client.update_table, TableName=NAME, SSESpecification={**wanted, "KMSMasterKeyId": keys[WEST]})
    assert "not in us-east-1" in message


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"GlobalTableWitnessUpdates": []}, "three regions of one set"),
        ({"GlobalTableWitnessUpdates": [{"Create": {"RegionName": "eu-west-1"}}]}, "three regions of one set"),
        ({"GlobalTableWitnessUpdates": [{"Create": {"RegionName": WEST}}]}, "added once"),
        ({"MultiRegionConsistency": "EVENTUAL"}, "only strong consistency has a witness"),
        (
            {"ReplicaUpdates": [{"Create": {"RegionName": WEST, "KMSMasterKeyId": f"arn:aws:kms:{EAST}:1:key/a"}}]},
            "not in us-west-2",
        ),
    ],
    ids=["no witness", "another set", "twice", "eventual", "foreign key"],
)
def test_update_table_refuses_what_is_not_three_members(clients: Clients, more: dict[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why):
        strong(clients, **more)
    assert "Replicas" not in clients("dynamodb", EAST).describe_table(TableName=NAME)["Table"]


def test_update_table_refuses_strong_consistency_of_a_table_with_items(clients: Clients) -> None:
    client = create(clients)
    client.put_item(TableName=NAME, Item=item(0))
    message = refused(
        client.update_table,
        TableName=NAME,
        MultiRegionConsistency="STRONG",
        ReplicaUpdates=[{"Create": {"RegionName": WEST}}],
        GlobalTableWitnessUpdates=[{"Create": {"RegionName": WITNESS}}],
    )
    assert "empty table" in message


def test_describe_shows_each_replica_its_own_name_and_the_others(clients: Clients) -> None:
    east, west = strong(clients), clients("dynamodb", WEST)
    west.update_table(TableName=NAME, DeletionProtectionEnabled=True)
    for client, own, other in ((east, EAST, WEST), (west, WEST, EAST)):
        table = client.describe_table(TableName=NAME)["Table"]
        assert f":{own}:" in table["TableArn"]
        assert [replica["RegionName"] for replica in table["Replicas"]] == [other]
        assert table["GlobalTableWitnesses"] == [{"RegionName": WITNESS, "WitnessStatus": "ACTIVE"}]
        assert table["MultiRegionConsistency"] == "STRONG"
        assert table["DeletionProtectionEnabled"] == (own == WEST)


def test_transact_write_items_is_refused_with_strong_consistency(clients: Clients) -> None:
    client = strong(clients)
    put = [{"Put": {"TableName": NAME, "Item": item(1)}}]
    assert "transactions" in refused(client.transact_write_items, TransactItems=put)
    create(clients, "plain")
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "plain", "Item": item(1)}}])
    assert client.get_item(TableName="plain", Key={"pk": {"S": "lease"}})["Item"] == item(1)


def test_delete_table_wants_a_strong_table_taken_apart(clients: Clients) -> None:
    east = strong(clients)
    assert f"{WITNESS}, {WEST}" in refused(east.delete_table, TableName=NAME)
    east.update_table(
        TableName=NAME,
        ReplicaUpdates=[{"Delete": {"RegionName": WEST}}],
        GlobalTableWitnessUpdates=[{"Delete": {"RegionName": WITNESS}}],
    )
    assert clients("dynamodb", WEST).list_tables()["TableNames"] == []
    east.delete_table(TableName=NAME)
    assert east.list_tables()["TableNames"] == []
