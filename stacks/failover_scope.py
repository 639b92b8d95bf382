"""What a failover of this stack touches, by name: see `components.aws.failover_policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.failover_policy import FailoverScope
from lifeboat.model.design import LeaseStore
from lifeboat.model.naming import LEASE_STORE, password_of, token_of
from lifeboat.model.settings.base import GLOBAL_IMPORT
from lifeboat.model.settings.sites import RoutingKind, Strategy
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings

_FROM_BACKUPS = (DatabaseMechanism.BACKUPS, DatabaseMechanism.REPLICATED_BACKUPS)


def failover_scope(settings: Settings, topology: Topology) -> FailoverScope:
    """The names of what a failover touches; what was adopted keeps its own."""
    prefix = settings.prefix
    sites = tuple(site.region for site in topology.sites)

    def by_site(names: Callable[[str], Sequence[str]]) -> dict[str, Sequence[str]]:
        return {region: names(region) for region in sites}

    aurora = [each.settings for each in topology.databases if each.mechanism is DatabaseMechanism.AURORA_GLOBAL]
    plain = [each.settings for each in topology.databases if each.mechanism is not DatabaseMechanism.AURORA_GLOBAL]
    datastores = [each.settings for each in topology.caches if each.mechanism is CacheMechanism.GLOBAL_DATASTORE]
    vaulted = [each.settings for each in topology.databases if each.mechanism is DatabaseMechanism.BACKUPS]
    # Of a standby that is made from nothing, caches are made too: see the plan's step `promote_cache`.
    made = [
        each.settings.import_.get(topology.standby.region, f"{prefix}-{each.settings.name}-{topology.standby.region}")
        for each in topology.caches
        if each.mechanism is not CacheMechanism.GLOBAL_DATASTORE and topology.strategy is Strategy.BACKUP_AND_RESTORE
    ]
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
        global_clusters=[own.import_.get(GLOBAL_IMPORT, f"{prefix}-{own.name}") for own in aurora],
        clusters=by_site(lambda region: [own.import_.get(region, f"{prefix}-{own.name}-{region}") for own in aurora]),
        instances=by_site(
            lambda region: [
                name
                for own in plain
                for name in (f"{prefix}-{own.name}-{region}-g*", own.import_.get(region))
                if name is not None
            ]
        ),
        restored=any(each.mechanism in _FROM_BACKUPS for each in topology.databases),
        vaults=bool(vaulted),
        backup_roles=[f"{prefix}-{own.name}-{region}-backup" for own in vaulted for region in sites],
        datastores=[own.import_.get(GLOBAL_IMPORT, f"*-{prefix}-{own.name}") for own in datastores],
        replication_groups=by_site(
            lambda region: [own.import_.get(region, f"{prefix}-{own.name}-{region}") for own in datastores]
        ),
        made_groups={topology.standby.region: made} if made else {},
        buckets=[
            each.settings.import_.get(region, f"{prefix}-{each.settings.name}-{region}")
            for each in topology.object_stores
            for region in sites
        ],
        secrets=[
            *(f"{prefix}-{password_of(each.settings.name)}" for each in topology.databases),
            *(f"{prefix}-{token_of(each.settings.name)}" for each in topology.caches),
        ],
        routing_controls=topology.routing is RoutingKind.ROUTING_CONTROL,
        record_names=[f"{each.name}.{edited.zone}" for each in edited.endpoints] if edited is not None else (),
        tags={"System": settings.system, "Environment": settings.environment},
    )
