"""KMS: multi-Region keys, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.patches.test_rds import EAST, WEST

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")


def test_replicate_key_leaves_the_primary_a_primary(clients: Clients) -> None:
    identifier = clients("kms", EAST).create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    clients("kms", EAST).replicate_key(KeyId=identifier, ReplicaRegion=WEST)
    kinds = [
        clients("kms", region).describe_key(KeyId=identifier)["KeyMetadata"]["MultiRegionConfiguration"]
        for region in (WEST, EAST)
    ]
    assert [kind["MultiRegionKeyType"] for kind in kinds] == ["REPLICA", "PRIMARY"]
