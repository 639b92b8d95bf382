"""Secrets Manager: the keys of replicas, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.patches.test_rds import EAST, WEST, key

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")


def test_create_replicas_keeps_each_ones_key(clients: Clients) -> None:
    west_key = key(clients, WEST)
    client = clients("secretsmanager", EAST)
    client.create_secret(Name="database", SecretString="s", AddReplicaRegions=[{"Region": WEST, "KmsKeyId": west_key}])
    status = client.describe_secret(SecretId="database")["ReplicationStatus"]
    assert [(replica["Region"], replica["KmsKeyId"]) for replica in status] == [(WEST, west_key)]


def test_create_replicas_refuses_a_key_of_another_region(clients: Clients) -> None:
    replica = {"Region": WEST, "KmsKeyId": key(clients, EAST)}
    with pytest.raises(ClientError, match="is not in us-west-2"):
        clients("secretsmanager", EAST).create_secret(Name="database", SecretString="s", AddReplicaRegions=[replica])


def test_to_dict_of_a_replica_has_its_own_key(clients: Clients) -> None:
    east_key, west_key = key(clients, EAST), key(clients, WEST)
    replicas = [{"Region": WEST, "KmsKeyId": west_key}]
    clients("secretsmanager", EAST).create_secret(
        Name="database", SecretString="s", KmsKeyId=east_key, AddReplicaRegions=replicas
    )
    assert clients("secretsmanager", WEST).describe_secret(SecretId="database")["KmsKeyId"] == west_key
