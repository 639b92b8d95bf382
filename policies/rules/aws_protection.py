"""AWS: what holds data cannot be deleted or overwritten by mistake."""

from __future__ import annotations

import re
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import yaml
from pydantic import Field, TypeAdapter

from policies.core.results import attempt, require, violation
from policies.core.values import at_least, is_false, is_set, is_true, mapping, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource, View
    from policies.core.results import Result

ALLOWED_FILE: Final = Path(__file__).parents[1] / "data" / "ignore_changes.yaml"
IGNORE_CHANGES: Final = "opts.ignoreChanges"
PROTECT: Final = "opts.protect"
TABLE: Final = "aws:dynamodb/table:Table"
CACHE_CLUSTER: Final = "aws:elasticache/cluster:Cluster"
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
OBJECT_LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"

_Reason = Annotated[str, Field(min_length=1)]
_ALLOWED: Final = TypeAdapter(dict[str, dict[str, _Reason]]).validate_python(
    yaml.safe_load(ALLOWED_FILE.read_text(encoding="utf-8"))
)
"""Reason by type and property: what AWS itself changes, so that a program must ignore it."""
_FIRST: Final = re.compile(r"""^\[?["']?([^.\["'\]]+)""")
"""The first segment of a property path: of ``tags.a``, ``tags["a"]``, ``rules[0].days`` and ``["tags"].a``."""
_LOCK_MODES: Final = ("GOVERNANCE", "COMPLIANCE")
_PURPOSE_TAGS: Final = frozenset({"data-class", "purpose", "role"})


def _flag(property_: str, resource: Resource, _: Context) -> Iterable[Result]:
    return require(resource, property_, is_true, "true")


def _dynamodb(resource: Resource, _: Context) -> Iterator[Result]:
    yield from require(resource, "deletionProtectionEnabled", is_true, "true")
    if resource.type == TABLE:
        for replica in resource.items("replicas"):
            yield from require(replica, "deletionProtectionEnabled", is_true, "true")


def _stateful_protected(resource: Resource, _: Context) -> Iterator[Result]:
    if resource.protect or (resource.type == CACHE_CLUSTER and resource.get("engine") == "memcached"):
        return
    yield violation(resource, PROTECT, "the resource option `protect` must be true")


def _ignore_changes(context: Context) -> Iterator[Result]:
    for resource in context.index:
        if not resource.ignore_changes or resource.inputs is None:
            continue
        guarded = context.guarded.get(resource.type, {})
        allowed = _ALLOWED.get(resource.type, {})
        for property_ in dict.fromkeys(map(_first, resource.ignore_changes)):
            if property_ == "*":
                # Even where no rule guards a property today: whatever the program says is without effect.
                yield violation(resource, IGNORE_CHANGES, "`ignoreChanges` must not list every property at once")
            elif property_ in guarded and property_ not in allowed:
                rule = guarded[property_]
                message = (
                    f"`ignoreChanges` must not list `{property_}`: {rule} guards it, and would judge what is not so"
                )
                yield violation(resource, IGNORE_CHANGES, message)


def _first(path: str) -> str:
    """The input that an entry of `ignoreChanges` is about, by its wire name."""
    found = _FIRST.match(path.strip())
    # Only whole names are translated by the SDK for Python; paths come as they were written.
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match[1].upper(), found[1]) if found else ""


def _no_force_destroy(resource: Resource, _: Context) -> Iterable[Result]:
    return require(resource, "forceDestroy", lambda value: value is None or is_false(value), "false")


def _versioning(bucket: Resource, context: Context) -> Iterator[Result]:
    companions = context.index.companions(bucket, VERSIONING, "bucket")
    for companion in companions:
        yield from require(companion, "versioningConfiguration.status", lambda value: value == "Enabled", "Enabled")
    # S3 versions a bucket that is made with object lock, and refuses to suspend it.
    if not companions and not is_true(bucket.get("objectLockEnabled")):
        expected = "true, or an `aws.s3.BucketVersioning` must enable it"
        yield from require(bucket, "versioning.enabled", is_true, expected)


def _object_lock(bucket: Resource, context: Context) -> Iterator[Result]:
    if not _holds_backups(bucket, context):
        return
    companions = context.index.companions(bucket, OBJECT_LOCK, "bucket")
    inline = bucket.items("objectLockConfiguration")
    if not companions and not inline:
        message = "a bucket of backups must have an `aws.s3.BucketObjectLockConfiguration` with a default retention"
        yield violation(bucket, "objectLockConfiguration", message, absent=True)
    for about in (*companions, *inline):
        yield from attempt(about, partial(_default_retention, about))


def _default_retention(about: Resource | View) -> Iterator[Result]:
    retention = "rule.defaultRetention"
    yield from require(about, f"{retention}.mode", lambda value: value in _LOCK_MODES, " or ".join(_LOCK_MODES))
    if not is_set(about.get(f"{retention}.years")):
        yield from require(about, f"{retention}.days", at_least(1), "at least 1 (day), or `years` must be set")
    else:
        yield from require(about, f"{retention}.years", at_least(1), "at least 1 (year)")


def _holds_backups(bucket: Resource, context: Context) -> bool:
    """Whether a bucket says that it holds backups: by a word of its names, or of the tag for its purpose."""
    wanted = {word.lower() for word in texts(context.parameters["words"])}
    tags = mapping(bucket.peek("tags"))
    purposes = (value for key, value in tags.items() if key.lower() in _PURPOSE_TAGS)
    said = chain([bucket.name, bucket.peek("bucket")], purposes)
    return any(wanted & set(re.split(r"[^a-z0-9]+", each.lower())) for each in said if isinstance(each, str))


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rds-deletion-protection": partial(_flag, "deletionProtection"),
    "neptune-docdb-deletion-protection": partial(_flag, "deletionProtection"),
    "dynamodb-deletion-protection": _dynamodb,
    "lb-deletion-protection": partial(_flag, "enableDeletionProtection"),
    "eks-deletion-protection": partial(_flag, "deletionProtection"),
    "stateful-protected": _stateful_protected,
    "ignore-changes-not-masking": _ignore_changes,
    "s3-no-force-destroy": _no_force_destroy,
    "s3-versioning": _versioning,
    "s3-object-lock": _object_lock,
}
