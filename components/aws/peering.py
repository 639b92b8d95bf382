"""The private path between two sites' networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from components.aws.network import SiteNetwork
    from components.aws.site import Site


@dataclass(frozen=True, kw_only=True)
class PeeringSide:
    """One end of the connection."""

    site: Site
    network: SiteNetwork


@dataclass(frozen=True, kw_only=True)
class PeeringArgs:
    """What `Peering` needs. Who requests and who accepts makes no difference once both have."""

    requester: PeeringSide
    accepter: PeeringSide


class Peering(pulumi.ComponentResource):
    """Peers two sites' VPCs, with routes both ways from every private and isolated subnet.

    Routes wait for the acceptance, because AWS refuses them before. Remote DNS resolution stays off: it changes only
    what public host names resolve to, and databases, caches and endpoints have private addresses wherever they are
    asked for.
    """

    connection_id: pulumi.Output[str]

    def __init__(self, name: str, args: PeeringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Peering", name, {}, opts)
        asking, accepting = args.requester, args.accepter
        connection = aws.ec2.VpcPeeringConnection(
            f"{name}-{asking.site.region}-connection",
            vpc_id=asking.network.vpc_id,
            peer_vpc_id=accepting.network.vpc_id,
            peer_region=accepting.site.region,
            peer_owner_id=accepting.site.account,
            # AWS accepts nothing by itself across regions; the other side does below.
            auto_accept=False,
            tags=asking.site.named(asking.site.physical(name)),
            opts=pulumi.ResourceOptions(parent=self, provider=asking.site.provider),
        )
        acceptance = aws.ec2.VpcPeeringConnectionAccepter(
            f"{name}-{accepting.site.region}-acceptance",
            vpc_peering_connection_id=connection.id,
            auto_accept=True,
            tags=accepting.site.named(accepting.site.physical(name)),
            opts=pulumi.ResourceOptions(parent=self, provider=accepting.site.provider),
        )
        for here, there in ((asking, accepting), (accepting, asking)):
            tables = {
                "private": here.network.private_route_table_ids,
                "isolated": here.network.isolated_route_table_ids,
            }
            for tier, ids in tables.items():
                for index, table in enumerate(ids):
                    aws.ec2.Route(
                        f"{name}-{here.site.region}-{tier}-{index}",
                        route_table_id=table,
                        destination_cidr_block=there.network.cidr,
                        vpc_peering_connection_id=acceptance.id,
                        opts=pulumi.ResourceOptions(parent=self, provider=here.site.provider),
                    )
        self.connection_id = connection.id
        self.register_outputs({"connection_id": self.connection_id})
