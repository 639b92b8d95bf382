"""Cases of `policies.rules.aws_keys`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

KEY = "aws:kms/key:Key"
REPLICA_KEY = "aws:kms/replicaKey:ReplicaKey"
CLUSTER = "aws:rds/cluster:Cluster"
BUCKET = "aws:s3/bucket:Bucket"
CONFIG = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
SECRET = "aws:secretsmanager/secret:Secret"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
WEST = "us-west-2"
EAST_ARN = "arn:aws:kms:us-east-1:123456789012:key/1"
WEST_ARN = "arn:aws:kms:us-west-2:123456789012:key/2"
MULTI_ARN = "arn:aws:kms:us-east-1:123456789012:key/mrk-1"
REPLICA_PATH = "rules.0.destination.encryptionConfiguration.replicaKmsKeyId"

_east = make(KEY, "east", outputs={"arn": EAST_ARN})
_west = make(KEY, "west", region=WEST, outputs={"arn": WEST_ARN})
_multi = make(KEY, "multi", {"multiRegion": True})
_replica = make(REPLICA_KEY, "replica", {"primaryKeyArn": UNKNOWN}, uses={"primaryKeyArn": _multi}, region=WEST)
_bucket = make(BUCKET, "bucket", {"bucket": "bucket"}, region=WEST)
_secret = make(SECRET, "secret")


def _rule(key: object) -> dict[str, object]:
    destination = {"bucket": "bucket", "encryptionConfiguration": {"replicaKmsKeyId": key}}
    return {"rules": [{"status": "Enabled", "destination": destination}]}


CASES: dict[str, list[Case]] = {
    "kms-key-in-replica-region": [
        Case(
            kind="companion",
            about="the bare ID of a multi-Region key, which has a replica there",
            resources=[
                make("aws:kms/key:Key", "primary", {"multiRegion": True}, outputs={"keyId": "mrk-1"}),
                make("aws:kms/replicaKey:ReplicaKey", "replica", region="us-west-2", outputs={"keyId": "mrk-1"}),
                make("aws:rds/instance:Instance", inputs={"kmsKeyId": "mrk-1"}, region="us-west-2"),
            ],
        ),
        Case(
            kind="passes",
            resources=[_west, make(CLUSTER, inputs={"kmsKeyId": UNKNOWN}, uses={"kmsKeyId": _west}, region=WEST)],
        ),
        Case(
            kind="passes",
            about="names and bare IDs",
            resources=[make(CLUSTER, inputs={"kmsKeyId": "alias/mine", "masterUserSecretKmsKeyId": "1234-5678"})],
        ),
        Case(
            kind="passes",
            about="a copy of a secret",
            resources=[
                make(SECRET, inputs={"kmsKeyId": EAST_ARN, "replicas": [{"region": WEST, "kmsKeyId": WEST_ARN}]})
            ],
        ),
        Case(
            kind="passes",
            about="the key of a replica's bucket",
            resources=[_west, _bucket, make(CONFIG, inputs=_rule(UNKNOWN), uses={"rules": (_bucket, _west)})],
        ),
        Case(
            kind="fails",
            about="by ARN, alias's ARN and dependency",
            resources=[
                _east,
                make(
                    CLUSTER,
                    inputs={"kmsKeyId": EAST_ARN, "performanceInsightsKmsKeyId": "arn:aws:kms:us-east-1:1:alias/a"},
                    region=WEST,
                ),
                make(CLUSTER, "joined", {"kmsKeyId": UNKNOWN}, uses={"kmsKeyId": _east}, region=WEST),
                make(SECRET, "secret", {"replicas": [{"region": WEST, "kmsKeyId": EAST_ARN}]}),
                _bucket,
                make(CONFIG, "config", _rule(EAST_ARN), uses={"rules": (_bucket,)}),
            ],
            violated=[
                "it:kmsKeyId",
                "it:performanceInsightsKmsKeyId",
                "joined:kmsKeyId",
                "secret:replicas.0.kmsKeyId",
                f"config:{REPLICA_PATH}",
            ],
        ),
        Case(
            kind="fails",
            about="multi-Region keys without a replica, or for S3",
            resources=[
                make(CLUSTER, inputs={"kmsKeyId": MULTI_ARN}, region=WEST),
                _multi,
                _replica,
                make(
                    ENCRYPTION,
                    "objects",
                    {"rules": [{"applyServerSideEncryptionByDefault": {"kmsMasterKeyId": UNKNOWN}}]},
                    uses={"rules": _multi},
                    region=WEST,
                ),
            ],
            violated=["it:kmsKeyId", "objects:rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId"],
        ),
        Case(
            kind="unknown",
            resources=[
                make(CLUSTER, inputs={"kmsKeyId": UNKNOWN}),
                _east,
                _west,
                make(
                    SECRET,
                    "several",
                    {"replicas": [{"region": WEST, "kmsKeyId": UNKNOWN}]},
                    uses={"replicas": (_east, _west)},
                ),
                make(SECRET, "anywhere", {"replicas": [{"region": UNKNOWN, "kmsKeyId": EAST_ARN}]}),
                make(CONFIG, "config", _rule(EAST_ARN)),
            ],
            undecided=[
                "it:kmsKeyId",
                "several:replicas.0.kmsKeyId",
                "anywhere:replicas.0.kmsKeyId",
                f"config:{REPLICA_PATH}",
            ],
        ),
        Case(
            kind="exempt",
            about="a trail, whose key is where its bucket is",
            resources=[make("aws:cloudtrail/trail:Trail", inputs={"kmsKeyId": EAST_ARN}, region=WEST)],
        ),
        Case(
            kind="companion",
            about="a multi-Region key with a replica key there",
            resources=[
                _multi,
                _replica,
                make(CLUSTER, inputs={"kmsKeyId": UNKNOWN}, uses={"kmsKeyId": _multi}, region=WEST),
                make(CLUSTER, "literal", {"kmsKeyId": MULTI_ARN}, region=WEST),
                make(REPLICA_KEY, "other", {"primaryKeyArn": MULTI_ARN}, region=WEST),
            ],
        ),
    ],
    "kms-rotation": [
        Case(kind="passes", resources=[make(KEY, inputs={"enableKeyRotation": True})]),
        Case(
            kind="fails",
            resources=[make(KEY, inputs={"enableKeyRotation": False, "keyUsage": "ENCRYPT_DECRYPT"})],
            violated=["it:enableKeyRotation"],
        ),
        Case(kind="absent", resources=[make(KEY)], violated=["it:enableKeyRotation"]),
        Case(
            kind="unknown",
            resources=[make(KEY, inputs={"enableKeyRotation": UNKNOWN}), make(KEY, "b", {"keyUsage": UNKNOWN})],
            undecided=["it:enableKeyRotation", "b:keyUsage"],
        ),
        Case(
            kind="exempt",
            about="what KMS cannot rotate",
            resources=[
                make(KEY, "signs", {"keyUsage": "SIGN_VERIFY"}),
                make(KEY, "asymmetric", {"customerMasterKeySpec": "RSA_4096"}),
                make(KEY, "outside", {"customKeyStoreId": "cks-1"}),
            ],
        ),
    ],
    "kms-deletion-window": [
        Case(kind="passes", resources=[make(KEY, inputs={"deletionWindowInDays": 30})]),
        Case(
            kind="fails",
            resources=[
                make(KEY, inputs={"deletionWindowInDays": 29}),
                make(REPLICA_KEY, "b", {"deletionWindowInDays": "7"}),
            ],
            violated=["it:deletionWindowInDays", "b:deletionWindowInDays"],
        ),
        Case(
            kind="fails",
            about="a wrong type",
            resources=[make(KEY, inputs={"deletionWindowInDays": []})],
            violated=["it:deletionWindowInDays"],
        ),
        Case(kind="absent", about="the default is the longest", resources=[make(KEY)]),
        Case(
            kind="unknown",
            resources=[make(KEY, inputs={"deletionWindowInDays": UNKNOWN})],
            undecided=["it:deletionWindowInDays"],
        ),
    ],
    "secret-rotation": [
        Case(
            kind="passes",
            resources=[
                _secret,
                make(
                    ROTATION,
                    inputs={"secretId": UNKNOWN, "rotationRules": {"automaticallyAfterDays": 30}},
                    uses={"secretId": _secret},
                ),
            ],
        ),
        Case(
            kind="passes",
            about="by schedule",
            resources=[make(ROTATION, inputs={"rotationRules": {"scheduleExpression": "rate(30 days)"}})],
        ),
        Case(
            kind="fails",
            resources=[
                make(ROTATION, inputs={"rotationRules": {"automaticallyAfterDays": 91}}),
                make(ROTATION, "cron", {"rotationRules": {"scheduleExpression": "rate(100 days)"}}),
                make(ROTATION, "none", {"rotationRules": {"scheduleExpression": "soon"}}),
                make(ROTATION, "off", {"rotationEnabled": False, "rotationRules": {"automaticallyAfterDays": 1}}),
            ],
            violated=[
                "it:rotationRules.automaticallyAfterDays",
                "cron:rotationRules.scheduleExpression",
                "none:rotationRules.scheduleExpression",
                "off:rotationEnabled",
            ],
        ),
        Case(
            kind="absent",
            resources=[_secret, make(ROTATION)],
            violated=["secret:", "it:rotationRules.automaticallyAfterDays"],
        ),
        Case(
            kind="unknown",
            resources=[make(ROTATION, inputs={"rotationRules": UNKNOWN})],
            undecided=["it:rotationRules.scheduleExpression"],
        ),
        Case(
            kind="companion",
            about="by name",
            resources=[
                make(SECRET, inputs={"name": "token"}),
                make(ROTATION, "r", {"secretId": "token", "rotationRules": {"automaticallyAfterDays": 90}}),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "kms-key-in-replica-region": {"absent": "without a key there is AWS's own, which is in every region"},
    "kms-rotation": {"companion": "rotation is a property of the key itself"},
    "kms-deletion-window": {
        "companion": "the window is a property of the key itself",
        "exempt": "what any key encrypted is lost with it, backups included",
    },
    "secret-rotation": {"exempt": "a secret of any kind can leak"},
}
"""By rule and kind: why there is no such case."""
