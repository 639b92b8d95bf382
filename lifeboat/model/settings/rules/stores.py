"""Rules on what holds state: references, engines, lifecycles, adoption."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lifeboat.model import engines
from lifeboat.model.settings.base import GLOBAL_IMPORT, format_duration
from lifeboat.model.settings.faults import Fault, Path, fault
from lifeboat.model.settings.rules.places import site_regions
from lifeboat.model.settings.stores import (
    Cache,
    CacheMechanism,
    Database,
    DatabaseMechanism,
    ObjectStore,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.settings.draft import Draft

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_AFTER_STANDARD_IA = 30
_AFTER_GLACIER = 90
_OWNED_PARAMETERS = {
    "rds.force_ssl": "nothing here: TLS is always forced",
    "rds.global_db_rpo": "nothing here: it follows from the RPO",
    "rds.logical_replication": "nothing here: replication is the mechanism's",
}


def faults(draft: Draft) -> Iterator[Fault]:
    """Declared services, sites that exist, engines that AWS runs, steps that S3 takes."""
    for listed in draft.stores:
        yield from _services(draft, listed.item, listed.path)
        yield from _imports(draft, listed.item, listed.path)
        match listed.item:
            case Database() as database:
                yield from _database(draft, database, listed.path)
            case Cache() as cache:
                yield from _cache(cache, listed.path)
            case ObjectStore() as objects:
                yield from _lifecycle(objects, (*listed.path, "lifecycle"))


def _services(draft: Draft, store: Database | Cache | ObjectStore, path: Path) -> Iterator[Fault]:
    if draft.objectives is None or not draft.whole("objectives"):
        return
    declared = [service.name for service in draft.objectives.services]
    for at, name in enumerate(store.services):
        here = (*path, "services", at)
        if name not in declared:
            accepted = (
                f"a service of objectives.services: {', '.join(declared)}"
                if declared
                else "no service: objectives.services declares none"
            )
            yield fault(here, name, accepted)
        elif name in store.services[:at]:
            yield fault(here, name, "a service that stands once in the list")


def _imports(draft: Draft, store: Database | Cache | ObjectStore, path: Path) -> Iterator[Fault]:
    sites = site_regions(draft)
    for region, identifier in store.import_.items():
        here = (*path, "import", region)
        if region == GLOBAL_IMPORT:
            refusal = _spans_no_regions(store)
            if refusal is not None:
                yield fault(here, identifier, refusal)
        elif sites is not None and region not in sites:
            yield fault(here, identifier, f"an identifier in one of the sites {', '.join(sites)}")
        elif isinstance(store, Database) and store.generations and f"{region}-g1" not in store.generations:
            yield fault(here, identifier, f"nothing here: {region}-g1, which it would be, is in generations no longer")
        elif isinstance(store, Database) and region != draft.texts.get("home", region):
            refusal = _nothing_beside_home(store)
            if refusal is not None:
                yield fault(here, identifier, refusal)
        if isinstance(store, ObjectStore) and not _BUCKET.fullmatch(identifier):
            yield fault(here, identifier, "a bucket name: 3 to 63 of a-z, 0-9, dots and dashes")


def _nothing_beside_home(database: Database) -> str | None:
    """Why no database can be adopted in the standby, None when one can."""
    match database.mechanism:
        case DatabaseMechanism.BACKUPS | DatabaseMechanism.REPLICATED_BACKUPS:
            return f"an identifier in the home site: {database.mechanism} has no database in the other"
        case DatabaseMechanism.AURORA_GLOBAL if GLOBAL_IMPORT not in database.import_:
            return f"nothing here without import.{GLOBAL_IMPORT}: a cluster that exists cannot join a global one"
        case _:
            return None


def _spans_no_regions(store: Database | Cache | ObjectStore) -> str | None:
    """What is accepted of a global import instead, None when the store may span the regions."""
    match store:
        case Database(mechanism=DatabaseMechanism.AURORA_GLOBAL) | Cache(mechanism=CacheMechanism.GLOBAL_DATASTORE):
            return None
        case Database(mechanism=None):
            if store.generations:
                return "identifiers per region: its generations are those of a plain replica"
            classes = (store.instance_class, store.standby_instance_class or store.instance_class)
            refusal = engines.aurora_refuses(store.version, classes)
            return None if refusal is None else f"identifiers per region: Aurora Global would need {refusal}"
        case Cache(mechanism=None):
            refusal = engines.global_datastore_refuses(store.node_type)
            return None if refusal is None else f"identifiers per region: a Global Datastore would need {refusal}"
        case Database() | Cache():
            return f"identifiers per region: nothing of {store.mechanism} spans them"
        case ObjectStore():
            return "bucket names per region: no bucket spans them"


def _database(draft: Draft, database: Database, path: Path) -> Iterator[Fault]:
    classes = (database.instance_class, database.standby_instance_class or database.instance_class)
    if database.mechanism is DatabaseMechanism.AURORA_GLOBAL:
        refusal = engines.aurora_refuses(database.version, ())
        if refusal is not None and draft.whole(*path, "version"):
            yield fault((*path, "version"), database.version, refusal)
        for key, node_class in zip(("instance_class", "standby_instance_class"), dict.fromkeys(classes), strict=False):
            refusal = engines.aurora_refuses("16.8", (node_class,))
            if refusal is not None and draft.whole(*path, key):
                yield fault((*path, key), node_class, refusal)
    else:
        refusal = engines.rds_refuses(database.version)
        if refusal is not None:
            yield fault((*path, "version"), database.version, refusal)
    for name, value in database.parameters.items():
        if name in _OWNED_PARAMETERS:
            yield fault((*path, "parameters", name), value, _OWNED_PARAMETERS[name])


def _cache(cache: Cache, path: Path) -> Iterator[Fault]:
    if cache.version not in engines.REDIS_VERSIONS:
        yield fault((*path, "version"), cache.version, f"one of {', '.join(engines.REDIS_VERSIONS)}")
    if cache.rebuildable and cache.rpo is not None:
        yield fault(
            (*path, "rpo"),
            format_duration(cache.rpo),
            "an RPO beside rebuildable: false only; what can be rebuilt has none",
        )
    if cache.mechanism is CacheMechanism.GLOBAL_DATASTORE:
        refusal = engines.global_datastore_refuses(cache.node_type)
        if refusal is not None:
            yield fault((*path, "node_type"), cache.node_type, refusal)


def _lifecycle(store: ObjectStore, path: Path) -> Iterator[Fault]:
    """S3's minima between two steps, and nothing deleted before it has moved or while it is locked."""
    steps = store.lifecycle
    standard_ia, glacier, deep = steps.standard_ia_days, steps.glacier_days, steps.deep_archive_days
    if glacier is not None and standard_ia is not None and glacier < standard_ia + _AFTER_STANDARD_IA:
        yield fault(
            (*path, "glacier_days"), glacier, f"{standard_ia + _AFTER_STANDARD_IA} days or more, 30 after Standard-IA"
        )
    if deep is not None and glacier is not None and deep < glacier + _AFTER_GLACIER:
        yield fault((*path, "deep_archive_days"), deep, f"{glacier + _AFTER_GLACIER} days or more, 90 after Glacier")
    elif deep is not None and standard_ia is not None and deep < standard_ia + _AFTER_STANDARD_IA:
        yield fault(
            (*path, "deep_archive_days"), deep, f"{standard_ia + _AFTER_STANDARD_IA} days or more, 30 after Standard-IA"
        )
    last = max((step for step in (standard_ia, glacier, deep) if step is not None), default=0)
    if steps.expire_days is not None and steps.expire_days <= last:
        yield fault((*path, "expire_days"), steps.expire_days, f"{last + 1} days or more, after the last step")
    locked = store.object_lock.days if store.object_lock is not None else 0
    for key, days in (("expire_days", steps.expire_days), ("noncurrent_expire_days", steps.noncurrent_expire_days)):
        if days is not None and days < locked:
            yield fault((*path, key), days, f"{locked} days or more: object_lock keeps every version that long")
