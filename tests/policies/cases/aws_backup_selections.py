"""Cases of the rule `resource-in-backup-plan` of `policies.rules.aws_backup_plans`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import ACCOUNT, Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

SELECTION = "aws:backup/selection:Selection"
INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
TABLE = "aws:dynamodb/table:Table"
BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
BACKUPS_REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
FILES = "aws:efs/fileSystem:FileSystem"
FILES_POLICY = "aws:efs/backupPolicy:BackupPolicy"
WAREHOUSE = "aws:redshift/cluster:Cluster"
WAREHOUSE_COPY = "aws:redshift/snapshotCopy:SnapshotCopy"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}:db:orders"

_database = make(INSTANCE, inputs={"identifier": "orders"}, outputs={"arn": ARN})
_tagged = make(INSTANCE, inputs={"identifier": "orders", "tags": {"backup": "daily", "team": "shop"}})
_anonymous = make(INSTANCE)
_bucket = make(BUCKET, inputs={"bucket": "things"})
_versioned = make(VERSIONING, "versions", {"bucket": "things", "versioningConfiguration": {"status": "Enabled"}})
_replicated = make(REPLICATION, "replication", {"bucket": "things", "rules": [{"status": "Enabled"}]})


def _selection(region: str = "us-east-1", **properties: object) -> Resource:
    return make(SELECTION, "selection", {"planId": "plan-1", **properties}, region=region)


def _when(operator: str, key: str, value: object) -> dict[str, Any]:
    return {operator: [{"key": f"aws:ResourceTag/{key}", "value": value}]}


CASES: dict[str, list[Case]] = {
    "resource-in-backup-plan": [
        Case(kind="passes", about="by ARN", resources=[_database, _selection(resources=[ARN])]),
        Case(
            kind="passes", about="by pattern", resources=[_database, _selection(resources=["arn:aws:rds:*:*:db:ord*"])]
        ),
        Case(
            kind="passes",
            about="everything of a service",
            resources=[_anonymous, _selection(resources=["arn:aws:rds:*"])],
        ),
        Case(kind="passes", about="everything", resources=[_anonymous, _selection(resources=["*"])]),
        Case(kind="passes", about="everything, without a word", resources=[_anonymous, _selection()]),
        Case(
            kind="passes",
            about="by tag",
            resources=[
                _tagged,
                _selection(selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}]),
            ],
        ),
        Case(
            kind="passes",
            about="by a default tag of the provider",
            resources=[
                make(INSTANCE, outputs={"tagsAll": {"backup": "daily"}}),
                _selection(selectionTags=[{"key": "backup", "value": "daily"}]),
            ],
        ),
        Case(
            kind="passes",
            about="under conditions that hold",
            resources=[
                _tagged,
                _selection(
                    resources=["*"],
                    conditions=[
                        {**_when("stringEquals", "backup", "daily"), **_when("stringLikes", "team", "s*")},
                        {**_when("stringNotEquals", "backup", "none"), **_when("stringNotLikes", "gone", "*")},
                    ],
                ),
            ],
        ),
        Case(
            kind="passes",
            about="an ARN made of the name",
            resources=[
                make(TABLE, inputs={"name": "t"}),
                _selection(resources=["arn:aws:dynamodb:us-east-1:*:table/t"]),
            ],
        ),
        Case(
            kind="fails",
            about="another one is selected",
            resources=[_database, _selection(resources=[f"{ARN}-2", "arn:aws:dynamodb:*"])],
            violated=["it:"],
        ),
        Case(
            kind="fails",
            about="in another region",
            resources=[_database, _selection("us-west-2", resources=["*"])],
            violated=["it:"],
        ),
        *(
            Case(
                kind="fails",
                about=f"left out by {next(iter(condition))}",
                resources=[_tagged, _selection(resources=["*"], conditions=[condition])],
                violated=["it:"],
            )
            for condition in (
                _when("stringEquals", "backup", "Daily"),
                _when("stringLikes", "team", "p*"),
                _when("stringNotEquals", "backup", "daily"),
                _when("stringNotLikes", "team", "*op"),
                _when("stringEquals", "gone", "daily"),
            )
        ),
        Case(
            kind="fails",
            about="left out by pattern",
            resources=[_database, _selection(resources=["*"], notResources=["arn:aws:rds:*:db:*"])],
            violated=["it:"],
        ),
        Case(
            kind="fails",
            about="left out by ARN",
            resources=[
                _database,
                make(
                    SELECTION,
                    "selection",
                    {"resources": ["*"], "notResources": [UNKNOWN]},
                    uses={"notResources": _database},
                ),
            ],
            violated=["it:"],
        ),
        Case(
            kind="fails",
            about="automated backups stay in the region",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 35})],
            violated=["it:"],
        ),
        Case(
            kind="fails",
            about="nothing is kept that could be replicated",
            resources=[
                make(INSTANCE, inputs={"backupRetentionPeriod": 0}, outputs={"arn": ARN}),
                make(BACKUPS_REPLICATION, "replication", {"sourceDbInstanceArn": ARN}, region="us-west-2"),
            ],
            violated=["it:"],
        ),
        Case(
            kind="fails",
            about="a version is no backup of a region",
            resources=[_bucket, _versioned],
            violated=["it:"],
        ),
        Case(
            kind="fails",
            about="a replica without versions loses what is overwritten",
            resources=[_bucket, _replicated],
            violated=["it:"],
        ),
        Case(
            kind="absent",
            resources=[_database, make(TABLE, "table"), make(CLUSTER, "cluster"), make(FILES, "files")],
            violated=["it:", "table:", "cluster:", "files:"],
        ),
        Case(kind="unknown", resources=[_database, _selection(resources=UNKNOWN)], undecided=["it:"]),
        Case(
            kind="unknown",
            about="tags of the selection",
            resources=[
                _tagged,
                _selection(resources=[f"{ARN}-2"], selectionTags=[{"key": "backup", "value": UNKNOWN}]),
            ],
            undecided=["it:"],
        ),
        Case(
            kind="unknown",
            about="tags of the resource",
            resources=[
                make(INSTANCE, inputs={"tags": UNKNOWN}),
                _selection(resources=["*"], conditions=[_when("stringEquals", "backup", "daily")]),
            ],
            undecided=["it:"],
        ),
        Case(
            kind="unknown",
            about="an ARN that a pattern might fit",
            resources=[_anonymous, _selection(resources=["arn:aws:rds:*:*:db:orders*"])],
            undecided=["it:"],
        ),
        Case(
            kind="unknown",
            about="versions",
            resources=[
                _bucket,
                _replicated,
                make(VERSIONING, "versions", {"bucket": "things", "versioningConfiguration": UNKNOWN}),
            ],
            undecided=["it:versioningConfiguration.status"],
        ),
        Case(
            kind="exempt",
            about="a replica",
            resources=[make(INSTANCE, inputs={"replicateSourceDb": "orders"})],
        ),
        Case(
            kind="exempt",
            about="automated backups that are replicated",
            resources=[
                make(INSTANCE, inputs={"backupRetentionPeriod": 7}, outputs={"arn": ARN}),
                make(BACKUPS_REPLICATION, "replication", {"sourceDbInstanceArn": ARN}, region="us-west-2"),
            ],
        ),
        Case(
            kind="exempt",
            about="a cluster of a global cluster",
            resources=[make(CLUSTER, inputs={"globalClusterIdentifier": "everywhere"})],
        ),
        Case(
            kind="exempt",
            about="a table with recovery to any second",
            resources=[make(TABLE, inputs={"pointInTimeRecovery": {"enabled": True}})],
        ),
        Case(
            kind="exempt",
            about="snapshots that are copied",
            resources=[
                make(WAREHOUSE, inputs={"clusterIdentifier": "facts"}),
                make(WAREHOUSE_COPY, "copy", {"clusterIdentifier": "facts"}),
            ],
        ),
        Case(kind="exempt", about="what AWS Backup does not take", resources=[make(CACHE)]),
        Case(
            kind="companion",
            about="a versioned bucket that is replicated",
            resources=[_bucket, _versioned, _replicated],
        ),
        Case(
            kind="companion",
            about="a versioned bucket that receives",
            resources=[
                make(BUCKET, inputs={"versioning": {"enabled": True}}),
                make(
                    REPLICATION,
                    "replication",
                    {"bucket": "elsewhere", "rules": UNKNOWN},
                    uses={"rules": make(BUCKET)},
                ),
            ],
        ),
        Case(
            kind="companion",
            about="automatic backups of a file system",
            resources=[
                make(FILES, outputs={"id": "fs-1"}),
                make(FILES_POLICY, "policy", {"fileSystemId": "fs-1", "backupPolicy": {"status": "ENABLED"}}),
            ],
        ),
        Case(
            kind="companion",
            about="selected by an ARN that is not known yet",
            resources=[
                _anonymous,
                make(SELECTION, "selection", {"resources": [UNKNOWN]}, uses={"resources": _anonymous}),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
