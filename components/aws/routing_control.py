"""Switches of kind ``routing-control``: Application Recovery Controller, whose data plane answers from five regions.

AWS chooses the controls' ARNs and the cluster's endpoints, and only the control plane in us-west-2 tells them. So each
site keeps them as a parameter, which a failover to it reads there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.routing_switch import Switch
from lifeboat.model.routing_document import RoutingDocument, routing_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_aws.route53recoverycontrol.outputs import ClusterClusterEndpoint

    from components.aws.site import Site

SAFETY_WAIT_MS = 5000
"""Milliseconds over which a change is judged against the safety rule; AWS's own default."""


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What `controls` made."""

    switches: Mapping[str, Switch]
    """By region."""
    endpoints: pulumi.Output[dict[str, str]]
    """Data-plane endpoint of the cluster by region."""


def controls(parent: pulumi.Resource, name: str, sites: Sequence[Site], witness: Site) -> Controls:
    """A cluster, a panel and one routing control a site, with the rule that at least one of them stays on.

    Where they are is published in every site, see `lifeboat.model.routing_document`.

    A new control is off. Both off answers like both on, from the first record of each pair: the first failover sets
    both.
    """
    opts = pulumi.ResourceOptions(parent=parent, provider=witness.provider)
    label = f"{witness.prefix}-routing"
    cluster = aws.route53recoverycontrol.Cluster(
        f"{name}-global-cluster", name=label, tags=witness.named(label), opts=opts
    )
    panel = aws.route53recoverycontrol.ControlPanel(
        f"{name}-global-panel", name=label, cluster_arn=cluster.arn, tags=witness.named(label), opts=opts
    )
    made: dict[str, aws.route53recoverycontrol.RoutingControl] = {}
    switches: dict[str, Switch] = {}
    for site in sites:
        child = pulumi.ResourceOptions(parent=parent, provider=site.provider)
        site_label = f"{site.prefix}-switch-{site.region}"
        control = aws.route53recoverycontrol.RoutingControl(
            f"{name}-{site.region}-control",
            name=site_label,
            cluster_arn=cluster.arn,
            control_panel_arn=panel.arn,
            opts=child,
        )
        made[site.region] = control
        check = aws.route53.HealthCheck(
            f"{name}-{site.region}-switch",
            type="RECOVERY_CONTROL",
            routing_control_arn=control.arn,
            tags=site.named(site_label),
            opts=child,
        )
        switches[site.region] = Switch(health_check_id=check.id, routing_control_arn=control.arn)
    rule = f"{label}-never-all-off"
    aws.route53recoverycontrol.SafetyRule(
        f"{name}-global-never-all-off",
        name=rule,
        control_panel_arn=panel.arn,
        asserted_controls=[control.arn for control in made.values()],
        rule_config={"inverted": False, "threshold": 1, "type": "ATLEAST"},
        wait_period_ms=SAFETY_WAIT_MS,
        tags=witness.named(rule),
        opts=opts,
    )
    endpoints = cluster.cluster_endpoints.apply(_by_region)
    _publish(parent, name, sites, endpoints, {region: control.arn for region, control in made.items()})
    return Controls(switches=switches, endpoints=endpoints)


def _publish(
    parent: pulumi.Resource,
    name: str,
    sites: Sequence[Site],
    endpoints: pulumi.Output[dict[str, str]],
    arns: Mapping[str, pulumi.Output[str]],
) -> None:
    """One parameter a site, the same in each."""
    text = pulumi.Output.all(endpoints=endpoints, controls=pulumi.Output.all(**arns)).apply(
        lambda known: RoutingDocument(endpoints=known["endpoints"], controls=known["controls"]).text()
    )
    for site in sites:
        parameter = routing_parameter(site.prefix)
        aws.ssm.Parameter(
            f"{name}-{site.region}-parameter",
            name=parameter,
            type="String",
            # Two ARNs and five URLs: far from the 4 KiB that are free.
            tier="Standard",
            value=text,
            tags=site.named(parameter),
            opts=pulumi.ResourceOptions(parent=parent, provider=site.provider),
        )


def _by_region(endpoints: Sequence[ClusterClusterEndpoint]) -> dict[str, str]:
    """Endpoint URL by region."""
    return {str(endpoint.region): str(endpoint.endpoint) for endpoint in endpoints}
