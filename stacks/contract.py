"""The contract: what app teams read of a deployed stack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from lifeboat_contract import VERSION, Contract

from components.aws.aurora import AuroraDatabase
from components.aws.keys import Purpose
from lifeboat.model.naming import CONTRACT_STORE, password_of, token_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.aws.routing import Routing
    from components.aws.site import Site
    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings
    from stacks.foundation import Foundation
    from stacks.stores import Stores

REDIS_TLS = True
"""Every cache is built with TLS required."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """What stands on the foundation."""

    stores: Stores
    routing: Routing | None
    gates: Mapping[str, pulumi.Output[str]]
    """By site: what its gateways ask."""


def contract_of(
    settings: Settings, topology: Topology, foundation: Foundation, built: Built
) -> pulumi.Output[Contract]:
    """The stack's contract, once AWS has made what it speaks of."""
    document: dict[str, Any] = {
        "version": VERSION,
        "system": settings.system,
        "environment": settings.environment,
        "stack": pulumi.get_stack(),
        "account": settings.account,
        "home": topology.home.region,
        "witness": topology.witness,
        "objectives": _objectives(settings, topology),
        "sites": {site.region: _site(site, settings, topology, foundation, built) for site in foundation.sites},
        "dns": None if built.routing is None else _dns(settings, foundation, built.routing),
    }
    return pulumi.Output.from_input(document).apply(Contract.model_validate)


def _objectives(settings: Settings, topology: Topology) -> dict[str, Any]:
    """By scope: each demand beside the worst bound that any decision answers it with."""
    scopes: dict[str, dict[str, Any]] = {}
    for scope, objective in settings.objectives.scopes.items():
        if objective.availability is not None:
            scopes.setdefault(scope, {})["availability"] = objective.availability
    for verdict in (verdict for decision in topology.decisions for verdict in decision.verdicts):
        scope = scopes.setdefault(verdict.demand.scope.removeprefix("objectives."), {})
        promise = {
            "objective_seconds": math.floor(verdict.demand.seconds),
            "bound_seconds": math.ceil(verdict.bound.seconds),
            "bound_class": verdict.bound.klass.value,
        }
        known = scope.get(verdict.demand.quantity.value)
        if known is None or known["bound_seconds"] < promise["bound_seconds"]:
            scope[verdict.demand.quantity.value] = promise
    return scopes


def _site(site: Site, settings: Settings, topology: Topology, foundation: Foundation, built: Built) -> dict[str, Any]:
    region, stores = site.region, built.stores
    network = foundation.networks[region]
    buckets = {**stores.object_stores, CONTRACT_STORE: stores.contract_store}
    return {
        "region": region,
        "network": {
            "vpc_id": network.vpc_id,
            "cidr": network.cidr,
            "availability_zones": list(foundation.zones[region]),
            "public_subnet_ids": network.public_subnet_ids,
            "private_subnet_ids": network.private_subnet_ids,
            "isolated_subnet_ids": network.isolated_subnet_ids,
        },
        "databases": _databases(region, topology, stores),
        "caches": {
            design.settings.name: {
                "mechanism": design.mechanism.value,
                "primary_endpoint": stores.caches[design.settings.name].primary_endpoints[region],
                "reader_endpoint": stores.caches[design.settings.name].reader_endpoints[region],
                "port": stores.caches[design.settings.name].port,
                "tls": REDIS_TLS,
                "secret_arn": stores.secrets[token_of(design.settings.name)].arns[region],
            }
            for design in topology.caches
        },
        "buckets": {
            name: {
                "bucket": store.buckets[region],
                "arn": store.bucket_arns[region],
                "key_arn": foundation.key(site, Purpose.OBJECTS),
            }
            for name, store in buckets.items()
        },
        "keys": foundation.keys[region].arns,
        "secrets": {secret.name: stores.secrets[secret.name].arns[region] for secret in settings.secrets},
        "gate_url": built.gates[region],
    }


def _databases(region: str, topology: Topology, stores: Stores) -> dict[str, Any]:
    """Databases that have something to connect to in this site."""
    found: dict[str, Any] = {}
    for design in topology.databases:
        own = design.settings
        store = stores.databases[own.name]
        if isinstance(store, AuroraDatabase):
            place = {
                "engine": f"aurora-postgresql {own.version}",
                "arn": store.cluster_arns[region],
                "writer_endpoint": store.writer_endpoints[region],
                "reader_endpoint": store.reader_endpoints[region],
            }
        else:
            generations = [instance.key for instance in design.instances if instance.region == region]
            if not generations:
                continue
            newest = generations[-1]
            place = {
                "engine": f"postgres {own.version}",
                "arn": store.arns[newest],
                "writer_endpoint": store.endpoints[newest],
                "reader_endpoint": store.endpoints[newest],
            }
        found[own.name] = {
            **place,
            "mechanism": design.mechanism.value,
            "port": store.port,
            "database": own.database,
            "secret_arn": stores.secrets[password_of(own.name)].arns[region],
        }
    return found


def _dns(settings: Settings, foundation: Foundation, routing: Routing) -> dict[str, Any]:
    dns = settings.dns
    if dns is None:
        raise ValueError("routing was built without a zone")
    return {
        "zone": dns.zone,
        "zone_id": routing.zone_id,
        "names": routing.names,
        "targets": {
            endpoint.name: {site.region: dns.target(endpoint, site.region) for site in foundation.sites}
            for endpoint in dns.endpoints
        },
    }
