"""Cases of `policies.rules.aws_losses`: alarms that bound the lag of a replica."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.cases.aws_objectives import ALARM, INSTANCE, TABLE, WEST, demands, lag_alarm, replica, source
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

_QUERY: dict[str, Any] = {
    "threshold": 300,
    "comparisonOperator": "GreaterThanThreshold",
    "alarmActions": ["arn:aws:sns:us-west-2:123456789012:calls"],
    "metricQueries": [
        {
            "id": "m",
            "metric": {
                "namespace": "AWS/RDS",
                "metricName": "ReplicaLag",
                "stat": "Average",
                "dimensions": {"DBInstanceIdentifier": "orders"},
            },
        }
    ],
}
_replicated = make(TABLE, "table", {"name": "users", "replicas": [{"regionName": WEST}]})


def _towards(region: str) -> Resource:
    dimensions = {"TableName": "users", "ReceivingRegion": region}
    return lag_alarm("AWS/DynamoDB", "ReplicationLatency", 300000, _replicated, "us-east-1", dimensions=dimensions)


CASES: dict[str, list[Case]] = {
    "rpo-vs-backup-interval": [
        Case(
            kind="fails",
            about="an alarm in a region without the metric",
            resources=[source, replica, lag_alarm("AWS/RDS", "ReplicaLag", 300, replica, "us-east-1")],
            settings=demands(),
            violated=["source:"],
        ),
        Case(
            kind="fails",
            about="an alarm that calls nobody",
            resources=[source, replica, lag_alarm("AWS/RDS", "ReplicaLag", 300, replica, alarmActions=[])],
            settings=demands(),
            violated=["source:"],
        ),
        Case(
            kind="passes",
            about="an alarm on a query, with the dimensions by name",
            resources=[
                source,
                make(
                    INSTANCE,
                    "replica",
                    {"replicateSourceDb": UNKNOWN, "identifier": "orders"},
                    uses={"replicateSourceDb": source},
                    region=WEST,
                ),
                make(ALARM, "alarm", _QUERY, region=WEST),
            ],
            settings=demands(),
        ),
        Case(
            kind="unknown",
            about="what an alarm watches",
            resources=[source, replica, make(ALARM, "alarm", {**_QUERY, "metricQueries": UNKNOWN}, region=WEST)],
            settings=demands(),
            undecided=["source:dimensions"],
        ),
        Case(
            kind="passes",
            about="a table's alarm towards the other region",
            resources=[_replicated, _towards(WEST)],
            settings=demands(),
        ),
        Case(
            kind="fails",
            about="a table's alarm towards yet another region",
            resources=[_replicated, _towards("eu-west-1")],
            settings=demands(),
            violated=["table:"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
