"""Cases of `policies.rules.aws_replication`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
GLOBAL = "aws:rds/globalCluster:GlobalCluster"
BUCKET = "aws:s3/bucket:Bucket"
CONFIG = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
DATASTORE = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"
TABLE = "aws:dynamodb/table:Table"
TABLE_REPLICA = "aws:dynamodb/tableReplica:TableReplica"
FILES = "aws:efs/fileSystem:FileSystem"
FILE_REPLICATION = "aws:efs/replicationConfiguration:ReplicationConfiguration"
WEST = "us-west-2"
VAULT_ARN = "arn:aws:backup:us-west-2:123456789012:backup-vault:v"

_east = make(BUCKET, "east", {"bucket": "east"}, outputs={"arn": "arn:aws:s3:::east"})
_west = make(BUCKET, "west", {"bucket": "west"}, region=WEST, outputs={"arn": "arn:aws:s3:::west"})
_near = make(BUCKET, "near", {"bucket": "near"}, outputs={"arn": "arn:aws:s3:::near"})
source = make(INSTANCE, "source")
_table = make(TABLE, "table")
files = make(FILES, "files")
_global = make(GLOBAL, "global")
_group = make(GROUP, "group")
_datastore = make(
    DATASTORE, "datastore", {"primaryReplicationGroupId": UNKNOWN}, uses={"primaryReplicationGroupId": _group}
)

TIER1: dict[str, Any] = {"objectives": {"rpo": "5m", "rto": "15m"}}
WHOLE: dict[str, Any] = {
    "status": "Enabled",
    "filter": {"prefix": ""},
    "deleteMarkerReplication": {"status": "Disabled"},
}


def rule(to: Any = "arn:aws:s3:::west", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A rule of a bucket's replication."""
    destination = {"bucket": to, **more.pop("destination", {})}
    return {**WHOLE, "destination": destination, **more}


def replication(
    source: Resource,
    rules: Any,  # noqa: ANN401 - JSON
    *to: Resource,
    name: str = "config",
    region: str = "us-east-1",
) -> Resource:
    """Replication of a bucket, the others being what its rules are made from."""
    inputs = {"bucket": UNKNOWN, "rules": rules}
    return make(CONFIG, name, inputs, region=region, uses={"bucket": source, "rules": to})


def follower(name: str, region: str, **inputs: Any) -> Resource:  # noqa: ANN401 - JSON
    return make(
        INSTANCE, name, {"replicateSourceDb": UNKNOWN, **inputs}, region=region, uses={"replicateSourceDb": source}
    )


def _member(name: str, region: str, **inputs: Any) -> Resource:  # noqa: ANN401 - JSON
    given = {"globalClusterIdentifier": UNKNOWN, **inputs}
    return make(CLUSTER, name, given, region=region, uses={"globalClusterIdentifier": _global})


_second = make(
    GROUP,
    "second",
    {"globalReplicationGroupId": UNKNOWN},
    uses={"globalReplicationGroupId": _datastore},
    region=WEST,
)
both_ways = [
    _east,
    _west,
    replication(_east, [rule()], _west, name="out"),
    replication(_west, [rule("arn:aws:s3:::east")], _east, name="back", region=WEST),
]
_controlled = {"replicationTime": {"status": "Enabled"}, "metrics": {"status": "Enabled"}}

CASES: dict[str, list[Case]] = {
    "s3-replication": [
        Case(kind="passes", about="both ways", resources=both_ways),
        Case(
            kind="passes",
            about="as older programs declare it",
            resources=[make(BUCKET, inputs={"replicationConfiguration": {"rules": [{"status": "Enabled"}]}})],
        ),
        Case(
            kind="fails",
            about="one way of two is off",
            resources=[*both_ways[:3], replication(_west, [rule(status="Disabled")], _east, name="back", region=WEST)],
            violated=["back:rules"],
        ),
        Case(
            kind="fails",
            about="off in the bucket itself",
            resources=[make(BUCKET, inputs={"replicationConfiguration": {"rules": [{"status": 7}]}})],
            violated=["it:replicationConfiguration.rules"],
        ),
        Case(
            kind="fails",
            about="an exempt bucket must receive from an enabled rule",
            resources=[_east, _west, replication(_east, [rule(status="Disabled")], _west)],
            violated=["config:rules", "west:"],
        ),
        Case(kind="absent", resources=[_east], violated=["east:"]),
        Case(kind="unknown", resources=[_east, replication(_east, UNKNOWN)], undecided=["config:rules"]),
        Case(kind="exempt", about="a destination", resources=[_east, _west, replication(_east, [rule()], _west)]),
        Case(
            kind="companion",
            about="by name",
            resources=[
                _west,
                make(BUCKET, "it", {"bucket": "x"}),
                make(CONFIG, "c", {"bucket": "x", "rules": [rule()]}),
            ],
        ),
    ],
    "s3-replication-rpo": [
        Case(
            kind="passes",
            resources=[_east, _west, replication(_east, [rule(destination=_controlled)], _west)],
            settings=TIER1,
        ),
        Case(kind="passes", about="without an RPO", resources=[_east, _west, replication(_east, [rule()], _west)]),
        Case(
            kind="fails",
            about="time control is off",
            resources=[
                _east,
                _west,
                replication(
                    _east, [rule(destination={**_controlled, "replicationTime": {"status": "Disabled"}})], _west
                ),
            ],
            settings=TIER1,
            violated=["config:rules.0.destination.replicationTime.status"],
        ),
        Case(
            kind="fails",
            about="only a part",
            resources=[_east, replication(_east, [rule(filter={"prefix": "a/"}), rule(filter={"tag": {"key": "a"}})])],
            violated=["config:rules"],
        ),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[_east, replication(_east, [rule()])],
            settings=TIER1 | {"objectives": {"rpo": "1h"}},
            parameters={"seconds": 3600},
            violated=[f"config:rules.0.destination.{part}.status" for part in ("replicationTime", "metrics")],
        ),
        Case(
            kind="absent",
            about="delete markers",
            resources=[_east, replication(_east, [rule(deleteMarkerReplication=None)])],
            violated=["config:rules.0.deleteMarkerReplication.status"],
        ),
        Case(kind="unknown", resources=[_east, replication(_east, UNKNOWN)], undecided=["config:rules"]),
        Case(
            kind="unknown",
            about="one rule does not hide another",
            resources=[_east, replication(_east, [rule(status=UNKNOWN), rule(deleteMarkerReplication=None)])],
            undecided=["config:rules.0.status"],
            violated=["config:rules.1.deleteMarkerReplication.status"],
        ),
        Case(
            kind="unknown",
            about="a part may be the whole",
            resources=[_east, replication(_east, [rule(prefix=UNKNOWN), rule(prefix="a/")])],
            undecided=["config:rules.0.prefix"],
        ),
        Case(
            kind="fails",
            about="declared in the bucket itself",
            resources=[make(BUCKET, inputs={"replicationConfiguration": {"rules": [rule(prefix="a/")]}})],
            settings=TIER1,
            violated=["it:replicationConfiguration.rules"],
        ),
        Case(
            kind="fails",
            about="of a bucket in another stack",
            resources=[make(CONFIG, "config", {"bucket": "elsewhere", "rules": [rule()]})],
            settings=TIER1,
            violated=[f"config:rules.0.destination.{part}.status" for part in ("replicationTime", "metrics")],
        ),
        Case(kind="exempt", about="a bucket without replication", resources=[_east], settings=TIER1),
        Case(
            kind="exempt",
            about="a longer RPO",
            resources=[_east, replication(_east, [rule()])],
            settings={"objectives": {"rpo": "1h"}},
        ),
        Case(
            kind="companion",
            about="a rule for a part beside one for all",
            resources=[_east, replication(_east, [rule(), rule(prefix="a/")])],
        ),
    ],
    "replica-in-other-region": [
        Case(kind="passes", about="a database", resources=[source, follower("far", WEST)]),
        Case(
            kind="passes",
            about="a global cluster",
            resources=[_global, _member("a", "us-east-1", masterUsername="u"), _member("b", WEST)],
        ),
        Case(
            kind="passes",
            about="a source elsewhere by its ARN",
            resources=[make(INSTANCE, inputs={"replicateSourceDb": "arn:aws:rds:us-west-2:1:db:x"})],
        ),
        Case(kind="passes", about="buckets", resources=both_ways),
        Case(
            kind="passes",
            about="tables, files and caches",
            resources=[
                _table,
                make(TABLE_REPLICA, inputs={"globalTableArn": UNKNOWN}, uses={"globalTableArn": _table}, region=WEST),
                files,
                make(
                    FILE_REPLICATION,
                    inputs={"sourceFileSystemId": UNKNOWN, "destination": {"availabilityZoneName": "us-west-2b"}},
                    uses={"sourceFileSystemId": files},
                ),
                _group,
                _datastore,
                make(
                    GROUP,
                    "b",
                    {"globalReplicationGroupId": UNKNOWN},
                    uses={"globalReplicationGroupId": _datastore},
                    region=WEST,
                ),
            ],
        ),
        Case(
            kind="fails",
            about="every kind at home",
            resources=[
                source,
                follower("near", "us-east-1"),
                make(INSTANCE, "named", {"replicateSourceDb": "other"}),
                _table,
                make(TABLE_REPLICA, "copy", {"globalTableArn": "arn:aws:dynamodb:us-east-1:1:table/x"}),
                make(FILE_REPLICATION, "files", {"destination": {"region": "us-east-1"}}),
                _east,
                _near,
                replication(_east, [rule("arn:aws:s3:::near")]),
                _group,
                _datastore,
            ],
            settings=TIER1,
            violated=[
                "near:replicateSourceDb",
                "named:replicateSourceDb",
                "copy:globalTableArn",
                "files:destination.region",
                "config:rules",
                "datastore:",
            ],
        ),
        Case(kind="exempt", about="to read from, not of tier 1", resources=[source, follower("near", "us-east-1")]),
        Case(
            kind="exempt",
            about="to read from, with backups elsewhere",
            resources=[
                source,
                follower("near", "us-east-1"),
                make(
                    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
                    "backups",
                    {"sourceDbInstanceArn": UNKNOWN},
                    uses={"sourceDbInstanceArn": source},
                    region=WEST,
                ),
            ],
            settings=TIER1,
        ),
        Case(
            kind="absent",
            resources=[
                _east,
                replication(_east, [{"status": "Enabled", "destination": {}}, {"status": "Enabled"}], _west),
                make(DATASTORE, "datastore"),
                make(FILE_REPLICATION, "files", {"destination": {}}),
            ],
            violated=[
                "config:rules.0.destination.bucket",
                "config:rules.1.destination.bucket",
                "datastore:primaryReplicationGroupId",
                "files:destination.region",
            ],
        ),
        Case(
            kind="unknown",
            resources=[
                make(INSTANCE, inputs={"replicateSourceDb": UNKNOWN}),
                make(TABLE_REPLICA, "copy", {"globalTableArn": UNKNOWN}),
                make(FILE_REPLICATION, "files", {"destination": {"region": UNKNOWN}}),
                _east,
                replication(_east, [rule("arn:aws:s3:::of-another-stack")]),
            ],
            settings=TIER1,
            undecided=["it:replicateSourceDb", "copy:globalTableArn", "files:destination.region", "config:rules"],
        ),
        Case(
            kind="exempt",
            about="one at home beside one elsewhere",
            resources=[source, follower("near", "us-east-1"), follower("far", WEST)],
        ),
        Case(
            kind="companion",
            about="the bucket is one of several",
            resources=[_east, _west, _near, replication(_east, [rule(UNKNOWN)], _west, _near)],
            undecided=["config:rules"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
