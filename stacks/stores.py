"""Databases, caches, object stores and secrets, as the topology decided them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.aws.aurora import AuroraArgs, AuroraDatabase, AuroraSite
from components.aws.backup import Backup, BackupArgs, BackupSite
from components.aws.cache import Cache, CacheArgs
from components.aws.database import Database, DatabaseArgs, DatabaseSite, InstanceSpec
from components.aws.database_events import DatabaseEvents, DatabaseEventsArgs
from components.aws.keys import Purpose
from components.aws.objects import LifecycleSpec, ObjectLockSpec, ObjectsSite, ObjectStore, ObjectStoreArgs
from components.aws.perimeter import StoreSite
from components.aws.secrets import ReplicatedSecret, SecretArgs
from lifeboat.model.naming import CONTRACT_STORE, password_of, token_of
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism, ObjectMechanism

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.aws.site import Site
    from lifeboat.model.design import CacheDesign, DatabaseDesign, ObjectsDesign, Topology
    from lifeboat.model.settings import Settings
    from stacks.foundation import Foundation

AUTH_TOKEN_LENGTH = 64
"""ElastiCache accepts 16 to 128 characters."""


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Every store, by logical name."""

    databases: Mapping[str, Database | AuroraDatabase]
    caches: Mapping[str, Cache]
    object_stores: Mapping[str, ObjectStore]
    contract_store: ObjectStore
    secrets: Mapping[str, ReplicatedSecret]
    """The stack's own, and those of databases and caches as `lifeboat.model.naming` has them."""


def build_stores(settings: Settings, topology: Topology, foundation: Foundation) -> Stores:
    """Create every store and the secrets that go with it."""
    databases: dict[str, Database | AuroraDatabase] = {}
    caches: dict[str, Cache] = {}
    secrets: dict[str, ReplicatedSecret] = {}
    for database in topology.databases:
        name = password_of(database.settings.name)
        secrets[name] = _secret(name, foundation)
        if database.mechanism is DatabaseMechanism.AURORA_GLOBAL:
            databases[database.settings.name] = _aurora(database, foundation, secrets[name])
        else:
            plain = databases[database.settings.name] = _database(database, foundation, secrets[name])
            if database.mechanism is DatabaseMechanism.BACKUPS:
                _daily_copies(database, foundation, plain)
    _database_events(topology, foundation)
    for cache in topology.caches:
        name = token_of(cache.settings.name)
        secrets[name] = _secret(name, foundation, AUTH_TOKEN_LENGTH)
        caches[cache.settings.name] = _cache(cache, foundation, secrets[name])
    for secret in settings.secrets:
        secrets[secret.name] = _secret(secret.name, foundation, secret.length)
    return Stores(
        databases=databases,
        caches=caches,
        object_stores={store.settings.name: _objects(store, foundation) for store in topology.object_stores},
        contract_store=ObjectStore(CONTRACT_STORE, ObjectStoreArgs(sites=_object_sites(foundation), replicate=True)),
        secrets=secrets,
    )


def _secret(name: str, foundation: Foundation, length: int = SecretArgs.length) -> ReplicatedSecret:
    home, standby = foundation.sites
    return ReplicatedSecret(
        name,
        SecretArgs(
            home=home,
            home_key_arn=foundation.key(home, Purpose.SECRETS),
            replicas={standby.region: foundation.key(standby, Purpose.SECRETS)},
            length=length,
        ),
    )


def _place(site: Site, purpose: Purpose, foundation: Foundation) -> StoreSite:
    """Where a store lives in one site: isolated subnets, open to both sites, encrypted for its purpose."""
    network = foundation.networks[site.region]
    return StoreSite(
        site=site,
        vpc_id=network.vpc_id,
        subnet_ids=network.isolated_subnet_ids,
        allowed_cidrs=foundation.cidrs(),
        key_arn=foundation.key(site, purpose),
        alarm_topic_arn=foundation.alerts[site.region].topic_arn,
    )


def _database(design: DatabaseDesign, foundation: Foundation, password: ReplicatedSecret) -> Database:
    own = design.settings

    def place(site: Site) -> DatabaseSite:
        store = _place(site, Purpose.DATABASE, foundation)
        return DatabaseSite(**vars(store), backup_key_arn=foundation.key(site, Purpose.BACKUPS))

    return Database(
        own.name,
        DatabaseArgs(
            instances=[InstanceSpec(key=each.key, region=each.region, source=each.source) for each in design.instances],
            sites={site.region: place(site) for site in foundation.sites},
            home=foundation.home.region,
            version=own.version,
            instance_class=own.instance_class,
            standby_instance_class=own.standby_instance_class or own.instance_class,
            storage_gib=own.storage_gib,
            database=own.database,
            username=own.username,
            password=password.value,
            retention_days=own.backups.retention_days,
            window=own.backups.window,
            parameters=own.parameters,
            replicate_backups=design.replicate_backups,
            lag_alarm_seconds=design.lag_alarm,
            # What is adopted is the oldest instance of its site.
            imports={f"{region}-g1": identifier for region, identifier in own.import_.items()},
        ),
    )


def _database_events(topology: Topology, foundation: Foundation) -> None:
    if not topology.databases:
        return
    clusters = any(database.mechanism is DatabaseMechanism.AURORA_GLOBAL for database in topology.databases)
    for site in foundation.sites:
        topic_arn = foundation.alerts[site.region].topic_arn
        DatabaseEvents(
            f"database-events-{site.region}", DatabaseEventsArgs(site=site, topic_arn=topic_arn, clusters=clusters)
        )


def _daily_copies(design: DatabaseDesign, foundation: Foundation, database: Database) -> None:
    own = design.settings
    Backup(
        own.name,
        BackupArgs(
            sites={
                site.region: BackupSite(
                    site=site,
                    key_arn=foundation.key(site, Purpose.BACKUPS),
                    database_key_arn=foundation.key(site, Purpose.DATABASE),
                    instance_arns=[database.arns[each.key] for each in design.instances if each.region == site.region],
                    alarm_topic_arn=foundation.alerts[site.region].topic_arn,
                )
                for site in foundation.sites
            },
            window=own.backups.window,
            retention_days=own.backups.retention_days,
        ),
    )


def _aurora(design: DatabaseDesign, foundation: Foundation, password: ReplicatedSecret) -> AuroraDatabase:
    own = design.settings

    def place(site: Site) -> AuroraSite:
        store = _place(site, Purpose.DATABASE, foundation)
        return AuroraSite(**vars(store), zones=foundation.zones[site.region])

    return AuroraDatabase(
        own.name,
        AuroraArgs(
            sites={site.region: place(site) for site in foundation.sites},
            home=foundation.home.region,
            version=own.version,
            instance_class=own.instance_class,
            standby_instance_class=own.standby_instance_class or own.instance_class,
            home_instances=design.home_instances,
            standby_instances=design.standby_instances,
            database=own.database,
            username=own.username,
            password=password.value,
            retention_days=own.backups.retention_days,
            window=own.backups.window,
            parameters=own.parameters,
            global_rpo=design.global_rpo,
            lag_alarm_seconds=design.lag_alarm,
            imports=own.import_,
        ),
    )


def _cache(design: CacheDesign, foundation: Foundation, token: ReplicatedSecret) -> Cache:
    own = design.settings
    return Cache(
        own.name,
        CacheArgs(
            sites={site.region: _place(site, Purpose.CACHE, foundation) for site in foundation.sites},
            home=foundation.home.region,
            version=own.version,
            node_type=own.node_type,
            nodes=own.nodes,
            auth_token=token.value,
            snapshot_days=own.snapshot_days,
            global_datastore=design.mechanism is CacheMechanism.GLOBAL_DATASTORE,
            lag_alarm_seconds=design.rpo,
            imports=own.import_,
        ),
    )


def _object_sites(foundation: Foundation) -> dict[str, ObjectsSite]:
    return {
        site.region: ObjectsSite(
            site=site,
            key_arn=foundation.key(site, Purpose.OBJECTS),
            alarm_topic_arn=foundation.alerts[site.region].topic_arn,
        )
        for site in foundation.sites
    }


def _objects(design: ObjectsDesign, foundation: Foundation) -> ObjectStore:
    own = design.settings
    lock = own.object_lock
    return ObjectStore(
        own.name,
        ObjectStoreArgs(
            sites=_object_sites(foundation),
            replicate=design.mechanism is not ObjectMechanism.NONE,
            time_control=design.mechanism is ObjectMechanism.TIME_CONTROL,
            lag_alarm_seconds=design.rpo,
            delete_markers=own.delete_markers,
            replica_modifications=own.replica_modifications,
            lifecycle=LifecycleSpec(
                standard_ia_days=own.lifecycle.standard_ia_days,
                glacier_days=own.lifecycle.glacier_days,
                deep_archive_days=own.lifecycle.deep_archive_days,
                expire_days=own.lifecycle.expire_days,
                noncurrent_expire_days=own.lifecycle.noncurrent_expire_days,
            ),
            object_lock=None if lock is None else ObjectLockSpec(mode=lock.mode, days=lock.days),
            imports=own.import_,
        ),
    )
