"""What a site's network reaches without the internet, and the record of what went through it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

GATEWAY_SERVICES = ("s3", "dynamodb")
"""The two services with endpoints that cost nothing and need no address."""

FLOW_LOG_WINDOW = 60
"""Seconds a flow is aggregated over; AWS accepts 60 and 600, and an incident is shorter than ten minutes."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The VPC that is served, and whose children serve it."""

    parent: pulumi.Resource
    name: str
    """The parent's name, which children's names begin with."""
    site: Site
    vpc_id: pulumi.Input[str]
    cidr: str
    """The VPC's range."""


def gateway_endpoints(place: Place, route_table_ids: Sequence[pulumi.Input[str]]) -> None:
    """Endpoints of `GATEWAY_SERVICES` in the given route tables."""
    name, site = place.name, place.site
    opts = pulumi.ResourceOptions(parent=place.parent, provider=site.provider)
    for service in GATEWAY_SERVICES:
        aws.ec2.VpcEndpoint(
            f"{name}-{service}-endpoint",
            vpc_id=place.vpc_id,
            service_name=f"com.amazonaws.{site.region}.{service}",
            vpc_endpoint_type="Gateway",
            route_table_ids=route_table_ids,
            tags=site.named(site.physical(f"{name}-{service}")),
            opts=opts,
        )


def interface_endpoints(place: Place, subnet_ids: Sequence[pulumi.Input[str]], services: Sequence[str]) -> None:
    """Endpoints of `services` in the given subnets, which only this VPC may call."""
    if not services:
        return
    name, site = place.name, place.site
    opts = pulumi.ResourceOptions(parent=place.parent, provider=site.provider)
    label = site.physical(f"{name}-endpoints")
    group = aws.ec2.SecurityGroup(
        f"{name}-endpoints",
        name=label,
        description="HTTPS from this VPC to AWS services",
        vpc_id=place.vpc_id,
        tags=site.named(label),
        opts=opts,
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-endpoints-https",
        security_group_id=group.id,
        description="HTTPS from this VPC",
        cidr_ipv4=place.cidr,
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        tags=site.named(label),
        opts=opts,
    )
    for service in services:
        aws.ec2.VpcEndpoint(
            f"{name}-{service}-endpoint",
            vpc_id=place.vpc_id,
            service_name=f"com.amazonaws.{site.region}.{service}",
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=subnet_ids,
            security_group_ids=[group.id],
            tags=site.named(site.physical(f"{name}-{service}")),
            opts=opts,
        )


def flow_logs(place: Place, *, days: int, key_arn: pulumi.Input[str]) -> None:
    """Every flow of the VPC, kept `days` days in a group that the site's own key encrypts."""
    name, site = place.name, place.site
    opts = pulumi.ResourceOptions(parent=place.parent, provider=site.provider)
    label = site.physical("flow-logs")
    path = f"/lifeboat/{label}"
    group = aws.cloudwatch.LogGroup(
        f"{name}-flow-logs-group",
        name=path,
        retention_in_days=days,
        kms_key_id=key_arn,
        tags=site.named(path),
        opts=opts,
    )
    role = aws.iam.Role(
        f"{name}-flow-logs-role",
        name=label,
        description="Writes the VPC's flow logs",
        assume_role_policy=_flow_logs_trust(site),
        tags=site.named(label),
        opts=opts,
    )
    aws.iam.RolePolicy(
        f"{name}-flow-logs-policy", name=label, role=role.name, policy=_flow_logs_policy(site, path), opts=opts
    )
    aws.ec2.FlowLog(
        f"{name}-flow-logs",
        vpc_id=place.vpc_id,
        traffic_type="ALL",
        log_destination_type="cloud-watch-logs",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        max_aggregation_interval=FLOW_LOG_WINDOW,
        tags=site.named(label),
        opts=opts,
    )


def _flow_logs_trust(site: Site) -> str:
    """Only flow logs of this account and region may take the role."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": site.account},
                        "ArnLike": {"aws:SourceArn": site.arn("ec2", "vpc-flow-log/*")},
                    },
                }
            ],
        }
    )


def _flow_logs_policy(site: Site, group: str) -> str:
    """Writing into the one group, which exists already: the role cannot make another."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                    "Resource": [
                        site.arn("logs", f"log-group:{group}"),
                        site.arn("logs", f"log-group:{group}:log-stream:*"),
                    ],
                },
                {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": site.arn("logs", "log-group:*")},
            ],
        }
    )
