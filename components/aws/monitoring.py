"""How databases are watched: the role of enhanced monitoring, and alarms on replication lag."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from components.aws.perimeter import StoreSite
    from components.aws.site import Site

MONITORING_INTERVAL = 60
"""Seconds between samples of the operating system; 60 is enough for capacity, and the log group stays small."""
INSIGHTS_RETENTION_DAYS = 7
"""Performance Insights keeps a week at no charge."""

_LAG_PERIOD = 60
_LAG_PERIODS = 3


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

    metric: str
    """Name in the namespace ``AWS/RDS``."""
    dimension: str
    """``DBInstanceIdentifier`` or ``DBClusterIdentifier``."""
    identifier: pulumi.Input[str]
    """Of the replica."""
    threshold: float
    """In the metric's unit: seconds for ``ReplicaLag``, milliseconds for ``AuroraGlobalDBRPOLag``."""


def lag_alarm(parent: pulumi.Resource, name: str, store: StoreSite, lag: Lag) -> None:
    """Alarm in the replica's region when it lags for three minutes, and when nothing is measured.

    Missing data is breaching: a replica that does not report is not known to be a replica. An RPO is then alarmed, not
    guaranteed.
    """
    site = store.site
    physical = site.physical(name)
    topics = [] if store.alarm_topic_arn is None else [store.alarm_topic_arn]
    aws.cloudwatch.MetricAlarm(
        name,
        name=physical,
        alarm_description=f"{physical}: {lag.metric} above {lag.threshold:g}, or not measured",
        namespace="AWS/RDS",
        metric_name=lag.metric,
        dimensions={lag.dimension: lag.identifier},
        statistic="Maximum",
        period=_LAG_PERIOD,
        evaluation_periods=_LAG_PERIODS,
        comparison_operator="GreaterThanThreshold",
        threshold=lag.threshold,
        treat_missing_data="breaching",
        alarm_actions=topics,
        ok_actions=topics,
        tags=site.named(physical),
        opts=pulumi.ResourceOptions(parent=parent, provider=site.provider),
    )
