"""What an adopted store keeps of its own.

A store that existed before is imported by its identifier and then updated in place to what is declared. It was created
with a key and in a network of its own, though, and changing those replaces it, which its protection refuses. So a
resource that is imported, and no other, ignores exactly what follows, for as long as the settings import it.
"""

from __future__ import annotations

from components.aws.promotion import CLUSTER, GLOBAL_CLUSTER, INSTANCE

BUCKET = "aws:s3/bucket:Bucket"
REPLICATION_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"

_KEY = "Storage keeps the key that it was created with; another key means a copy, and a replacement."
_ENCRYPTION = "Storage is encrypted when it is created or never; changing it means a copy, and a replacement."
_ACCESS = "Security groups belong to a VPC, and AWS refuses those of another than the kept subnet group's."

ADOPTION_KEEPS: dict[str, dict[str, str]] = {
    INSTANCE: {
        "kmsKeyId": _KEY,
        "storageEncrypted": _ENCRYPTION,
        "performanceInsightsKmsKeyId": "AWS refuses another key once Performance Insights has recorded with one.",
    },
    CLUSTER: {
        "databaseName": "The first database was named when the cluster was created; another name replaces it.",
        "dbSubnetGroupName": "A cluster stays in the subnets that it was created in; other ones replace it.",
        "kmsKeyId": _KEY,
        "masterUsername": "The master user was named when the cluster was created; another name replaces it.",
        "sourceRegion": "It matters when a cluster is created and is never read back, so naming it would replace "
        "the adopted one.",
        "storageEncrypted": _ENCRYPTION,
    },
    GLOBAL_CLUSTER: {"storageEncrypted": _ENCRYPTION},
    REPLICATION_GROUP: {
        "atRestEncryptionEnabled": _ENCRYPTION,
        "kmsKeyId": _KEY,
        "subnetGroupName": "A group stays in the subnets that it was created in; other ones replace it.",
    },
    BUCKET: {
        "objectLockEnabled": "The bucket's own switch is thrown at its creation; a declared lock is put on an existing "
        "bucket by its lock configuration.",
    },
}
"""Reason by type token and property, by wire name: what replaces the resource, or what the provider refuses."""

ADOPTION_STAYS: dict[str, dict[str, str]] = {
    INSTANCE: {
        "dbSubnetGroupName": "Another one means a move to another VPC, which AWS refuses to an instance in more than "
        "one zone, as this one becomes.",
        "vpcSecurityGroupIds": _ACCESS,
    },
    CLUSTER: {"vpcSecurityGroupIds": _ACCESS},
    REPLICATION_GROUP: {"securityGroupIds": _ACCESS},
}
"""The same for what the provider would send in place, and AWS refuses because of where the store lives."""


def kept(token: str, identifier: str | None) -> list[str]:
    """Properties that a resource keeps, for ``ResourceOptions(ignore_changes=...)``.

    Args:
        token: Type token.
        identifier: What the resource is imported by; None when it is not, and keeps nothing.

    Raises:
        KeyError: for a type that nothing of is known to be kept.
    """
    if identifier is None:
        return []
    return sorted({**ADOPTION_KEEPS[token], **ADOPTION_STAYS.get(token, {})})
