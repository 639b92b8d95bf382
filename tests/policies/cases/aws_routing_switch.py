"""Cases of `policies.rules.aws_routing` about health checks and switches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.cases.aws_routing import CHECK, HTTP, PROBE, ZONE, given_only, record
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

_alarm_inputs: dict[str, Any] = {
    "name": "switch",
    "treatMissingData": "missing",
    "evaluationPeriods": 1,
    "datapointsToAlarm": 1,
    "period": 60,
}
_check_inputs: dict[str, Any] = {
    "type": "CLOUDWATCH_METRIC",
    "cloudwatchAlarmName": "switch",
    "cloudwatchAlarmRegion": "us-east-1",
    "insufficientDataHealthStatus": "LastKnownStatus",
    "triggers": {"alarm": "1"},
}


def _switch(
    alarm: dict[str, Any] | None = None, check: dict[str, Any] | None = None, *, follow: bool = True
) -> list[Resource]:
    """A switch with a failover record that follows it, or a plain one; an input of None is left out."""
    made = make(ALARM, "alarm", given_only({**_alarm_inputs, **(alarm or {})}))
    watching = make(CHECK, "check", given_only({**_check_inputs, **(check or {})}), uses={"cloudwatchAlarmName": made})
    return [ZONE, made, watching, record("first", "PRIMARY" if follow else None, check=watching)]


_child = make(CHECK, "check", _check_inputs)
_above = make(
    CHECK, "above", {"type": "CALCULATED", "childHealthchecks": [UNKNOWN]}, uses={"childHealthchecks": _child}
)
CASES: dict[str, list[Case]] = {
    "health-check-usable": [
        Case(kind="passes", resources=[PROBE]),
        Case(kind="passes", about="TCP has no path", resources=[make(CHECK, inputs={"type": "TCP"})]),
        Case(
            kind="passes",
            about="three regions",
            resources=[make(CHECK, inputs={**HTTP, "regions": ["us-east-1", "eu-west-1", "sa-east-1"]})],
        ),
        Case(
            kind="fails",
            about="disabled",
            resources=[make(CHECK, inputs={**HTTP, "disabled": "true"})],
            violated=["it:disabled"],
        ),
        Case(
            kind="fails",
            about="inverted",
            resources=[make(CHECK, inputs={**HTTP, "invertHealthcheck": True})],
            violated=["it:invertHealthcheck"],
        ),
        Case(
            kind="fails",
            about="one region said three times",
            resources=[make(CHECK, inputs={**HTTP, "regions": ["us-east-1"] * 3})],
            violated=["it:regions"],
        ),
        Case(
            kind="fails",
            about="an alarm that moves no traffic is no switch",
            resources=_switch(check={"disabled": True}, follow=False),
            violated=["check:disabled"],
        ),
        Case(
            kind="absent",
            about="no path",
            resources=[make(CHECK, inputs={"type": "HTTP"})],
            violated=["it:resourcePath"],
        ),
        Case(
            kind="unknown",
            about="and the rest is judged",
            resources=[make(CHECK, inputs={**HTTP, "disabled": UNKNOWN, "resourcePath": ""})],
            undecided=["it:disabled"],
            violated=["it:resourcePath"],
        ),
        Case(
            kind="unknown",
            about="a region",
            resources=[make(CHECK, inputs={**HTTP, "regions": ["us-east-1", UNKNOWN, UNKNOWN]})],
            undecided=["it:regions"],
        ),
        Case(kind="exempt", about="a switch is judged by its own rule", resources=_switch(check={"disabled": True})),
        Case(
            kind="companion",
            about="a switch below a calculated check",
            resources=[
                make(CHECK, "check", {**_check_inputs, "invertHealthcheck": True}),
                _above,
                record("first", "PRIMARY", check=_above),
            ],
        ),
    ],
    "switch-latched": [
        Case(kind="passes", resources=_switch()),
        Case(
            kind="passes",
            about="without data an alarm is missing by default",
            resources=_switch({"treatMissingData": None, "datapointsToAlarm": None}),
        ),
        Case(
            kind="fails",
            about="silence sets it",
            resources=_switch({"treatMissingData": "breaching"}),
            violated=["alarm:treatMissingData"],
        ),
        Case(
            kind="fails",
            about="not one of one in a minute",
            resources=_switch({"evaluationPeriods": 3, "datapointsToAlarm": "2", "period": 300}),
            violated=["alarm:datapointsToAlarm", "alarm:evaluationPeriods", "alarm:period"],
        ),
        Case(
            kind="fails",
            about="the check does not latch or does not look",
            resources=_switch(check={"insufficientDataHealthStatus": "Healthy", "disabled": True}),
            violated=["check:disabled", "check:insufficientDataHealthStatus"],
        ),
        Case(
            kind="fails",
            about="it calls the active site the other one",
            resources=_switch(check={"invertHealthcheck": "true"}),
            violated=["check:invertHealthcheck"],
        ),
        Case(
            kind="absent",
            resources=_switch(check={"insufficientDataHealthStatus": None, "triggers": None}),
            violated=["check:insufficientDataHealthStatus", "check:triggers"],
        ),
        Case(
            kind="unknown",
            about="and the rest is judged",
            resources=_switch({"period": UNKNOWN}, {"triggers": {}}),
            undecided=["alarm:period"],
            violated=["check:triggers"],
        ),
        Case(
            kind="unknown",
            about="what a record follows",
            resources=[record("first", "PRIMARY", healthCheckId=UNKNOWN)],
            undecided=["first:healthCheckId"],
        ),
        Case(
            kind="unknown",
            about="the kind of a check",
            resources=_switch({"period": 300}, {"type": UNKNOWN}),
            undecided=["check:type"],
        ),
        Case(kind="exempt", about="an alarm that moves no traffic", resources=_switch({"period": 300}, follow=False)),
        Case(
            kind="companion",
            about="below a calculated check and by the alarm's name in its region",
            resources=[
                make(ALARM, "far", {**_alarm_inputs, "period": 300}, region="eu-west-1"),
                make(ALARM, "alarm", {**_alarm_inputs, "period": 10}),
                _child,
                _above,
                record("first", "PRIMARY", check=_above),
            ],
            violated=["alarm:period"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
