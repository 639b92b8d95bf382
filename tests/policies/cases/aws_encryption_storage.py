"""Cases of `policies.rules.aws_encryption_storage`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

VOLUME = "aws:ebs/volume:Volume"
MACHINE = "aws:ec2/instance:Instance"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
BY_DEFAULT = "aws:ebs/encryptionByDefault:EncryptionByDefault"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_V2 = "aws:s3/bucketV2:BucketV2"
SSE = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
SSE_V2 = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
EBS_COPY = "aws:ebs/snapshotCopy:SnapshotCopy"
RDS_COPY = "aws:rds/snapshotCopy:SnapshotCopy"
CLUSTER_COPY = "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy"
KMS_KEY = "aws:kms/key:Key"
KMS_ALIAS = "aws:kms/alias:Alias"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
ALGORITHM = "applyServerSideEncryptionByDefault.sseAlgorithm"
INLINE = f"serverSideEncryptionConfiguration.rule.{ALGORITHM}"
ROOT = {"rootBlockDevice": {"encrypted": True}}


def _rule(algorithm: object) -> dict[str, object]:
    return {"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}


_bucket = make(BUCKET, "bucket")
_named = make(BUCKET_V2, "named", {"bucket": "files"})
_logs = make(BUCKET, "logs", {"bucket": "logs"})
_template = make(TEMPLATE, "template", {"blockDeviceMappings": [{"ebs": {"encrypted": "true"}}, {"virtualName": "e0"}]})
_open_template = make(TEMPLATE, "template", {"blockDeviceMappings": [{"ebs": {"encrypted": "false"}}]})
_key = make(KMS_KEY, "key")
_far_key = make(KMS_KEY, "far", region="eu-west-1")
_far_alias = make(KMS_ALIAS, "alias", {"name": "alias/copies"}, region="eu-west-1")

CASES: dict[str, list[Case]] = {
    "ebs-encrypted": [
        Case(
            kind="passes",
            resources=[
                make(VOLUME, inputs={"encrypted": True}),
                make(MACHINE, inputs={**ROOT, "ebsBlockDevices": [{"encrypted": "true"}]}),
            ],
        ),
        Case(
            kind="fails",
            about="each volume",
            resources=[
                make(VOLUME, "volume", {"encrypted": False}),
                make(MACHINE, "a", {**ROOT, "ebsBlockDevices": [{"encrypted": True}, {"encrypted": False}, 7]}),
                make(MACHINE, "b", {"rootBlockDevice": {"encrypted": False}}),
            ],
            violated=[
                "a:ebsBlockDevices.1.encrypted",
                "a:ebsBlockDevices.2.encrypted",
                "b:rootBlockDevice.encrypted",
                "volume:encrypted",
            ],
        ),
        Case(
            kind="absent",
            resources=[make(VOLUME, "volume"), make(MACHINE)],
            violated=["it:rootBlockDevice.encrypted", "volume:encrypted"],
        ),
        Case(
            kind="unknown",
            about="nothing else is hidden",
            resources=[
                make(VOLUME, "volume", {"encrypted": UNKNOWN}),
                make(MACHINE, inputs={"ebsBlockDevices": UNKNOWN}),
            ],
            undecided=["it:ebsBlockDevices", "volume:encrypted"],
            violated=["it:rootBlockDevice.encrypted"],
        ),
        Case(
            kind="unknown",
            about="whether the region encrypts by default",
            resources=[make(BY_DEFAULT, "default", {"enabled": UNKNOWN}), make(VOLUME)],
            undecided=["default:enabled"],
        ),
        Case(
            kind="unknown",
            about="a template's mappings",
            resources=[
                template := make(TEMPLATE, "template", {"blockDeviceMappings": UNKNOWN}),
                make(MACHINE, inputs={"launchTemplate": {"id": UNKNOWN}}, uses={"launchTemplate": template}),
            ],
            undecided=["template:blockDeviceMappings"],
        ),
        Case(
            kind="exempt",
            about="instance stores",
            resources=[make(MACHINE, inputs={**ROOT, "ephemeralBlockDevices": [{"virtualName": "ephemeral0"}]})],
        ),
        Case(
            kind="companion",
            about="encryption by default, in its region and account only",
            resources=[
                make(BY_DEFAULT, "default"),
                make(BY_DEFAULT, "off", {"enabled": False}, region="eu-west-1"),
                make(BY_DEFAULT, "nowhere", {"region": UNKNOWN}, region="eu-west-1"),
                make(VOLUME),
                make(MACHINE),
                make(VOLUME, "far", region="eu-west-1"),
                make(VOLUME, "foreign", account="210987654321"),
            ],
            violated=["far:encrypted", "foreign:encrypted"],
        ),
        Case(
            kind="companion",
            about="a launch template",
            resources=[
                _template,
                make(MACHINE, inputs={"launchTemplate": {"id": UNKNOWN}}, uses={"launchTemplate": _template}),
            ],
        ),
        Case(
            kind="companion",
            about="a launch template without encryption",
            resources=[
                _open_template,
                make(MACHINE, inputs={"launchTemplate": {"id": UNKNOWN}}, uses={"launchTemplate": _open_template}),
            ],
            violated=["template:blockDeviceMappings.0.ebs.encrypted"],
        ),
        Case(
            kind="companion",
            about="encryption by default without any volume",
            resources=[make(BY_DEFAULT, "default")],
        ),
    ],
    "s3-kms": [
        Case(
            kind="passes",
            about="inline",
            resources=[make(BUCKET, inputs={"serverSideEncryptionConfiguration": {"rule": _rule("aws:kms")}})],
        ),
        Case(
            kind="fails",
            about="S3's own keys",
            resources=[make(BUCKET, inputs={"serverSideEncryptionConfiguration": {"rule": _rule("AES256")}})],
            violated=[f"it:{INLINE}"],
        ),
        Case(kind="absent", resources=[_bucket], violated=[f"bucket:{INLINE}"]),
        Case(
            kind="absent",
            about="no rules",
            resources=[_bucket, make(SSE, inputs={"bucket": UNKNOWN, "rules": []}, uses={"bucket": _bucket})],
            violated=["it:rules"],
        ),
        Case(
            kind="unknown",
            resources=[
                make(BUCKET, inputs={"serverSideEncryptionConfiguration": UNKNOWN}),
                _bucket,
                make(SSE, "a", {"bucket": UNKNOWN, "rules": UNKNOWN}, uses={"bucket": _bucket}),
                make(SSE, "b", {"bucket": "elsewhere", "rules": [_rule(UNKNOWN)]}),
            ],
            undecided=["a:rules", f"b:rules.0.{ALGORITHM}", f"it:{INLINE}"],
        ),
        Case(
            kind="exempt",
            about="a bucket that S3 writes logs into",
            resources=[
                _logs,
                make(SSE, inputs={"bucket": "logs", "rules": [_rule("AES256")]}),
                make(LOGGING, inputs={"bucket": "elsewhere", "targetBucket": UNKNOWN}, uses={"targetBucket": _logs}),
            ],
        ),
        Case(
            kind="exempt",
            about="a bucket that a balancer writes logs into",
            resources=[_logs, make(BALANCER, inputs={"accessLogs": {"bucket": "logs"}})],
        ),
        Case(
            kind="companion",
            about="logs of network balancers can have a key",
            resources=[
                _logs,
                make(BALANCER, inputs={"accessLogs": {"bucket": "logs"}, "loadBalancerType": "network"}),
            ],
            violated=[f"logs:{INLINE}"],
        ),
        Case(
            kind="companion",
            about="by dependency and by name",
            resources=[
                _bucket,
                _named,
                make(SSE, inputs={"bucket": UNKNOWN, "rules": [_rule("aws:kms:dsse")]}, uses={"bucket": _bucket}),
                make(SSE_V2, inputs={"bucket": "files", "rules": [_rule("aws:kms")]}),
            ],
        ),
        Case(
            kind="companion",
            about="with S3's own keys, of a bucket here, looked up, or elsewhere",
            resources=[
                _named,
                read := make(BUCKET, "read", read_only=True),
                make(SSE, "a", {"bucket": "files", "rules": [_rule("AES256")]}),
                make(SSE, "b", {"bucket": UNKNOWN, "rules": ["odd"]}, uses={"bucket": read}),
                make(SSE, "c", {"bucket": "elsewhere", "rules": {"odd": 1}}),
            ],
            violated=[f"a:rules.0.{ALGORITHM}", f"b:rules.0.{ALGORITHM}", f"c:rules.{ALGORITHM}"],
        ),
    ],
    "snapshot-copy-cmk": [
        Case(
            kind="passes",
            resources=[
                make(EBS_COPY, inputs={"encrypted": True, "kmsKeyId": KEY}),
                make(RDS_COPY, inputs={"kmsKeyId": KEY}),
                make(CLUSTER_COPY, inputs={"kmsKeyId": "1234abcd-12ab"}),
            ],
        ),
        Case(
            kind="passes",
            about="where the copy goes to",
            resources=[make(RDS_COPY, inputs={"kmsKeyId": KEY, "destinationRegion": "us-east-1"}, region="eu-west-1")],
        ),
        Case(
            kind="passes",
            about="a key that is still to be made",
            resources=[_key, make(RDS_COPY, inputs={"kmsKeyId": UNKNOWN}, uses={"kmsKeyId": _key})],
        ),
        Case(
            kind="passes",
            about="the bare name of an alias",
            resources=[_far_alias, make(RDS_COPY, inputs={"kmsKeyId": "alias/copies"})],
        ),
        Case(
            kind="fails",
            about="AWS's key, or a key of another region",
            resources=[
                _far_key,
                make(EBS_COPY, "a", {"encrypted": False, "kmsKeyId": KEY}),
                make(RDS_COPY, "b", {"kmsKeyId": "alias/aws/rds"}),
                make(CLUSTER_COPY, "c", {"kmsKeyId": KEY}, region="eu-west-1"),
                make(RDS_COPY, "d", {"kmsKeyId": UNKNOWN}, uses={"kmsKeyId": _far_key}),
            ],
            violated=["a:encrypted", "b:kmsKeyId", "c:kmsKeyId", "d:kmsKeyId"],
        ),
        Case(
            kind="absent",
            resources=[make(EBS_COPY), make(RDS_COPY, "rds"), make(CLUSTER_COPY, "cluster")],
            violated=["it:encrypted", "it:kmsKeyId", "rds:kmsKeyId", "cluster:kmsKeyId"],
        ),
        Case(
            kind="unknown",
            resources=[
                make(EBS_COPY, inputs={"encrypted": UNKNOWN, "kmsKeyId": UNKNOWN}),
                make(RDS_COPY, "rds", {"kmsKeyId": KEY, "destinationRegion": UNKNOWN}),
            ],
            undecided=["it:encrypted", "it:kmsKeyId", "rds:destinationRegion"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "snapshot-copy-cmk": {
        "exempt": "every copy holds all the data of its source",
        "companion": "the key is a property of the copy itself",
    },
}
"""By rule and kind: why there is no such case."""
