"""Cases of `policies.rules.aws_protection`."""

from __future__ import annotations

from typing import Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
GLOBAL_CLUSTER = "aws:rds/globalCluster:GlobalCluster"
NEPTUNE = "aws:neptune/cluster:Cluster"
DOCDB_GLOBAL = "aws:docdb/globalCluster:GlobalCluster"
TABLE = "aws:dynamodb/table:Table"
REPLICA = "aws:dynamodb/tableReplica:TableReplica"
BALANCER = "aws:alb/loadBalancer:LoadBalancer"
EKS = "aws:eks/cluster:Cluster"
CACHE = "aws:elasticache/cluster:Cluster"
BUCKET = "aws:s3/bucketV2:BucketV2"
VERSIONING = "aws:s3/bucketVersioningV2:BucketVersioningV2"
CLOUD_SQL = "gcp:sql/databaseInstance:DatabaseInstance"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
LISTENER = "aws:lb/listener:Listener"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"

_STANDS_ALONE = "the switch is a property of the resource itself"


def _flag(property_: str, *types: str) -> list[Case]:
    """What is common to every rule over one switch that is off by default."""
    return [
        case
        for type_ in types
        for case in (
            Case(kind="passes", about=type_, resources=[make(type_, inputs={property_: True})]),
            Case(kind="passes", about=f"{type_} as text", resources=[make(type_, inputs={property_: "true"})]),
            Case(
                kind="fails",
                about=type_,
                resources=[make(type_, inputs={property_: False})],
                violated=[f"it:{property_}"],
            ),
            Case(
                kind="fails",
                about=f"{type_} of a wrong type",
                resources=[make(type_, inputs={property_: [True]})],
                violated=[f"it:{property_}"],
            ),
            Case(kind="absent", about=type_, resources=[make(type_)], violated=[f"it:{property_}"]),
            Case(
                kind="unknown",
                about=type_,
                resources=[make(type_, inputs={property_: UNKNOWN})],
                undecided=[f"it:{property_}"],
            ),
        )
    ]


_bucket = make(BUCKET, "data", {"bucket": "data"})
_locked = make(BUCKET, "data", {"objectLockEnabled": True})
_backups = make(BUCKET, "backups-eu", {"bucket": "acme"})


def _versioning(inputs: dict[str, Any]) -> list[Any]:
    return [_bucket, make(VERSIONING, "versioning", {"bucket": UNKNOWN, **inputs}, uses={"bucket": _bucket})]


def _lock(retention: Any) -> list[Any]:  # noqa: ANN401 - JSON
    inputs = {"bucket": UNKNOWN, "rule": {"defaultRetention": retention}}
    return [_backups, make(LOCK, "lock", inputs, uses={"bucket": _backups})]


def _ignores(type_: str, *paths: str, expected: int = 0) -> dict[str, Any]:
    return {
        "resources": [make(type_, ignore_changes=paths)],
        "violated": ["it:opts.ignoreChanges"] * expected,
    }


CASES: dict[str, list[Case]] = {
    "rds-deletion-protection": _flag("deletionProtection", INSTANCE, CLUSTER, GLOBAL_CLUSTER),
    "neptune-docdb-deletion-protection": _flag("deletionProtection", NEPTUNE, DOCDB_GLOBAL),
    "lb-deletion-protection": _flag("enableDeletionProtection", BALANCER),
    "eks-deletion-protection": _flag("deletionProtection", EKS),
    "dynamodb-deletion-protection": [
        *_flag("deletionProtectionEnabled", TABLE, REPLICA),
        Case(
            kind="passes",
            about="with replicas",
            resources=[
                make(
                    TABLE,
                    inputs={"deletionProtectionEnabled": True, "replicas": [{"deletionProtectionEnabled": True}]},
                )
            ],
        ),
        Case(
            kind="fails",
            about="a replica is told by itself",
            resources=[
                make(
                    TABLE,
                    inputs={
                        "deletionProtectionEnabled": True,
                        "replicas": [{"deletionProtectionEnabled": True}, {"regionName": "eu-west-1"}],
                    },
                )
            ],
            violated=["it:replicas.1.deletionProtectionEnabled"],
        ),
        Case(
            kind="unknown",
            about="replicas do not hide the table",
            resources=[make(TABLE, inputs={"replicas": UNKNOWN})],
            violated=["it:deletionProtectionEnabled"],
            undecided=["it:replicas"],
        ),
    ],
    "stateful-protected": [
        Case(kind="passes", resources=[make(INSTANCE, protect=True)]),
        Case(kind="fails", resources=[make(INSTANCE)], violated=["it:opts.protect"]),
        Case(
            kind="fails",
            about="of another cloud",
            resources=[make("gcp:storage/bucket:Bucket")],
            violated=["it:opts.protect"],
        ),
        Case(
            kind="fails",
            about="its own switch",
            resources=[make(TABLE, inputs={"deletionProtectionEnabled": True})],
            violated=["it:opts.protect"],
        ),
        Case(kind="absent", about="an engine", resources=[make(CACHE)], violated=["it:opts.protect"]),
        Case(kind="unknown", resources=[make(CACHE, inputs={"engine": UNKNOWN})], undecided=["it:engine"]),
        Case(kind="exempt", about="memcached", resources=[make(CACHE, inputs={"engine": "memcached"})]),
        Case(kind="exempt", about="a key whose rule is another", resources=[make("gcp:kms/cryptoKey:CryptoKey")]),
    ],
    "ignore-changes-not-masking": [
        Case(kind="passes", **_ignores(INSTANCE)),
        Case(kind="passes", about="nothing guards it", **_ignores(INSTANCE, "description", "")),
        Case(kind="fails", **_ignores(INSTANCE, "description", "deletionProtection", expected=1)),
        Case(kind="fails", about="as Python writes it", **_ignores(INSTANCE, "deletion_protection", expected=1)),
        Case(kind="fails", about="each", **_ignores(INSTANCE, "multiAz", "deletionProtection", expected=2)),
        Case(kind="fails", about="everything", **_ignores("aws:ec2/vpc:Vpc", "*", expected=1)),
        Case(kind="fails", about="everything in brackets", **_ignores(INSTANCE, '["*"]', expected=1)),
        Case(kind="fails", about="a part", **_ignores(VERSIONING, "versioningConfiguration.status", expected=1)),
        Case(
            kind="fails",
            about="a quoted part",
            **_ignores(VERSIONING, '["versioningConfiguration"]["status"]', expected=1),
        ),
        Case(kind="fails", about="what holds it", **_ignores(VERSIONING, "versioning_configuration", expected=1)),
        Case(kind="passes", about="what is beside it", **_ignores(VERSIONING, "versioningConfiguration.mfaDelete")),
        Case(kind="passes", about="the size of a disk", **_ignores(CLOUD_SQL, "settings.diskSize")),
        Case(kind="fails", about="all settings", **_ignores(CLOUD_SQL, "settings", expected=1)),
        Case(kind="passes", about="what controllers add", **_ignores(EKS, "vpcConfig.securityGroupIds")),
        Case(kind="passes", about="a tag that no rule reads", **_ignores(INSTANCE, "tags.patched", 'tags["a.b"]')),
        Case(kind="fails", about="a tag that rules read", **_ignores(INSTANCE, 'tags["Tier"]', "tags", expected=1)),
        Case(
            kind="fails",
            about="in some item or in any",
            **_ignores(TABLE, "replicas[1].deletionProtectionEnabled", "replicas[*].pointInTimeRecovery", expected=2),
        ),
        Case(kind="fails", about="replicas of the table itself", **_ignores(TABLE, "replicas", expected=1)),
        Case(kind="fails", about="pods that nothing scales", **_ignores(DEPLOYMENT, "spec.replicas", expected=1)),
        Case(
            kind="exempt",
            about="pods that an autoscaler counts",
            resources=[
                make(DEPLOYMENT, inputs={"metadata": {"name": "web"}}, ignore_changes=["spec.replicas"]),
                make(
                    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
                    "scaler",
                    {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}},
                ),
            ],
        ),
        Case(
            kind="unknown",
            about="what an autoscaler scales",
            resources=[
                make(DEPLOYMENT, inputs={"metadata": {"name": "web"}}, ignore_changes=["spec.replicas"]),
                make("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "scaler", {"spec": UNKNOWN}),
            ],
            undecided=["it:opts.ignoreChanges"],
        ),
        Case(
            kind="exempt",
            about="replicas that are resources of their own",
            resources=[
                _table := make(TABLE, "table", ignore_changes=["replicas"]),
                make(REPLICA, inputs={"globalTableArn": UNKNOWN}, uses={"globalTableArn": _table}),
            ],
        ),
        Case(
            kind="exempt",
            about="the target group behind TLS",
            resources=[make(LISTENER, inputs={"protocol": "HTTPS"}, ignore_changes=["defaultActions"])],
        ),
        Case(
            kind="fails",
            about="where a listener without TLS sends to",
            resources=[make(LISTENER, inputs={"protocol": "HTTP"}, ignore_changes=["defaultActions"])],
            violated=["it:opts.ignoreChanges"],
        ),
        Case(kind="fails", about="an item", **_ignores(TABLE, "deletionProtectionEnabled[0]", expected=1)),
        Case(kind="exempt", about="a promotion clears it", **_ignores(INSTANCE, "replicateSourceDb")),
        Case(kind="exempt", about="AWS adds them", **_ignores(TABLE, "replicas[0].arn")),
        Case(
            kind="exempt",
            about="what is only read",
            resources=[make(INSTANCE, ignore_changes=["*"], read_only=True)],
        ),
    ],
    "s3-no-force-destroy": [
        Case(kind="passes", resources=[make(BUCKET, inputs={"forceDestroy": False})]),
        Case(kind="fails", resources=[make(BUCKET, inputs={"forceDestroy": True})], violated=["it:forceDestroy"]),
        Case(
            kind="fails",
            about="as text",
            resources=[make(BUCKET, inputs={"forceDestroy": "true"})],
            violated=["it:forceDestroy"],
        ),
        Case(kind="absent", resources=[make(BUCKET)]),
        Case(kind="unknown", resources=[make(BUCKET, inputs={"forceDestroy": UNKNOWN})], undecided=["it:forceDestroy"]),
    ],
    "s3-versioning": [
        Case(kind="passes", resources=[make(BUCKET, inputs={"versioning": {"enabled": True}})]),
        Case(
            kind="fails",
            resources=[make(BUCKET, inputs={"versioning": {"enabled": False}})],
            violated=["it:versioning.enabled"],
        ),
        Case(kind="absent", resources=[make(BUCKET)], violated=["it:versioning.enabled"]),
        Case(
            kind="unknown",
            resources=_versioning({"versioningConfiguration": {"status": UNKNOWN}}),
            undecided=["versioning:versioningConfiguration.status"],
        ),
        Case(
            kind="unknown",
            about="lock",
            resources=[make(BUCKET, inputs={"objectLockEnabled": UNKNOWN})],
            undecided=["it:objectLockEnabled"],
        ),
        Case(kind="companion", resources=_versioning({"versioningConfiguration": {"status": "Enabled"}})),
        Case(
            kind="companion",
            about="by name",
            resources=[
                _bucket,
                make(VERSIONING, inputs={"bucket": "data", "versioningConfiguration": {"status": "Enabled"}}),
            ],
        ),
        Case(
            kind="companion",
            about="suspended",
            resources=_versioning({"versioningConfiguration": {"status": "Suspended"}}),
            violated=["versioning:versioningConfiguration.status"],
        ),
        Case(
            kind="companion",
            about="of another bucket",
            resources=[*_versioning({"versioningConfiguration": {"status": "Enabled"}}), make(BUCKET, "other")],
            violated=["other:versioning.enabled"],
        ),
        Case(kind="exempt", about="object lock", resources=[_locked]),
    ],
    "s3-object-lock": [
        Case(
            kind="passes",
            about="inline",
            resources=[
                make(
                    BUCKET,
                    "backups",
                    {"objectLockConfiguration": {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "years": 1}}}},
                )
            ],
        ),
        Case(kind="fails", resources=[_backups], violated=["backups-eu:objectLockConfiguration"]),
        Case(
            kind="fails",
            about="its tag says so",
            resources=[make(BUCKET, inputs={"tags": {"Purpose": "Nightly backups"}})],
            violated=["it:objectLockConfiguration"],
        ),
        Case(
            kind="fails",
            about="the words are the team's",
            resources=[make(BUCKET, inputs={"bucket": "acme-vault"})],
            parameters={"words": ["Vault"]},
            violated=["it:objectLockConfiguration"],
        ),
        Case(
            kind="absent",
            about="no retention",
            resources=_lock(None),
            violated=["lock:rule.defaultRetention.days", "lock:rule.defaultRetention.mode"],
        ),
        Case(
            kind="unknown",
            resources=_lock({"mode": "GOVERNANCE", "days": UNKNOWN}),
            undecided=["lock:rule.defaultRetention.days"],
        ),
        Case(
            kind="unknown",
            about="years do not hide the mode",
            resources=_lock({"mode": "NONE", "years": UNKNOWN}),
            violated=["lock:rule.defaultRetention.mode"],
            undecided=["lock:rule.defaultRetention.years"],
        ),
        Case(kind="companion", resources=_lock({"mode": "GOVERNANCE", "days": 35})),
        Case(
            kind="companion",
            about="no day",
            resources=_lock({"mode": "GOVERNANCE", "days": 0}),
            violated=["lock:rule.defaultRetention.days"],
        ),
        Case(
            kind="companion",
            about="no year",
            resources=_lock({"mode": "GOVERNANCE", "years": "none"}),
            violated=["lock:rule.defaultRetention.years"],
        ),
        Case(kind="exempt", about="no backups", resources=[make(BUCKET, "backupless", {"bucket": UNKNOWN})]),
    ],
}

_NO_ROLE = "a copy is the original after a promotion, and is lost as easily"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "rds-deletion-protection": {"companion": _STANDS_ALONE, "exempt": _NO_ROLE},
    "neptune-docdb-deletion-protection": {"companion": _STANDS_ALONE, "exempt": _NO_ROLE},
    "dynamodb-deletion-protection": {"companion": _STANDS_ALONE, "exempt": _NO_ROLE},
    "lb-deletion-protection": {"companion": _STANDS_ALONE, "exempt": "classic load balancers are another type"},
    "eks-deletion-protection": {"companion": _STANDS_ALONE, "exempt": "no role makes a cluster expendable"},
    "stateful-protected": {"companion": "the option is the resource's own"},
    "ignore-changes-not-masking": {
        "absent": "a resource that ignores nothing passes",
        "companion": "the option is the resource's own",
    },
    "s3-no-force-destroy": {"companion": _STANDS_ALONE, "exempt": "every bucket may hold what someone needs"},
}
"""By rule and kind: why there is no such case."""
