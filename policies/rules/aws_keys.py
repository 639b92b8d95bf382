"""AWS: keys are where the data is, rotate, and cannot vanish overnight; secrets change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.arns import arn_region, arn_resource
from policies.core.keys import ALIAS, EXTERNAL_KEY, KEY, KEYS, REPLICA_KEYS
from policies.core.results import attempt, require, undecided, violation
from policies.core.roles import BUCKET
from policies.core.schedules import longest_interval
from policies.core.values import UNKNOWN, at_most, is_set, is_true, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result

SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"
DAY: Final = 86400

KEY_PROPERTIES: Final = frozenset(
    {
        "kmsKeyId",
        "kmsKeyArn",
        "kmsKeyIdentifier",
        "kmsMasterKeyId",
        "kmsArn",
        "masterUserSecretKmsKeyId",
        "masterPasswordSecretKmsKeyId",
        "performanceInsightsKmsKeyId",
        "replicaKmsKeyId",
        "volumeKmsKeyId",
        "encryptionKeyArn",
        "ebsEncryptionKeyArn",
        "encryptionAtRestKmsKeyArn",
        "sseKmsKeyId",
        "keyArn",
        "cmkArn",
    }
)
"""Inputs that take a key, at any depth."""
_REGIONS: Final = ("region", "regionName", "target", "targetRegion")
"""Properties beside a key that say in which region it is used."""
_ELSEWHERE: Final = (
    "aws:cloudtrail/",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
    "aws:cloudfront/",
    "aws:dms/s3Endpoint:S3Endpoint",
    "aws:cur/",
    "aws:bcmdata/",
)
"""Services that use a key where their bucket is, or that have no region."""
_KEPT: Final = ("aws:kms/",)
_DEPTH: Final = 12


def _kms_key_in_replica_region(context: Context) -> Iterable[Result]:
    for resource in context.index:
        if resource.inputs is None or not resource.type.startswith("aws:") or resource.type.startswith(_KEPT):
            continue
        if resource.type.startswith(_ELSEWHERE):
            continue
        for path, value, beside in _keys_in(resource.inputs, "", 0):
            yield from attempt(
                resource,
                lambda resource=resource, path=path, value=value, beside=beside: _key_is_there(
                    resource, path, value, beside, context.index
                ),
            )


def _keys_in(bag: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:  # noqa: ANN401 - JSON
    """Path and value of every input that takes a key, with what stands beside it."""
    if depth > _DEPTH:
        return
    if isinstance(bag, dict):
        items = cast("dict[str, Any]", bag)
        for name, value in items.items():
            path = f"{prefix}.{name}" if prefix else name
            if name not in KEY_PROPERTIES:
                yield from _keys_in(value, path, depth + 1)
            elif value is UNKNOWN or (isinstance(value, str) and value):
                yield path, value, items
    elif isinstance(bag, list):
        for position, item in enumerate(cast("list[Any]", bag)):
            yield from _keys_in(item, f"{prefix}.{position}", depth + 1)


def _key_is_there(
    resource: Resource,
    path: str,
    value: Any,  # noqa: ANN401 - JSON
    beside: Mapping[str, Any],
    index: Index,
) -> Iterator[Result]:
    if isinstance(value, str) and (
        value.startswith("alias/") or (":" not in value and not index.targets(resource, path))
    ):
        # A name, or a bare ID, that KMS looks up in the region where it is used.
        return
    used = _used_in(resource, path, beside, index)
    if used is UNKNOWN:
        yield undecided(resource, path)
        return
    is_s3 = resource.type.startswith("aws:s3/")
    found = _regions(resource, path, value, index)
    good = {each for each in found if each[0] == used or (not is_s3 and _is_replicated(each[1], value, used, index))}
    if isinstance(value, str) and good:
        # The bare ID that a multi-Region key shares with its replicas means the one of them that is there.
        return
    if len(good) < len(found) and good:
        # Several keys stand behind an unknown list, and which one is meant here is not known yet.
        yield undecided(resource, path)
    elif not found:
        yield undecided(resource, path)
    elif not good:
        yield violation(resource, path, f"`{path}` must be a key of the region in which it encrypts")


def _used_in(resource: Resource, path: str, beside: Mapping[str, Any], index: Index) -> Any:  # noqa: ANN401 - a region
    """The region in which a key encrypts: named beside it, a replica's bucket's, or the resource's own."""
    if path.endswith(".encryptionConfiguration.replicaKmsKeyId"):
        bucket = path.removesuffix("encryptionConfiguration.replicaKmsKeyId") + "bucket"
        regions = {index.region(each) for each in index.targets(resource, bucket, BUCKET)}
        return regions.pop() if len(regions) == 1 else UNKNOWN
    if "." in path:
        for name in _REGIONS:
            named = beside.get(name)
            if named is UNKNOWN:
                return UNKNOWN
            if isinstance(named, str) and named:
                return arn_region(named) or named
    return index.region(resource)


def _regions(
    resource: Resource,
    path: str,
    value: Any,  # noqa: ANN401 - JSON
    index: Index,
) -> set[tuple[str, Resource | None]]:
    """Region and, where it is in this stack, the key itself, of every key that may be meant."""
    keys = index.targets(resource, path, *KEYS)
    if isinstance(value, str) and arn_region(value):
        # What is known names exactly one key, whatever else the property depends on.
        named = next((each for each in keys if value in (each.outputs.get("arn"), each.peek("arn"))), None)
        return {(arn_region(value), named)}
    keys = keys or index.targets(resource, path, ALIAS)
    return {(index.region(key), key) for key in keys}


def _is_replicated(key: Resource | None, value: Any, used: str, index: Index) -> bool:  # noqa: ANN401 - JSON
    """Whether a multi-Region key has a replica in the region where it is used."""
    if key is not None and key.type in (KEY, EXTERNAL_KEY):
        if not is_true(key.peek("multiRegion")):
            return False
        replicas = [each for type_ in REPLICA_KEYS for each in index.companions(key, type_, "primaryKeyArn")]
    elif isinstance(value, str) and arn_resource(value).startswith("key/mrk-"):
        replicas = [each for each in index.of(*REPLICA_KEYS) if each.peek("primaryKeyArn") == value]
    else:
        return False
    return any(index.region(each) == used for each in replicas)


def _kms_rotation(key: Resource, _: Context) -> Iterable[Result]:
    # KMS rotates symmetric keys of its own making only.
    if key.get("keyUsage") not in (None, "", "ENCRYPT_DECRYPT") or is_set(key.get("customKeyStoreId")):
        return
    if key.get("customerMasterKeySpec") not in (None, "", "SYMMETRIC_DEFAULT"):
        return
    yield from require(key, "enableKeyRotation", is_true, "true")


def _kms_deletion_window(key: Resource, context: Context) -> Iterable[Result]:
    days = context.parameters["days"]

    def accepted(value: Any) -> bool:  # noqa: ANN401 - JSON
        return value is None or ((found := number(value)) is not None and found >= days)

    yield from require(key, "deletionWindowInDays", accepted, f"at least {days:g} days, or left to the default of 30")


def _secret_rotation(resource: Resource, context: Context) -> Iterable[Result]:
    if resource.type == SECRET:
        if not context.index.companions(resource, ROTATION, "secretId"):
            yield violation(
                resource, "", "the secret must rotate: no `SecretRotation` of this stack has it", absent=True
            )
        return
    if resource.get("rotationEnabled") is False:
        yield violation(resource, "rotationEnabled", "`rotationEnabled` must not be false")
    days = context.parameters["days"]
    schedule = resource.get("rotationRules.scheduleExpression")
    if is_set(schedule):
        interval = longest_interval(schedule)
        if interval is None or interval > days * DAY:
            path = "rotationRules.scheduleExpression"
            yield violation(resource, path, f"`{path}` must run at least every {days:g} days")
        return
    yield from require(
        resource, "rotationRules.automaticallyAfterDays", at_most(days), f"set, and at most {days:g} (days)"
    )


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "kms-key-in-replica-region": _kms_key_in_replica_region,
    "kms-rotation": _kms_rotation,
    "kms-deletion-window": _kms_deletion_window,
    "secret-rotation": _secret_rotation,
}
