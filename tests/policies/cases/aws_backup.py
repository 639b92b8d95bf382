"""Cases of `policies.rules.aws_backup`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
DOCUMENTS = "aws:docdb/cluster:Cluster"
GRAPH = "aws:neptune/cluster:Cluster"
WAREHOUSE = "aws:redshift/cluster:Cluster"
GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
NODE = "aws:elasticache/cluster:Cluster"
TABLE = "aws:dynamodb/table:Table"
TABLE_REPLICA = "aws:dynamodb/tableReplica:TableReplica"
FILES = "aws:efs/fileSystem:FileSystem"
FILES_POLICY = "aws:efs/backupPolicy:BackupPolicy"
FILES_REPLICATION = "aws:efs/replicationConfiguration:ReplicationConfiguration"
SELECTION = "aws:backup/selection:Selection"

_source = make(INSTANCE, "source", {"backupRetentionPeriod": 7})
_cluster = make(
    DOCUMENTS, "source", {"backupRetentionPeriod": 7, "masterUsername": "it", "globalClusterIdentifier": "everywhere"}
)
_kept = {"skipFinalSnapshot": False, "deleteAutomatedBackups": False}
_kept_source = make(INSTANCE, "source", _kept)
_files = make(FILES, outputs={"id": "fs-1"})
_other_files = make(FILES, "source", outputs={"id": "fs-0"})

CASES: dict[str, list[Case]] = {
    "rds-retention": [
        Case(
            kind="fails",
            about="a declaration does not lower the floor",
            resources=[
                make("aws:rds/instance:Instance", inputs={"backupRetentionPeriod": 1, "tags": {"retention-days": "1"}})
            ],
            violated=["it:backupRetentionPeriod"],
        ),
        Case(kind="passes", resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 7})]),
        Case(
            kind="passes", about="a number as text", resources=[make(CLUSTER, inputs={"backupRetentionPeriod": "35"})]
        ),
        Case(
            kind="passes",
            about="no more can be kept than 35 days",
            resources=[make(CLUSTER, inputs={"backupRetentionPeriod": 35, "tags": {"retention-days": "365"}})],
        ),
        Case(
            kind="fails",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 6})],
            violated=["it:backupRetentionPeriod"],
        ),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 7})],
            parameters={"days": 14},
            violated=["it:backupRetentionPeriod"],
        ),
        Case(
            kind="fails",
            about="more is declared",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 7, "tags": {"retention-days": "14"}})],
            violated=["it:backupRetentionPeriod"],
        ),
        Case(
            kind="fails",
            about="no number",
            resources=[make(CLUSTER, inputs={"backupRetentionPeriod": [7]})],
            violated=["it:backupRetentionPeriod"],
        ),
        Case(kind="absent", resources=[make(INSTANCE)], violated=["it:backupRetentionPeriod"]),
        Case(
            kind="unknown",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": UNKNOWN})],
            undecided=["it:backupRetentionPeriod"],
        ),
        Case(
            kind="exempt",
            about="a replica",
            resources=[
                _source,
                make(INSTANCE, inputs={"replicateSourceDb": UNKNOWN}, uses={"replicateSourceDb": _source}),
            ],
        ),
    ],
    "docdb-neptune-retention": [
        Case(kind="passes", resources=[make(DOCUMENTS, inputs={"backupRetentionPeriod": 7})]),
        Case(kind="passes", about="a graph", resources=[make(GRAPH, inputs={"backupRetentionPeriod": "14"})]),
        Case(
            kind="fails",
            resources=[make(DOCUMENTS, inputs={"backupRetentionPeriod": 3})],
            violated=["it:backupRetentionPeriod"],
        ),
        Case(kind="absent", resources=[make(GRAPH)], violated=["it:backupRetentionPeriod"]),
        Case(
            kind="unknown",
            resources=[make(GRAPH, inputs={"backupRetentionPeriod": UNKNOWN})],
            undecided=["it:backupRetentionPeriod"],
        ),
        Case(
            kind="exempt",
            about="a later member of a global cluster",
            resources=[_cluster, make(DOCUMENTS, inputs={"globalClusterIdentifier": "everywhere"})],
        ),
    ],
    "redshift-snapshots": [
        Case(kind="passes", resources=[make(WAREHOUSE, inputs={"automatedSnapshotRetentionPeriod": 7})]),
        Case(
            kind="fails",
            resources=[make(WAREHOUSE, inputs={"automatedSnapshotRetentionPeriod": 0})],
            violated=["it:automatedSnapshotRetentionPeriod"],
        ),
        Case(kind="absent", resources=[make(WAREHOUSE)], violated=["it:automatedSnapshotRetentionPeriod"]),
        Case(
            kind="unknown",
            resources=[make(WAREHOUSE, inputs={"automatedSnapshotRetentionPeriod": UNKNOWN})],
            undecided=["it:automatedSnapshotRetentionPeriod"],
        ),
    ],
    "elasticache-snapshots": [
        Case(kind="passes", resources=[make(GROUP, inputs={"snapshotRetentionLimit": 1})]),
        Case(
            kind="passes",
            about="a node",
            resources=[make(NODE, inputs={"engine": "redis", "snapshotRetentionLimit": 7})],
        ),
        Case(
            kind="fails",
            resources=[make(GROUP, inputs={"snapshotRetentionLimit": 0})],
            violated=["it:snapshotRetentionLimit"],
        ),
        Case(
            kind="fails",
            about="more is declared",
            resources=[make(GROUP, inputs={"snapshotRetentionLimit": 1})],
            settings={"objectives": {"retention_days": 7}},
            violated=["it:snapshotRetentionLimit"],
        ),
        Case(kind="absent", resources=[make(NODE)], violated=["it:snapshotRetentionLimit"]),
        Case(
            kind="unknown",
            resources=[make(GROUP, inputs={"snapshotRetentionLimit": UNKNOWN, "engine": UNKNOWN})],
            undecided=["it:snapshotRetentionLimit"],
        ),
        Case(kind="exempt", about="memcached", resources=[make(NODE, inputs={"engine": "memcached"})]),
        Case(
            kind="exempt",
            about="a node without snapshots",
            resources=[make(NODE, inputs={"nodeType": "cache.t1.micro"})],
        ),
        Case(kind="exempt", about="a node of a group", resources=[make(NODE, inputs={"replicationGroupId": "group"})]),
        Case(
            kind="exempt",
            about="a secondary of a global datastore",
            resources=[make(GROUP, inputs={"globalReplicationGroupId": "sessions"})],
        ),
    ],
    "dynamodb-pitr": [
        Case(
            kind="passes",
            resources=[
                make(
                    TABLE,
                    inputs={
                        "pointInTimeRecovery": {"enabled": True},
                        "replicas": [{"regionName": "us-west-2", "pointInTimeRecovery": True}],
                    },
                ),
                make(TABLE_REPLICA, "replica", {"pointInTimeRecovery": True}),
            ],
        ),
        Case(
            kind="fails",
            resources=[make(TABLE, inputs={"pointInTimeRecovery": {"enabled": False}})],
            violated=["it:pointInTimeRecovery.enabled"],
        ),
        Case(
            kind="fails",
            about="one replica",
            resources=[
                make(
                    TABLE,
                    inputs={
                        "pointInTimeRecovery": {"enabled": "true"},
                        "replicas": [{"pointInTimeRecovery": True}, {"regionName": "us-west-2"}],
                    },
                )
            ],
            violated=["it:replicas.1.pointInTimeRecovery"],
        ),
        Case(
            kind="absent",
            resources=[make(TABLE), make(TABLE_REPLICA, "replica")],
            violated=["it:pointInTimeRecovery.enabled", "replica:pointInTimeRecovery"],
        ),
        Case(
            kind="unknown",
            about="hides nothing else",
            resources=[
                make(
                    TABLE,
                    inputs={
                        "pointInTimeRecovery": UNKNOWN,
                        "replicas": [{"pointInTimeRecovery": UNKNOWN}, {"pointInTimeRecovery": False}],
                    },
                )
            ],
            undecided=["it:pointInTimeRecovery.enabled", "it:replicas.0.pointInTimeRecovery"],
            violated=["it:replicas.1.pointInTimeRecovery"],
        ),
        Case(
            kind="unknown",
            about="replicas",
            resources=[make(TABLE, inputs={"replicas": UNKNOWN})],
            undecided=["it:replicas"],
            violated=["it:pointInTimeRecovery.enabled"],
        ),
    ],
    "efs-auto-backup": [
        Case(
            kind="passes",
            resources=[
                _files,
                make(FILES_POLICY, "policy", {"fileSystemId": "fs-1", "backupPolicy": {"status": "ENABLED"}}),
            ],
        ),
        Case(
            kind="fails",
            resources=[
                _files,
                make(FILES_POLICY, "policy", {"fileSystemId": "fs-1", "backupPolicy": {"status": "DISABLED"}}),
            ],
            violated=["policy:backupPolicy.status"],
        ),
        Case(kind="absent", resources=[_files], violated=["it:"]),
        Case(
            kind="absent",
            about="a single zone has backups by default",
            resources=[make(FILES, inputs={"availabilityZoneName": "us-east-1a"})],
        ),
        Case(
            kind="unknown",
            resources=[
                _files,
                make(FILES_POLICY, "policy", {"fileSystemId": "fs-1", "backupPolicy": {"status": UNKNOWN}}),
            ],
            undecided=["it:backupPolicy.status"],
        ),
        Case(
            kind="unknown",
            about="what a selection takes",
            resources=[_files, make(SELECTION, "selection", {"resources": UNKNOWN})],
            undecided=["it:"],
        ),
        Case(
            kind="exempt",
            about="a destination of replication",
            resources=[
                _other_files,
                _files,
                make(FILES_POLICY, "policy", {"fileSystemId": "fs-0", "backupPolicy": {"status": "ENABLED"}}),
                make(
                    FILES_REPLICATION,
                    "replication",
                    {"sourceFileSystemId": "fs-0", "destination": {"fileSystemId": "fs-1"}},
                ),
            ],
        ),
        Case(
            kind="exempt",
            about="selected by a plan",
            resources=[_files, make(SELECTION, "selection", {"resources": UNKNOWN}, uses={"resources": _files})],
        ),
        Case(
            kind="companion",
            about="joined by dependency",
            resources=[
                make(FILES),
                make(
                    FILES_POLICY,
                    "policy",
                    {"fileSystemId": UNKNOWN, "backupPolicy": {"status": "ENABLED"}},
                    uses={"fileSystemId": make(FILES)},
                ),
            ],
        ),
    ],
    "final-snapshot-kept": [
        Case(kind="passes", resources=[make(INSTANCE, inputs=_kept), make(CLUSTER, "cluster", _kept)]),
        Case(
            kind="fails",
            resources=[make(CLUSTER, inputs={"skipFinalSnapshot": True, "deleteAutomatedBackups": True})],
            violated=["it:skipFinalSnapshot", "it:deleteAutomatedBackups"],
        ),
        Case(
            kind="fails",
            about="no flag",
            resources=[make(INSTANCE, inputs={**_kept, "skipFinalSnapshot": 0})],
            violated=["it:skipFinalSnapshot"],
        ),
        Case(
            kind="absent",
            about="backups go by default, a snapshot is taken",
            resources=[make(INSTANCE)],
            violated=["it:deleteAutomatedBackups"],
        ),
        Case(
            kind="unknown",
            resources=[make(INSTANCE, inputs={"skipFinalSnapshot": UNKNOWN, "deleteAutomatedBackups": True})],
            undecided=["it:skipFinalSnapshot"],
            violated=["it:deleteAutomatedBackups"],
        ),
        Case(
            kind="exempt",
            about="a replica",
            resources=[
                _kept_source,
                make(
                    INSTANCE,
                    inputs={"replicateSourceDb": UNKNOWN, "skipFinalSnapshot": True},
                    uses={"replicateSourceDb": _kept_source},
                ),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "rds-retention": {"companion": "the retention is a property of the database itself"},
    "docdb-neptune-retention": {"companion": "the retention is a property of the cluster itself"},
    "redshift-snapshots": {
        "exempt": "a cluster has no replicas",
        "companion": "the retention is a property of the cluster itself",
    },
    "elasticache-snapshots": {"companion": "the retention is a property of the cache itself"},
    "dynamodb-pitr": {
        "exempt": "every table and every replica has a recovery of its own",
        "companion": "the recovery is a property of the table and of each replica",
    },
    "final-snapshot-kept": {"companion": "both are properties of the database itself"},
}
"""By rule and kind: why there is no such case."""
