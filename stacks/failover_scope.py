"""What a failover of this stack touches, by name: see `components.aws.failover_policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.recovery_statements import FailoverScope
from lifeboat.model.design import LeaseStore
from lifeboat.model.naming import LEASE_STORE, password_of, token_of
from lifeboat.model.settings.base import GLOBAL_IMPORT
from lifeboat.model.settings.sites import RoutingKind, Strategy
from lifeboat.model.settings.stores import Cache, CacheMechanism, Database, DatabaseMechanism, ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings

_FROM_BACKUPS = (DatabaseMechanism.BACKUPS, DatabaseMechanism.REPLICATED_BACKUPS)


def failover_scope(settings: Settings, topology: Topology) -> FailoverScope:
    """The names of what a failover touches: one pattern for all of a kind, and what was adopted, by its own name."""
    prefix = settings.prefix
    sites = tuple(site.region for site in topology.sites)

    def by_site(names: Callable[[str], Sequence[str]]) -> dict[str, Sequence[str]]:
        return {region: names(region) for region in sites}

    aurora = [each.settings for each in topology.databases if each.mechanism is DatabaseMechanism.AURORA_GLOBAL]
    plain = [each.settings for each in topology.databases if each.mechanism is not DatabaseMechanism.AURORA_GLOBAL]
    datastores = [each.settings for each in topology.caches if each.mechanism is CacheMechanism.GLOBAL_DATASTORE]
    vaulted = any(each.mechanism is DatabaseMechanism.BACKUPS for each in topology.databases)
    # Of a standby that is made from nothing, caches are made too: see the plan's step `promote_cache`.
    made = [
        each.settings
        for each in topology.caches
        if each.mechanism is not CacheMechanism.GLOBAL_DATASTORE and topology.strategy is Strategy.BACKUP_AND_RESTORE
    ]
    kept = [each.settings for each in topology.object_stores]
    in_buckets = topology.lease is LeaseStore.WITNESS_OBJECT
    edited = settings.dns if topology.routing is RoutingKind.RECORD else None
    return FailoverScope(
        account=settings.account,
        prefix=prefix,
        sites=sites,
        witness=topology.witness,
        lease_buckets={region: f"{prefix}-{LEASE_STORE}-{region}" for region in (*sites, topology.witness)}
        if in_buckets
        else {},
        global_clusters=_names(f"{prefix}-*", aurora, GLOBAL_IMPORT),
        clusters=by_site(lambda region: _names(f"{prefix}-*-{region}", aurora, region)),
        # Of one that was adopted too, the next generation is the stack's own.
        instances=by_site(lambda region: [f"{prefix}-*-{region}-g*", *_adopted(plain, region)] if plain else []),
        restored=any(each.mechanism in _FROM_BACKUPS for each in topology.databases),
        vaults=vaulted,
        backup_roles=[f"{prefix}-*-backup"] if vaulted else [],
        # AWS begins each with a part of its choice.
        datastores=_names(f"*-{prefix}-*", datastores, GLOBAL_IMPORT),
        replication_groups=by_site(lambda region: _names(f"{prefix}-*-{region}", datastores, region)),
        made_groups={
            region: _names(f"{prefix}-*-{region}", made, region) for region in (topology.standby.region,) if made
        },
        buckets=[name for region in sites for name in _names(f"{prefix}-*-{region}", kept, region)],
        secrets=[
            *([f"{prefix}-{password_of('*')}"] if topology.databases else []),
            *([f"{prefix}-{token_of('*')}"] if topology.caches else []),
        ],
        routing_controls=topology.routing is RoutingKind.ROUTING_CONTROL,
        record_names=[f"{each.name}.{edited.zone}" for each in edited.endpoints] if edited is not None else (),
        tags={"System": settings.system, "Environment": settings.environment},
    )


def _names(pattern: str, stores: Sequence[Database | Cache | ObjectStore], key: str) -> list[str]:
    """The pattern, where the stack names any of the stores itself, and the names of those that it adopted."""
    own = [pattern] if any(key not in store.import_ for store in stores) else []
    return [*own, *_adopted(stores, key)]


def _adopted(stores: Sequence[Database | Cache | ObjectStore], key: str) -> list[str]:
    return [store.import_[key] for store in stores if key in store.import_]
