"""Which regions a call needs besides the one that it is sent to: control planes that live in one place, quorums.

As of 2026, from AWS's guides ("Fault isolation boundaries") and `design.md`: what serves (Route 53's name servers and
health checks, IAM's and STS's regional evaluation, CloudFront's edges) keeps serving; what changes things does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.graph import Call, Plane

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTROL_PLANE_HOMES: dict[str, str] = {
    **dict.fromkeys(
        (
            "account",
            "billing",
            "budgets",
            "ce",
            "cloudfront",
            "iam",
            "organizations",
            "route53",
            "route53domains",
            "shield",
            "support",
            "trustedadvisor",
            "waf",
        ),
        "us-east-1",
    ),
    "globalaccelerator": "us-west-2",
    "networkmanager": "us-west-2",
    "route53-recovery-control-config": "us-west-2",
    "route53-recovery-readiness": "us-west-2",
}
"""Services as boto3 names them, by the region that their one control plane lives in."""

ROUTING_CONTROL_REGIONS = ("us-east-1", "us-west-2", "ap-northeast-1", "ap-southeast-2", "eu-west-1")
"""Where every cluster of routing controls answers; three of the five must agree on a change."""


def obstacle(call: Call, lost: frozenset[str]) -> str | None:
    """Why a call gets no answer while these regions are lost: the region it needs, in words; None when it gets one.

    A best-effort call never stands in the way.
    """
    if call.best_effort:
        return None
    if call.region in lost:
        return f"is sent to {call.region}, which is lost"
    home = CONTROL_PLANE_HOMES.get(call.service)
    if call.plane is Plane.CONTROL and home in lost:
        return f"is answered by the control plane in {home}, which is lost"
    missing = call.quorum & lost
    if len(missing) * 2 >= len(call.quorum) > 0:
        every = len(call.quorum)
        return (
            f"is answered by more than half of {every} regions together, and {' and '.join(sorted(missing))} are lost"
        )
    return None


def nearest_routing_endpoint(preferred: Iterable[str], lost: frozenset[str]) -> str:
    """The region whose endpoint of the routing controls is asked: a preferred one that has one and stands, else any.

    Without any that stands, the first of all: the plan is then refused for it.
    """
    standing = [region for region in ROUTING_CONTROL_REGIONS if region not in lost]
    near = [region for region in preferred if region in standing]
    return (near or standing or list(ROUTING_CONTROL_REGIONS))[0]
