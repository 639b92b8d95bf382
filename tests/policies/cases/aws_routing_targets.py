"""Cases of `policies.rules.aws_routing_targets`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.cases.aws_routing import BALANCER, EAST, FIRST, PAIR, PROBE, ZONE, record
from tests.policies.harness import Case, make

_west = make(BALANCER, "west", region="us-west-2", outputs={"dnsName": "west.elb.amazonaws.com"})

CASES: dict[str, list[Case]] = {
    "failover-targets-differ": [
        Case(kind="passes", about="other names", resources=PAIR),
        Case(
            kind="passes",
            about="load balancers in two regions",
            resources=[
                ZONE,
                EAST,
                _west,
                record("first", "PRIMARY", front=EAST),
                record("second", "SECONDARY", front=_west),
            ],
        ),
        Case(
            kind="fails",
            about="one name twice",
            resources=[ZONE, PROBE, FIRST, record("second", "SECONDARY", records=["FIRST.example.net."])],
            violated=["second:records"],
        ),
        Case(
            kind="fails",
            about="one load balancer twice",
            resources=[
                ZONE,
                EAST,
                record("first", "PRIMARY", front=EAST),
                record("second", "SECONDARY", front=EAST),
            ],
            violated=["second:aliases"],
        ),
        Case(
            kind="fails",
            about="two load balancers in one region",
            resources=[
                ZONE,
                EAST,
                make(BALANCER, "near"),
                record("first", "PRIMARY", front=EAST),
                record("second", "SECONDARY", front=make(BALANCER, "near")),
            ],
            violated=["second:aliases"],
        ),
        Case(
            kind="companion",
            about="literal addresses of load balancers in one region",
            resources=[
                ZONE,
                EAST,
                make(BALANCER, "near", outputs={"dnsName": "near.elb.amazonaws.com"}),
                record("first", "PRIMARY", records=["dualstack.EAST.elb.amazonaws.com"]),
                record("second", "SECONDARY", records=["near.elb.amazonaws.com"]),
            ],
            violated=["second:records"],
        ),
        Case(
            kind="absent",
            about="no target",
            resources=[
                ZONE,
                FIRST,
                record("second", "SECONDARY", records=None),
            ],
            violated=["second:records"],
        ),
        Case(
            kind="unknown",
            about="a target from elsewhere",
            resources=[ZONE, FIRST, record("second", "SECONDARY", records=UNKNOWN)],
            undecided=["second:records"],
        ),
        Case(
            kind="unknown",
            about="a region",
            resources=[
                ZONE,
                EAST,
                make(BALANCER, "west", {"region": UNKNOWN}),
                record("first", "PRIMARY", front=EAST),
                record("second", "SECONDARY", front=make(BALANCER, "west")),
            ],
            undecided=["second:region"],
        ),
        Case(
            kind="exempt",
            about="two distributions have no region",
            resources=[
                ZONE,
                *(made := [make("aws:cloudfront/distribution:Distribution", each) for each in ("one", "two")]),
                record("first", "PRIMARY", front=made[0]),
                record("second", "SECONDARY", front=made[1]),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
