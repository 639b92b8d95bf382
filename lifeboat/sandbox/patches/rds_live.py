"""RDS: what requests say that real databases need to know, noted on moto's objects; it is not part of any answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moto.core.utils import utcnow
from moto.rds.models import DBCluster, RDSBackend, find_cluster
from moto.rds.responses import RDSResponse

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes
from lifeboat.sandbox.patches.rds_global import set_writer

if TYPE_CHECKING:
    from datetime import datetime

PATCHES = Patches("rds_live")

NOTING: Final = threading.RLock()
"""Held while a resource is there and its note is not; readers of both hold it too."""

_ORIGIN, _COPY, _RESTARTS = "lifeboat_origin", "lifeboat_copy", "lifeboat_restarts"
_DATA_LOSS, _STATUS, _PASSWORD = "lifeboat_data_loss", "lifeboat_status", "_master_user_password"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a database was restored from.

    Attributes:
        backup: A snapshot, by its `backup_name`; None for a point in time.
        database: ARN of the database whose past it was, when it was a point in time.
        resource: That database's `resource_of`.
        until: The moment, when it was a point in time.
    """

    backup: str | None = None
    database: str = ""
    resource: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Restart:
    """The last restart that was asked for: how many there were, and of which kind."""

    count: int = 0
    operation: str = "reboot-rds-instance"


def origin(database: Moto) -> Origin | None:
    """What an instance or cluster was restored from; None when it was made empty."""
    noted: Origin | None = attributes(database).get(_ORIGIN)
    return noted


def restart(database: Moto) -> Restart:
    """The last restart that was asked for of an instance or cluster."""
    noted: Restart = attributes(database).get(_RESTARTS, Restart())
    return noted


def copied(snapshot: Moto) -> str | None:
    """The `backup_name` of the snapshot that one is a copy of; None for one that was taken."""
    noted: str | None = attributes(snapshot).get(_COPY)
    return noted


def may_lose_data(global_cluster: Moto) -> bool:
    """Whether the last move of the writer may lose data: a failover does, a switchover does not."""
    noted: bool = attributes(global_cluster).get(_DATA_LOSS, True)
    return noted


def hold_status(cluster: Moto, status: str | None) -> None:
    """Let a cluster show a status until it is told otherwise; None: moto's own."""
    attributes(cluster)[_STATUS] = status


def held_status(cluster: Moto) -> str | None:
    """What a cluster shows until it is told otherwise; None: moto's own."""
    held: str | None = attributes(cluster).get(_STATUS)
    return held


def backup_name(snapshot: Moto) -> str:
    """A name that no other snapshot has, not even a later one of the same identifier; usable as a path."""
    region, _, kind, identifier = snapshot.arn.split(":", 6)[3:]
    return f"{region}/{kind}/{identifier.replace(':', '-')}/{snapshot.created:%Y%m%dT%H%M%S%f}"


def resource_of(database: Moto) -> str:
    """A name that no later instance or cluster of the same identifier has; usable as a path."""
    # Its resource identifier will not do: moto takes the first snapshot before it is given.
    return f"{database.created:%Y%m%dT%H%M%S%f}"


@PATCHES.fixes(DBCluster)
def status(original: Moto, self: Moto) -> str:
    """Lets a cluster become available by being looked at, however long it takes to make."""
    return held_status(self) or original(self)


@PATCHES.fixes(RDSBackend)
def create_db_cluster(original: Moto, self: Moto, kwargs: Moto) -> Moto:
    """Forgets user and password of a global cluster's members, and then cannot restore them from snapshots."""
    with NOTING:
        cluster = original(self, kwargs)
        writer: Moto = find_cluster(cluster.replication_source_identifier) if _follows(cluster) else cluster
        inherited = attributes(writer).get(_PASSWORD)
        attributes(cluster)[_PASSWORD] = kwargs.get("master_user_password") or inherited
        # The first automated snapshot is taken before, of a cluster without any of these.
        early = [each.cluster for each in self.cluster_snapshots.values()]
        for known in (cluster, *(each for each in early if each.db_cluster_arn == cluster.db_cluster_arn)):
            attributes(known).setdefault(_PASSWORD, attributes(cluster)[_PASSWORD])
            known.master_username, known.database_name = writer.master_username, writer.database_name
    return cluster


def _follows(cluster: Moto) -> bool:
    return cluster.global_cluster_identifier is not None and cluster.replication_source_identifier is not None


def _stand_alone(backend: Moto, cluster: Moto) -> None:
    """Undo what moto copied from the cluster that one was restored from: its place in a global cluster."""
    for group in backend.get_backend("rds", "us-east-1", backend.account_id).global_clusters.values():
        if cluster in group.members:
            group.members.remove(cluster)
            set_writer(group, next((member for member in group.members if member.is_writer), None))
    cluster.global_cluster_identifier = None
    cluster.replication_source_identifier = None
    cluster.read_replica_identifiers = []
    cluster.is_writer = False


def _note_restart(database: Moto, operation: str) -> None:
    attributes(database)[_RESTARTS] = Restart(restart(database).count + 1, operation)


def _snapshot_of(snapshots: Moto, identifier: str) -> str | None:
    found = snapshots.get(identifier.split(":", 6)[-1] if identifier.startswith("arn:") else identifier)
    return None if found is None else backup_name(found)


@PATCHES.fixes(RDSBackend)
def restore_db_instance_from_db_snapshot(original: Moto, self: Moto, from_snapshot_id: str, overrides: Moto) -> Moto:
    """Forgets which snapshot an instance was restored from."""
    with NOTING:
        backup = _snapshot_of(self.database_snapshots, from_snapshot_id)
        instance = original(self, from_snapshot_id, overrides)
        attributes(instance)[_ORIGIN] = Origin(backup=backup)
    return instance


@PATCHES.fixes(RDSBackend)
def restore_db_cluster_from_snapshot(original: Moto, self: Moto, from_snapshot_id: str, overrides: Moto) -> Moto:
    """Forgets which snapshot a cluster was restored from, and makes it a member of the same global cluster."""
    with NOTING:
        backup = _snapshot_of(self.cluster_snapshots, from_snapshot_id)
        cluster = original(self, from_snapshot_id, overrides)
        _stand_alone(self, cluster)
        attributes(cluster)[_ORIGIN] = Origin(backup=backup)
    return cluster


@PATCHES.fixes(RDSBackend)
def restore_db_instance_to_point_in_time(
    original: Moto, self: Moto, source_db_identifier: str | None, target_db_identifier: str, overrides: Moto
) -> Moto:
    """Forgets the moment that was asked for, and whose past it was."""
    arn: str | None = overrides.get("SourceDBInstanceAutomatedBackupsArn")
    # Latest means now, not when the restore gets to it.
    until: datetime = overrides.get("RestoreTime") or utcnow()
    with NOTING:
        if arn:
            source = self.describe_db_instance_automated_backups(db_instance_automated_backups_arn=arn)[0].source
        else:
            source = self.describe_db_instances(source_db_identifier)[0]
        instance = original(self, source_db_identifier, target_db_identifier, overrides)
        attributes(instance)[_ORIGIN] = Origin(database=source.arn, resource=resource_of(source), until=until)
    return instance


@PATCHES.fixes(RDSBackend)
def restore_db_cluster_to_point_in_time(original: Moto, self: Moto, *args: Moto, **request: Moto) -> Moto:
    """Forgets the moment that was asked for, and whose past it was."""
    until: datetime = request.get("restore_to_time") or utcnow()
    with NOTING:
        source = self.describe_db_clusters(request["source_db_cluster_identifier"])[0]
        cluster = original(self, *args, **request)
        _stand_alone(self, cluster)
        attributes(cluster)[_ORIGIN] = Origin(database=source.arn, resource=resource_of(source), until=until)
    return cluster


@PATCHES.fixes(RDSBackend)
def copy_db_snapshot(original: Moto, self: Moto, source_db_snapshot_identifier: str, *args: Moto, **rest: Moto) -> Moto:
    """Makes a copy look like a snapshot taken now."""
    with NOTING:
        source = self.get_db_snapshot(source_db_snapshot_identifier)
        copy = original(self, source_db_snapshot_identifier, *args, **rest)
        attributes(copy)[_COPY] = backup_name(source)
    return copy


@PATCHES.fixes(RDSBackend)
def copy_db_cluster_snapshot(
    original: Moto, self: Moto, source_db_cluster_snapshot_identifier: str, *args: Moto, **rest: Moto
) -> Moto:
    """Makes a copy look like a snapshot taken now."""
    with NOTING:
        source = self.get_db_cluster_snapshot(source_db_cluster_snapshot_identifier)
        copy = original(self, source_db_cluster_snapshot_identifier, *args, **rest)
        attributes(copy)[_COPY] = backup_name(source)
    return copy


@PATCHES.fixes(RDSBackend)
def reboot_db_instance(original: Moto, self: Moto, db_instance_identifier: str) -> Moto:
    """Does nothing that anybody could notice."""
    instance = original(self, db_instance_identifier)
    cluster: Moto = getattr(instance, "cluster", None)
    # A cluster's readers are not servers of their own here.
    if cluster is None or instance.is_cluster_writer:
        _note_restart(cluster or instance, "reboot-rds-instance")
    return instance


@PATCHES.fixes(RDSBackend)
def failover_db_cluster(original: Moto, self: Moto, *args: Moto, **request: Moto) -> Moto:
    """Moves the writer without a client noticing."""
    cluster = original(self, *args, **request)
    _note_restart(cluster, "failover-rds-cluster")
    return cluster


def _note_move(original: Moto, self: Moto, *, lossy: bool) -> Moto:
    clusters = self.global_backend.global_clusters
    found = clusters.get(self.params["GlobalClusterIdentifier"])
    if found is not None and found.status != "available":
        message = f"Global cluster {found.global_cluster_identifier} is {found.status}."
        raise RefusedError("InvalidGlobalClusterStateFault", message)
    with NOTING:
        answer = original(self)
        attributes(found)[_DATA_LOSS] = lossy
    return answer


@PATCHES.fixes(RDSResponse)
def failover_global_cluster(original: Moto, self: Moto) -> Moto:
    """Forgets whether data may be lost, and begins a second move before the first is over."""
    return _note_move(original, self, lossy=bool(self.params.get("AllowDataLoss")))


@PATCHES.fixes(RDSResponse)
def switchover_global_cluster(original: Moto, self: Moto) -> Moto:
    """Forgets that no data may be lost, and begins a second move before the first is over."""
    return _note_move(original, self, lossy=False)
