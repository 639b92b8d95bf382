"""Cases of `policies.rules.aws_routing_backends`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

TARGETS = "aws:lb/targetGroup:TargetGroup"
GROUP = "aws:autoscaling/group:Group"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
PANEL = "aws:route53recoverycontrol/controlPanel:ControlPanel"
SAFETY = "aws:route53recoverycontrol/safetyRule:SafetyRule"

_group = make(GROUP, "group", {"name": "web"})
_targets = make(TARGETS, "targets")
_panel = make(PANEL, "panel", outputs={"arn": "arn:panel"})
_asserting: dict[str, Any] = {
    "controlPanelArn": "arn:panel",
    "assertedControls": ["a", "b"],
    "ruleConfig": {"inverted": False, "threshold": 1, "type": "ATLEAST"},
}
_pair: dict[str, Any] = {
    "originId": "both",
    "members": [{"originId": "east"}, {"originId": "west"}],
    "failoverCriteria": {"statusCodes": [500, 503]},
}
_reading: dict[str, Any] = {"allowedMethods": ["GET", "HEAD"], "targetOriginId": "both"}
_writing: dict[str, Any] = {"allowedMethods": ["GET", "HEAD", "POST"], "targetOriginId": "east"}


def _distribution(**inputs: object) -> list[Resource]:
    return [make(DISTRIBUTION, inputs={"originGroups": [_pair], "defaultCacheBehavior": _reading, **inputs})]


_silent: dict[str, Any] = {**_pair, "failoverCriteria": {"statusCodes": []}}

CASES: dict[str, list[Case]] = {
    "target-group-health-check": [
        Case(kind="passes", resources=[make(TARGETS, inputs={"protocol": "HTTP", "healthCheck": {"path": "/health"}})]),
        Case(
            kind="passes",
            about="TCP has no path",
            resources=[make(TARGETS, inputs={"protocol": "TCP", "healthCheck": {"protocol": "TCP"}})],
        ),
        Case(
            kind="fails",
            about="disabled",
            resources=[
                make("aws:alb/targetGroup:TargetGroup", inputs={"healthCheck": {"enabled": False, "protocol": "TCP"}})
            ],
            violated=["it:healthCheck.enabled"],
        ),
        Case(
            kind="fails",
            about="the front page",
            resources=[make(TARGETS, inputs={"healthCheck": {"protocol": "HTTPS"}})],
            violated=["it:healthCheck.path"],
        ),
        Case(kind="absent", resources=[make(TARGETS)], violated=["it:healthCheck"]),
        Case(kind="unknown", resources=[make(TARGETS, inputs={"healthCheck": UNKNOWN})], undecided=["it:healthCheck"]),
        Case(
            kind="unknown",
            about="and the rest is judged",
            resources=[make(TARGETS, inputs={"protocol": "HTTP", "healthCheck": {"enabled": UNKNOWN}})],
            undecided=["it:healthCheck.enabled"],
            violated=["it:healthCheck.path"],
        ),
        Case(kind="exempt", about="functions", resources=[make(TARGETS, inputs={"targetType": "lambda"})]),
    ],
    "asg-elb-health-check": [
        Case(kind="passes", resources=[make(GROUP, inputs={"targetGroupArns": [UNKNOWN], "healthCheckType": "ELB"})]),
        Case(
            kind="passes",
            about="one of several",
            resources=[make(GROUP, inputs={"loadBalancers": ["a"], "healthCheckType": "EC2, ELB"})],
        ),
        Case(
            kind="fails",
            resources=[make(GROUP, inputs={"loadBalancers": ["a"], "healthCheckType": "EC2"})],
            violated=["it:healthCheckType"],
        ),
        Case(
            kind="fails",
            about="in a preview",
            resources=[
                _targets,
                make(
                    GROUP,
                    inputs={"targetGroupArns": UNKNOWN, "healthCheckType": "EC2"},
                    uses={"targetGroupArns": _targets},
                ),
            ],
            violated=["it:healthCheckType"],
        ),
        Case(
            kind="absent",
            resources=[make(GROUP, inputs={"trafficSources": [{"identifier": "a", "type": "elbv2"}]})],
            violated=["it:healthCheckType"],
        ),
        Case(
            kind="unknown",
            about="the kind of check",
            resources=[make(GROUP, inputs={"loadBalancers": ["a"], "healthCheckType": UNKNOWN})],
            undecided=["it:healthCheckType"],
        ),
        Case(
            kind="unknown",
            about="whether there is a load balancer",
            resources=[make(GROUP, inputs={"loadBalancers": UNKNOWN})],
            undecided=["it:loadBalancers"],
        ),
        Case(kind="exempt", about="behind nothing", resources=[make(GROUP, inputs={"targetGroupArns": []})]),
        Case(
            kind="exempt",
            about="behind VPC Lattice",
            resources=[make(GROUP, inputs={"trafficSources": [{"identifier": "a", "type": "vpc-lattice"}]})],
        ),
        *(
            Case(
                kind="companion",
                about=about,
                resources=[_group, make(type_, "attached", {"autoscalingGroupName": "web"})],
                violated=["group:healthCheckType"],
            )
            for about, type_ in (
                ("an attachment", "aws:autoscaling/attachment:Attachment"),
                ("a traffic source", "aws:autoscaling/trafficSourceAttachment:TrafficSourceAttachment"),
            )
        ),
    ],
    "cloudfront-origin-failover": [
        Case(kind="passes", resources=_distribution()),
        Case(
            kind="passes",
            about="the default takes writes",
            resources=_distribution(defaultCacheBehavior=_writing, orderedCacheBehaviors=[_reading]),
        ),
        Case(
            kind="fails",
            about="one origin twice",
            resources=_distribution(originGroups=[{**_pair, "members": [{"originId": "east"}] * 2}]),
            violated=["it:originGroups", "it:originGroups.0.members"],
        ),
        Case(
            kind="fails",
            about="nothing asks the group",
            resources=_distribution(defaultCacheBehavior={**_reading, "targetOriginId": "east"}),
            violated=["it:defaultCacheBehavior.targetOriginId"],
        ),
        Case(
            kind="fails",
            about="no answer makes it fail over",
            resources=_distribution(originGroups=[_silent]),
            violated=["it:originGroups.0.failoverCriteria.statusCodes"],
        ),
        Case(kind="absent", resources=[make(DISTRIBUTION)], violated=["it:originGroups"]),
        Case(kind="unknown", resources=_distribution(originGroups=UNKNOWN), undecided=["it:originGroups"]),
        Case(
            kind="exempt",
            about="takes writes everywhere",
            resources=[make(DISTRIBUTION, inputs={"defaultCacheBehavior": _writing})],
        ),
        Case(kind="exempt", about="staging", resources=[make(DISTRIBUTION, inputs={"staging": True})]),
    ],
    "arc-safety-rule": [
        Case(kind="passes", resources=[_panel, make(SAFETY, "rule", _asserting)]),
        Case(
            kind="fails",
            about="a gate alone",
            resources=[_panel, make(SAFETY, "rule", {"controlPanelArn": "arn:panel", "gatingControls": ["a"]})],
            violated=["panel:"],
        ),
        Case(
            kind="fails",
            about="keeps one off",
            resources=[
                _panel,
                make(
                    SAFETY, "rule", {**_asserting, "ruleConfig": {"inverted": True, "threshold": 1, "type": "ATLEAST"}}
                ),
            ],
            violated=["rule:ruleConfig.inverted"],
        ),
        Case(
            kind="fails",
            about="at least none",
            resources=[_panel, make(SAFETY, "rule", {**_asserting, "ruleConfig": {"threshold": 0, "type": "ATLEAST"}})],
            violated=["rule:ruleConfig.threshold"],
        ),
        Case(kind="absent", resources=[_panel], violated=["panel:"]),
        Case(
            kind="unknown",
            resources=[_panel, make(SAFETY, "rule", {**_asserting, "ruleConfig": {"type": UNKNOWN}})],
            undecided=["rule:ruleConfig.type"],
        ),
        Case(
            kind="companion",
            about="by dependency",
            resources=[
                _panel,
                make(SAFETY, "rule", {**_asserting, "controlPanelArn": UNKNOWN}, uses={"controlPanelArn": _panel}),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "target-group-health-check": {"companion": "the health check is a property of the target group itself"},
    "cloudfront-origin-failover": {"companion": "origin groups are a property of the distribution itself"},
    "arc-safety-rule": {"exempt": "every control panel can switch all sites off"},
}
"""By rule and kind: why there is no such case."""
