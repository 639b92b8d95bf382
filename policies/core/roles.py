"""Roles: what a resource is to another. Rules exempt by role, never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.core.values import UNKNOWN, is_set

if TYPE_CHECKING:
    from policies.core.index import Index
    from policies.core.resource import Resource

CLUSTER: Final = "aws:rds/cluster:Cluster"
INSTANCE: Final = "aws:rds/instance:Instance"
REPLICATION_GROUP: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
BUCKET: Final = "aws:s3/bucket:Bucket"
BUCKET_REPLICATION: Final = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"

_SOURCES: Final = {
    INSTANCE: ("replicateSourceDb",),
    CLUSTER: ("replicationSourceIdentifier",),
    "aws:docdb/cluster:Cluster": ("replicationSourceIdentifier",),
    "aws:neptune/cluster:Cluster": ("replicationSourceIdentifier",),
    REPLICATION_GROUP: ("globalReplicationGroupId",),
    "gcp:sql/databaseInstance:DatabaseInstance": ("masterInstanceName",),
}
_GLOBAL: Final = {
    CLUSTER: "globalClusterIdentifier",
    "aws:docdb/cluster:Cluster": "globalClusterIdentifier",
    "aws:neptune/cluster:Cluster": "globalClusterIdentifier",
}


def is_replica(resource: Resource, index: Index) -> bool:
    """Whether a database or cache follows another: by a source it names, or as a later member of a global cluster.

    A source that is not known yet is one all the same.
    """
    if any(resource.peek(path) is UNKNOWN or is_set(resource.peek(path)) for path in _SOURCES.get(resource.type, ())):
        return True
    return global_source(resource, index) is not None


def global_source(resource: Resource, index: Index) -> Resource | None:
    """The member of a global cluster that a cluster follows; None for the first one, and for a cluster without.

    The first member is the one that has the data: it names the master user or a snapshot, or depends on no other one.
    """
    path = _GLOBAL.get(resource.type)
    if path is None or not (resource.peek(path) is UNKNOWN or is_set(resource.peek(path))):
        return None
    members = [each for each in index.of(resource.type) if _same_global(each, resource, path, index)]
    first = next((each for each in members if _has_data(each)), None)
    if first is None:
        first = next((each for each in members if not any(other.urn in each.dependencies for other in members)), None)
    return None if first is resource else first


def replica_source(resource: Resource, index: Index) -> Resource | None:
    """What a replica follows, where that is in this stack."""
    for path in _SOURCES.get(resource.type, ()):
        found = index.target(resource, path, resource.type)
        if found is not None:
            return found
    return global_source(resource, index)


def is_replication_destination(bucket: Resource, index: Index) -> bool:
    """Whether another bucket of this stack replicates into this one."""
    return any(bucket in index.targets(each, "rules", BUCKET) for each in index.of(BUCKET_REPLICATION))


def _same_global(one: Resource, other: Resource, path: str, index: Index) -> bool:
    if one is other:
        return True
    ones, others = index.targets(one, path), index.targets(other, path)
    if ones or others:
        return bool(set(ones) & set(others))
    literal = one.peek(path)
    return is_set(literal) and literal is not UNKNOWN and literal == other.peek(path)


def _has_data(cluster: Resource) -> bool:
    return any(is_set(cluster.peek(path)) for path in ("masterUsername", "snapshotIdentifier", "restoreToPointInTime"))
