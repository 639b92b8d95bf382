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
_instances = [_source, _replica]

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


def _alarm(
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
        **inputs,
    }
    return make(
        ALARM,
        "alarm",
        {key: value for key, value in given.items() if value is not None},
        region=region,
        uses={"dimensions": of or []},
    )


_orders = {"DBInstanceIdentifier": "orders"}
_two = {"DBClusterIdentifier": "two"}
_rule = {"SourceBucket": "here", "DestinationBucket": UNKNOWN, "RuleId": "all"}
_users = {"TableName": "users", "ReceivingRegion": WEST}


def _case(
    kind: str, about: str, resources: list[Resource], *, violated: Sequence[str] = (), undecided: Sequence[str] = ()
) -> Case:
    return Case(
        kind=kind, about=about, resources=resources, settings=FIVE_MINUTES, violated=violated, undecided=undecided
    )


CASES: dict[str, list[Case]] = {
    "replica-lag-alarm": [
        _case("passes", "an instance in seconds", [*_instances, _alarm("RDS ReplicaLag", _orders, 300)]),
        _case("passes", "Aurora in milliseconds", [*_clusters, _alarm("RDS AuroraGlobalDBRPOLag", _two, "300000")]),
        _case(
            "passes",
            "Aurora by an instance of the cluster",
            [*_clusters, _alarm("RDS AuroraGlobalDBReplicationLag", {"DBInstanceIdentifier": "two-1"}, 1000)],
        ),
        _case(
            "passes",
            "a node of a cache",
            [_cache, _alarm("ElastiCache GlobalDatastoreReplicationLag", {"CacheClusterId": "sessions-0001-002"}, 300)],
        ),
        _case("passes", "a bucket", [*_buckets, _alarm("S3 ReplicationLatency", _rule, 300, of=[_here, _there])]),
        _case("passes", "a table", [_table, _alarm("DynamoDB ReplicationLatency", _users, 300000, region="us-east-1")]),
        _case(
            "passes",
            "a metric of a query",
            [
                *_instances,
                _alarm(
                    "- -",
                    None,
                    300,
                    namespace=None,
                    metricName=None,
                    metricQueries=[
                        {"metric": {"namespace": "AWS/RDS", "metricName": "ReplicaLag", "dimensions": _orders}}
                    ],
                ),
            ],
        ),
        Case(
            kind="passes",
            about="no objective to compare with",
            resources=[*_instances, _alarm("RDS ReplicaLag", _orders, 86400)],
        ),
        _case("fails", "seconds", [*_instances, _alarm("RDS ReplicaLag", _orders, 301)], violated=["alarm:threshold"]),
        _case(
            "fails",
            "milliseconds",
            [*_clusters, _alarm("RDS AuroraGlobalDBRPOLag", _two, 300001)],
            violated=["alarm:threshold"],
        ),
        _case(
            "fails",
            "the other way round",
            [*_instances, _alarm("RDS ReplicaLag", _orders, 300, comparisonOperator="LessThanThreshold")],
            violated=["alarm:comparisonOperator"],
        ),
        _case(
            "fails",
            "an alarm in the region of the source reads nothing",
            [*_instances, _alarm("RDS ReplicaLag", _orders, 300, region="us-east-1")],
            violated=["replica:"],
        ),
        _case(
            "fails",
            "another replica's alarm",
            [*_instances, _alarm("RDS ReplicaLag", {"DBInstanceIdentifier": "users"}, 300)],
            violated=["replica:"],
        ),
        _case(
            "fails",
            "another metric",
            [*_instances, _alarm("RDS CPUUtilization", _orders, 80)],
            violated=["replica:"],
        ),
        _case(
            "fails",
            "a replica of what is in another stack",
            [make(INSTANCE, "replica", {"replicateSourceDb": "arn:aws:rds:eu-west-1:1:db:orders"})],
            violated=["replica:"],
        ),
        _case(
            "fails",
            "a bucket's alarm on another destination",
            [*_buckets, _alarm("S3 ReplicationLatency", {**_rule, "DestinationBucket": UNKNOWN}, 300, of=[_here])],
            violated=["replication:rules.0"],
        ),
        _case(
            "fails",
            "a table's alarm on another region",
            [
                _table,
                _alarm(
                    "DynamoDB ReplicationLatency", {**_users, "ReceivingRegion": "eu-west-1"}, 1, region="us-east-1"
                ),
            ],
            violated=["table:replicas.0"],
        ),
        _case("absent", "no alarm on an instance", _instances, violated=["replica:"]),
        _case("absent", "no alarm on Aurora", _clusters, violated=["second:"]),
        _case("absent", "no alarm on a cache", [_cache], violated=["cache:"]),
        _case("absent", "no alarm on a bucket", _buckets, violated=["replication:rules.0"]),
        *(
            _case(
                kind,
                "an alarm on a lag that nobody measures",
                [
                    *(_here, _there, _replicates(metrics=metrics)),
                    _alarm("S3 ReplicationLatency", _rule, 300, of=[_here, _there]),
                ],
                violated=["replication:rules.0.destination.metrics.status"],
            )
            for kind, metrics in (("fails", {"status": "Disabled"}), ("absent", {}))
        ),
        _case("absent", "no alarm on a table", [_table], violated=["table:replicas.0"]),
        _case(
            "absent",
            "no threshold",
            [*_instances, _alarm("RDS ReplicaLag", _orders, None)],
            violated=["alarm:threshold"],
        ),
        _case(
            "unknown",
            "the threshold",
            [*_instances, _alarm("RDS ReplicaLag", _orders, UNKNOWN)],
            undecided=["alarm:threshold"],
        ),
        _case(
            "unknown",
            "the dimensions",
            [*_instances, _alarm("RDS ReplicaLag", UNKNOWN, 300)],
            undecided=["alarm:dimensions"],
        ),
        _case(
            "unknown",
            "the metric",
            [*_instances, _alarm("RDS ReplicaLag", _orders, 300, metricName=UNKNOWN)],
            undecided=["alarm:metricName"],
        ),
        _case(
            "unknown",
            "a source from elsewhere",
            [make(INSTANCE, "replica", {"replicateSourceDb": UNKNOWN})],
            undecided=["replica:replicateSourceDb"],
        ),
        _case(
            "unknown",
            "a table from elsewhere",
            [make("aws:dynamodb/tableReplica:TableReplica", "copy", {"globalTableArn": UNKNOWN})],
            undecided=["copy:globalTableArn"],
        ),
        _case(
            "exempt",
            "a replica in its source's region",
            [_source, make(INSTANCE, "replica", {"replicateSourceDb": "orders"})],
        ),
        _case(
            "exempt",
            "strong consistency",
            [make(TABLE, "table", {"replicas": [{"regionName": WEST, "consistencyMode": "STRONG"}]})],
        ),
        _case(
            "exempt",
            "a rule that is off",
            [make(REPLICATION, "replication", {"bucket": "here", "rules": [{"status": "Disabled"}]})],
        ),
        _case(
            "exempt",
            "a store that is declared without an RPO",
            [
                make("any:aws:Declaration", "declared", {"stores": [{"kind": "database", "name": "replica"}]}),
                *_instances,
            ],
        ),
        _case(
            "companion",
            "a table replica and its alarm by dependency",
            [
                _lone,
                _copy,
                _alarm(
                    "DynamoDB ReplicationLatency",
                    {"TableName": UNKNOWN, "ReceivingRegion": WEST},
                    300001,
                    region="us-east-1",
                    of=[_lone],
                ),
            ],
            violated=["alarm:threshold"],
        ),
        _case(
            "companion",
            "one good alarm of two is enough",
            [
                *_instances,
                _alarm("RDS ReplicaLag", _orders, 300),
                make(
                    ALARM,
                    "late",
                    {"namespace": "AWS/RDS", "metricName": "ReplicaLag", "dimensions": _orders, "threshold": 9000},
                    region=WEST,
                ),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
