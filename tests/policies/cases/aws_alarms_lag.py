"""Cases of `policies.rules.aws_alarms_lag`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policies.core.resource import Resource

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
BUCKET = "aws:s3/bucket:Bucket"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
TABLE = "aws:dynamodb/table:Table"
WEST = "us-west-2"
FIVE_MINUTES = {"objectives": {"rpo": "5m"}}

_source = make(INSTANCE, "source", {"identifier": "orders"})
_replica = make(
    INSTANCE,
    "replica",
    {"identifier": "orders", "replicateSourceDb": UNKNOWN},
    region=WEST,
    uses={"replicateSourceDb": _source},
)
INSTANCES = [_source, _replica]

_first = make(CLUSTER, "first", {"globalClusterIdentifier": "all", "masterUsername": "admin"})
_second = make(CLUSTER, "second", {"globalClusterIdentifier": "all", "clusterIdentifier": "two"}, region=WEST)
_reader = make(
    "aws:rds/clusterInstance:ClusterInstance",
    "reader",
    {"clusterIdentifier": "two", "identifier": "two-1"},
    region=WEST,
)
_clusters = [_first, _second, _reader]

_cache = make(CACHE, "cache", {"globalReplicationGroupId": UNKNOWN, "replicationGroupId": "sessions"}, region=WEST)

_here = make(BUCKET, "here", {"bucket": "here"})
_there = make(BUCKET, "there", region=WEST)


def _replicates(**destination: object) -> Resource:
    """From here to there; `destination` says more about the rule's."""
    return make(
        REPLICATION,
        "replication",
        {"bucket": "here", "rules": [{"status": "Enabled", "destination": {"bucket": UNKNOWN, **destination}}]},
        uses={"bucket": _here, "rules": _there},
    )


_buckets = [_here, _there, _replicates(metrics={"status": "Enabled"})]

_table = make(TABLE, "table", {"name": "users", "replicas": [{"regionName": WEST}]})
_lone = make(TABLE, "table", {"name": "users"}, outputs={"arn": "arn:aws:dynamodb:us-east-1:1:table/users"})
_copy = make(
    "aws:dynamodb/tableReplica:TableReplica",
    "copy",
    {"globalTableArn": UNKNOWN},
    region=WEST,
    uses={"globalTableArn": _lone},
)


def alarm(
    metric: str,
    dimensions: object,
    threshold: object,
    *,
    region: str = WEST,
    of: list[Resource] | None = None,
    **inputs: object,
) -> Resource:
    namespace, _, name = metric.partition(" ")
    given = {
        "namespace": f"AWS/{namespace}",
        "metricName": name,
        "dimensions": dimensions,
        "threshold": threshold,
        "comparisonOperator": "GreaterThanThreshold",
        "statistic": "Maximum",
        "period": 60,
        "evaluationPeriods": 3,
        **inputs,
    }
    return make(
        ALARM,
        "alarm",
        {key: value for key, value in given.items() if value is not None},
        region=region,
        uses={"dimensions": of or []},
    )


ORDERS = {"DBInstanceIdentifier": "orders"}
_two = {"DBClusterIdentifier": "two"}
LAG = {
    "namespace": "AWS/RDS",
    "metricName": "ReplicaLag",
    "dimensions": ORDERS,
    "stat": "p99",
    "period": 60,
}
_rule = {"SourceBucket": "here", "DestinationBucket": UNKNOWN, "RuleId": "all"}
_users = {"TableName": "users", "ReceivingRegion": WEST}


def case(
    kind: str, about: str, resources: list[Resource], *, violated: Sequence[str] = (), undecided: Sequence[str] = ()
) -> Case:
    return Case(
        kind=kind, about=about, resources=resources, settings=FIVE_MINUTES, violated=violated, undecided=undecided
    )


CASES: dict[str, list[Case]] = {
    "replica-lag-alarm": [
        case("passes", "an instance in seconds", [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300)]),
        case("passes", "Aurora in milliseconds", [*_clusters, alarm("RDS AuroraGlobalDBRPOLag", _two, "300000")]),
        case(
            "passes",
            "Aurora by an instance of the cluster",
            [*_clusters, alarm("RDS AuroraGlobalDBReplicationLag", {"DBInstanceIdentifier": "two-1"}, 1000)],
        ),
        case(
            "passes",
            "a node of a cache",
            [
                _cache,
                alarm("ElastiCache GlobalDatastoreReplicationLag", {"CacheClusterId": "sessions-0001-002"}, 300),
            ],
        ),
        case("passes", "a bucket", [*_buckets, alarm("S3 ReplicationLatency", _rule, 300, of=[_here, _there])]),
        case("passes", "a table", [_table, alarm("DynamoDB ReplicationLatency", _users, 300000, region="us-east-1")]),
        case(
            "passes",
            "a metric of a query",
            [
                *INSTANCES,
                alarm(
                    "- -",
                    None,
                    300,
                    namespace=None,
                    metricName=None,
                    period=None,
                    statistic=None,
                    metricQueries=[{"id": "m", "metric": LAG}],
                ),
            ],
        ),
        Case(
            kind="passes",
            about="no objective to compare with",
            resources=[*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 86400)],
        ),
        case("fails", "seconds", [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 301)], violated=["alarm:threshold"]),
        case(
            "fails",
            "milliseconds",
            [*_clusters, alarm("RDS AuroraGlobalDBRPOLag", _two, 300001)],
            violated=["alarm:threshold"],
        ),
        case(
            "fails",
            "the other way round",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, comparisonOperator="LessThanThreshold")],
            violated=["alarm:comparisonOperator"],
        ),
        case(
            "fails",
            "an alarm in the region of the source reads nothing",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, region="us-east-1")],
            violated=["replica:"],
        ),
        case(
            "fails",
            "another replica's alarm",
            [*INSTANCES, alarm("RDS ReplicaLag", {"DBInstanceIdentifier": "users"}, 300)],
            violated=["replica:"],
        ),
        case(
            "fails",
            "another metric",
            [*INSTANCES, alarm("RDS CPUUtilization", ORDERS, 80)],
            violated=["replica:"],
        ),
        case(
            "fails",
            "a replica of what is in another stack",
            [make(INSTANCE, "replica", {"replicateSourceDb": "arn:aws:rds:eu-west-1:1:db:orders"})],
            violated=["replica:"],
        ),
        case(
            "fails",
            "a bucket's alarm on another destination",
            [*_buckets, alarm("S3 ReplicationLatency", {**_rule, "DestinationBucket": UNKNOWN}, 300, of=[_here])],
            violated=["replication:rules.0"],
        ),
        case(
            "fails",
            "a table's alarm on another region",
            [
                _table,
                alarm("DynamoDB ReplicationLatency", {**_users, "ReceivingRegion": "eu-west-1"}, 1, region="us-east-1"),
            ],
            violated=["table:replicas.0"],
        ),
        case("absent", "no alarm on an instance", INSTANCES, violated=["replica:"]),
        case("absent", "no alarm on Aurora", _clusters, violated=["second:"]),
        case("absent", "no alarm on a cache", [_cache], violated=["cache:"]),
        case("absent", "no alarm on a bucket", _buckets, violated=["replication:rules.0"]),
        *(
            case(
                kind,
                "an alarm on a lag that nobody measures",
                [
                    *(_here, _there, _replicates(metrics=metrics)),
                    alarm("S3 ReplicationLatency", _rule, 300, of=[_here, _there]),
                ],
                violated=["replication:rules.0.destination.metrics.status"],
            )
            for kind, metrics in (("fails", {"status": "Disabled"}), ("absent", {}))
        ),
        case("absent", "no alarm on a table", [_table], violated=["table:replicas.0"]),
        case(
            "absent",
            "no threshold",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, None)],
            violated=["alarm:threshold"],
        ),
        case(
            "unknown",
            "the threshold",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, UNKNOWN)],
            undecided=["alarm:threshold"],
        ),
        case(
            "unknown",
            "the dimensions",
            [*INSTANCES, alarm("RDS ReplicaLag", UNKNOWN, 300)],
            undecided=["alarm:dimensions"],
        ),
        case(
            "unknown",
            "the metric",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, metricName=UNKNOWN)],
            undecided=["alarm:metricName"],
        ),
        case(
            "unknown",
            "a source from elsewhere",
            [make(INSTANCE, "replica", {"replicateSourceDb": UNKNOWN})],
            undecided=["replica:replicateSourceDb"],
        ),
        case(
            "unknown",
            "a table from elsewhere",
            [make("aws:dynamodb/tableReplica:TableReplica", "copy", {"globalTableArn": UNKNOWN})],
            undecided=["copy:globalTableArn"],
        ),
        case(
            "exempt",
            "a replica in its source's region",
            [_source, make(INSTANCE, "replica", {"replicateSourceDb": "orders"})],
        ),
        case(
            "exempt",
            "strong consistency",
            [make(TABLE, "table", {"replicas": [{"regionName": WEST, "consistencyMode": "STRONG"}]})],
        ),
        case(
            "exempt",
            "a rule that is off",
            [make(REPLICATION, "replication", {"bucket": "here", "rules": [{"status": "Disabled"}]})],
        ),
        case(
            "exempt",
            "a store that is declared without an RPO",
            [
                make("any:aws:Declaration", "declared", {"stores": [{"kind": "database", "name": "replica"}]}),
                *INSTANCES,
            ],
        ),
        case(
            "companion",
            "a table replica and its alarm by dependency",
            [
                _lone,
                _copy,
                alarm(
                    "DynamoDB ReplicationLatency",
                    {"TableName": UNKNOWN, "ReceivingRegion": WEST},
                    300001,
                    region="us-east-1",
                    of=[_lone],
                ),
            ],
            violated=["alarm:threshold"],
        ),
        case(
            "companion",
            "one good alarm of two is enough",
            [
                *INSTANCES,
                alarm("RDS ReplicaLag", ORDERS, 300),
                make(
                    ALARM,
                    "late",
                    {"namespace": "AWS/RDS", "metricName": "ReplicaLag", "dimensions": ORDERS, "threshold": 9000},
                    region=WEST,
                ),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
