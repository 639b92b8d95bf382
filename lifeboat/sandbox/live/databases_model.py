"""What moto's RDS backends say that should exist: one server a database, whoever reads from it.

An Aurora cluster is one database: its instances share their storage, and so one server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from moto.backends import get_backend

from lifeboat.sandbox.live.network import POSTGRES_PORT
from lifeboat.sandbox.live.postgres_setup import Owner
from lifeboat.sandbox.patches.base import Moto, attributes
from lifeboat.sandbox.patches.rds_live import Origin, Restart, held_status, hold_status, origin, resource_of, restart

if TYPE_CHECKING:
    from collections.abc import Iterator

AVAILABLE: Final = "available"
ENGINES: Final = {"postgres", "aurora-postgresql"}
_DEFAULT_USER: Final = "postgres"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One database, as moto has it.

    Attributes:
        key: ``<region>/db/<identifier>`` or ``<region>/cluster/<identifier>``, the tail of its ARN.
        region: Where it is.
        resource: Its `resource_of`, which no later one of its name has.
        entity: moto's object.
        owner: Master user; only a primary has one to set.
        source: Key of what it replicates; None: it takes writes.
        runs: Whether it has a server at all; not while it is stopped, nor before a cluster's first instance.
        port: TCP.
        hosts: Names that AWS gives it.
        origin: What it was restored from.
        restart: The last one that was asked for.
        retention: Days that its past must be restorable; 0: it need not be.
    """

    key: str
    region: str
    resource: str
    entity: Moto
    owner: Owner
    source: str | None
    runs: bool
    port: int
    hosts: tuple[str, ...]
    origin: Origin | None
    restart: Restart
    retention: int

    @property
    def name(self) -> str:
        """Of its process and log."""
        return f"postgres-{self.key.replace('/', '-')}"


def key_of(arn: str) -> str:
    """The key of a database by its ARN."""
    _, _, _, region, _, kind, identifier = arn.split(":", 6)
    return f"{region}/{kind}/{identifier}"


def backends() -> list[Moto]:
    """RDS of every account and region that was ever asked."""
    accounts: Any = get_backend("rds")
    return [backend for account in list(accounts.values()) for backend in list(account.values())]


def global_clusters() -> list[Moto]:
    """Every Aurora global cluster."""
    return [found for backend in backends() for found in list(backend.global_clusters.values())]


def set_status(entity: Moto, status: str) -> None:
    """Show a status of an instance, or of a cluster and its instances."""
    if hasattr(entity, "db_cluster_resource_id"):
        hold_status(entity, None if status == AVAILABLE else status)
        for instance in entity._members:
            instance.status = status
    else:
        entity.status = status


def status(entity: Moto) -> str:
    """A database's status, as it is shown; asking moto for a cluster's would change it."""
    return held_status(entity) or str(attributes(entity).get("_status") or entity.status)


def wanted() -> Iterator[Wanted]:
    """Every database with a PostgreSQL engine."""
    for backend in backends():
        for instance in list(backend.databases.values()):
            # An Aurora instance stands for its cluster.
            if instance.engine in ENGINES and not hasattr(instance, "cluster"):
                yield _instance(instance)
        for cluster in list(backend.clusters.values()):
            if cluster.engine in ENGINES:
                yield _cluster(cluster)


def _instance(instance: Moto) -> Wanted:
    replicates: str | None = instance.source_db_instance_identifier if instance.is_replica else None
    if replicates and not replicates.startswith("arn:"):
        replicates = instance.backend.describe_db_instances(replicates)[0].db_instance_arn
    return Wanted(
        key=key_of(instance.db_instance_arn),
        region=instance.region,
        resource=resource_of(instance),
        entity=instance,
        owner=_owner(instance, instance.db_name),
        source=key_of(replicates) if replicates else None,
        runs=status(instance) != "stopped",
        port=instance.port or POSTGRES_PORT,
        hosts=(instance.address,),
        origin=origin(instance),
        restart=restart(instance),
        retention=instance.backup_retention_period or 0,
    )


def _cluster(cluster: Moto) -> Wanted:
    # Its public twin chooses a writer.
    members: list[Moto] = cluster._members
    names = [found.endpoint for found in global_clusters() if cluster in found.members and cluster.is_writer]
    return Wanted(
        key=key_of(cluster.db_cluster_arn),
        region=cluster.region,
        resource=resource_of(cluster),
        entity=cluster,
        owner=_owner(cluster, cluster.database_name),
        source=key_of(cluster.replication_source_identifier) if cluster.replication_source_identifier else None,
        runs=bool(members) and status(cluster) != "stopped",
        port=cluster.port or POSTGRES_PORT,
        hosts=(
            cluster.endpoint,
            cluster.reader_endpoint,
            *(member.address for member in members),
            *names,
        ),
        origin=origin(cluster),
        restart=restart(cluster),
        retention=cluster.backup_retention_period or 0,
    )


def _owner(entity: Moto, database: str | None) -> Owner:
    password: str | None = attributes(entity).get("_master_user_password")
    return Owner(user=entity.master_username or _DEFAULT_USER, password=password, database=database)
