"""The whole program: a topology in, resources and outputs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.keys import Purpose
from components.aws.publication import ContractPublication, PublicationArgs, PublicationSite
from components.aws.routing import RoutedEndpoint, Routing, RoutingArgs
from stacks.contract import Built, contract_of
from stacks.declaration import declare
from stacks.foundation import lay_foundation
from stacks.recovery import build_recovery
from stacks.stores import build_stores

if TYPE_CHECKING:
    import pulumi
    from lifeboat_contract import Contract

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings
    from stacks.foundation import Foundation
    from stacks.stores import Stores


def build(settings: Settings, topology: Topology) -> dict[str, pulumi.Output[object]]:
    """Create everything and return the stack's outputs: ``contract``, and nothing that is secret."""
    declare(settings, topology)
    foundation = lay_foundation(settings, topology)
    stores = build_stores(settings, topology, foundation)
    routing = _routing(settings, topology, foundation)
    gates = build_recovery(settings, topology, foundation)
    contract = contract_of(settings, topology, foundation, Built(stores=stores, routing=routing, gates=gates))
    _publish(contract, foundation, stores)
    return {"contract": contract.apply(lambda known: known.document())}


def _routing(settings: Settings, topology: Topology, foundation: Foundation) -> Routing | None:
    dns = settings.dns
    if dns is None or topology.routing is None:
        return None
    return Routing(
        "routing",
        RoutingArgs(
            home=foundation.home,
            standby=foundation.standby,
            witness=foundation.witness,
            health=foundation.health,
            alert_topic_arn=foundation.alerts[foundation.health.region].topic_arn,
            zone=dns.zone,
            zone_id=dns.zone_id,
            ttl=dns.ttl,
            endpoints=[
                RoutedEndpoint(
                    name=endpoint.name,
                    port=endpoint.port,
                    path=endpoint.path,
                    targets={site.region: dns.target(endpoint, site.region) for site in foundation.sites},
                )
                for endpoint in dns.endpoints
            ],
            kind=topology.routing.value,
        ),
    )


def _publish(contract: pulumi.Output[Contract], foundation: Foundation, stores: Stores) -> None:
    ContractPublication(
        "contract-publication",
        PublicationArgs(
            sites=[
                PublicationSite(
                    site=site,
                    bucket=stores.contract_store.buckets[site.region],
                    key_arn=foundation.key(site, Purpose.OBJECTS),
                )
                for site in foundation.sites
            ],
            document=contract.apply(lambda known: known.text()),
            parameter_name=f"/lifeboat/{foundation.home.prefix}/contract",
        ),
    )
