"""Databases, caches, object stores and secrets: what holds state."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from lifeboat.model.settings.base import Between, Flag, Imports, Matches, Model, Name, OrAuto, Seconds

_SERVICES = "Services whose objectives this store must meet; none means the stack's only."
_RPO = "The store's own RPO, instead of its scopes'."
_MECHANISM = "Chosen mechanism; absent or auto lets the objectives decide."

InstanceClass = Annotated[str, Matches(r"db\.[a-z0-9]+\.[a-z0-9]+", "an instance class such as db.r6g.large")]


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


class LockMode(StrEnum):
    """Who may shorten a retention: some, or nobody."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


WINDOW_PATTERN = r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d"
_WINDOW = "a daily window in UTC of 30 minutes or more, such as 02:00-03:00"


_SHORTEST_WINDOW = 30
"""Minutes."""


def _window(value: object) -> object:
    Matches(WINDOW_PATTERN, _WINDOW).check(value)
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in str(value).split("-"))
    # A window may cross midnight.
    if (end - start) % (24 * 60) < _SHORTEST_WINDOW:
        raise ValueError(_WINDOW)
    return value


class Backups(Model):
    """A database's own backups in its own region."""

    retention_days: Annotated[int, Between(1, 35, "days")] = Field(
        default=14, description="Days a point in time can be restored to (AWS keeps 35 at most)."
    )
    window: Annotated[str, BeforeValidator(_window), Field(pattern=f"^{WINDOW_PATTERN}$")] = Field(
        default="02:00-03:00", description="Daily backup window, UTC."
    )


class Database(Model):
    """One PostgreSQL database, in every site that its mechanism needs."""

    name: Name = Field(description="Logical name; resources are named by it and by site.")
    mechanism: Annotated[DatabaseMechanism | None, OrAuto()] = Field(default=None, description=_MECHANISM)
    services: tuple[Name, ...] = Field(default=(), description=_SERVICES)
    rpo: Seconds | None = Field(default=None, description=_RPO)
    version: Annotated[str, Matches(r"\d{2}(\.\d{1,2})?", "a PostgreSQL version in quotes, such as '16.8'")] = Field(
        default="16.8", description="PostgreSQL version."
    )
    instance_class: InstanceClass = Field(default="db.r6g.large", description="Instance class in the home site.")
    standby_instance_class: InstanceClass | None = Field(
        default=None, description="Instance class in the standby; absent means the same."
    )
    storage_gib: Annotated[int, Between(20, 65536, "GiB")] = Field(
        default=100, description="Allocated storage of a plain instance, GiB; Aurora grows by itself."
    )
    database: Annotated[str, Matches(r"[a-z][a-z0-9_]{0,62}", "1 to 63 of a-z, 0-9 and _, a letter first")] = Field(
        default="app", description="Name of the first database."
    )
    username: Annotated[str, Matches(r"[a-z][a-z0-9_]{0,15}", "1 to 16 of a-z, 0-9 and _, a letter first")] = Field(
        default="lifeboat", description="Master user."
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, description="Further engine parameters; the protective ones cannot be unset."
    )
    backups: Backups = Field(default_factory=Backups, description="Its own backups.")
    generations: tuple[str, ...] = Field(
        default=(),
        description="Plain replicas only: the instances that exist, oldest first, such as us-east-1-g1; each "
        "replicates from the one before it. Absent means one per site. A failback adds one, retiring removes one.",
    )
    import_: Imports = Field(default_factory=dict)


class Cache(Model):
    """One Redis-compatible cache."""

    name: Name = Field(description="Logical name.")
    mechanism: Annotated[CacheMechanism | None, OrAuto()] = Field(default=None, description=_MECHANISM)
    services: tuple[Name, ...] = Field(default=(), description=_SERVICES)
    rebuildable: Flag = Field(default=True, description="Its data can be computed again, so that no RPO applies to it.")
    rpo: Seconds | None = Field(default=None, description=_RPO)
    version: Annotated[str, Matches(r"\d\.\d{1,2}", "a Redis OSS version in quotes, such as '7.1'")] = Field(
        default="7.1", description="Redis OSS version."
    )
    node_type: Annotated[str, Matches(r"cache\.[a-z0-9]+\.[a-z0-9]+", "a node type such as cache.r6g.large")] = Field(
        default="cache.r6g.large", description="Node type, the same in both sites."
    )
    nodes: Annotated[int, Between(2, 6)] = Field(
        default=2, description="Nodes in a site: one primary, the rest replicas in other zones."
    )
    snapshot_days: Annotated[int, Between(1, 35, "days")] = Field(
        default=7, description="Days that daily snapshots are kept."
    )
    import_: Imports = Field(default_factory=dict)


class Lifecycle(Model):
    """When objects move to colder classes. Days since creation; absent steps are left out."""

    standard_ia_days: Annotated[int, Between(30, 36500, "days")] | None = Field(
        default=None, description="To Standard-IA; AWS demands 30 or more."
    )
    glacier_days: Annotated[int, Between(0, 36500, "days")] | None = Field(
        default=None, description="To Glacier Flexible Retrieval; 30 days or more after Standard-IA."
    )
    deep_archive_days: Annotated[int, Between(0, 36500, "days")] | None = Field(
        default=None, description="To Deep Archive; 90 days or more after Glacier."
    )
    expire_days: Annotated[int, Between(1, 36500, "days")] | None = Field(
        default=None, description="Deletion of current objects."
    )
    noncurrent_expire_days: Annotated[int, Between(1, 36500, "days")] = Field(
        default=90, description="Deletion of noncurrent versions."
    )


class ObjectLock(Model):
    """Write-once retention, for backups."""

    mode: LockMode = Field(default=LockMode.GOVERNANCE, description="GOVERNANCE or COMPLIANCE.")
    days: Annotated[int, Between(1, 36500, "days")] = Field(default=30, description="Days a version cannot be deleted.")


class ObjectStore(Model):
    """One bucket in every site."""

    name: Name = Field(description="Logical name.")
    mechanism: Annotated[ObjectMechanism | None, OrAuto()] = Field(default=None, description=_MECHANISM)
    services: tuple[Name, ...] = Field(default=(), description=_SERVICES)
    rpo: Seconds | None = Field(default=None, description=_RPO)
    delete_markers: Flag = Field(default=True, description="Deletions replicate too.")
    replica_modifications: Flag = Field(default=True, description="Metadata changes made on a replica replicate back.")
    lifecycle: Lifecycle = Field(default_factory=Lifecycle, description="Colder classes and expiry.")
    object_lock: ObjectLock | None = Field(default=None, description="Write-once retention.")
    import_: Imports = Field(default_factory=dict)


class Secret(Model):
    """One generated secret, replicated to every site."""

    name: Name = Field(description="Logical name.")
    length: Annotated[int, Between(16, 128, "characters")] = Field(default=40, description="Characters.")
