"""Cases of `policies.rules.aws_routing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

RECORD = "aws:route53/record:Record"
CHECK = "aws:route53/healthCheck:HealthCheck"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
OBJECTIVES = {"objectives": {"rto": "2m"}}

ZONE = make("aws:route53/zone:Zone", "zone", {"name": "example.com"})
HTTP: dict[str, Any] = {"type": "HTTPS", "fqdn": "a.example.com", "resourcePath": "/health"}
PROBE = make(CHECK, "probe", {**HTTP, "requestInterval": 10, "failureThreshold": 3})
_slow = make(CHECK, "slow", HTTP)
EAST = make(BALANCER, "east", outputs={"dnsName": "east.elb.amazonaws.com"})


def given_only(inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs without those of None."""
    return {key: value for key, value in inputs.items() if value is not None}


def record(
    name: str, place: object, /, *, check: Resource | None = None, front: Resource | None = None, **inputs: object
) -> Resource:
    """A failover record as a preview sees it: the zone and the health check have no IDs yet."""
    uses: dict[str, Resource] = {"zoneId": ZONE}
    given: dict[str, Any] = {
        "zoneId": UNKNOWN,
        "name": "api.example.com",
        "type": "CNAME",
        "ttl": 60,
        "records": [f"{name}.example.net"],
        "setIdentifier": name,
    }
    if place is not None:
        given["failoverRoutingPolicies"] = [{"type": place}]
    if check is not None:
        given["healthCheckId"] = UNKNOWN
        uses["healthCheckId"] = check
    if front is not None:
        given = {**given, "records": None, "aliases": [{"name": UNKNOWN, "evaluateTargetHealth": True}]}
        uses["aliases"] = front
    return make(RECORD, name, given_only({**given, **inputs}), uses=uses)


FIRST = record("first", "PRIMARY", check=PROBE)
SECOND = record("second", "SECONDARY")
PAIR = [ZONE, PROBE, FIRST, SECOND]

_slow_above = make(
    CHECK, "above", {"type": "CALCULATED", "childHealthchecks": [UNKNOWN]}, uses={"childHealthchecks": [_slow, PROBE]}
)
_switch = make(CHECK, "switch", {"type": "CLOUDWATCH_METRIC"})

CASES: dict[str, list[Case]] = {
    "failover-pair": [
        Case(kind="passes", resources=PAIR),
        Case(
            kind="passes",
            about="an alias that evaluates its target",
            resources=[ZONE, EAST, record("first", "PRIMARY", front=EAST), SECOND],
        ),
        Case(
            kind="passes",
            about="names are compared as resolvers do and zones by their literal",
            resources=[
                make("aws:route53/zone:Zone", "zone", {"name": "example.com"}, outputs={"id": "Z1"}),
                make(RECORD, "a", {**(FIRST.inputs or {}), "zoneId": "Z1", "name": "API", "healthCheckId": "abc"}),
                make(RECORD, "b", {**(SECOND.inputs or {}), "zoneId": "Z1", "name": "api.example.com."}),
            ],
        ),
        Case(
            kind="fails",
            about="nothing is second",
            resources=[ZONE, PROBE, FIRST],
            violated=["first:failoverRoutingPolicies"],
        ),
        Case(
            kind="fails",
            about="nothing is first",
            resources=[ZONE, SECOND],
            violated=["second:failoverRoutingPolicies"],
        ),
        Case(
            kind="fails",
            about="another name is no second",
            resources=[ZONE, PROBE, FIRST, record("second", "SECONDARY", name="www.example.com")],
            violated=["first:failoverRoutingPolicies", "second:failoverRoutingPolicies"],
        ),
        Case(
            kind="fails",
            about="another type is no second",
            resources=[ZONE, PROBE, FIRST, record("second", "SECONDARY", type="A")],
            violated=["first:failoverRoutingPolicies", "second:failoverRoutingPolicies"],
        ),
        Case(
            kind="fails",
            about="two are second",
            resources=[*PAIR, record("third", "SECONDARY")],
            violated=["third:failoverRoutingPolicies"],
        ),
        Case(
            kind="fails",
            about="no rank that there is",
            resources=[*PAIR, record("third", 7)],
            violated=["third:failoverRoutingPolicies.0.type"],
        ),
        Case(
            kind="fails",
            about="one identifier for both",
            resources=[ZONE, PROBE, FIRST, record("second", "SECONDARY", setIdentifier="first")],
            violated=["second:setIdentifier"],
        ),
        Case(
            kind="absent",
            about="no health check",
            resources=[ZONE, record("first", "PRIMARY"), SECOND],
            violated=["first:healthCheckId"],
        ),
        Case(
            kind="absent",
            about="no identifier",
            resources=[
                ZONE,
                PROBE,
                FIRST,
                record("second", "SECONDARY", setIdentifier=None),
            ],
            violated=["second:setIdentifier"],
        ),
        Case(
            kind="unknown",
            about="a health check from elsewhere",
            resources=[ZONE, record("first", "PRIMARY", healthCheckId=UNKNOWN), SECOND],
            undecided=["first:healthCheckId"],
        ),
        Case(
            kind="unknown",
            about="a name that may be the missing one",
            resources=[ZONE, PROBE, FIRST, record("second", "SECONDARY", name=UNKNOWN)],
            undecided=["second:name"],
        ),
        Case(
            kind="unknown",
            about="a zone from elsewhere",
            resources=[make(RECORD, "first", {**(FIRST.inputs or {}), "healthCheckId": "abc"})],
            undecided=["first:zoneId"],
        ),
        Case(
            kind="unknown",
            about="whether the target is evaluated",
            resources=[ZONE, record("first", "PRIMARY", aliases=[{"evaluateTargetHealth": UNKNOWN}]), SECOND],
            undecided=["first:aliases.0.evaluateTargetHealth"],
        ),
        Case(kind="exempt", about="a record without failover", resources=[ZONE, record("plain", None)]),
        Case(
            kind="companion",
            about="another zone's record is no second",
            resources=[
                *PAIR[:3],
                make("aws:route53/zone:Zone", "other", {"name": "example.com"}),
                make(RECORD, "second", {**(SECOND.inputs or {}), "zoneId": "Z2"}),
            ],
            violated=["first:failoverRoutingPolicies", "second:failoverRoutingPolicies"],
        ),
    ],
    "failover-ttl": [
        Case(kind="passes", resources=PAIR, settings=OBJECTIVES),
        Case(
            kind="passes",
            about="nobody demands an RTO",
            resources=[ZONE, _slow, record("first", "PRIMARY", check=_slow)],
        ),
        Case(kind="fails", about="too long", resources=[record("first", "PRIMARY", ttl="61")], violated=["first:ttl"]),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[FIRST],
            parameters={"ttl_seconds": 30},
            violated=["first:ttl"],
        ),
        Case(
            kind="fails",
            about="defaults of a health check count",
            resources=[ZONE, _slow, record("first", "PRIMARY", check=_slow)],
            settings=OBJECTIVES,
            violated=["first:ttl"],
        ),
        Case(
            kind="fails",
            about="the slowest below a calculated check",
            resources=[ZONE, _slow, PROBE, _slow_above, record("first", "PRIMARY", check=_slow_above)],
            settings=OBJECTIVES,
            violated=["first:ttl"],
        ),
        Case(
            kind="fails",
            about="an alias has its target's TTL",
            resources=[ZONE, _slow, EAST, record("first", "PRIMARY", check=_slow, front=EAST)],
            settings=OBJECTIVES,
            violated=["first:ttl"],
        ),
        Case(
            kind="absent",
            resources=[make(RECORD, "first", {"failoverRoutingPolicies": [{"type": "PRIMARY"}]})],
            violated=["first:ttl"],
        ),
        Case(
            kind="unknown",
            about="the TTL",
            resources=[record("first", "PRIMARY", ttl=UNKNOWN)],
            undecided=["first:ttl"],
        ),
        Case(
            kind="unknown",
            about="the interval",
            resources=[
                (late := make(CHECK, "late", {**HTTP, "requestInterval": UNKNOWN})),
                record("first", "PRIMARY", check=late),
            ],
            settings=OBJECTIVES,
            undecided=["late:requestInterval"],
        ),
        Case(
            kind="unknown",
            about="a health check from elsewhere",
            resources=[record("first", "PRIMARY", healthCheckId=UNKNOWN)],
            settings=OBJECTIVES,
            undecided=["first:healthCheckId"],
        ),
        Case(
            kind="exempt",
            about="setting a switch is no detection",
            resources=[ZONE, _switch, record("first", "PRIMARY", check=_switch)],
            settings={"objectives": {"rto": 60}},
        ),
        Case(kind="exempt", about="a record without failover", resources=[record("plain", None, ttl=3600)]),
        Case(
            kind="companion",
            about="a health check by its ID",
            resources=[
                make(CHECK, "slow", HTTP, outputs={"id": "abc"}),
                record("first", "PRIMARY", healthCheckId="abc"),
            ],
            settings=OBJECTIVES,
            violated=["first:ttl"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
