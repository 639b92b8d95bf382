"""Databases, caches, object stores and secrets: what holds state."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from lifeboat.model.settings.base import Model, Name, Seconds


class DatabaseMechanism(StrEnum):
    """How a database's data reaches the other site, cheapest first."""

    BACKUPS = "backups"
    REPLICATED_BACKUPS = "replicated-backups"
    REPLICA = "replica"
    AURORA_GLOBAL = "aurora-global"


class CacheMechanism(StrEnum):
    """How a cache's data reaches the other site, cheapest first."""

    REBUILD = "rebuild"
    GLOBAL_DATASTORE = "global-datastore"


class ObjectMechanism(StrEnum):
    """How an object store's data reaches the other site, cheapest first."""

    NONE = "none"
    REPLICATION = "replication"
    TIME_CONTROL = "time-control"


class Backups(Model):
    """A database's own backups in its own region."""

    retention_days: int = Field(14, ge=1, le=35, description="Days a point in time can be restored to (AWS keeps 35 at most).")
    window: str = Field("02:00-03:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$", description="Daily backup window, UTC.")


class Database(Model):
    """One PostgreSQL database, in every site that its mechanism needs."""

    name: Name = Field(description="Logical name; resources are named by it and by site.")
    mechanism: DatabaseMechanism | None = Field(None, description="Chosen mechanism; absent lets the objectives decide.")
    services: tuple[Name, ...] = Field((), description="Services whose objectives this store must meet; none means the stack's only.")
    rpo: Seconds | None = Field(None, ge=0, description="The store's own RPO, instead of its scopes'.")
    version: str = Field("16.8", pattern=r"^\d{2}(\.\d{1,2})?$", description="PostgreSQL version.")
    instance_class: str = Field("db.r6g.large", pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$", description="Instance class in the home site.")
    standby_instance_class: str | None = Field(
        None, pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$", description="Instance class in the standby; absent means the same."
    )
    storage_gib: int = Field(100, ge=20, le=65536, description="Allocated storage of a plain instance, GiB; Aurora grows by itself.")
    database: str = Field("app", pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Name of the first database.")
    username: str = Field("lifeboat", pattern=r"^[a-z][a-z0-9_]{0,15}$", description="Master user.")
    parameters: dict[str, str] = Field(default_factory=dict, description="Further engine parameters; the protective ones cannot be unset.")
    backups: Backups = Field(default_factory=Backups, description="Its own backups.")
    generations: tuple[str, ...] = Field(
        (),
        description="Plain replicas only: the instances that exist, oldest first, such as us-east-1-g1; each replicates "
        "from the one before it. Absent means one per site. A failback adds one, retiring removes one.",
    )
    import_: dict[str, str] = Field(
        default_factory=dict, alias="import", description="Existing identifiers to adopt, per region."
    )


class Cache(Model):
    """One Redis-compatible cache."""

    name: Name = Field(description="Logical name.")
    mechanism: CacheMechanism | None = Field(None, description="Chosen mechanism; absent lets the objectives decide.")
    services: tuple[Name, ...] = Field((), description="Services whose objectives this store must meet.")
    rebuildable: bool = Field(True, description="Its data can be computed again, so that no RPO applies to it.")
    rpo: Seconds | None = Field(None, ge=0, description="The store's own RPO, instead of its scopes'.")
    version: str = Field("7.1", pattern=r"^\d\.\d{1,2}$", description="Redis OSS version.")
    node_type: str = Field("cache.r6g.large", pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$", description="Node type, the same in both sites.")
    nodes: int = Field(2, ge=2, le=6, description="Nodes in a site: one primary, the rest replicas in other zones.")
    snapshot_days: int = Field(7, ge=1, le=35, description="Days that daily snapshots are kept.")
    import_: dict[str, str] = Field(default_factory=dict, alias="import", description="Existing identifiers to adopt, per region.")


class Lifecycle(Model):
    """When objects move to colder classes. Days since creation; absent steps are left out."""

    standard_ia_days: int | None = Field(None, ge=0, description="To Standard-IA; AWS demands 30 or more.")
    glacier_days: int | None = Field(None, ge=0, description="To Glacier Flexible Retrieval; 30 days or more after Standard-IA.")
    deep_archive_days: int | None = Field(None, ge=0, description="To Deep Archive; 90 days or more after Glacier.")
    expire_days: int | None = Field(None, ge=1, description="Deletion of current objects.")
    noncurrent_expire_days: int = Field(90, ge=1, description="Deletion of noncurrent versions.")


class ObjectLock(Model):
    """Write-once retention, for backups."""

    mode: str = Field("GOVERNANCE", pattern=r"^(GOVERNANCE|COMPLIANCE)$", description="GOVERNANCE or COMPLIANCE.")
    days: int = Field(30, ge=1, le=36500, description="Days a version cannot be deleted.")


class ObjectStore(Model):
    """One bucket in every site."""

    name: Name = Field(description="Logical name.")
    mechanism: ObjectMechanism | None = Field(None, description="Chosen mechanism; absent lets the objectives decide.")
    services: tuple[Name, ...] = Field((), description="Services whose objectives this store must meet.")
    rpo: Seconds | None = Field(None, ge=0, description="The store's own RPO, instead of its scopes'.")
    delete_markers: bool = Field(True, description="Deletions replicate too.")
    replica_modifications: bool = Field(True, description="Metadata changes made on a replica replicate back.")
    lifecycle: Lifecycle = Field(default_factory=Lifecycle, description="Colder classes and expiry.")
    object_lock: ObjectLock | None = Field(None, description="Write-once retention.")
    import_: dict[str, str] = Field(default_factory=dict, alias="import", description="Existing bucket names to adopt, per region.")


class Secret(Model):
    """One generated secret, replicated to every site."""

    name: Name = Field(description="Logical name.")
    length: int = Field(40, ge=16, le=128, description="Characters.")
