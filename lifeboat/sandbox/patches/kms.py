"""KMS: multi-Region keys."""

from __future__ import annotations

from moto.kms.models import KmsBackend

from lifeboat.sandbox.patches.base import Moto, Patches

PATCHES = Patches("kms")


@PATCHES.fixes(KmsBackend)
def replicate_key(original: Moto, self: Moto, key_id: str, replica_region: str) -> Moto:
    """Shares one description between primary and replica: once the replica is read, the primary says REPLICA too."""
    replica = original(self, key_id, replica_region)
    # The list of replicas stays shared, as every one of them shows all.
    replica.multi_region_configuration = {**replica.multi_region_configuration, "MultiRegionKeyType": "REPLICA"}
    return replica
