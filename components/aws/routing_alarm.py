"""Switches of kind ``alarm``: a metric in the witness region, an alarm on it, a health check that latches the alarm.

The metric ``SwitchOpen`` reads like an electrical switch: 1 is an open circuit, no traffic reaches the site; 0 is
closed. It is published each minute, and silence is not a decision: missing data leaves the alarm without data, and then
the health check keeps the last status it knew. One that never knew any counts as healthy, so that a new stack answers
from home before anything is published.

Maximum over one minute, one datapoint of one: a single 1 takes the traffic away within that minute, whatever else is
published in it, so that opening beats closing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.routing_switch import Switch
from lifeboat.model.naming import switch_namespace

if TYPE_CHECKING:
    from components.aws.site import Site

METRIC = "SwitchOpen"
PERIOD = 60
"""Seconds; Route 53 follows standard-resolution metrics only, and this is the shortest period they have."""
PERIODS = 1
STATISTIC = "Maximum"
THRESHOLD = 1
COMPARISON = "GreaterThanOrEqualToThreshold"
MISSING_DATA = "missing"


def switch(parent: pulumi.Resource, name: str, site: Site, witness: Site) -> Switch:
    """One site's switch.

    The alarm lives in the witness region, so that it can be set when either site is lost. Its logical name says
    ``useast1`` and not ``us-east-1``: an update that targets the site's region must not touch the witness.
    """
    namespace = switch_namespace(site.prefix)
    dimensions = {"Site": site.region}
    label = f"{site.prefix}-switch-{site.region}"
    alarm = aws.cloudwatch.MetricAlarm(
        f"{name}-{witness.region}-switch-{site.compact}",
        name=label,
        alarm_description=f"In alarm: {site.region} gets no traffic. Set by the warden, watched by Route 53.",
        namespace=namespace,
        metric_name=METRIC,
        dimensions=dimensions,
        statistic=STATISTIC,
        period=PERIOD,
        evaluation_periods=PERIODS,
        datapoints_to_alarm=PERIODS,
        threshold=THRESHOLD,
        comparison_operator=COMPARISON,
        treat_missing_data=MISSING_DATA,
        tags=witness.named(label),
        opts=pulumi.ResourceOptions(parent=parent, provider=witness.provider),
    )
    check = aws.route53.HealthCheck(
        f"{name}-{site.region}-switch",
        type="CLOUDWATCH_METRIC",
        cloudwatch_alarm_name=alarm.name,
        cloudwatch_alarm_region=witness.region,
        insufficient_data_health_status="LastKnownStatus",
        # Route 53 copies the alarm's settings when the check is made; a change of these makes it copy them again.
        triggers={
            "metric": f"{namespace} {METRIC} {site.region}",
            "condition": f"{STATISTIC} {COMPARISON} {THRESHOLD}",
            "evaluation": f"{PERIODS} x {PERIOD} s, missing data {MISSING_DATA}",
        },
        tags=site.named(label),
        opts=pulumi.ResourceOptions(parent=parent, provider=site.provider),
    )
    return Switch(
        health_check_id=check.id,
        alarm_name=alarm.name,
        metric_region=witness.region,
        namespace=namespace,
        metric=METRIC,
        dimensions=dimensions,
    )
