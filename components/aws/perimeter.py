"""What may reach a data store: one security group a store and site, open to named networks on one port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site


@dataclass(frozen=True, kw_only=True)
class StoreSite:
    """One site of a data store inside a network."""

    site: Site
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    """Isolated subnets, one a zone."""
    allowed_cidrs: Sequence[str]
    """IPv4 ranges that may connect: the site's own and its peer's, since services in either site may have to."""
    key_arn: pulumi.Input[str]
    """Key of this region, for data at rest."""
    alarm_topic_arn: pulumi.Input[str] | None = None
    """Topic of this region that alarms publish to; None leaves them silent."""


def store_security_group(parent: pulumi.Resource, name: str, store: StoreSite, port: int) -> aws.ec2.SecurityGroup:
    """The security group of a store called `name` in one site.

    It has no egress rule: a data store answers, it never calls. Without inline rules the provider also removes the
    egress that AWS adds to a new group.
    """
    site = store.site
    physical = site.physical(name)
    opts = pulumi.ResourceOptions(parent=parent, provider=site.provider)
    group = aws.ec2.SecurityGroup(
        f"{name}-{site.region}-access",
        name=physical,
        description=f"{physical}: port {port} from the sites' own networks",
        vpc_id=store.vpc_id,
        tags=site.named(physical),
        opts=opts,
    )
    for cidr in store.allowed_cidrs:
        network = cidr.replace("/", "-")
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-{site.region}-from-{network}",
            security_group_id=group.id,
            description=f"{cidr} to port {port}",
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            tags=site.named(f"{physical}-from-{network}"),
            opts=opts,
        )
    return group


def database_subnets(parent: pulumi.Resource, name: str, store: StoreSite) -> aws.rds.SubnetGroup:
    """The subnet group of a database called `name` in one site: its isolated subnets."""
    site = store.site
    physical = site.physical(name)
    return aws.rds.SubnetGroup(
        f"{name}-{site.region}-subnets",
        name=physical,
        description=f"{physical}: isolated subnets",
        subnet_ids=store.subnet_ids,
        tags=site.named(physical),
        opts=pulumi.ResourceOptions(parent=parent, provider=site.provider),
    )
