"""Tells an observer what changes in moto's S3, request by request, and shows replication statuses in its answers.

A request makes several calls of moto's backend: an object's tags are set after it was stored. So changes are told when
the request is done, those of one version as one. Replication itself writes past moto's backend, and is not observed.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response

from lifeboat.sandbox.live.objects_rules import Change
from lifeboat.sandbox.patches.base import Moto, Patches, attributes

if TYPE_CHECKING:
    from collections.abc import Generator

PATCHES = Patches("s3_replication")
REPLICA = "REPLICA"
_STATUS = "lifeboat_replication"
_HEADER = "x-amz-replication-status"


class Observer(Protocol):
    """Who is told."""

    def changed(self, change: Change, bucket_name: str, version: Moto) -> None:
        """A version or a delete marker of a bucket changed; on the thread of the request."""
        ...


class _Request(threading.local):
    """What the thread's present request changed."""

    def __init__(self) -> None:
        self.depth = 0
        self.changes: list[tuple[Change, str, Moto]] = []


WRITING: Final = threading.RLock()
"""Held while an object's versions change: moto replaces their list whole, and would lose one that came meanwhile."""
_request = _Request()
_observers: list[Observer] = []


@functools.cache
def install() -> None:
    """Hook into moto, once a process."""
    for patch in PATCHES.patches:
        PATCHES.apply(patch)


@contextlib.contextmanager
def observed(observer: Observer) -> Generator[None]:
    """Tell an observer of every change from now on."""
    install()
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def statuses(version: Moto) -> dict[str, str]:
    """A version's replication status by destination bucket; a replica has one under an empty name.

    It is kept with the version, and goes with it.
    """
    found: dict[str, str] = attributes(version).setdefault(_STATUS, {})
    return found


def is_replica(version: Moto) -> bool:
    """Whether replication made a version or delete marker."""
    return REPLICA in attributes(version).get(_STATUS, {}).values()


def _shown(version: Moto) -> str | None:
    known = set(statuses(version).values())
    # A version with several destinations is as far as the worst of them.
    return next((status for status in (REPLICA, "FAILED", "PENDING", "COMPLETED") if status in known), None)


def _note(change: Change, bucket_name: str, version: Moto) -> None:
    if version is None:
        return
    if not any(known is version for _, _, known in _request.changes):
        _request.changes.append((change, bucket_name, version))
    if not _request.depth:
        _tell()


def _tell() -> None:
    changes, _request.changes = _request.changes, []
    for change in changes:
        for observer in tuple(_observers):
            observer.changed(*change)


def _respond(original: Moto, self: Moto, *request: Moto) -> Moto:
    _request.depth += 1
    try:
        return original(self, *request)
    finally:
        _request.depth -= 1
        if not _request.depth:
            _tell()


@PATCHES.fixes(S3Response)
def _key_response(original: Moto, self: Moto, *request: Moto) -> Moto:
    """Is one request for an object."""
    return _respond(original, self, *request)


@PATCHES.fixes(S3Response)
def _bucket_response(original: Moto, self: Moto, *request: Moto) -> Moto:
    """Is one request for a bucket; uploads by form and deletions of several objects are such."""
    return _respond(original, self, *request)


@PATCHES.fixes(S3Backend)
def put_object(original: Moto, self: Moto, bucket_name: str, *rest: Moto, **more: Moto) -> Moto:
    """Stores a version, and loses it when two are stored at once."""
    with WRITING:
        version = original(self, bucket_name, *rest, **more)
    _note(Change.CREATED, bucket_name, version)
    return version


@PATCHES.fixes(S3Backend)
def put_object_tagging(original: Moto, self: Moto, key: Moto, tags: dict[str, str] | None) -> Moto:
    """Tags a version."""
    answer = original(self, key, tags)
    _note(Change.MODIFIED, key.bucket_name, key)
    return answer


@PATCHES.fixes(S3Backend)
def delete_object_tagging(
    original: Moto, self: Moto, bucket_name: str, key_name: str, version_id: str | None = None
) -> None:
    """Removes a version's tags."""
    original(self, bucket_name, key_name, version_id)
    _note(Change.MODIFIED, bucket_name, self.get_object(bucket_name, key_name, version_id))


@PATCHES.fixes(S3Backend)
def put_object_acl(original: Moto, self: Moto, bucket_name: str, key_name: str, *rest: Moto, **more: Moto) -> None:
    """Changes who may read an object."""
    original(self, bucket_name, key_name, *rest, **more)
    _note(Change.MODIFIED, bucket_name, self.get_object(bucket_name, key_name))


@PATCHES.fixes(S3Backend)
def put_object_legal_hold(
    original: Moto, self: Moto, bucket_name: str, key_name: str, version_id: str | None, *rest: Moto, **more: Moto
) -> None:
    """Holds a version, or lets it go."""
    original(self, bucket_name, key_name, version_id, *rest, **more)
    _note(Change.MODIFIED, bucket_name, self.get_object(bucket_name, key_name, version_id))


@PATCHES.fixes(S3Backend)
def put_object_retention(
    original: Moto, self: Moto, bucket_name: str, key_name: str, version_id: str | None, *rest: Moto, **more: Moto
) -> None:
    """Keeps a version until a date."""
    original(self, bucket_name, key_name, version_id, *rest, **more)
    _note(Change.MODIFIED, bucket_name, self.get_object(bucket_name, key_name, version_id))


@PATCHES.fixes(S3Backend)
def delete_object(
    original: Moto,
    self: Moto,
    bucket_name: str,
    key_name: str,
    version_id: str | None = None,
    *rest: Moto,
    **more: Moto,
) -> Moto:
    """Marks an object as deleted, or deletes one version for good."""
    with WRITING:
        answer = original(self, bucket_name, key_name, version_id, *rest, **more)
        marked = version_id is None and bool(answer[1].get("delete-marker"))
        marker = self.get_bucket(bucket_name).keys[key_name] if marked else None
    _note(Change.MARKED, bucket_name, marker)
    return answer


@PATCHES.fixes(FakeKey)
def response_dict(original: Moto, self: Moto) -> dict[str, Any]:
    """Knows nothing of replication."""
    answer = cast("dict[str, Any]", original(self))
    status = _shown(self)
    return answer if status is None else {**answer, _HEADER: status}
