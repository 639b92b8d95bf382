"""A site's network: VPC, three zones of three tiers, and the ways out of it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws import network_access

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

ZONES = 3
WIDEST, NARROWEST = 16, 20
"""VPC prefix lengths that carve into subnets of a useful size: a /20 still leaves 123 addresses in an isolated one."""


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What `SiteNetwork` needs."""

    site: Site
    cidr: str
    """IPv4 range, /16 to /20, distinct from every other site's."""
    zones: Sequence[str]
    """Three availability zones of the region."""
    nat_per_zone: bool
    """A NAT gateway in every zone; else one that all zones share."""
    interface_endpoints: Sequence[str]
    """AWS services reached without leaving the VPC, such as ``secretsmanager``."""
    flow_log_days: int
    """Days that flow logs are kept."""
    logs_key_arn: pulumi.Input[str]
    """Key of the flow logs, of this region."""


@dataclass(frozen=True, kw_only=True)
class Carving:
    """A VPC's subnets by tier, one a zone, in order of zone."""

    public: tuple[str, ...]
    private: tuple[str, ...]
    isolated: tuple[str, ...]


def carve(cidr: str) -> Carving:
    """Subnets of a VPC range, always the same ones for the same range.

    The first three quarters are private, since pods and tasks live there. The last quarter splits in eight: three
    public, three isolated, and two left free, so that a later tier does not move these.

    Raises:
        ValueError: for a range that is no network or is not /16 to /20.
    """
    network = ipaddress.IPv4Network(cidr)
    if not WIDEST <= network.prefixlen <= NARROWEST:
        raise ValueError(f"cidr: {cidr} is a /{network.prefixlen}; accepted: /{WIDEST} to /{NARROWEST}")
    *private, rest = network.subnets(prefixlen_diff=2)
    eighths = list(rest.subnets(prefixlen_diff=3))
    return Carving(
        public=tuple(map(str, eighths[:ZONES])),
        private=tuple(map(str, private)),
        isolated=tuple(map(str, eighths[4 : 4 + ZONES])),
    )


@dataclass(frozen=True, kw_only=True)
class _Tier:
    """Subnets of one tier and the tables they route by."""

    subnets: list[aws.ec2.Subnet] = field(default_factory=list["aws.ec2.Subnet"])
    tables: list[aws.ec2.RouteTable] = field(default_factory=list["aws.ec2.RouteTable"])


class SiteNetwork(pulumi.ComponentResource):
    """One VPC with public, private and isolated subnets in three zones.

    - *public* routes to the internet gateway; nothing gets a public address by itself;
    - *private* goes out through NAT, one route table a zone, so that going from a shared gateway to one a zone only
      changes where the routes point;
    - *isolated* has no default route: databases and caches live there.

    The default security group admits nothing, and every flow is logged, encrypted with the site's own key.
    """

    vpc_id: pulumi.Output[str]
    cidr: str
    public_subnet_ids: list[pulumi.Output[str]]
    """One a zone, in order of zone; so are the next two."""
    private_subnet_ids: list[pulumi.Output[str]]
    isolated_subnet_ids: list[pulumi.Output[str]]
    private_route_table_ids: list[pulumi.Output[str]]
    """One a zone."""
    isolated_route_table_ids: list[pulumi.Output[str]]
    """One for all zones."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:SiteNetwork", name, {}, opts)
        if len(args.zones) != ZONES:
            raise ValueError(f"zones: {', '.join(args.zones) or 'none'}; accepted: {ZONES} zones of {args.site.region}")
        self._name = name
        self._site = args.site
        self._opts = pulumi.ResourceOptions(parent=self, provider=args.site.provider)
        self._letters = [zone.removeprefix(args.site.region) for zone in args.zones]
        carving = carve(args.cidr)

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags("vpc"),
            opts=self._opts,
        )
        self._vpc_id = vpc.id
        # Everything that forgets to name a group gets one that admits nothing.
        aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, tags=self._tags("default"), opts=self._opts)

        public = self._tier("public", carving.public, args.zones, tables=1)
        private = self._tier("private", carving.private, args.zones, tables=ZONES)
        isolated = self._tier("isolated", carving.isolated, args.zones, tables=1)
        self._ways_out(public, private, nat_per_zone=args.nat_per_zone)
        place = network_access.Place(parent=self, name=name, site=args.site, vpc_id=vpc.id, cidr=args.cidr)
        network_access.gateway_endpoints(place, [table.id for table in (*private.tables, *isolated.tables)])
        network_access.interface_endpoints(place, [subnet.id for subnet in private.subnets], args.interface_endpoints)
        network_access.flow_logs(place, days=args.flow_log_days, key_arn=args.logs_key_arn)

        self.vpc_id = vpc.id
        self.cidr = args.cidr
        self.public_subnet_ids = [subnet.id for subnet in public.subnets]
        self.private_subnet_ids = [subnet.id for subnet in private.subnets]
        self.isolated_subnet_ids = [subnet.id for subnet in isolated.subnets]
        self.private_route_table_ids = [table.id for table in private.tables]
        self.isolated_route_table_ids = [table.id for table in isolated.tables]
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "cidr": self.cidr,
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
                "isolated_subnet_ids": self.isolated_subnet_ids,
                "private_route_table_ids": self.private_route_table_ids,
                "isolated_route_table_ids": self.isolated_route_table_ids,
            }
        )

    def _tags(self, part: str) -> dict[str, str]:
        return self._site.named(self._site.physical(f"{self._name}-{part}"))

    def _tier(self, tier: str, cidrs: Sequence[str], zones: Sequence[str], *, tables: int) -> _Tier:
        """Subnets of a tier in every zone, each associated with its zone's table, or with the only one."""
        made = _Tier()
        for letter in self._letters[:tables]:
            label = tier if tables == 1 else f"{tier}-{letter}"
            made.tables.append(
                aws.ec2.RouteTable(
                    f"{self._name}-{label}-routes", vpc_id=self._vpc_id, tags=self._tags(label), opts=self._opts
                )
            )
        for index, (letter, zone, cidr) in enumerate(zip(self._letters, zones, cidrs, strict=True)):
            label = f"{tier}-{letter}"
            subnet = aws.ec2.Subnet(
                f"{self._name}-{label}",
                vpc_id=self._vpc_id,
                availability_zone=zone,
                cidr_block=cidr,
                map_public_ip_on_launch=False,
                tags=self._tags(label),
                opts=self._opts,
            )
            made.subnets.append(subnet)
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{label}-association",
                subnet_id=subnet.id,
                route_table_id=made.tables[index % tables].id,
                opts=self._opts,
            )
        return made

    def _ways_out(self, public: _Tier, private: _Tier, *, nat_per_zone: bool) -> None:
        """Default routes: the gateway for public tables, NAT for private ones."""
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-gateway", vpc_id=self._vpc_id, tags=self._tags("gateway"), opts=self._opts
        )
        for table in public.tables:
            aws.ec2.Route(
                f"{self._name}-public-default",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                gateway_id=gateway.id,
                opts=self._opts,
            )
        # An address and its gateway need the internet gateway to be attached first; AWS does not say so by reference.
        attached = pulumi.ResourceOptions(parent=self, provider=self._site.provider, depends_on=[gateway])
        gateways: list[aws.ec2.NatGateway] = []
        for letter, subnet in zip(self._letters, public.subnets[: ZONES if nat_per_zone else 1], strict=False):
            address = aws.ec2.Eip(
                f"{self._name}-nat-{letter}-address", domain="vpc", tags=self._tags(f"nat-{letter}"), opts=attached
            )
            gateways.append(
                aws.ec2.NatGateway(
                    f"{self._name}-nat-{letter}",
                    allocation_id=address.allocation_id,
                    subnet_id=subnet.id,
                    connectivity_type="public",
                    tags=self._tags(f"nat-{letter}"),
                    opts=attached,
                )
            )
        for index, (letter, table) in enumerate(zip(self._letters, private.tables, strict=True)):
            aws.ec2.Route(
                f"{self._name}-private-{letter}-default",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=gateways[index % len(gateways)].id,
                opts=self._opts,
            )
