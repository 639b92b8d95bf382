"""AWS: volumes, buckets and snapshots are encrypted at rest."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from policies.core.arns import arn_region
from policies.core.keys import ALIAS, KEYS, require_key
from policies.core.results import attempt, require, undecided, violation
from policies.core.roles import BUCKET
from policies.core.values import UNKNOWN, UnknownPropertyError, is_false, is_true
from policies.rules.aws_encryption import CUSTOMER_KEY, is_customer_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result

BUCKET_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
ENCRYPTION_BY_DEFAULT: Final = "aws:ebs/encryptionByDefault:EncryptionByDefault"
EBS_SNAPSHOT_COPY: Final = "aws:ebs/snapshotCopy:SnapshotCopy"
EC2_INSTANCE: Final = "aws:ec2/instance:Instance"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
VOLUME: Final = "aws:ebs/volume:Volume"
_ALGORITHM: Final = "applyServerSideEncryptionByDefault.sseAlgorithm"
_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_LOG_WRITERS: Final = (
    ("aws:s3/bucketLogging:BucketLogging", "targetBucket"),
    (BUCKET, "logging.targetBucket"),
    (_BALANCER, "accessLogs.bucket"),
    (_BALANCER, "connectionLogs.bucket"),
    (_BALANCER, "healthCheckLogs.bucket"),
    ("aws:elb/loadBalancer:LoadBalancer", "accessLogs.bucket"),
)
"""What writes logs into buckets that may only be encrypted with S3's own keys: S3 and all but network balancers."""


def _ebs_encrypted(context: Context) -> Iterable[Result]:
    index = context.index
    defaults: dict[tuple[str, str], Resource] = {}
    for default in index.of(ENCRYPTION_BY_DEFAULT):
        # A switch that is off, or whose region is not known, covers nothing.
        with suppress(UnknownPropertyError):
            if not is_false(default.peek("enabled")):
                defaults[_place(default, index)] = default
    for resource in index.of(VOLUME, EC2_INSTANCE):
        yield from attempt(resource, partial(_unless_by_default, resource, defaults, index))


def _unless_by_default(
    resource: Resource, defaults: Mapping[tuple[str, str], Resource], index: Index
) -> Iterator[Result]:
    """What is not encrypted of a volume or instance, unless its account encrypts every new volume in its region."""
    found = list(_volumes(resource, index))
    default = defaults.get(_place(resource, index)) if found and defaults else None
    if default is None:
        yield from found
    elif default.peek("enabled") is UNKNOWN:
        yield undecided(default, "enabled")


def _place(resource: Resource, index: Index) -> tuple[str, str]:
    return index.account(resource), index.region(resource)


def _volumes(resource: Resource, index: Index) -> Iterator[Result]:
    if resource.type == VOLUME:
        yield from require(resource, "encrypted", is_true, "true")
        return
    template = None if resource.peek("rootBlockDevice") is not None else _template(resource, index)
    mappings = template.peek("blockDeviceMappings") if template is not None else None
    if template is not None and mappings:
        yield from attempt(template, partial(_template_volumes, template))
    else:
        yield from require(resource, "rootBlockDevice.encrypted", is_true, "true")
    yield from attempt(resource, partial(_each, resource, "ebsBlockDevices", "encrypted"))


def _template(resource: Resource, index: Index) -> Resource | None:
    by_id = index.target(resource, "launchTemplate.id", LAUNCH_TEMPLATE)
    return by_id or index.target(resource, "launchTemplate.name", LAUNCH_TEMPLATE)


def _template_volumes(template: Resource) -> Iterator[Result]:
    for mapping in template.items("blockDeviceMappings"):
        # A mapping without `ebs` is an instance store, or takes a device of the image away.
        if mapping.peek("ebs") is not None:
            yield from require(mapping, "ebs.encrypted", is_true, "true")


def _each(resource: Resource, path: str, property_: str) -> Iterator[Result]:
    for item in resource.items(path):
        yield from require(item, property_, is_true, "true")


def _s3_kms(resource: Resource, context: Context) -> Iterable[Result]:
    index = context.index
    separate = resource.type == BUCKET_ENCRYPTION
    bucket = index.target(resource, "bucket", BUCKET) if separate else resource
    if bucket is not None and _takes_logs(bucket, index):
        return
    if separate:
        rules = resource.items("rules")
        for rule in rules:
            yield from require(rule, _ALGORITHM, _is_kms, "`aws:kms` or `aws:kms:dsse`")
        if not rules:
            yield violation(resource, "rules", "`rules` must have one with `aws:kms`", absent=True)
    elif not index.companions(resource, BUCKET_ENCRYPTION, "bucket"):
        path = f"serverSideEncryptionConfiguration.rule.{_ALGORITHM}"
        yield from require(resource, path, _is_kms, "`aws:kms` or `aws:kms:dsse`, here or in a separate resource")


def _is_kms(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, str) and value in {"aws:kms", "aws:kms:dsse"}


def _takes_logs(bucket: Resource, index: Index) -> bool:
    return any(
        writer.type != _BALANCER or writer.peek("loadBalancerType") != "network"
        for type_, via in _LOG_WRITERS
        for writer in index.companions(bucket, type_, via)
    )


def _snapshot_copy_cmk(resource: Resource, context: Context) -> Iterable[Result]:
    index = context.index
    if resource.type == EBS_SNAPSHOT_COPY:
        yield from require(resource, "encrypted", is_true, "true")
    key = index.target(resource, "kmsKeyId", *KEYS, ALIAS)
    given = resource.peek("kmsKeyId")
    yield from require_key(resource, "kmsKeyId", index, is_customer_key, CUSTOMER_KEY)
    region = arn_region(given)
    # The bare name of an alias may stand in every region, and means the one of the copy.
    if key is not None and not region and (given is UNKNOWN or (given is not None and key.type != ALIAS)):
        region = index.region(key)
    if not region:
        return
    # Copies of RDS name where they go; all others are made where they are.
    own = resource.get("destinationRegion") or index.region(resource)
    if own and region != own:
        yield violation(resource, "kmsKeyId", "`kmsKeyId` must be a key of the region that the copy is in")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "ebs-encrypted": _ebs_encrypted,
    "s3-kms": _s3_kms,
    "snapshot-copy-cmk": _snapshot_copy_cmk,
}
