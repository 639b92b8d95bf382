"""How stores are watched: the role of databases' enhanced monitoring, and alarms on replication lag."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.aws.site import Site

MONITORING_INTERVAL = 60
"""Seconds between samples of the operating system; 60 is enough for capacity, and the log group stays small."""
INSIGHTS_RETENTION_DAYS = 7
"""Performance Insights keeps a week at no charge."""

LAG_PERIOD = 60
"""Seconds between the lags that services publish."""
LAG_PERIODS = 3


def monitoring_role(parent: pulumi.Resource, name: str, site: Site) -> pulumi.Output[str]:
    """ARN of the role with which RDS writes a store's enhanced monitoring in one site.

    One role a site, although IAM is global: a site's resources never need another site's.
    """
    physical = f"{site.physical(name)}-monitoring"
    opts = pulumi.ResourceOptions(parent=parent, provider=site.provider)
    role = aws.iam.Role(
        f"{name}-{site.region}-monitoring",
        name=physical,
        description=f"Enhanced monitoring of {name} in {site.region}",
        assume_role_policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "monitoring.rds.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": site.account}},
                    }
                ],
            }
        ),
        tags=site.named(physical),
        opts=opts,
    )
    # AWS's managed policy for this reaches every region's RDS* groups; this one, the group RDS writes to in this
    # region.
    group = site.arn("logs", "log-group:RDSOSMetrics")
    aws.iam.RolePolicy(
        f"{name}-{site.region}-monitoring-policy",
        name=physical,
        role=role.name,
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
                        "Resource": [group, f"{group}:*"],
                    },
                    {
                        "Effect": "Allow",
                        "Action": [
                            "logs:CreateLogStream",
                            "logs:DescribeLogStreams",
                            "logs:GetLogEvents",
                            "logs:PutLogEvents",
                        ],
                        "Resource": f"{group}:log-stream:*",
                    },
                ],
            }
        ),
        opts=opts,
    )
    return role.arn


@dataclass(frozen=True, kw_only=True)
class Lag:
    """What an alarm on replication lag looks at."""

    namespace: str
    """Of the service, such as ``AWS/RDS``."""
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    """What names the replica."""
    threshold: float
    """In the metric's unit: milliseconds for ``AuroraGlobalDBRPOLag``, seconds for the others."""
    period: int = LAG_PERIOD
    periods: int = LAG_PERIODS
    """How many periods in a row it lags before the alarm goes off."""


def lag_alarm(parent: pulumi.Resource, name: str, site: Site, topic_arn: pulumi.Input[str] | None, lag: Lag) -> None:
    """Alarm in the replica's region when it lags for all periods, and when nothing is measured.

    Missing data is breaching: a replica that does not report is not known to be a replica. An RPO is then alarmed, not
    guaranteed.
    """
    physical = site.physical(name)
    topics = [] if topic_arn is None else [topic_arn]
    aws.cloudwatch.MetricAlarm(
        name,
        name=physical,
        alarm_description=f"{physical}: {lag.metric} above {lag.threshold:g}, or not measured",
        namespace=lag.namespace,
        metric_name=lag.metric,
        dimensions=lag.dimensions,
        statistic="Maximum",
        period=lag.period,
        evaluation_periods=lag.periods,
        comparison_operator="GreaterThanThreshold",
        threshold=lag.threshold,
        treat_missing_data="breaching",
        alarm_actions=topics,
        ok_actions=topics,
        tags=site.named(physical),
        opts=pulumi.ResourceOptions(parent=parent, provider=site.provider),
    )
