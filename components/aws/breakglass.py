"""The way in for people when neither the home region nor what they usually sign in with is left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.failover_policy import failover_statements
from lifeboat.model.naming import breakglass_role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.recovery_statements import FailoverScope, Statement
    from components.aws.site import Site

MFA_SECONDS = 900
"""How long ago the second factor may have been shown: it is shown for this."""
ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""Taking a role reads, as CloudTrail sees it, and rules leave out what reads unless they are told."""


@dataclass(frozen=True, kw_only=True)
class BreakglassSite:
    """One region that the role can be taken in."""

    site: Site
    topic_arn: pulumi.Input[str]
    """Topic of this region, that people are told by."""


@dataclass(frozen=True, kw_only=True)
class BreakglassArgs:
    """What `Breakglass` needs."""

    witness: Site
    """Whose provider makes the role: IAM is global, and the loss of either site leaves this one usable."""
    places: Sequence[BreakglassSite]
    """Both sites and the witness."""
    principals: Sequence[str]
    """ARNs of IAM users and roles; none that signs in through IAM Identity Center, which lives in one region."""
    session_seconds: int
    scope: FailoverScope
    """What it may touch: what a failover does, and looking."""


class Breakglass(pulumi.ComponentResource):
    """A role for a person who runs the failover, and an event wherever it is taken.

    - IAM evaluates it in every region, also while its control plane in us-east-1 is gone; STS answers in each region.
    - It is taken in the stack's own regions only, so that each time it is, the rule of that region sees it. EventBridge
      hears of it through CloudTrail: the account needs a trail of management events in each of these regions.
    - A second factor, shown in the last quarter of an hour, and no session longer than declared.
    """

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: BreakglassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Breakglass", name, {}, opts)
        witness = args.witness
        label = breakglass_role(witness.prefix)
        child = pulumi.ResourceOptions(parent=self, provider=witness.provider)
        role = aws.iam.Role(
            f"{name}-global-role",
            name=label,
            description="Fails over by hand, when nothing else is left",
            assume_role_policy=json.dumps(_trust(args)),
            max_session_duration=args.session_seconds,
            tags=witness.named(label),
            opts=child,
        )
        aws.iam.RolePolicy(
            f"{name}-global-role-policy",
            name=label,
            role=role.name,
            policy=json.dumps(_policy(args)),
            opts=child,
        )
        for place in args.places:
            self._tell(name, place, f"arn:aws:iam::{witness.account}:role/{label}")
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})

    def _tell(self, name: str, place: BreakglassSite, role_arn: str) -> None:
        """Whoever takes the role in this region, or tries to, is told of here."""
        site = place.site
        label = site.physical(name)
        child = pulumi.ResourceOptions(parent=self, provider=site.provider)
        rule = aws.cloudwatch.EventRule(
            f"{name}-{site.region}-rule",
            name=label,
            description=f"Somebody took {role_arn}, or tried to",
            event_pattern=json.dumps(_taken(role_arn)),
            state=ALL_EVENTS,
            tags=site.named(label),
            opts=child,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-{site.region}-people",
            rule=rule.name,
            target_id="people",
            arn=place.topic_arn,
            input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
                input_paths={
                    "who": "$.detail.userIdentity.arn",
                    "when": "$.time",
                    "from": "$.detail.sourceIPAddress",
                    "region": "$.region",
                    "error": "$.detail.errorCode",
                },
                input_template=json.dumps(
                    f"{label}: <who> from <from> took the break-glass role in <region> at <when>. Refused: <error>"
                ),
            ),
            opts=child,
        )


def _taken(role_arn: str) -> dict[str, object]:
    """Events of the role being taken, or asked for in vain: CloudTrail says only in the message which one that was."""
    return {
        "source": ["aws.sts"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["sts.amazonaws.com"],
            "eventName": ["AssumeRole"],
            "$or": [
                {"requestParameters": {"roleArn": [role_arn]}},
                {"errorCode": ["AccessDenied"], "errorMessage": [{"wildcard": f"*{role_arn}*"}]},
            ],
        },
    }


def _trust(args: BreakglassArgs) -> dict[str, object]:
    """Who may take the role, how and where. STS's own region is what ``aws:RequestedRegion`` says."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "PeopleWithASecondFactor",
                "Effect": "Allow",
                "Principal": {"AWS": sorted(args.principals)},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                    "NumericLessThan": {"aws:MultiFactorAuthAge": str(MFA_SECONDS)},
                    "StringEquals": {"aws:RequestedRegion": [place.site.region for place in args.places]},
                },
            }
        ],
    }


def _policy(args: BreakglassArgs) -> dict[str, object]:
    """What a failover may do, and what a person looks at besides: the wardens and their logs."""
    # The region is in their names.
    named = f"{args.scope.prefix}-warden-*"
    looks: list[Statement] = [
        {
            "Sid": "LookAtWardens",
            "Effect": "Allow",
            "Action": ["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListTasks"],
            "Resource": args.scope.arn("ecs", "*", f"*/{named}"),
        },
        {
            "Sid": "ReadTheirLogs",
            "Effect": "Allow",
            "Action": ["logs:FilterLogEvents", "logs:GetLogEvents"],
            "Resource": args.scope.arn("logs", "*", f"log-group:/lifeboat/{named}:*"),
        },
    ]
    return {"Version": "2012-10-17", "Statement": [*looks, *failover_statements(args.scope)]}
