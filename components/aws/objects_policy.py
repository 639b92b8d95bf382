"""Policy documents of an object store: who may replicate it, and how it may be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from components.aws.site import Site

REPLICATION_TRUST: dict[str, object] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
"""S3 takes the role of a replication rule; only this bucket's configuration names it."""


def bucket_policy(bucket_arn: pulumi.Input[str], key_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """What nobody may do with a bucket, whatever IAM says.

    An upload that names no encryption gets the bucket's default and passes. One that names another key, or another kind
    of encryption, is refused: its replica would have a key nobody chose. Replicas arrive by ``s3:ReplicateObject`` and
    are not concerned.
    """

    def document(values: list[str]) -> dict[str, object]:
        bucket, key = values
        everything = [bucket, f"{bucket}/*"]
        return {
            "Version": "2012-10-17",
            "Statement": [
                _deny("OnlyOverTls", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}),
                _deny("OnlyTls12", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
                _deny(
                    "OnlyKmsEncryption",
                    "s3:PutObject",
                    f"{bucket}/*",
                    {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}},
                ),
                _deny(
                    "OnlyThisSitesKey",
                    "s3:PutObject",
                    f"{bucket}/*",
                    {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}},
                ),
                # KMS without a key means AWS's own key, which no replication role may use.
                _deny(
                    "NoUnnamedKey",
                    "s3:PutObject",
                    f"{bucket}/*",
                    {
                        "StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
                        "Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "true"},
                    },
                ),
            ],
        }

    return pulumi.Output.json_dumps(pulumi.Output.all(bucket_arn, key_arn).apply(document))


def replication_policy(
    source: Site,
    destination: Site,
    arns: tuple[pulumi.Input[str], pulumi.Input[str], pulumi.Input[str], pulumi.Input[str]],
    *,
    delete_markers: bool,
    object_lock: bool,
) -> pulumi.Output[str]:
    """What S3 may do to replicate one bucket into one other, and no more.

    Args:
        source: Site of the bucket that is read.
        destination: Site of the bucket that is written.
        arns: Source bucket, source key, destination bucket, destination key.
        delete_markers: Deletions replicate, which needs a permission of its own.
        object_lock: Retention and legal holds are read with the versions.
    """
    read = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    if object_lock:
        read += ["s3:GetObjectRetention", "s3:GetObjectLegalHold"]
    write = ["s3:ReplicateObject", "s3:ReplicateTags"]
    if delete_markers:
        write += ["s3:ReplicateDelete"]

    def document(values: list[str]) -> dict[str, object]:
        bucket, key, other_bucket, other_key = values
        return {
            "Version": "2012-10-17",
            "Statement": [
                _allow("ReadConfiguration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], bucket),
                _allow("ReadVersions", read, f"{bucket}/*"),
                _allow("WriteReplicas", write, f"{other_bucket}/*"),
                _allow("DecryptVersions", ["kms:Decrypt"], key, _through_s3(source, bucket)),
                # Bucket keys are data keys, which are generated and not only used.
                _allow(
                    "EncryptReplicas",
                    ["kms:Encrypt", "kms:GenerateDataKey"],
                    other_key,
                    _through_s3(destination, other_bucket),
                ),
            ],
        }

    return pulumi.Output.json_dumps(pulumi.Output.all(*arns).apply(document))


def _through_s3(site: Site, bucket: str) -> dict[str, object]:
    """The condition that S3 uses a key for one bucket; the context is the bucket, or an object without a bucket key."""
    return {
        "StringEquals": {"kms:ViaService": f"s3.{site.region}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]},
    }


def _allow(
    sid: str, actions: list[str], resource: str, condition: dict[str, object] | None = None
) -> dict[str, object]:
    statement: dict[str, object] = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return statement if condition is None else {**statement, "Condition": condition}


def _deny(sid: str, action: str, resource: str | list[str], condition: dict[str, object]) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }
