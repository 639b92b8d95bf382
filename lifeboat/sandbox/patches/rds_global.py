"""RDS: Aurora global clusters. moto keeps them in us-east-1's backend for every region."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBClusterNotFoundError, InvalidDBClusterStateFault
from moto.rds.models import DBCluster, RDSBackend, find_cluster, rds_backends
from moto.rds.responses import RDSResponse

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, endpoint_suffix
from lifeboat.sandbox.patches.rds import require_key_of_region

PATCHES = Patches("rds_global")


def _global_backend(backend: Moto) -> Moto:
    return rds_backends[backend.account_id]["us-east-1"]


def _find(backend: Moto, identifier: str) -> Moto:
    found = _global_backend(backend).global_clusters.get(identifier)
    if found is None:
        raise RefusedError("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found.")
    return found


def _global_of(cluster: Moto) -> Moto | None:
    clusters = _global_backend(cluster.backend).global_clusters.values()
    return next((candidate for candidate in clusters if cluster in candidate.members), None)


def set_writer(global_cluster: Moto, writer: Moto | None) -> None:
    """Make one member the writer, and every other one its replica: AWS shows its ARN as their replication source."""
    for member in global_cluster.members:
        member.is_writer = member is writer
        member.read_replica_identifiers = []
        member.replication_source_identifier = None if member is writer or writer is None else writer.db_cluster_arn
    if writer is not None:
        writer.read_replica_identifiers = [
            member.db_cluster_arn for member in global_cluster.members if member is not writer
        ]


def leave(global_cluster: Moto, cluster: Moto) -> None:
    """Make a member a cluster of its own again, which writes."""
    writer = next((member for member in global_cluster.members if member.is_writer), None)
    global_cluster.members.remove(cluster)
    set_writer(global_cluster, None if cluster is writer else writer)
    cluster.global_cluster_identifier = None
    cluster.replication_source_identifier = None
    cluster.read_replica_identifiers = []


def _name_endpoints(cluster: Moto) -> None:
    name = cluster.db_cluster_identifier
    cluster.url_identifier = endpoint_suffix(cluster.backend.account_id, cluster.region, name, 12)


@PATCHES.fixes(DBCluster)
def endpoint(original: Moto, self: Moto) -> str:
    """Is another one in each life of a sandbox: whoever knows the name loses the cluster."""
    _name_endpoints(self)
    return original(self)


@PATCHES.fixes(DBCluster)
def reader_endpoint(original: Moto, self: Moto) -> str:
    """Is another one in each life of a sandbox: whoever knows the name loses the cluster."""
    _name_endpoints(self)
    return original(self)


@PATCHES.fixes(DBCluster)
def default_allocated_storage(original: Moto, engine: str, storage_type: str) -> int:
    """Knows no `aurora-iopt1`: a cluster on I/O-optimized storage is a 500."""
    return 1 if storage_type.startswith("aurora") else original(engine, storage_type)


@PATCHES.fixes(RDSResponse)
def create_global_cluster(original: Moto, self: Moto) -> Moto:
    """Finds a source cluster in us-east-1 only and makes no writer of it, forgets the database's name and the tags.

    It also lets a second global cluster of a name replace the first, and gives its endpoint a random name.
    """
    identifier: str = self.params["GlobalClusterIdentifier"]
    if identifier in self.global_backend.global_clusters:
        raise RefusedError("GlobalClusterAlreadyExistsFault", f"Global cluster {identifier} already exists.")
    source_arn: str | None = self.params.get("SourceDBClusterIdentifier")
    source = find_cluster(source_arn) if source_arn else None
    if source is not None:
        del self.params["SourceDBClusterIdentifier"]
        self.params["Engine"] = source.engine
        self.params["EngineVersion"] = source.engine_version
        self.params["StorageEncrypted"] = source.storage_encrypted
    answer = original(self)
    made = self.global_backend.global_clusters[identifier]
    made.unique_identifier = endpoint_suffix(self.global_backend.account_id, "global", identifier, 8)
    made.database_name = self.params.get("DatabaseName")
    made.tags = self.params.get("Tags") or []
    if source is not None:
        source.global_cluster_identifier = identifier
        made.database_name = source.database_name
        made.members.append(source)
        set_writer(made, source)
    return answer


@PATCHES.fixes(RDSBackend)
def create_db_cluster(original: Moto, self: Moto, kwargs: Moto) -> Moto:
    """Shows no replication source on a global secondary, takes a foreign key and any global cluster's name."""
    require_key_of_region(self, kwargs)
    identifier = kwargs.get("GlobalClusterIdentifier")
    global_cluster = _find(self, identifier) if identifier else None
    cluster = original(self, kwargs)
    if global_cluster is not None:
        writer = next((member for member in global_cluster.members if member.is_writer), None)
        set_writer(global_cluster, writer)
        # A secondary has the primary's user, and no password of its own.
        if writer is not None and writer is not cluster:
            cluster.master_username = writer.master_username
            cluster.database_name = writer.database_name
    return cluster


@PATCHES.fixes(RDSBackend)
def delete_db_cluster(original: Moto, self: Moto, cluster_identifier: str, snapshot_name: str | None = None) -> Moto:
    """Deletes a member of a global cluster, which then can never be deleted itself; AWS refuses."""
    cluster = self.clusters.get(cluster_identifier)
    if cluster is not None and _global_of(cluster) is not None:
        message = "This cluster is a part of a global cluster, please remove it from globalcluster first"
        raise InvalidDBClusterStateFault(message)
    return original(self, cluster_identifier, snapshot_name)


@PATCHES.fixes(RDSResponse)
def describe_global_clusters(original: Moto, self: Moto) -> Moto:
    """Ignores the name that it is asked for."""
    identifier = self.params.get("GlobalClusterIdentifier")
    return ActionResult({"GlobalClusters": [_find(self.backend, identifier)]}) if identifier else original(self)


@PATCHES.fixes(RDSResponse)
def delete_global_cluster(original: Moto, self: Moto) -> Moto:
    """Ignores deletion protection, and is a 500 for a name that does not exist."""
    found = _find(self.backend, self.params["GlobalClusterIdentifier"])
    if found.deletion_protection:
        message = "Cannot delete protected Global Cluster, please disable deletion protection and try again."
        raise RefusedError("InvalidParameterCombination", message)
    return original(self)


@PATCHES.fixes(RDSResponse)
def remove_from_global_cluster(_original: Moto, self: Moto) -> Moto:
    """Cannot remove a cluster of another region than the caller's, and says nothing of it."""
    global_cluster = _find(self.backend, self.params["GlobalClusterIdentifier"])
    cluster = _member(global_cluster, self.params["DbClusterIdentifier"])
    leave(global_cluster, cluster)
    return ActionResult({"GlobalCluster": global_cluster})


def _member(global_cluster: Moto, arn: str) -> Moto:
    for member in global_cluster.members:
        if arn in {member.db_cluster_arn, member.db_cluster_identifier}:
            return member
    raise DBClusterNotFoundError(arn)


def _move_writer(self: Moto) -> Moto:
    global_cluster = _find(self.backend, self.params["GlobalClusterIdentifier"])
    target = _member(global_cluster, self.params["TargetDbClusterIdentifier"])
    if target.is_writer:
        message = f"{target.db_cluster_identifier} is the primary cluster already."
        raise RefusedError("InvalidDBClusterStateFault", message)
    set_writer(global_cluster, target)
    return ActionResult({"GlobalCluster": global_cluster})


@PATCHES.fills(RDSResponse)
def failover_global_cluster(self: Moto) -> Moto:
    """Is missing. Without AllowDataLoss it is a switchover, as on AWS; both move the writer at once here."""
    if self.params.get("AllowDataLoss") and self.params.get("Switchover"):
        message = "AllowDataLoss and Switchover exclude each other."
        raise RefusedError("InvalidParameterCombination", message)
    return _move_writer(self)


@PATCHES.fills(RDSResponse)
def switchover_global_cluster(self: Moto) -> Moto:
    """Is missing."""
    return _move_writer(self)


@PATCHES.fills(RDSResponse)
def modify_global_cluster(self: Moto) -> Moto:
    """Is missing."""
    identifier: str = self.params["GlobalClusterIdentifier"]
    global_cluster = _find(self.backend, identifier)
    if self.params.get("DeletionProtection") is not None:
        global_cluster.deletion_protection = self.params["DeletionProtection"]
    version = self.params.get("EngineVersion")
    if version:
        global_cluster.engine_version = version
        for member in global_cluster.members:
            member.engine_version = version
    renamed = self.params.get("NewGlobalClusterIdentifier")
    if renamed:
        clusters = self.global_backend.global_clusters
        clusters[renamed] = clusters.pop(identifier)
        global_cluster.global_cluster_identifier = renamed
        for member in global_cluster.members:
            member.global_cluster_identifier = renamed
    return ActionResult({"GlobalCluster": global_cluster})


@PATCHES.fixes(RDSBackend)
def _get_resource_for_tagging(original: Moto, self: Moto, arn: str) -> Moto:
    """Refuses the ARN of a global cluster, whose region is empty."""
    if ":global-cluster:" in arn:
        return _find(self, arn.rpartition(":")[2])
    return original(self, arn)
