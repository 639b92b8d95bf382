"""What a stack can be restored from: snapshots, windows of time and copies of each store in each site.

A window is one restore point however long it is: it restores any moment in it. A member of a global cluster that only
reads has none that is told here: its own past begins with its promotion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery.journal import told_of
from lifeboat.recovery.run_state import UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from lifeboat.model.design import DatabaseDesign
    from lifeboat.model.physical import Physical
    from lifeboat.recovery.ports import Client, Ports

GOOD: Final = {"active", "available", "completed", "replicating"}
"""States, in lower case, of what can be restored from."""
_VERSIONS_LISTED: Final = 20_000
"""Versions of objects that a listing looks at in one bucket."""


class Kind(StrEnum):
    """What a restore point is."""

    AUTOMATED = "automated snapshot"
    MANUAL = "manual snapshot"
    WINDOW = "point-in-time window"
    REPLICATED = "replicated backups"
    VAULT = "copy in the vault"

    @property
    def is_window(self) -> bool:
        """Whether it restores any moment between two."""
        return self in {Kind.WINDOW, Kind.REPLICATED}


@dataclass(frozen=True, kw_only=True)
class RestorePoint:
    """One thing that a store can be restored from."""

    store: str
    """The database or cache, by its logical name."""
    region: str
    """Where it is, and is restored."""
    kind: Kind
    identifier: str
    """As its service names it: a snapshot, the instance or cluster whose past it is, an ARN of replicated backups."""
    cluster: bool
    """Of an Aurora cluster; otherwise of an instance."""
    at: float
    """The newest moment that it restores: seconds since the epoch."""
    since: float | None = None
    """The oldest one, of a window."""
    status: str = "available"
    encrypted: bool = False
    key: str | None = None
    """ARN of the key that it is encrypted with."""

    @property
    def good(self) -> bool:
        """Whether it can be restored from."""
        return self.status.lower() in GOOD


@dataclass(frozen=True, kw_only=True)
class ObjectsKept:
    """What a bucket keeps besides its current objects."""

    store: str
    region: str
    bucket: str
    versioned: bool
    objects: int
    versions: int
    """Former ones, which can be taken back."""
    size: int
    """Bytes of both."""
    at: float | None
    """When the newest was written: seconds since the epoch; None: there is none."""
    complete: bool
    """Every version was counted; otherwise there are more."""


@dataclass(frozen=True, kw_only=True)
class Unlisted:
    """A store in a site that did not say what it can be restored from."""

    store: str
    region: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Everything that was found."""

    points: tuple[RestorePoint, ...] = ()
    objects: tuple[ObjectsKept, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()


def listing(physical: Physical, ports: Ports, *, databases_only: bool = False) -> Listing:
    """Ask every site for what each store can be restored from; who does not answer is told as such."""
    points: list[RestorePoint] = []
    kept: list[ObjectsKept] = []
    unlisted: list[Unlisted] = []

    def ask(store: str, region: str, look: Callable[[], None]) -> None:
        try:
            look()
        except (LookupError, *UNANSWERED) as fault:
            unlisted.append(Unlisted(store=store, region=region, said=told_of(fault)))

    topology = physical.topology
    for site in topology.sites:
        region = site.region
        for design in topology.databases:
            for source in _sources(design):
                ask(
                    design.settings.name,
                    region,
                    lambda design=design, region=region, source=source: points.extend(
                        source(physical, ports, design, region)
                    ),
                )
        if databases_only:
            continue
        for cache in topology.caches:
            name = cache.settings.name
            ask(name, region, lambda name=name, region=region: points.extend(_cache(physical, ports, name, region)))
        for store in topology.object_stores:
            name = store.settings.name
            ask(name, region, lambda name=name, region=region: kept.append(_objects(physical, ports, name, region)))
    points.sort(key=lambda point: (point.store, point.region, -point.at))
    return Listing(points=tuple(points), objects=tuple(kept), unlisted=tuple(unlisted))


def objective(physical: Physical, store: str) -> float | None:
    """The RPO of a store in seconds; None: it has none."""
    topology = physical.topology
    designs = (*topology.databases, *topology.caches, *topology.object_stores)
    return next((design.rpo for design in designs if design.settings.name == store), None)


def _sources(
    design: DatabaseDesign,
) -> Sequence[Callable[[Physical, Ports, DatabaseDesign, str], Iterable[RestorePoint]]]:
    """Where a database's restore points are asked for, each apart: one that does not answer hides no other."""
    if design.mechanism is DatabaseMechanism.AURORA_GLOBAL:
        return (_cluster_snapshots, _cluster_window)
    vault = (_vault,) if design.mechanism is DatabaseMechanism.BACKUPS else ()
    return (_instance_backups, _replicated, *vault)


def _epoch(moment: datetime) -> float:
    return moment.timestamp()


def _pages(client: Client, operation: str, result: str, **request: str) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(**request):
        yield from page[result]


def _instances_of(physical: Physical, database: str) -> Callable[[str], bool]:
    """Whether an identifier is that of some generation of a database, in whichever site."""
    sites = "|".join(re.escape(site.region) for site in physical.topology.sites)
    named = re.compile(rf"{re.escape(physical.prefix)}-{re.escape(database)}-({sites})-g\d+")
    adopted = set(physical.database(database).settings.import_.values())
    return lambda identifier: identifier in adopted or named.fullmatch(identifier) is not None


def _instance_backups(physical: Physical, ports: Ports, design: DatabaseDesign, region: str) -> Iterator[RestorePoint]:
    """Snapshots in a region, also of generations that are gone, and the windows of instances that are there."""
    database, client = design.settings.name, ports.client("rds", region)
    ours = _instances_of(physical, database)
    oldest: dict[str, float] = {}
    for found in _pages(client, "describe_db_snapshots", "DBSnapshots"):
        if not ours(found["DBInstanceIdentifier"]):
            continue
        # One that is being taken has no time yet. A copy keeps the time of what it is a copy of.
        taken = found.get("OriginalSnapshotCreateTime") or found.get("SnapshotCreateTime")
        at = _epoch(taken) if taken else ports.wall()
        automated = found["SnapshotType"] == "automated"
        if automated:
            name = found["DBInstanceIdentifier"]
            oldest[name] = min(oldest.get(name, at), at)
        yield RestorePoint(
            store=database,
            region=region,
            kind=Kind.AUTOMATED if automated else Kind.MANUAL,
            identifier=found["DBSnapshotIdentifier"],
            cluster=False,
            at=at,
            status=found["Status"],
            encrypted=bool(found.get("Encrypted")),
            key=found.get("KmsKeyId"),
        )
    windows = _windows(client)
    for found in _pages(client, "describe_db_instances", "DBInstances"):
        name = found["DBInstanceIdentifier"]
        begins = windows.get(name, oldest.get(name))
        if ours(name) and found.get("BackupRetentionPeriod") and found.get("LatestRestorableTime") and begins:
            yield RestorePoint(
                store=database,
                region=region,
                kind=Kind.WINDOW,
                identifier=name,
                cluster=False,
                at=_epoch(found["LatestRestorableTime"]),
                since=begins,
                encrypted=bool(found.get("StorageEncrypted")),
                key=found.get("KmsKeyId"),
            )


def _windows(client: Client) -> dict[str, float]:
    """When the past of a region's own instances begins that can be restored, by instance."""
    found = _pages(client, "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups")
    return {
        each["DBInstanceIdentifier"]: _epoch(each["RestoreWindow"]["EarliestTime"])
        for each in found
        if each.get("RestoreWindow", {}).get("EarliestTime") and each.get("Region") == client.meta.region_name
    }


def _replicated(physical: Physical, ports: Ports, design: DatabaseDesign, region: str) -> Iterator[RestorePoint]:
    """Automated backups of instances of the other site."""
    client, ours = ports.client("rds", region), _instances_of(physical, design.settings.name)
    for found in _pages(client, "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups"):
        arn, window = found.get("DBInstanceArn", ""), found.get("RestoreWindow", {})
        if not ours(found["DBInstanceIdentifier"]) or f":{region}:" in arn or not window.get("LatestTime"):
            continue
        yield RestorePoint(
            store=design.settings.name,
            region=region,
            kind=Kind.REPLICATED,
            identifier=found["DBInstanceAutomatedBackupsArn"],
            cluster=False,
            at=_epoch(window["LatestTime"]),
            since=_epoch(window["EarliestTime"]),
            status=found["Status"],
            encrypted=bool(found.get("Encrypted")),
            key=found.get("KmsKeyId"),
        )


def _vault(physical: Physical, ports: Ports, design: DatabaseDesign, region: str) -> Iterator[RestorePoint]:
    """The region's own copies by AWS Backup, and those that came from the other site."""
    database = design.settings.name
    client = ports.client("backup", region)
    vault = f"{physical.prefix}-{database}-{region}"
    for found in _pages(client, "list_recovery_points_by_backup_vault", "RecoveryPoints", BackupVaultName=vault):
        yield RestorePoint(
            store=database,
            region=region,
            kind=Kind.VAULT,
            # AWS Backup's recovery points of RDS are snapshots.
            identifier=found["RecoveryPointArn"].split(":", 6)[-1],
            cluster=False,
            at=_epoch(found["CreationDate"]),
            status=found["Status"],
            encrypted=bool(found.get("IsEncrypted")),
            key=found.get("EncryptionKeyArn"),
        )


def _cluster_snapshots(physical: Physical, ports: Ports, design: DatabaseDesign, region: str) -> Iterator[RestorePoint]:
    database = design.settings.name
    ours = {physical.cluster(database, site.region) for site in physical.topology.sites}
    for found in _pages(ports.client("rds", region), "describe_db_cluster_snapshots", "DBClusterSnapshots"):
        if found["DBClusterIdentifier"] not in ours:
            continue
        taken = found.get("SnapshotCreateTime")
        yield RestorePoint(
            store=database,
            region=region,
            kind=Kind.AUTOMATED if found["SnapshotType"] == "automated" else Kind.MANUAL,
            identifier=found["DBClusterSnapshotIdentifier"],
            cluster=True,
            at=_epoch(taken) if taken else ports.wall(),
            status=found["Status"],
            encrypted=bool(found.get("StorageEncrypted")),
            key=found.get("KmsKeyId"),
        )


def _cluster_window(physical: Physical, ports: Ports, design: DatabaseDesign, region: str) -> Iterator[RestorePoint]:
    database, client = design.settings.name, ports.client("rds", region)
    name = physical.cluster(database, region)
    found = client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    groups = client.describe_global_clusters(GlobalClusterIdentifier=physical.global_cluster(database))
    writers = {
        member["DBClusterArn"]
        for group in groups["GlobalClusters"]
        for member in group["GlobalClusterMembers"]
        if member["IsWriter"]
    }
    if found["DBClusterArn"] in writers and found.get("LatestRestorableTime") and found.get("EarliestRestorableTime"):
        yield RestorePoint(
            store=database,
            region=region,
            kind=Kind.WINDOW,
            identifier=name,
            cluster=True,
            at=_epoch(found["LatestRestorableTime"]),
            since=_epoch(found["EarliestRestorableTime"]),
            encrypted=bool(found.get("StorageEncrypted")),
            key=found.get("KmsKeyId"),
        )


def _cache(physical: Physical, ports: Ports, cache: str, region: str) -> Iterator[RestorePoint]:
    client = ports.client("elasticache", region)
    group = physical.replication_group(cache, region)
    for found in _pages(client, "describe_snapshots", "Snapshots", ReplicationGroupId=group):
        taken = [node["SnapshotCreateTime"] for node in found.get("NodeSnapshots", []) if "SnapshotCreateTime" in node]
        yield RestorePoint(
            store=cache,
            region=region,
            kind=Kind.AUTOMATED if found.get("SnapshotSource") == "automated" else Kind.MANUAL,
            identifier=found["SnapshotName"],
            cluster=False,
            at=min((_epoch(each) for each in taken), default=ports.wall()),
            status=found["SnapshotStatus"],
            encrypted=True,
            key=found.get("KmsKeyId"),
        )


def _objects(physical: Physical, ports: Ports, store: str, region: str) -> ObjectsKept:
    client, bucket = ports.client("s3", region), physical.bucket(store, region)
    versioned = client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    objects = versions = size = 0
    newest: float | None = None
    complete = True
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for found in page.get("Versions", []):
            objects += bool(found["IsLatest"])
            versions += not found["IsLatest"]
            size += found["Size"]
            newest = max(newest or 0.0, _epoch(found["LastModified"]))
        if objects + versions >= _VERSIONS_LISTED:
            complete = not page.get("IsTruncated")
            break
    return ObjectsKept(
        store=store,
        region=region,
        bucket=bucket,
        versioned=versioned,
        objects=objects,
        versions=versions,
        size=size,
        at=newest,
        complete=complete,
    )
