"""Cases of `policies.rules.aws_encryption_services`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

FILES = "aws:efs/fileSystem:FileSystem"
VAULT = "aws:backup/vault:Vault"
EKS = "aws:eks/cluster:Cluster"
SEARCH = "aws:opensearch/domain:Domain"
STREAM = "aws:kinesis/stream:Stream"
QUEUE = "aws:sqs/queue:Queue"
TOPIC = "aws:sns/topic:Topic"
KAFKA = "aws:msk/cluster:Cluster"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


CASES: dict[str, list[Case]] = {
    "efs-encrypted": [
        Case(kind="passes", resources=[make(FILES, inputs={"encrypted": True})]),
        Case(kind="fails", resources=[make(FILES, inputs={"encrypted": False})], violated=["it:encrypted"]),
        Case(kind="absent", resources=[make(FILES)], violated=["it:encrypted"]),
        Case(kind="unknown", resources=[make(FILES, inputs={"encrypted": UNKNOWN})], undecided=["it:encrypted"]),
    ],
    "backup-vault-cmk": [
        Case(kind="passes", resources=[make(VAULT, inputs={"kmsKeyArn": KEY})]),
        Case(
            kind="fails",
            about="AWS's key, no key, no text",
            resources=[
                make(VAULT, "a", {"kmsKeyArn": "arn:aws:kms:us-east-1:1:alias/aws/backup"}),
                make(VAULT, "b", {"kmsKeyArn": ""}),
                make(VAULT, "c", {"kmsKeyArn": {"arn": KEY}}),
            ],
            violated=["a:kmsKeyArn", "b:kmsKeyArn", "c:kmsKeyArn"],
        ),
        Case(kind="absent", resources=[make(VAULT)], violated=["it:kmsKeyArn"]),
        Case(kind="unknown", resources=[make(VAULT, inputs={"kmsKeyArn": UNKNOWN})], undecided=["it:kmsKeyArn"]),
    ],
    "eks-secrets-kms": [
        Case(
            kind="passes",
            resources=[
                make(EKS, inputs={"encryptionConfig": {"resources": [UNKNOWN, "secrets"], "provider": {"keyArn": KEY}}})
            ],
        ),
        Case(
            kind="fails",
            about="other resources, or no key",
            resources=[
                make(EKS, "a", {"encryptionConfig": {"resources": ["other"], "provider": {"keyArn": KEY}}}),
                make(EKS, "b", {"encryptionConfig": {"resources": ["secrets"], "provider": {}}}),
                make(EKS, "c", {"encryptionConfig": "secrets"}),
            ],
            violated=[
                "a:encryptionConfig.resources",
                "b:encryptionConfig.provider.keyArn",
                "c:encryptionConfig.resources",
            ],
        ),
        Case(kind="absent", resources=[make(EKS)], violated=["it:encryptionConfig.resources"]),
        Case(
            kind="unknown",
            resources=[
                make(EKS, "a", {"encryptionConfig": UNKNOWN}),
                make(EKS, "b", {"encryptionConfig": {"resources": [UNKNOWN]}}),
                make(EKS, "c", {"encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": UNKNOWN}}}),
            ],
            undecided=[
                "a:encryptionConfig.resources",
                "b:encryptionConfig.resources",
                "c:encryptionConfig.provider.keyArn",
            ],
        ),
    ],
    "opensearch-encrypted": [
        Case(kind="passes", resources=[make(SEARCH, inputs={"encryptAtRest": {"enabled": True}})]),
        Case(
            kind="fails",
            resources=[make(SEARCH, inputs={"encryptAtRest": {"enabled": False, "kmsKeyId": KEY}})],
            violated=["it:encryptAtRest.enabled"],
        ),
        Case(kind="absent", resources=[make(SEARCH)], violated=["it:encryptAtRest.enabled"]),
        Case(
            kind="unknown",
            resources=[make(SEARCH, inputs={"encryptAtRest": {"enabled": UNKNOWN}})],
            undecided=["it:encryptAtRest.enabled"],
        ),
    ],
    "stream-queue-encrypted": [
        *(
            Case(
                kind="companion",
                about=f"a key of this stack whose ARN is not known yet: {type_.rpartition(':')[2]}",
                resources=[
                    make("aws:kms/key:Key", "key"),
                    make(
                        type_,
                        inputs={"kmsMasterKeyId": UNKNOWN},
                        uses={"kmsMasterKeyId": make("aws:kms/key:Key", "key")},
                    ),
                ],
            )
            for type_ in ("aws:sns/topic:Topic", "aws:sqs/queue:Queue")
        ),
        Case(
            kind="passes",
            about="AWS's keys in KMS are keys in KMS",
            resources=[
                make(STREAM, inputs={"encryptionType": "KMS", "kmsKeyId": "alias/aws/kinesis"}),
                make(QUEUE, inputs={"kmsMasterKeyId": "alias/aws/sqs"}),
                make(TOPIC, inputs={"kmsMasterKeyId": KEY}),
            ],
        ),
        Case(
            kind="passes",
            about="a queue with a key of SQS where that is accepted",
            resources=[make(QUEUE), make(QUEUE, "declared", {"sqsManagedSseEnabled": True})],
            parameters={"sqs_managed_keys": True},
        ),
        Case(
            kind="fails",
            resources=[
                make(STREAM, "stream", {"encryptionType": "NONE", "kmsKeyId": KEY}),
                make(QUEUE, "queue", {"sqsManagedSseEnabled": True}),
                make(TOPIC, "topic", {"kmsMasterKeyId": ""}),
            ],
            violated=["stream:encryptionType", "queue:kmsMasterKeyId", "topic:kmsMasterKeyId"],
        ),
        Case(
            kind="fails",
            about="a queue with no key at all, not even of SQS",
            resources=[
                make(QUEUE, inputs={"sqsManagedSseEnabled": False}),
                make(QUEUE, "keyed", {"sqsManagedSseEnabled": UNKNOWN, "kmsMasterKeyId": KEY}),
            ],
            parameters={"sqs_managed_keys": True},
            violated=["it:kmsMasterKeyId"],
        ),
        Case(
            kind="fails",
            about="customer-managed keys are demanded",
            resources=[
                make(STREAM, "stream", {"encryptionType": "KMS", "kmsKeyId": "alias/aws/kinesis"}),
                make(QUEUE, "queue", {"kmsMasterKeyId": "alias/aws/sqs"}),
                make(TOPIC, "topic", {"kmsMasterKeyId": "alias/aws/sns"}),
                make(KAFKA, "kafka"),
                make(KAFKA, "keyed", {"encryptionInfo": {"encryptionAtRestKmsKeyArn": KEY}}),
            ],
            parameters={"customer_keys": True, "sqs_managed_keys": True},
            violated=[
                "kafka:encryptionInfo.encryptionAtRestKmsKeyArn",
                "queue:kmsMasterKeyId",
                "stream:kmsKeyId",
                "topic:kmsMasterKeyId",
            ],
        ),
        Case(
            kind="absent",
            resources=[make(STREAM, "stream"), make(QUEUE, "queue"), make(TOPIC, "topic")],
            violated=["stream:encryptionType", "queue:kmsMasterKeyId", "topic:kmsMasterKeyId"],
        ),
        Case(
            kind="unknown",
            resources=[
                make(STREAM, "stream", {"encryptionType": UNKNOWN}),
                make(TOPIC, "topic", {"kmsMasterKeyId": UNKNOWN}),
            ],
            undecided=["stream:encryptionType", "topic:kmsMasterKeyId"],
        ),
        Case(
            kind="unknown",
            about="whether SQS encrypts",
            resources=[make(QUEUE, inputs={"sqsManagedSseEnabled": UNKNOWN})],
            parameters={"sqs_managed_keys": True},
            undecided=["it:sqsManagedSseEnabled"],
        ),
        Case(kind="exempt", about="a Kafka cluster", resources=[make(KAFKA)]),
    ],
}

_OWN = "the encryption is a property of the resource itself"
_ALL = "no role of it goes without encryption"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "efs-encrypted": {"companion": _OWN, "exempt": _ALL},
    "backup-vault-cmk": {"companion": _OWN, "exempt": _ALL},
    "eks-secrets-kms": {"companion": _OWN, "exempt": _ALL},
    "opensearch-encrypted": {"companion": _OWN, "exempt": _ALL},
}
"""By rule and kind: why there is no such case."""
