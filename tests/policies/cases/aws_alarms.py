"""Cases of `policies.rules.aws_alarms`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
CHECK = "aws:route53/healthCheck:HealthCheck"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
SUBSCRIPTION = "aws:rds/eventSubscription:EventSubscription"

_lag: dict[str, Any] = {"namespace": "AWS/RDS", "metricName": "ReplicaLag"}
_silent = make(ALARM, "alarm", {"name": "quiet"})
_follows = {"type": "CLOUDWATCH_METRIC", "cloudwatchAlarmName": "switch"}
_record = make(
    "aws:route53/record:Record",
    "record",
    {"failoverRoutingPolicies": [{"type": "PRIMARY"}], "healthCheckId": UNKNOWN},
    uses={"healthCheckId": make(CHECK, "check")},
)
_instance = make(INSTANCE, "db", {"identifier": "orders"})
_cluster = make(CLUSTER, "db", {"clusterIdentifier": "orders"})
_both = ["failover", "failure", "creation"]


def _subscription(**inputs: object) -> Resource:
    return make(SUBSCRIPTION, "events", inputs)


CASES: dict[str, list[Case]] = {
    "alarm-actions": [
        Case(kind="passes", resources=[make(ALARM, inputs={"alarmActions": [UNKNOWN]})]),
        Case(
            kind="fails",
            about="disabled",
            resources=[make(ALARM, inputs={"alarmActions": ["arn:topic"], "actionsEnabled": "false"})],
            violated=["it:actionsEnabled"],
        ),
        Case(
            kind="fails",
            about="an empty name",
            resources=[make(ALARM, inputs={"alarmActions": [""]})],
            violated=["it:alarmActions"],
        ),
        Case(kind="absent", resources=[make(ALARM)], violated=["it:alarmActions"]),
        Case(
            kind="unknown",
            about="and the rest is judged",
            resources=[make(ALARM, inputs={"alarmActions": UNKNOWN, "actionsEnabled": False})],
            undecided=["it:alarmActions"],
            violated=["it:actionsEnabled"],
        ),
        Case(
            kind="exempt",
            about="a health check follows it",
            resources=[make(ALARM, "alarm", {"name": "switch"}), make(CHECK, "check", _follows)],
        ),
        Case(
            kind="companion",
            about="a composite alarm speaks for it by name",
            resources=[_silent, make(COMPOSITE, "all", {"alarmRule": 'ALARM("quiet") OR ALARM(loud)'})],
        ),
        Case(
            kind="companion",
            about="a composite alarm speaks for it by ARN",
            resources=[
                _silent,
                make(COMPOSITE, "all", {"alarmRule": "ALARM(arn:aws:cloudwatch:us-east-1:1:alarm:quiet)"}),
            ],
        ),
        Case(
            kind="companion",
            about="a composite alarm speaks for it in a preview",
            resources=[_silent, make(COMPOSITE, "all", {"alarmRule": UNKNOWN}, uses={"alarmRule": _silent})],
        ),
    ],
    "alarm-missing-data": [
        Case(kind="passes", resources=[make(ALARM, inputs={**_lag, "treatMissingData": "breaching"})]),
        Case(
            kind="fails",
            resources=[make(ALARM, inputs={**_lag, "treatMissingData": "notBreaching"})],
            violated=["it:treatMissingData"],
        ),
        Case(
            kind="fails",
            about="one metric of a query",
            resources=[make(ALARM, inputs={"metricQueries": [{"expression": "m1"}, {"metric": _lag}]})],
            violated=["it:treatMissingData"],
        ),
        Case(
            kind="fails",
            about="the metrics are the team's",
            resources=[make(ALARM, inputs={"namespace": "Own", "metricName": "Lag"})],
            parameters={"metrics": ["Own Lag"]},
            violated=["it:treatMissingData"],
        ),
        Case(
            kind="fails",
            about="a sign of life, in whatever namespace",
            resources=[make(ALARM, inputs={"namespace": "Lifeboat/acme-production", "metricName": "WardenBeat"})],
            violated=["it:treatMissingData"],
        ),
        Case(kind="absent", resources=[make(ALARM, inputs=_lag)], violated=["it:treatMissingData"]),
        Case(
            kind="unknown",
            resources=[make(ALARM, inputs={**_lag, "treatMissingData": UNKNOWN})],
            undecided=["it:treatMissingData"],
        ),
        Case(
            kind="unknown",
            about="the metric",
            resources=[make(ALARM, inputs={**_lag, "metricName": UNKNOWN})],
            undecided=["it:metricName"],
        ),
        Case(
            kind="exempt",
            about="another metric",
            resources=[make(ALARM, inputs={"namespace": "AWS/Backup", "metricName": "NumberOfBackupJobsFailed"})],
        ),
        Case(
            kind="exempt",
            about="a switch",
            resources=[make(ALARM, "alarm", {**_lag, "name": "switch"}), make(CHECK, "check", _follows), _record],
        ),
        Case(
            kind="companion",
            about="a health check without a failover record makes no switch",
            resources=[make(ALARM, "alarm", {**_lag, "name": "switch"}), make(CHECK, "check", _follows)],
            violated=["alarm:treatMissingData"],
        ),
    ],
    "rds-event-subscription": [
        Case(kind="passes", about="everything", resources=[_instance, _subscription()]),
        Case(
            kind="passes",
            about="its kind of source",
            resources=[_cluster, _subscription(sourceType="db-cluster", eventCategories=_both)],
        ),
        Case(
            kind="passes",
            about="by its name",
            resources=[_instance, _subscription(sourceType="db-instance", sourceIds=["orders"])],
        ),
        Case(
            kind="fails",
            about="another kind of source",
            resources=[_cluster, _subscription(sourceType="db-instance")],
            violated=["db:"],
        ),
        Case(
            kind="fails",
            about="another region",
            resources=[make(INSTANCE, "db", region="eu-west-1"), _subscription()],
            violated=["db:"],
        ),
        Case(
            kind="fails",
            about="other databases",
            resources=[_instance, _subscription(sourceType="db-instance", sourceIds=["users"])],
            violated=["db:"],
        ),
        Case(
            kind="fails",
            about="not of failures and disabled",
            resources=[_instance, _subscription(enabled=False, eventCategories=["failover"])],
            violated=["events:enabled", "events:eventCategories"],
        ),
        Case(kind="absent", resources=[_instance], violated=["db:"]),
        Case(
            kind="unknown",
            about="its categories",
            resources=[_instance, _subscription(eventCategories=["failover", UNKNOWN])],
            undecided=["events:eventCategories"],
        ),
        Case(
            kind="unknown",
            about="its sources",
            resources=[_instance, _subscription(sourceIds=UNKNOWN)],
            undecided=["events:sourceIds", f"{_instance.name}:"],
        ),
        Case(
            kind="unknown",
            about="its sources, in another region or of another kind",
            resources=[
                make(_instance.type, "west", {"identifier": "west"}, region="us-west-2"),
                make("aws:rds/cluster:Cluster", "cluster", {"clusterIdentifier": "c"}),
                _subscription(sourceIds=UNKNOWN, sourceType="db-instance"),
            ],
            undecided=["events:sourceIds"],
            violated=["cluster:", "west:"],
        ),
        Case(
            kind="exempt",
            about="events of snapshots",
            resources=[_subscription(sourceType="db-snapshot", eventCategories=["creation"])],
        ),
        Case(
            kind="companion",
            about="by dependency",
            resources=[
                _instance,
                make(SUBSCRIPTION, "events", {"sourceIds": [UNKNOWN]}, uses={"sourceIds": _instance}),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
