"""Where a region's alarms and events go: one encrypted topic, to which people and pagers subscribe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from components.aws.site import Site


@dataclass(frozen=True, kw_only=True)
class AlertsArgs:
    """What `SiteAlerts` needs."""

    site: Site
    key_arn: pulumi.Input[str]
    """Key of this region whose policy admits CloudWatch alarms, events of RDS and rules of EventBridge."""


class SiteAlerts(pulumi.ComponentResource):
    """The topic of one region. An alarm publishes to topics of its own region only, so every region has one."""

    topic_arn: pulumi.Output[str]
    """Known when the topic's policy is there, without which RDS refuses to subscribe it to events."""

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:SiteAlerts", name, {}, opts)
        site = args.site
        child = pulumi.ResourceOptions(parent=self, provider=site.provider)
        label = site.physical("alerts")
        topic = aws.sns.Topic(
            f"{name}-topic", name=label, kms_master_key_id=args.key_arn, tags=site.named(label), opts=child
        )
        policy = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: topic_policy(site, arn)),
            opts=child,
        )
        self.topic_arn = policy.arn
        self.register_outputs({"topic_arn": self.topic_arn})


def topic_policy(site: Site, topic_arn: str) -> str:
    """Who may publish: alarms and databases of this account and region, and rules of EventBridge; over TLS only.

    EventBridge takes no conditions in a topic's policy (SNS developer guide): with one, nothing of it arrives.
    """
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AlarmsPublish",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic_arn,
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": site.account},
                        "ArnLike": {"aws:SourceArn": site.arn("cloudwatch", "alarm:*")},
                    },
                },
                {
                    "Sid": "DatabaseEventsPublish",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.rds.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic_arn,
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": site.account},
                        "ArnLike": {"aws:SourceArn": site.arn("rds", "*")},
                    },
                },
                {
                    "Sid": "EventRulesPublish",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic_arn,
                },
                {
                    "Sid": "TlsOnly",
                    "Effect": "Deny",
                    "Principal": {"AWS": "*"},
                    "Action": "sns:Publish",
                    "Resource": topic_arn,
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        }
    )
