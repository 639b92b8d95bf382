"""Where a site's gateways ask its warden, whichever task that is: an internal network load balancer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from lifeboat.model.naming import gate_balancer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

DRAINING = 5
"""Seconds that a task which is to stop still gets to answer: as long as a client may take to say what it wants."""
INTERVAL = 10
"""Seconds between two checks of a task. A new one is found once it has passed its first."""
DEAF = 10
"""Checks that a task must fail in a row; then ECS replaces it, which nothing short may cause. The most there may be."""


@dataclass(frozen=True, kw_only=True)
class AddressArgs:
    """What `warden_address` needs."""

    site: Site
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    """Private ones, in each of the site's zones."""
    cidr: str
    """Whose connections it takes."""
    port: int
    """Where it listens, and the task too."""
    access: aws.ec2.SecurityGroup
    """The task's."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """What `warden_address` made."""

    host: pulumi.Output[str]
    """Its DNS name, which is the balancer's for as long as there is one."""
    targets_arn: pulumi.Output[str]
    """What ECS registers the task in."""
    listener: aws.lb.Listener
    """ECS takes the target group only once a balancer listens for it."""


def warden_address(parent: pulumi.Resource, name: str, args: AddressArgs) -> Address:
    """A balancer, what it forwards to, and the way from one to the other; see ``docs/adr/0016-warden-placement.md``.

    Args:
        parent: The warden.
        name: The parent's name, which children's names begin with.
        args: Where, and for whom.
    """
    site = args.site
    label = gate_balancer(site.prefix)
    opts = pulumi.ResourceOptions(parent=parent, provider=site.provider)
    balancer = aws.lb.LoadBalancer(
        f"{name}-balancer",
        name=label,
        load_balancer_type="network",
        internal=True,
        subnets=list(args.subnet_ids),
        # It can have groups only if it is made with one.
        security_groups=[_access(name, args, opts).id],
        # One task serves all zones.
        enable_cross_zone_load_balancing=True,
        # Another one has another name, and gateways were told this one.
        enable_deletion_protection=True,
        tags=site.named(label),
        opts=opts,
    )
    targets = aws.lb.TargetGroup(
        f"{name}-targets",
        name=label,
        target_type="ip",
        protocol="TCP",
        port=args.port,
        vpc_id=args.vpc_id,
        deregistration_delay=DRAINING,
        # The task's group knows the balancer, and need not know who asks it.
        preserve_client_ip="false",
        health_check=aws.lb.TargetGroupHealthCheckArgs(
            enabled=True,
            protocol="HTTP",
            path="/healthz",
            matcher="200",
            port="traffic-port",
            interval=INTERVAL,
            timeout=INTERVAL // 2,
            healthy_threshold=2,
            unhealthy_threshold=DEAF,
        ),
        tags=site.named(label),
        opts=opts,
    )
    listener = aws.lb.Listener(
        f"{name}-listener",
        load_balancer_arn=balancer.arn,
        port=args.port,
        protocol="TCP",
        default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)],
        tags=site.named(label),
        opts=opts,
    )
    return Address(host=balancer.dns_name, targets_arn=targets.arn, listener=listener)


def _access(name: str, args: AddressArgs, opts: pulumi.ResourceOptions) -> aws.ec2.SecurityGroup:
    """The balancer's own group: the site's range in, the task's group out; and the way from it into the latter."""
    site, port = args.site, args.port
    label = site.physical("gate")
    group = aws.ec2.SecurityGroup(
        f"{name}-balancer-access",
        name=label,
        description=f"{label}: gateways of its own site in",
        vpc_id=args.vpc_id,
        tags=site.named(label),
        opts=opts,
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-balancer-gate",
        security_group_id=group.id,
        description=f"The gate, from {args.cidr}",
        cidr_ipv4=args.cidr,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        tags=site.named(f"{label}-in"),
        opts=opts,
    )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-balancer-to-task",
        security_group_id=group.id,
        description="The warden's task",
        referenced_security_group_id=args.access.id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        tags=site.named(f"{label}-out"),
        opts=opts,
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-gate",
        security_group_id=args.access.id,
        description="The gate, from its balancer",
        referenced_security_group_id=group.id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        tags=site.named(f"{site.physical('warden')}-gate"),
        opts=opts,
    )
    return group
