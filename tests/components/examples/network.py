"""Networks, and the peering of two."""

from __future__ import annotations

from components.aws.network import NetworkArgs, SiteNetwork
from components.aws.peering import Peering, PeeringArgs, PeeringSide
from tests.components.harness import HOME, OTHER, Example, World

CIDRS = {HOME: "10.0.0.0/16", OTHER: "10.1.0.0/20"}


def network(world: World, region: str, *, nat_per_zone: bool = False) -> SiteNetwork:
    return SiteNetwork(
        f"network-{region}",
        NetworkArgs(
            site=world.site(region),
            cidr=CIDRS[region],
            zones=[f"{region}{letter}" for letter in "abc"],
            nat_per_zone=nat_per_zone,
            interface_endpoints=("secretsmanager", "kms"),
            flow_log_days=90,
            logs_key_arn=world.key(region, "logs"),
        ),
    )


def peering(world: World) -> Peering:
    here, there = (
        PeeringSide(site=world.site(region), network=world.given(network(world, region))) for region in (HOME, OTHER)
    )
    return Peering("peering", PeeringArgs(requester=here, accepter=there))


EXAMPLES = [
    Example(name="network-shared-nat", build=lambda world: network(world, OTHER)),
    Example(name="network-nat-per-zone", build=lambda world: network(world, HOME, nat_per_zone=True)),
    Example(name="peering", build=peering),
]
