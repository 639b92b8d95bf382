"""The name that a site's gateways find its warden by, whichever task that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from lifeboat.model.naming import WARDEN_HOST

if TYPE_CHECKING:
    from components.aws.site import Site

TTL = 5
"""Seconds that a resolver may keep the address: half a heartbeat, so that a task that was replaced is found soon."""


def warden_address(
    parent: pulumi.Resource, name: str, site: Site, *, namespace: str, vpc_id: pulumi.Input[str]
) -> pulumi.Output[str]:
    """A private DNS namespace of one network with one service in it; see ``docs/adr/0016-warden-placement.md``.

    Args:
        parent: The warden.
        name: The parent's name, which children's names begin with.
        site: Where it stands.
        namespace: Name of the namespace, such as ``reskflow-production-us-east-1.lifeboat.internal``.
        vpc_id: The one network that resolves it.

    Returns:
        ARN of what ECS registers the task in.
    """
    opts = pulumi.ResourceOptions(parent=parent, provider=site.provider)
    space = aws.servicediscovery.PrivateDnsNamespace(
        f"{name}-namespace",
        name=namespace,
        description=f"Where gateways in {site.region} find their warden",
        vpc=vpc_id,
        tags=site.named(namespace),
        opts=opts,
    )
    service = aws.servicediscovery.Service(
        f"{name}-address",
        name=WARDEN_HOST,
        description="The warden's task, registered by ECS",
        dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
            namespace_id=space.id,
            routing_policy="MULTIVALUE",
            dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=TTL)],
        ),
        # ECS reports the task's health by it, and stops a task that it cannot report on. An empty block is none to the
        # provider, and the class of this one warns of the only value that there is.
        health_check_custom_config={"failure_threshold": 1},
        # An address that ECS has not withdrawn yet holds nothing, and must not be in the way of `lifeboat destroy`.
        force_destroy=True,
        tags=site.named(f"{WARDEN_HOST}.{namespace}"),
        opts=opts,
    )
    return service.arn
