"""AWS: databases and caches are encrypted at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.core.arns import arn_region
from policies.core.keys import require_key
from policies.core.results import require
from policies.core.roles import is_replica, replica_source
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set, is_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result

CUSTOMER_KEY: Final = "a customer-managed key"
TABLE_REPLICA: Final = "aws:dynamodb/tableReplica:TableReplica"


def is_customer_key(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a key is named that is not one of AWS's own, which no policy can share and no other region has."""
    return isinstance(value, str) and bool(value) and "alias/aws/" not in value


def follows_other_region(replica: Resource, index: Index) -> bool:
    """Whether the source of an RDS replica is in another region; an identifier instead of an ARN is one of its own.

    Raises:
        UnknownPropertyError: when the source or a region is not known yet.
    """
    source = replica_source(replica, index)
    region = index.region(source) if source is not None else arn_region(replica.get("replicateSourceDb"))
    own = index.region(replica)
    if region and not own:
        raise UnknownPropertyError("region")
    return bool(region) and region != own


def _storage_encrypted(resource: Resource, _: Context) -> Iterable[Result]:
    yield from require(resource, "storageEncrypted", is_true, "true")


def _rds_instance_encrypted(resource: Resource, context: Context) -> Iterable[Result]:
    if not is_replica(resource, context.index):
        yield from _storage_encrypted(resource, context)
    elif follows_other_region(resource, context.index):
        # The provider ignores `storageEncrypted` of such a replica; only a key encrypts it.
        yield from require_key(resource, "kmsKeyId", context.index, is_set, "a key of the replica's own region")


def _rds_cluster_encrypted(resource: Resource, context: Context) -> Iterable[Result]:
    if is_true(resource.peek("storageEncrypted")) or resource.get("engineMode") == "serverless":
        return
    yield from _storage_encrypted(resource, context)


def _global_cluster_encrypted(resource: Resource, context: Context) -> Iterable[Result]:
    source = resource.peek("sourceDbClusterIdentifier")
    if source is not UNKNOWN and not is_set(source):
        yield from _storage_encrypted(resource, context)


def _dynamodb_cmk(resource: Resource, context: Context) -> Iterable[Result]:
    if resource.type == TABLE_REPLICA:
        yield from require_key(resource, "kmsKeyArn", context.index, is_customer_key, CUSTOMER_KEY)
        return
    yield from require(resource, "serverSideEncryption.enabled", is_true, "true")
    # A key means nothing where the encryption with KMS is off, which is one finding and not two.
    if is_true(resource.peek("serverSideEncryption.enabled")):
        yield from require_key(resource, "serverSideEncryption.kmsKeyArn", context.index, is_customer_key, CUSTOMER_KEY)
    for replica in resource.items("replicas"):
        expected = f"{CUSTOMER_KEY} of the replica's region"
        yield from require_key(replica, "kmsKeyArn", context.index, is_customer_key, expected)


def _redshift_encrypted(resource: Resource, _: Context) -> Iterable[Result]:
    yield from require(resource, "encrypted", lambda value: value is None or is_true(value), "true")


def _elasticache_at_rest(resource: Resource, context: Context) -> Iterable[Result]:
    if is_replica(resource, context.index):
        return
    if resource.peek("atRestEncryptionEnabled") is None and resource.get("engine") == "valkey":
        return
    yield from require(resource, "atRestEncryptionEnabled", is_true, "true")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rds-instance-encrypted": _rds_instance_encrypted,
    "rds-cluster-encrypted": _rds_cluster_encrypted,
    "global-cluster-encrypted": _global_cluster_encrypted,
    "dynamodb-cmk": _dynamodb_cmk,
    "docdb-neptune-encrypted": _storage_encrypted,
    "redshift-encrypted": _redshift_encrypted,
    "elasticache-at-rest": _elasticache_at_rest,
}
