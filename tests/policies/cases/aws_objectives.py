"""Cases of `policies.rules.aws_objectives`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
GLOBAL = "aws:rds/globalCluster:GlobalCluster"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
PARAMETERS = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TABLE = "aws:dynamodb/table:Table"
BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
CONFIG = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
GROUP = "aws:autoscaling/group:Group"
SERVICE = "aws:ecs/service:Service"
SCALING_TARGET = "aws:appautoscaling/target:Target"
RESILIENCE = "aws:resiliencehub/resiliencyPolicy:ResiliencyPolicy"
DECLARATION = "any:index:Declaration"
WEST = "us-west-2"
VAULT_ARN = "arn:aws:backup:us-west-2:123456789012:backup-vault:v"


def demands(rpo: str = "5m", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"objectives": {"rpo": rpo, "rto": "15m", **more}}


_global = make(GLOBAL, "global")


def _member(name: str, region: str, *, uses: dict[str, Any] | None = None, **inputs: Any) -> Resource:  # noqa: ANN401
    given = {"globalClusterIdentifier": UNKNOWN, "clusterIdentifier": name, **inputs}
    return make(CLUSTER, name, given, region=region, uses={"globalClusterIdentifier": _global, **(uses or {})})


def _parameters(value: Any) -> Resource:  # noqa: ANN401 - JSON
    return make(PARAMETERS, "parameters", {"name": "p", "parameters": [{"name": "rds.global_db_rpo", "value": value}]})


_first = _member("first", "us-east-1", masterUsername="u", dbClusterParameterGroupName="p")
_second = _member("second", WEST)
_aurora = [_global, _first, _second]


def lag_alarm(
    namespace: str,
    metric: str,
    threshold: Any,  # noqa: ANN401 - JSON
    on: Resource,
    region: str = WEST,
    **inputs: Any,  # noqa: ANN401 - JSON
) -> Resource:
    given = {
        "namespace": namespace,
        "metricName": metric,
        "threshold": threshold,
        "comparisonOperator": "GreaterThanThreshold",
        "statistic": "Maximum",
        "alarmActions": ["arn:aws:sns:us-west-2:123456789012:calls"],
        "dimensions": {"DBClusterIdentifier": UNKNOWN, "DBInstanceIdentifier": UNKNOWN},
        **inputs,
    }
    return make(ALARM, "alarm", given, uses={"dimensions": on}, region=region)


source = make(INSTANCE, "source", {"backupRetentionPeriod": 7})
replica = make(INSTANCE, "replica", {"replicateSourceDb": UNKNOWN}, uses={"replicateSourceDb": source}, region=WEST)
_backups = make(
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
    "backups",
    {"sourceDbInstanceArn": UNKNOWN},
    uses={"sourceDbInstanceArn": source},
    region=WEST,
)


def _planned(schedule: Any, **more: Any) -> list[Resource]:  # noqa: ANN401 - JSON
    rule = {"schedule": schedule, "copyActions": [{"destinationVaultArn": VAULT_ARN}], **more}
    plan = make(PLAN, "plan", {"rules": [rule]})
    selection = make(
        SELECTION,
        "selection",
        {"planId": UNKNOWN, "resources": [UNKNOWN]},
        uses={"planId": plan, "resources": source},
    )
    return [plan, selection]


_bucket = make(BUCKET, "bucket", {"bucket": "bucket"})
_versioned = make(VERSIONING, "versioned", {"bucket": "bucket", "versioningConfiguration": {"status": "Enabled"}})
_far = make(BUCKET, "far", {"bucket": "far"}, region=WEST)


def _replication(**destination: Any) -> Resource:  # noqa: ANN401 - JSON
    rules = [{"status": "Enabled", "destination": {"bucket": UNKNOWN, **destination}}]
    return make(CONFIG, "config", {"bucket": "bucket", "rules": rules}, uses={"rules": _far})


def _lifecycle(days: Any) -> Resource:  # noqa: ANN401 - JSON
    rules = [{"status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": days}}]
    return make(LIFECYCLE, "lifecycle", {"bucket": "bucket", "rules": rules})


def _instances(first: Any, second: Any) -> list[Resource]:  # noqa: ANN401 - JSON
    return [
        make(CLUSTER_INSTANCE, "writer", {"clusterIdentifier": "first", "instanceClass": first}),
        make(CLUSTER_INSTANCE, "standby", {"clusterIdentifier": "second", "instanceClass": second}, region=WEST),
    ]


_stores = {
    "objectives": [{"scope": "objectives.stack", "rpo_seconds": 300, "rto_seconds": 900}],
    "stores": [{"kind": "cache", "name": "pages"}],
}

CASES: dict[str, list[Case]] = {
    "rpo-declared": [
        Case(kind="passes", about="by settings", resources=[source], settings=demands()),
        Case(kind="passes", about="by tags", resources=[make(TABLE, inputs={"tags": {"rpo": "5m", "rto": "1h"}})]),
        Case(
            kind="fails",
            about="only half of it",
            resources=[make(TABLE, inputs={"tags": {"rpo": "5m"}}), make(TABLE, "b", {"tags": {"tier": "1"}})],
            violated=["it:", "b:"],
        ),
        Case(
            kind="fails",
            about="a policy that says nothing of regions",
            resources=[source, make(RESILIENCE, "policy", {"policy": {"region": {"rto": "1h"}}})],
            violated=["source:"],
        ),
        Case(kind="absent", resources=[source], violated=["source:"]),
        Case(kind="unknown", resources=[make(TABLE, inputs={"tags": UNKNOWN})], undecided=["it:tags"]),
        Case(
            kind="exempt",
            about="tier 2, a replica, and what a declaration names without an RPO",
            resources=[
                make(DECLARATION, "declaration", _stores),
                make(CACHE, "pages"),
                source,
                replica,
            ],
        ),
        Case(kind="exempt", about="tier 2", resources=[make(TABLE, inputs={"tags": {"tier": "2"}})]),
        Case(
            kind="companion",
            about="by a policy for the stack",
            resources=[source, make(RESILIENCE, "policy", {"policy": {"region": {"rpo": "5m", "rto": "1h"}}})],
        ),
    ],
    "rpo-vs-backup-interval": [
        Case(
            kind="passes",
            about="Aurora's enforced bound",
            resources=[*_aurora, _parameters("300")],
            settings=demands(),
        ),
        Case(
            kind="passes",
            about="an alarm in milliseconds",
            resources=[*_aurora, lag_alarm("AWS/RDS", "AuroraGlobalDBReplicationLag", 300000, _second)],
            settings=demands(),
        ),
        Case(
            kind="passes",
            about="an alarm in seconds",
            resources=[source, replica, lag_alarm("AWS/RDS", "ReplicaLag", 300, replica)],
            settings=demands(),
        ),
        Case(kind="passes", about="replicated backups", resources=[source, _backups], settings=demands("10m")),
        Case(
            kind="passes",
            about="a plan's copies, with the window",
            resources=[source, *_planned("rate(1 hour)")],
            settings=demands("2h") | {"tier1_rpo": "1d"},
        ),
        Case(
            kind="passes",
            about="in place, where the region need not be survived",
            resources=[
                source,
                make(CLUSTER, "cluster"),
                make(TABLE, "table", {"pointInTimeRecovery": {"enabled": True}}),
                make(CACHE, "cache", {"snapshotRetentionLimit": 1}),
                make("aws:redshift/cluster:Cluster", "warehouse"),
                _bucket,
                _versioned,
                files := make("aws:efs/fileSystem:FileSystem", "files"),
                make(
                    "aws:efs/backupPolicy:BackupPolicy",
                    "daily",
                    {"fileSystemId": UNKNOWN, "backupPolicy": {"status": "ENABLED"}},
                    uses={"fileSystemId": files},
                ),
            ],
            settings=demands("1d"),
        ),
        Case(
            kind="fails",
            about="bounds that are too wide",
            resources=[
                *_aurora,
                _parameters("301"),
                lag_alarm("AWS/RDS", "AuroraGlobalDBReplicationLag", 300001, _second),
                source,
                _backups,
                *_planned("rate(1 hour)", startWindow=60),
            ],
            settings=demands(),
            violated=["first:", "source:"],
        ),
        Case(
            kind="fails",
            about="alarms that do not watch the lag",
            resources=[
                source,
                replica,
                lag_alarm("AWS/RDS", "ReplicaLag", 300, replica, actionsEnabled=False),
            ],
            settings=demands(),
            violated=["source:"],
        ),
        Case(
            kind="fails",
            about="point in time is only in place",
            resources=[source, make(TABLE, "table", {"pointInTimeRecovery": {"enabled": True}})],
            settings=demands(),
            violated=["source:", "table:"],
        ),
        Case(
            kind="fails",
            about="replication without time control",
            resources=[_bucket, _far, _replication(metrics={"status": "Enabled"})],
            settings=demands("15m"),
            violated=["bucket:"],
        ),
        Case(
            kind="fails",
            about="nothing in place either",
            resources=[make(INSTANCE), make(TABLE, "table")],
            settings=demands("1d"),
            violated=["it:", "table:"],
        ),
        Case(kind="absent", resources=[*_aurora], settings=demands(), violated=["first:"]),
        Case(
            kind="unknown",
            resources=[*_aurora, _parameters(UNKNOWN)],
            settings=demands(),
            undecided=["first:parameters.0.value"],
        ),
        Case(kind="exempt", about="without an RPO", resources=[source]),
        Case(
            kind="exempt",
            about="a global cluster that another stack declares",
            resources=[make(CLUSTER, inputs={"globalClusterIdentifier": "shared"})],
            settings=demands(),
        ),
        Case(
            kind="companion",
            about="time control",
            resources=[
                _bucket,
                _far,
                _replication(replicationTime={"status": "Enabled"}, metrics={"status": "Enabled"}),
            ],
            settings=demands("15m"),
        ),
        Case(
            kind="companion",
            about="a consistent table",
            resources=[make(TABLE, inputs={"replicas": [{"regionName": WEST, "consistencyMode": "STRONG"}]})],
            settings=demands("0"),
        ),
    ],
    "retention-vs-declared": [
        Case(kind="passes", resources=[source], settings=demands(retention_days=7)),
        Case(
            kind="passes",
            about="a plan keeps longer",
            resources=[source, *_planned("rate(1 day)", lifecycle={"deleteAfter": 35})],
            settings=demands(retention_days=35),
        ),
        Case(
            kind="passes",
            about="a table's default",
            resources=[make(TABLE, inputs={"pointInTimeRecovery": {"enabled": True}})],
            settings=demands(retention_days=35),
        ),
        Case(
            kind="fails",
            resources=[
                source,
                _bucket,
                _versioned,
                _lifecycle(29),
                make(TABLE, inputs={"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 29}}),
            ],
            settings=demands(retention_days=30),
            violated=["source:", "bucket:", "it:"],
        ),
        Case(
            kind="absent",
            resources=[make(INSTANCE), make(CLUSTER, "cluster"), make(CACHE, "cache"), make(TABLE, "table"), _bucket],
            settings=demands(retention_days=2),
            violated=["it:", "cluster:", "cache:", "table:", "bucket:"],
        ),
        Case(
            kind="unknown",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": UNKNOWN})],
            settings=demands(retention_days=2),
            undecided=["it:backupRetentionPeriod"],
        ),
        Case(kind="exempt", about="a replica", resources=[source, replica], settings=demands(retention_days=7)),
        Case(
            kind="companion",
            about="versions without end, or long enough",
            resources=[_bucket, _versioned, _lifecycle(30)],
            settings=demands(retention_days=30),
        ),
    ],
    "dr-capacity-floor": [
        Case(
            kind="passes",
            about="half of the writer",
            resources=[*_aurora, *_instances("db.r6g.2xlarge", "db.r6g.xlarge")],
        ),
        Case(
            kind="passes",
            about="groups",
            resources=[
                make(GROUP, "web-us-east-1", {"minSize": 4}),
                make(GROUP, "web-us-west-2", {"minSize": 2}, region=WEST),
            ],
        ),
        Case(
            kind="fails",
            resources=[
                *_aurora,
                *_instances("db.r6g.4xlarge", "db.r6g.large"),
                make(GROUP, "web-us-east-1", {"minSize": 4}),
                make(GROUP, "web-us-west-2", {"minSize": 1}, region=WEST),
                make(SERVICE, "api-useast1", {"desiredCount": 3}),
                make(SERVICE, "api-uswest2", region=WEST),
            ],
            violated=["standby:instanceClass", "web-us-west-2:minSize", "api-uswest2:desiredCount"],
        ),
        Case(
            kind="fails",
            about="the share is the team's",
            resources=[*_aurora, *_instances("db.r6g.2xlarge", "db.r6g.xlarge")],
            parameters={"percent": 100},
            violated=["standby:instanceClass"],
        ),
        Case(
            kind="absent",
            about="no instance to fail over to",
            resources=[*_aurora, _instances("db.r6g.large", "")[0]],
            violated=["second:"],
        ),
        Case(
            kind="unknown",
            resources=[*_aurora, *_instances("db.r6g.large", UNKNOWN)],
            undecided=["second:instanceClass"],
        ),
        Case(
            kind="exempt",
            about="serverless instances, daemons, and groups of one region",
            resources=[
                *_aurora,
                *_instances("db.r6g.large", "db.serverless"),
                make(GROUP, "web", {"minSize": 4}),
                make(GROUP, "batch", {"minSize": 1}, region=WEST),
                make(SERVICE, "agent-us-east-1", {"schedulingStrategy": "DAEMON", "desiredCount": 9}),
                make(SERVICE, "agent-us-west-2", {"desiredCount": 1}, region=WEST),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
