"""The witness's network: as much as one warden needs, with a way out and none in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws import network_access

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

CIDR = "192.168.255.0/27"
"""It is peered with nothing, so it may be any private range; AWS takes no smaller subnets than its halves."""
ZONES = 2


@dataclass(frozen=True, kw_only=True)
class WitnessNetworkArgs:
    """What `WitnessNetwork` needs."""

    site: Site
    zones: Sequence[str]
    """Two availability zones of the region."""
    flow_log_days: int
    """Days that flow logs are kept."""
    logs_key_arn: pulumi.Input[str]
    """Key of the flow logs, of this region."""


class WitnessNetwork(pulumi.ComponentResource):
    """One VPC with two subnets behind an internet gateway; see ``docs/adr/0016-warden-placement.md``.

    What stands in it has a public address, because a gateway translates nothing, and a security group that admits
    nothing. It reaches what a witness must: the APIs of three regions, and both sites' front doors as clients do.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    """One a zone."""

    def __init__(self, name: str, args: WitnessNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:WitnessNetwork", name, {}, opts)
        site = args.site
        child = pulumi.ResourceOptions(parent=self, provider=site.provider)

        def tags(part: str) -> dict[str, str]:
            return site.named(site.physical(f"{name}-{part}"))

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=CIDR,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=tags("vpc"),
            opts=child,
        )
        # Everything that forgets to name a group gets one that admits nothing.
        aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, tags=tags("default"), opts=child)
        gateway = aws.ec2.InternetGateway(f"{name}-gateway", vpc_id=vpc.id, tags=tags("gateway"), opts=child)
        table = aws.ec2.RouteTable(f"{name}-routes", vpc_id=vpc.id, tags=tags("routes"), opts=child)
        aws.ec2.Route(
            f"{name}-out",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=child,
        )
        self.subnet_ids = []
        halves = ipaddress.IPv4Network(CIDR).subnets(prefixlen_diff=1)
        for zone, half in zip(args.zones, halves, strict=True):
            letter = zone.removeprefix(site.region)
            subnet = aws.ec2.Subnet(
                f"{name}-{letter}",
                vpc_id=vpc.id,
                availability_zone=zone,
                cidr_block=str(half),
                map_public_ip_on_launch=False,
                tags=tags(letter),
                opts=child,
            )
            aws.ec2.RouteTableAssociation(
                f"{name}-{letter}-association", subnet_id=subnet.id, route_table_id=table.id, opts=child
            )
            self.subnet_ids.append(subnet.id)
        place = network_access.Place(parent=self, name=name, site=site, vpc_id=vpc.id, cidr=CIDR)
        network_access.gateway_endpoints(place, [table.id])
        network_access.flow_logs(place, days=args.flow_log_days, key_arn=args.logs_key_arn)
        self.vpc_id = vpc.id
        self.register_outputs({"vpc_id": self.vpc_id, "subnet_ids": self.subnet_ids})
