"""Cases of `policies.rules.aws_encryption`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
GLOBAL = "aws:rds/globalCluster:GlobalCluster"
GLOBAL_DOCDB = "aws:docdb/globalCluster:GlobalCluster"
GLOBAL_NEPTUNE = "aws:neptune/globalCluster:GlobalCluster"
TABLE = "aws:dynamodb/table:Table"
TABLE_REPLICA = "aws:dynamodb/tableReplica:TableReplica"
DOCDB = "aws:docdb/cluster:Cluster"
NEPTUNE = "aws:neptune/cluster:Cluster"
REDSHIFT = "aws:redshift/cluster:Cluster"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
GLOBAL_CACHE = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
ENCRYPTED = {"storageEncrypted": True}
SSE = {"enabled": True, "kmsKeyArn": KEY}
SOURCE_ARN = "arn:aws:rds:{}:123456789012:db:source"

_source = make(INSTANCE, "source", ENCRYPTED)
_datastore = make(GLOBAL_CACHE, "datastore")

CASES: dict[str, list[Case]] = {
    "rds-instance-encrypted": [
        Case(kind="passes", resources=[make(INSTANCE, inputs=ENCRYPTED)]),
        Case(kind="passes", about="a flag as text", resources=[make(INSTANCE, inputs={"storageEncrypted": "true"})]),
        Case(
            kind="passes",
            about="a replica in another region with a key",
            resources=[
                _source,
                make(
                    INSTANCE,
                    inputs={"replicateSourceDb": UNKNOWN, "kmsKeyId": KEY},
                    region="us-west-2",
                    uses={"replicateSourceDb": _source},
                ),
            ],
        ),
        Case(
            kind="fails",
            resources=[make(INSTANCE, inputs={"storageEncrypted": False})],
            violated=["it:storageEncrypted"],
        ),
        Case(
            kind="fails",
            about="wrong type",
            resources=[make(INSTANCE, inputs={"storageEncrypted": ["true"]})],
            violated=["it:storageEncrypted"],
        ),
        Case(
            kind="fails",
            about="a replica in another region without a key, whatever its flag",
            resources=[
                make(
                    INSTANCE,
                    inputs={"replicateSourceDb": SOURCE_ARN.format("eu-west-1"), "storageEncrypted": True},
                )
            ],
            violated=["it:kmsKeyId"],
        ),
        Case(kind="absent", resources=[make(INSTANCE)], violated=["it:storageEncrypted"]),
        Case(
            kind="unknown",
            resources=[make(INSTANCE, inputs={"storageEncrypted": UNKNOWN})],
            undecided=["it:storageEncrypted"],
        ),
        Case(
            kind="unknown",
            about="a source that nobody names",
            resources=[make(INSTANCE, inputs={"replicateSourceDb": UNKNOWN})],
            undecided=["it:replicateSourceDb"],
        ),
        Case(
            kind="unknown",
            about="an own region that nobody names",
            resources=[make(INSTANCE, inputs={"replicateSourceDb": SOURCE_ARN.format("eu-west-1")}, region="")],
            undecided=["it:region"],
        ),
        Case(
            kind="exempt",
            about="a replica in its source's region",
            resources=[make(INSTANCE, inputs={"replicateSourceDb": "source"})],
        ),
        Case(
            kind="exempt",
            about="a replica in its source's region by ARN",
            resources=[make(INSTANCE, inputs={"replicateSourceDb": SOURCE_ARN.format("us-east-1")})],
        ),
    ],
    "rds-cluster-encrypted": [
        Case(kind="passes", resources=[make(CLUSTER, inputs={**ENCRYPTED, "engineMode": UNKNOWN})]),
        Case(
            kind="fails",
            resources=[make(CLUSTER, inputs={"storageEncrypted": False, "engineMode": "provisioned"})],
            violated=["it:storageEncrypted"],
        ),
        Case(kind="absent", resources=[make(CLUSTER)], violated=["it:storageEncrypted"]),
        Case(
            kind="unknown",
            resources=[make(CLUSTER, inputs={"storageEncrypted": UNKNOWN})],
            undecided=["it:storageEncrypted"],
        ),
        Case(
            kind="unknown",
            about="an unknown mode may be one that is always encrypted",
            resources=[make(CLUSTER, inputs={"engineMode": UNKNOWN})],
            undecided=["it:engineMode"],
        ),
        Case(kind="exempt", about="serverless", resources=[make(CLUSTER, inputs={"engineMode": "serverless"})]),
    ],
    "global-cluster-encrypted": [
        Case(
            kind="passes",
            resources=[
                make(GLOBAL, inputs=ENCRYPTED),
                make(GLOBAL_DOCDB, inputs=ENCRYPTED),
                make(GLOBAL_NEPTUNE, inputs=ENCRYPTED),
            ],
        ),
        Case(
            kind="fails",
            resources=[
                make(GLOBAL, "a", {"storageEncrypted": False}),
                make(GLOBAL_DOCDB, "b", {"storageEncrypted": 1}),
                make(GLOBAL_NEPTUNE, "c", {"storageEncrypted": "no", "sourceDbClusterIdentifier": ""}),
            ],
            violated=["a:storageEncrypted", "b:storageEncrypted", "c:storageEncrypted"],
        ),
        Case(kind="absent", resources=[make(GLOBAL)], violated=["it:storageEncrypted"]),
        Case(
            kind="unknown",
            resources=[make(GLOBAL, inputs={"storageEncrypted": UNKNOWN})],
            undecided=["it:storageEncrypted"],
        ),
        Case(
            kind="exempt",
            about="made from a cluster",
            resources=[
                make(GLOBAL, inputs={"sourceDbClusterIdentifier": UNKNOWN}),
                make(GLOBAL_DOCDB, inputs={"sourceDbClusterIdentifier": "arn:aws:rds:us-east-1:1:cluster:a"}),
            ],
        ),
    ],
    "dynamodb-cmk": [
        Case(
            kind="passes",
            resources=[
                make(TABLE, inputs={"serverSideEncryption": SSE, "replicas": [{"kmsKeyArn": KEY}]}),
                make(TABLE_REPLICA, inputs={"kmsKeyArn": KEY}),
            ],
        ),
        Case(
            kind="fails",
            about="the table has a key and its replicas have none",
            resources=[
                make(TABLE, inputs={"serverSideEncryption": SSE, "replicas": [{"kmsKeyArn": KEY}, {}, "odd"]}),
                make(TABLE_REPLICA, "replica", {"kmsKeyArn": "arn:aws:kms:us-east-1:1:alias/aws/dynamodb"}),
            ],
            violated=["it:replicas.1.kmsKeyArn", "it:replicas.2.kmsKeyArn", "replica:kmsKeyArn"],
        ),
        Case(
            kind="fails",
            about="AWS's key",
            resources=[make(TABLE, inputs={"serverSideEncryption": {"enabled": True}})],
            violated=["it:serverSideEncryption.kmsKeyArn"],
        ),
        Case(
            kind="fails",
            about="off, although there is a key",
            resources=[make(TABLE, inputs={"serverSideEncryption": {**SSE, "enabled": False}})],
            violated=["it:serverSideEncryption.enabled"],
        ),
        Case(kind="absent", resources=[make(TABLE)], violated=["it:serverSideEncryption.enabled"]),
        Case(
            kind="unknown",
            about="nothing else is hidden",
            resources=[
                make(
                    TABLE,
                    inputs={"serverSideEncryption": {**SSE, "kmsKeyArn": UNKNOWN}, "replicas": [UNKNOWN, {}]},
                )
            ],
            undecided=["it:replicas.0.kmsKeyArn", "it:serverSideEncryption.kmsKeyArn"],
            violated=["it:replicas.1.kmsKeyArn"],
        ),
        Case(
            kind="exempt",
            about="a witness",
            resources=[
                make(
                    TABLE,
                    inputs={
                        "serverSideEncryption": SSE,
                        "replicas": [{"kmsKeyArn": KEY}],
                        "globalTableWitness": {"regionName": "us-east-2"},
                    },
                )
            ],
        ),
        Case(
            kind="companion",
            about="a replica in a separate resource",
            resources=[
                make(TABLE, "table", {"serverSideEncryption": SSE}),
                make(TABLE_REPLICA, inputs={"globalTableArn": UNKNOWN}),
            ],
            violated=["it:kmsKeyArn"],
        ),
    ],
    "docdb-neptune-encrypted": [
        Case(kind="passes", resources=[make(DOCDB, inputs=ENCRYPTED), make(NEPTUNE, inputs=ENCRYPTED)]),
        Case(
            kind="fails",
            resources=[make(DOCDB, "a", {"storageEncrypted": False}), make(NEPTUNE, "b", {"storageEncrypted": {}})],
            violated=["a:storageEncrypted", "b:storageEncrypted"],
        ),
        Case(
            kind="absent",
            resources=[make(DOCDB, "a"), make(NEPTUNE, "b")],
            violated=["a:storageEncrypted", "b:storageEncrypted"],
        ),
        Case(
            kind="unknown",
            resources=[make(DOCDB, inputs={"storageEncrypted": UNKNOWN})],
            undecided=["it:storageEncrypted"],
        ),
    ],
    "redshift-encrypted": [
        Case(
            kind="passes",
            resources=[make(REDSHIFT, "a", {"encrypted": "true"}), make(REDSHIFT, "b", {"encrypted": True})],
        ),
        Case(
            kind="fails",
            about="text or flag",
            resources=[
                make(REDSHIFT, "a", {"encrypted": "false"}),
                make(REDSHIFT, "b", {"encrypted": False}),
                make(REDSHIFT, "c", {"encrypted": ""}),
            ],
            violated=["a:encrypted", "b:encrypted", "c:encrypted"],
        ),
        Case(kind="absent", about="the default is on", resources=[make(REDSHIFT)]),
        Case(kind="unknown", resources=[make(REDSHIFT, inputs={"encrypted": UNKNOWN})], undecided=["it:encrypted"]),
    ],
    "elasticache-at-rest": [
        Case(kind="passes", resources=[make(CACHE, inputs={"atRestEncryptionEnabled": True})]),
        Case(kind="passes", about="valkey's default", resources=[make(CACHE, inputs={"engine": "valkey"})]),
        Case(
            kind="fails",
            about="valkey too",
            resources=[
                make(CACHE, "a", {"atRestEncryptionEnabled": False}),
                make(CACHE, "b", {"atRestEncryptionEnabled": "false", "engine": "valkey"}),
            ],
            violated=["a:atRestEncryptionEnabled", "b:atRestEncryptionEnabled"],
        ),
        Case(
            kind="absent",
            resources=[make(CACHE, inputs={"engine": "redis"}), make(CACHE, "no-engine")],
            violated=["it:atRestEncryptionEnabled", "no-engine:atRestEncryptionEnabled"],
        ),
        Case(
            kind="unknown",
            resources=[make(CACHE, "a", {"atRestEncryptionEnabled": UNKNOWN}), make(CACHE, "b", {"engine": UNKNOWN})],
            undecided=["a:atRestEncryptionEnabled", "b:engine"],
        ),
        Case(
            kind="exempt",
            about="a secondary",
            resources=[
                _datastore,
                make(
                    CACHE, inputs={"globalReplicationGroupId": UNKNOWN}, uses={"globalReplicationGroupId": _datastore}
                ),
            ],
        ),
    ],
}

_OWN = "the encryption is a property of the resource itself"
_ALL = "no role of it goes without encryption"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "rds-instance-encrypted": {"companion": _OWN},
    "rds-cluster-encrypted": {"companion": _OWN},
    "global-cluster-encrypted": {"companion": _OWN},
    "docdb-neptune-encrypted": {"companion": _OWN, "exempt": "every member of a global cluster declares its own"},
    "redshift-encrypted": {"companion": _OWN, "exempt": _ALL},
    "elasticache-at-rest": {"companion": _OWN},
}
"""By rule and kind: why there is no such case."""
