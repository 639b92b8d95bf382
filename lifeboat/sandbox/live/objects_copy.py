"""Brings one change of an object into another bucket, as S3's replication would leave it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend, s3_backends

from lifeboat.sandbox.live.objects_hook import REPLICA, WRITING, statuses
from lifeboat.sandbox.live.objects_rules import Change

if TYPE_CHECKING:
    from lifeboat.sandbox.live.objects_rules import Rule
    from lifeboat.sandbox.patches.base import Moto

_KMS = "aws:kms"
_PARTITION = "aws"
_COPIED = ("website_redirect_location", "checksum_algorithm", "last_modified")


class RefusedError(Exception):
    """The destination does not take a replica; the text says why."""


def backend(account_id: str) -> S3Backend:
    """An account's S3, which has the buckets of all regions."""
    return s3_backends[account_id][_PARTITION]


def replicate(account_id: str, change: Change, version: Moto, rule: Rule) -> bool:
    """Bring a change of a version, or a delete marker, to a rule's destination.

    Returns:
        Whether there was anything to do: a modification of what was never replicated is none.

    Raises:
        RefusedError: when the destination does not take it.
    """
    s3 = backend(account_id)
    destination: Moto = s3.buckets.get(rule.destination)
    if destination is None:
        raise RefusedError(f"bucket {rule.destination} is gone")
    if not destination.is_versioned:
        raise RefusedError(f"bucket {rule.destination} is not versioned")
    present = next((known for known in _versions(destination, version) if known.version_id == version.version_id), None)
    if change is Change.MODIFIED:
        if present is not None:
            _modify(s3, version, present)
        return present is not None
    if present is None:
        _insert(destination, _marker(version) if change is Change.MARKED else _copy(s3, version, rule, destination))
    return True


def _versions(bucket: Moto, version: Moto) -> list[Moto]:
    return bucket.keys.getlist(version.name, [])


def _insert(bucket: Moto, version: Moto) -> None:
    # By age, not by arrival: so both sides agree which version is the current one.
    with WRITING:
        versions = sorted([*_versions(bucket, version), version], key=lambda known: known.last_modified)
        bucket.keys.setlist(version.name, versions)


def _copy(s3: S3Backend, version: Moto, rule: Rule, destination: Moto) -> Moto:
    made: Moto = FakeKey(
        name=version.name,
        bucket_name=destination.name,
        value=version.value,
        account_id=version.account_id,
        region_name=version.region_name,
        storage=rule.storage_class or version.storage_class,
        # Not computed anew: that of an upload in parts cannot be.
        etag=version.etag.strip('"'),
        is_versioned=True,
        version_id=version.version_id,
        encryption=version.encryption,
        kms_key_id=rule.replica_key if version.encryption == _KMS else None,
        bucket_key_enabled=version.bucket_key_enabled,
        checksum_value=version.checksum_value,
        checksum_type=version.checksum_type,
        checksum_parts=version.checksum_parts,
    )
    made.set_metadata(dict(version.metadata))
    for name in _COPIED:
        setattr(made, name, getattr(version, name))
    _modify(s3, version, made)
    statuses(made)[""] = REPLICA
    return made


def _marker(version: Moto) -> Moto:
    made: Moto = FakeDeleteMarker(version)
    made.last_modified, made._version_id = version.last_modified, version.version_id
    statuses(made)[""] = REPLICA
    return made


def _modify(s3: S3Backend, version: Moto, replica: Moto) -> None:
    """Give a replica what may change of a version."""
    replica.acl = version.acl
    for name in ("lock_mode", "lock_legal_status", "lock_until"):
        setattr(replica, name, getattr(version, name))
    s3.tagger.delete_all_tags_for_resource(replica.arn)
    s3.tagger.copy_tags(version.arn, replica.arn)
