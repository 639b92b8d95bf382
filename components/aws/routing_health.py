"""Endpoint health checks: each site's own front door, seen from outside, with an alert when it closes.

Route 53 publishes the status of its health checks as metrics in us-east-1 and nowhere else, an alarm reads metrics of
its own region, and it publishes to topics of its own region. So the alarms and their topic live in us-east-1, whatever
the sites are, and they fall silent together with that region. Nothing that recovers depends on them: a loss is
confirmed from the warden's own viewpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

METRICS_REGION = "us-east-1"
INTERVAL = 10
"""Seconds between the requests of one checker, the shorter of the two that Route 53 offers."""
FAILURES = 3
"""Failed requests in a row that make an endpoint unhealthy."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One endpoint in one site."""

    endpoint: str
    site: Site
    host: str
    port: int
    path: str


def checks(
    parent: pulumi.Resource, name: str, health: Site, topic_arn: pulumi.Input[str], probes: Sequence[Probe]
) -> dict[str, dict[str, pulumi.Output[str]]]:
    """A health check and an alarm for every probe.

    Returns:
        Health check IDs by endpoint, then region.

    Raises:
        ValueError: when `health` is not in us-east-1, where the metrics are.
    """
    if health.region != METRICS_REGION:
        raise ValueError(f"health: {health.region}; accepted: {METRICS_REGION}, which alone has health check metrics")
    ids: dict[str, dict[str, pulumi.Output[str]]] = {}
    for probe in probes:
        site = probe.site
        label = f"{site.prefix}-{probe.endpoint}-{site.region}"
        check = aws.route53.HealthCheck(
            f"{name}-{site.region}-{probe.endpoint}-check",
            type="HTTPS",
            fqdn=probe.host,
            port=probe.port,
            resource_path=probe.path,
            enable_sni=True,
            measure_latency=True,
            request_interval=INTERVAL,
            failure_threshold=FAILURES,
            tags=site.named(label),
            opts=pulumi.ResourceOptions(parent=parent, provider=site.provider),
        )
        ids.setdefault(probe.endpoint, {})[site.region] = check.id
        alarm = f"{label}-unhealthy"
        aws.cloudwatch.MetricAlarm(
            f"{name}-{health.region}-{probe.endpoint}-{site.compact}-alarm",
            name=alarm,
            alarm_description=f"{probe.endpoint} in {site.region} does not answer https://{probe.host}:{probe.port}"
            f"{probe.path}",
            namespace="AWS/Route53",
            metric_name="HealthCheckStatus",
            dimensions={"HealthCheckId": check.id},
            statistic="Minimum",
            period=60,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            threshold=1,
            comparison_operator="LessThanThreshold",
            # Unlike a switch: a check that reports nothing watches nothing.
            treat_missing_data="breaching",
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            tags=health.named(alarm),
            opts=pulumi.ResourceOptions(parent=parent, provider=health.provider),
        )
    return ids
