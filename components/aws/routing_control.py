"""Switches of kind ``routing-control``: Application Recovery Controller, whose data plane answers from five regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.routing_switch import Switch

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

    A new control is off. Both off answers like both on, from the first record of each pair; the warden turns the
    active site's on before anything is promised.
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
    return Controls(switches=switches, endpoints=cluster.cluster_endpoints.apply(_by_region))


def _by_region(endpoints: Sequence[ClusterClusterEndpoint]) -> dict[str, str]:
    """Endpoint URL by region."""
    return {str(endpoint.region): str(endpoint.endpoint) for endpoint in endpoints}
