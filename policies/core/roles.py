"""Roles: what a resource is to another. Rules exempt by role, never by name."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from policies.core.values import UNKNOWN, UnknownPropertyError, is_set

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_FOLLOWED: Final = (*_SOURCES, "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup")
"""Types that a replica can follow, also one of another type: a cluster an instance, for example."""
_GLOBAL_ID: Final = "globalClusterIdentifier"
_GLOBAL: Final = {
    CLUSTER: "aws:rds/globalCluster:GlobalCluster",
    "aws:docdb/cluster:Cluster": "aws:docdb/globalCluster:GlobalCluster",
    "aws:neptune/cluster:Cluster": "aws:neptune/globalCluster:GlobalCluster",
}
"""By type of cluster: the type of its global one."""


def is_replica(resource: Resource, index: Index) -> bool:
    """Whether a database or cache follows another: by a source it names, or as a later member of a global cluster.

    Raises:
        UnknownPropertyError: when the source is not known yet, and is nothing of this stack: it may turn out empty.
    """
    for path in _SOURCES.get(resource.type, ()):
        source = resource.peek(path)
        if source is UNKNOWN and not index.targets(resource, path, *_FOLLOWED):
            raise UnknownPropertyError(path)
        if source is UNKNOWN or is_set(source):
            return True
    return global_source(resource, index) is not None


def global_source(resource: Resource, index: Index) -> Resource | None:
    """The member of a global cluster that a cluster follows; None for the first one, and for a cluster without.

    The first member is the one that has the data: it names the master user or a snapshot, or depends on no other one.
    """
    if resource.type not in _GLOBAL:
        return None
    first = index.once(f"first of {resource.type}", lambda: _first_members(resource.type, index))
    found = first.get(resource.urn)
    return None if found is resource else found


def replica_source(resource: Resource, index: Index) -> Resource | None:
    """What a replica follows, where that is in this stack."""
    for path in _SOURCES.get(resource.type, ()):
        found = index.target(resource, path, resource.type)
        if found is not None:
            return found
    return global_source(resource, index)


def is_replication_destination(bucket: Resource, index: Index) -> bool:
    """Whether another bucket of this stack replicates into this one."""
    return bucket.urn in index.once("replication destinations", lambda: _destinations(index))


def _destinations(index: Index) -> frozenset[str]:
    return frozenset(
        bucket.urn
        for each in index.of(BUCKET_REPLICATION)
        for bucket in index.targets(each, "rules.*.destination.bucket", BUCKET)
    )


def _first_members(type_: str, index: Index) -> dict[str, Resource]:
    """By each cluster that belongs to a global one: the member that has the data."""
    members: dict[str, list[Resource]] = defaultdict(list)
    for cluster in index.of(type_):
        if (owner := _global_cluster(cluster, index)) is not None:
            members[owner].append(cluster)
    return {each.urn: _first(clusters) for clusters in members.values() for each in clusters}


def _global_cluster(cluster: Resource, index: Index) -> str | None:
    """What stands for the global cluster: its URN where it is in this stack, else its literal name."""
    owner = index.target(cluster, _GLOBAL_ID, _GLOBAL[cluster.type])
    if owner is not None:
        return owner.urn
    literal = cluster.peek(_GLOBAL_ID)
    return literal if isinstance(literal, str) and literal else None


def _first(clusters: Sequence[Resource]) -> Resource:
    urns = {each.urn for each in clusters}
    holders = (each for each in clusters if _has_data(each))
    heads = (each for each in clusters if urns.isdisjoint(each.dependencies))
    return next(holders, None) or next(heads, clusters[0])


def _has_data(cluster: Resource) -> bool:
    return any(is_set(cluster.peek(path)) for path in ("masterUsername", "snapshotIdentifier", "restoreToPointInTime"))
