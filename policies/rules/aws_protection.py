"""AWS: what holds data cannot be deleted or overwritten by mistake."""

from __future__ import annotations

import re
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import yaml
from pydantic import Field, TypeAdapter

from policies.core import kubernetes as k8s
from policies.core.results import attempt, require, undecided, violation
from policies.core.rules import Strict
from policies.core.values import UNKNOWN, at_least, is_false, is_set, is_true, mapping, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.core.results import Result

ALLOWED_FILE: Final = Path(__file__).parents[1] / "data" / "ignore_changes.yaml"
IGNORE_CHANGES: Final = "opts.ignoreChanges"
PROTECT: Final = "opts.protect"
TABLE: Final = "aws:dynamodb/table:Table"
TABLE_REPLICA: Final = "aws:dynamodb/tableReplica:TableReplica"
CACHE_CLUSTER: Final = "aws:elasticache/cluster:Cluster"
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
OBJECT_LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"

_Reason = Annotated[str, Field(min_length=1)]


class Allowed(Strict):
    """What may be ignored on one condition.

    Attributes:
        reason: Who changes the property.
        when: What must be so: an autoscaler scales the workload, the table has replicas that are resources of their
            own, the listener takes TLS.
    """

    reason: _Reason
    when: Literal["autoscaler", "replicas", "tls"]


_ALLOWED: Final = TypeAdapter(dict[str, dict[str, _Reason | Allowed]]).validate_python(
    yaml.safe_load(ALLOWED_FILE.read_text(encoding="utf-8"))
)
"""Reason by type and path: what something else changes, so that a program must ignore it."""
_SEGMENT: Final = re.compile(r"""\[["']((?:[^"'\\]|\\.)*)["']\]|\[(\d+|\*)\]|([^.\[\]]+)""")
"""A segment of a property path: a key in quotes, an index, or a name."""
_TLS: Final = ("HTTPS", "TLS")
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
    read = frozenset(key.lower() for key in texts(context.parameters["tags"]))
    for resource in context.index:
        if resource.inputs is None:
            continue
        guarded = context.guarded.get(resource.type, {})
        for entry in dict.fromkeys(map(_segments, resource.ignore_changes)):
            if entry[:1] == ("*",):
                # Even where no rule guards a property today: whatever the program says is without effect.
                yield violation(resource, IGNORE_CHANGES, "`ignoreChanges` must not list every property at once")
                continue
            masked = next((path for path in guarded if _overlap(entry, tuple(path.split(".")), read)), None)
            if masked is not None:
                yield from attempt(resource, partial(_masks, resource, entry, masked, context))


def _masks(resource: Resource, entry: Sequence[str], masked: str, context: Context) -> Iterator[Result]:
    for path, allowed in _ALLOWED.get(resource.type, {}).items():
        segments = tuple(path.split("."))
        if _alike(segments, entry[: len(segments)]):
            if not isinstance(allowed, Allowed):
                return
            met = _CONDITIONS[allowed.when](resource, context.index)
            if met is None:
                yield undecided(resource, IGNORE_CHANGES)
            if met is not False:
                return
    rule = context.guarded[resource.type][masked]
    message = f"`ignoreChanges` must not cover `{masked}`: {rule} guards it, and would judge what is not so"
    yield violation(resource, IGNORE_CHANGES, message)


def _segments(path: str) -> tuple[str, ...]:
    """The segments of an entry of `ignoreChanges`, the first one by its wire name."""
    found = ["".join(match.groups("")) for match in _SEGMENT.finditer(path.strip())]
    # Only whole names are translated by the SDK for Python; paths come as they were written.
    first = (re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match[1].upper(), each) for each in found[:1])
    return (*first, *found[1:])


def _overlap(entry: Sequence[str], guarded: Sequence[str], read: frozenset[str]) -> bool:
    """Whether one path holds the other. Of tags, those count that rules read: the rest is anybody's."""
    if not entry or (guarded == ("tags",) and len(entry) > 1 and entry[1].lower() not in read):
        return False
    shorter = min(len(entry), len(guarded))
    return _alike(entry[:shorter], guarded[:shorter])


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    return len(one) == len(other) and all(a == b or "*" in (a, b) for a, b in zip(one, other, strict=True))


def _autoscaled(workload: Resource, index: Index) -> bool | None:
    scaling = index.once("scaling", lambda: k8s.Scaling(index))
    return None if scaling.unsure(workload) else scaling.of(workload) is not None


def _has_replicas(table: Resource, index: Index) -> bool:
    return bool(index.companions(table, TABLE_REPLICA, "globalTableArn"))


def _takes_tls(listener: Resource, _: Index) -> bool | None:
    protocol = listener.peek("protocol")
    return None if protocol is UNKNOWN else protocol in _TLS


_CONDITIONS: Final[Mapping[str, Callable[[Resource, Index], bool | None]]] = {
    "autoscaler": _autoscaled,
    "replicas": _has_replicas,
    "tls": _takes_tls,
}


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
