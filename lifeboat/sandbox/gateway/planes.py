"""Which plane a call is on: the data plane serves what is there, the control plane makes, changes and describes it.

A region's planes fail apart. AWS says of few operations by name which plane serves them; what is listed here does a
service's own work on resources that exist. Whatever is not listed counts as control plane: the plane that recovery may
not depend on.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

Plane: TypeAlias = Literal["control", "data"]

_DATA: Final = {
    "s3": (
        r"(Get|Put|Head|Delete|Copy|Restore|Rename)Object(s|Acl|Tagging|Attributes|Retention|LegalHold|Torrent)?"
        r"|SelectObjectContent|ListObjects(V2)?|ListObjectVersions|HeadBucket"
        r"|(Create|Complete|Abort)MultipartUpload|UploadPart(Copy)?|ListParts|ListMultipartUploads"
    ),
    "dynamodb": (
        r"(Get|Put|Update|Delete)Item|Query|Scan|Batch(Get|Write)Item|Transact(Get|Write)Items"
        r"|(Batch)?Execute(Statement|Transaction)"
    ),
    "dynamodbstreams": r".+",
    "sqs": r"(Send|Receive|Delete)Message(Batch)?|ChangeMessageVisibility(Batch)?",
    "sns": r"Publish(Batch)?",
    "secretsmanager": r"(Batch)?GetSecretValue",
    "kms": (
        r"Encrypt|Decrypt|ReEncrypt|GenerateDataKey(Pair)?(WithoutPlaintext)?|GenerateRandom|GenerateMac|VerifyMac"
        r"|Sign|Verify|GetPublicKey|DeriveSharedSecret"
    ),
    "cloudwatch": r"PutMetricData|GetMetric(Data|Statistics|WidgetImage)",
    "logs": r"PutLogEvents|GetLogEvents|FilterLogEvents",
    "events": r"PutEvents",
    "lambda": r"Invoke(Async|WithResponseStream)?",
    # Signing in and taking a role work in every region without IAM's control plane in us-east-1.
    "sts": r".+",
    # Five regions serve the state of routing controls; their configuration is another service, in us-west-2.
    "route53-recovery-cluster": r".+",
}


def plane_of(service: str, operation: str) -> Plane:
    """The plane of an operation, such as ``GetObject`` of ``s3`` (the SDK's name of the service)."""
    pattern = _DATA.get(service)
    return "data" if pattern is not None and re.fullmatch(pattern, operation) else "control"
