"""Cases of `policies.rules.aws_objectives`: what takes over from what, where names do not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.cases.aws_objectives import GROUP, SCALING_TARGET, SERVICE, WEST
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

_east, _west = (make("acme:index:Site", name) for name in ("left", "right"))


def _site(name: str, region: str, place: str, size: int) -> list[Resource]:
    """A record of a failover pair, and what it leads to."""
    balancer = make("aws:lb/loadBalancer:LoadBalancer", f"{name}-lb", region=region)
    target = make("aws:lb/targetGroup:TargetGroup", f"{name}-targets", region=region)
    listener = make(
        "aws:lb/listener:Listener",
        f"{name}-listener",
        {"loadBalancerArn": UNKNOWN, "defaultActions": [{"targetGroupArn": UNKNOWN}]},
        uses={"loadBalancerArn": balancer, "defaultActions": target},
        region=region,
    )
    record = make(
        "aws:route53/record:Record",
        f"{name}-record",
        {
            "zoneId": "Z1",
            "name": "www",
            "type": "A",
            "failoverRoutingPolicies": [{"type": place}],
            "aliases": [{"name": UNKNOWN}],
        },
        uses={"aliases": balancer},
    )
    service = make(
        SERVICE,
        name,
        {"desiredCount": size, "loadBalancers": [{"targetGroupArn": UNKNOWN}]},
        uses={"loadBalancers": target},
        region=region,
    )
    return [balancer, target, listener, record, service]


CASES: dict[str, list[Case]] = {
    "dr-capacity-floor": [
        Case(
            kind="fails",
            about="of one declared name",
            resources=[
                make(GROUP, "blue", {"name": "web", "minSize": 4}),
                make(GROUP, "green", {"name": "web", "minSize": 1}, region=WEST),
            ],
            violated=["green:minSize"],
        ),
        Case(
            kind="fails",
            about="under components of one type",
            resources=[
                _east,
                _west,
                make(GROUP, "blue", {"minSize": 4}, parent=_east),
                make(GROUP, "green", {"minSize": 1}, parent=_west, region=WEST),
            ],
            violated=["green:minSize"],
        ),
        Case(
            kind="fails",
            about="behind one failover record",
            resources=[*_site("blue", "us-east-1", "PRIMARY", 4), *_site("green", WEST, "SECONDARY", 1)],
            violated=["green:desiredCount"],
        ),
        Case(
            kind="companion",
            about="a service that scales by itself",
            resources=[
                make(SERVICE, "api-us-east-1", {"desiredCount": 4}),
                scaled := make(SERVICE, "api-us-west-2", {"desiredCount": 1}, region=WEST),
                make(SCALING_TARGET, "target", {"resourceId": UNKNOWN, "minCapacity": 2}, uses={"resourceId": scaled}),
            ],
        ),
        Case(
            kind="exempt",
            about="two under one component, of which nobody says what they are",
            resources=[
                _east,
                _west,
                make(GROUP, "blue", {"minSize": 4}, parent=_east),
                make(GROUP, "batch", {"minSize": 4}, parent=_east),
                make(GROUP, "green", {"minSize": 1}, parent=_west, region=WEST),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
