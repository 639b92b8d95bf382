"""AWS: file systems, backups, clusters, search and queues are encrypted at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.core.keys import has_key, require_key
from policies.core.results import require, undecided, violation
from policies.core.values import UNKNOWN, is_false, is_set, is_true, texts
from policies.rules.aws_encryption import CUSTOMER_KEY, is_customer_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource
    from policies.core.results import Result

KINESIS: Final = "aws:kinesis/stream:Stream"
MSK: Final = "aws:msk/cluster:Cluster"
SQS: Final = "aws:sqs/queue:Queue"


def _efs_encrypted(resource: Resource, _: Context) -> Iterable[Result]:
    yield from require(resource, "encrypted", is_true, "true")


def _backup_vault_cmk(resource: Resource, context: Context) -> Iterable[Result]:
    yield from require_key(resource, "kmsKeyArn", context.index, is_customer_key, CUSTOMER_KEY)


def _eks_secrets_kms(resource: Resource, context: Context) -> Iterable[Result]:
    path = "encryptionConfig.resources"
    listed = resource.get(path)
    if "secrets" in texts(listed):
        yield from require_key(resource, "encryptionConfig.provider.keyArn", context.index, is_set, "a key")
    elif isinstance(listed, list) and UNKNOWN in listed:
        yield undecided(resource, path)
    else:
        yield violation(resource, path, f"`{path}` must have `secrets`", absent=listed is None)


def _opensearch_encrypted(resource: Resource, _: Context) -> Iterable[Result]:
    yield from require(resource, "encryptAtRest.enabled", is_true, "true")


def _stream_queue_encrypted(resource: Resource, context: Context) -> Iterable[Result]:
    customer = is_true(context.parameters["customer_keys"])
    accepted, expected = (is_customer_key, CUSTOMER_KEY) if customer else (is_set, "a key in KMS")
    if resource.type == MSK:
        # Without a key of its own a cluster is encrypted with AWS's key for MSK, which is in KMS as well.
        if customer:
            path = "encryptionInfo.encryptionAtRestKmsKeyArn"
            yield from require_key(resource, path, context.index, accepted, expected)
    elif resource.type == KINESIS:
        yield from require(resource, "encryptionType", lambda value: value == "KMS", "`KMS`")
        if customer:
            yield from require_key(resource, "kmsKeyId", context.index, accepted, expected)
    else:
        key = resource.peek("kmsMasterKeyId")
        if resource.type == SQS and not customer and is_true(context.parameters["sqs_managed_keys"]):
            given = has_key(resource, "kmsMasterKeyId", context.index) or (key is not UNKNOWN and is_set(key))
            if given or not is_false(resource.get("sqsManagedSseEnabled")):
                return
        yield from require_key(resource, "kmsMasterKeyId", context.index, accepted, expected)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "efs-encrypted": _efs_encrypted,
    "backup-vault-cmk": _backup_vault_cmk,
    "eks-secrets-kms": _eks_secrets_kms,
    "opensearch-encrypted": _opensearch_encrypted,
    "stream-queue-encrypted": _stream_queue_encrypted,
}
