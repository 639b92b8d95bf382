"""Secrets Manager: the keys of replicas."""

from __future__ import annotations

from typing import Any

from moto.secretsmanager.models import FakeSecret, ReplicaSecret

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError

PATCHES = Patches("secretsmanager")


@PATCHES.fixes(FakeSecret)
def create_replicas(
    original: Moto, self: Moto, replica_regions: list[dict[str, str]], force_overwrite: bool
) -> Moto:  # moto's signature
    """Forgets the key that each replica is encrypted with, and takes a key of another region."""
    for wanted in replica_regions:
        key = wanted.get("KmsKeyId") or ""
        if key.startswith("arn:") and key.split(":")[3] != wanted["Region"]:
            raise RefusedError("InvalidParameterException", f"The KMS key {key} is not in {wanted['Region']}.")
    replicas: list[Any] = original(self, replica_regions, force_overwrite)
    for wanted, replica in zip(replica_regions, replicas, strict=True):
        if wanted.get("KmsKeyId"):
            replica.config["KmsKeyId"] = wanted["KmsKeyId"]
    return replicas


@PATCHES.fixes(ReplicaSecret)
def to_dict(original: Moto, self: Moto) -> dict[str, Any]:
    """Answers the primary's key for a replica."""
    described: dict[str, Any] = original(self)
    described["KmsKeyId"] = self.config["KmsKeyId"]
    return described
