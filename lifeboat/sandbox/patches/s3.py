"""S3: tags at creation, replication configurations, lifecycle rules that AWS refuses."""

from __future__ import annotations

import itertools
import json
from typing import Any, cast

import xmltodict
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy
from moto.s3.exceptions import ReplicationConfigurationNotFoundError
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.s3.responses import S3Response

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError

PATCHES = Patches("s3")

_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
_INFREQUENT_DAYS = 30
_REPLICATION_MINUTES = "15"


def _list(value: Moto) -> list[dict[str, Any]]:
    """What XML had one or several or none of."""
    if value is None:
        return []
    return cast("list[dict[str, Any]]", value if isinstance(value, list) else [value])


def _part(whole: dict[str, Any] | None, name: str) -> dict[str, Any]:
    """An element of XML's, empty when it is absent."""
    found: dict[str, Any] | None = (whole or {}).get(name)
    return found or {}


@PATCHES.fixes(S3Response)
def _bucket_response_put(
    original: Moto, self: Moto, request: Moto, bucket_name: str, querystring: dict[str, Any]
) -> Moto:
    """Drops the tags that CreateBucket carries since 2025, so that every new bucket differs from its declaration."""
    answer = original(self, request, bucket_name, querystring)
    if querystring or b"<Tags" not in self.raw_body:
        return answer
    configuration: dict[str, Any] = xmltodict.parse(self.raw_body)["CreateBucketConfiguration"]
    tags = {tag["Key"]: tag["Value"] or "" for tag in _list(_part(configuration, "Tags").get("Tag"))}
    self.backend.put_bucket_tagging(bucket_name, tags)
    return answer


@PATCHES.fixes(S3Backend)
def put_bucket_replication(original: Moto, self: Moto, bucket_name: str, replication: dict[str, Any]) -> None:
    """Takes rules that AWS refuses.

    Those are: a destination without versioning, KMS objects without a key for them, time control that is not 15 minutes
    or has no metrics.
    """
    for rule in _list(replication["Rule"]):
        _refuse_rule(self, rule)
    original(self, bucket_name, replication)


def _refuse_rule(backend: Moto, rule: dict[str, Any]) -> None:
    destination: dict[str, Any] = rule["Destination"]
    name: str = destination["Bucket"].rpartition(":")[2]
    refusals = {
        "Destination bucket must exist.": name not in _buckets(backend),
        "Destination bucket must have versioning enabled.": name in _buckets(backend)
        and not _buckets(backend)[name].is_versioned,
        "ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.": _enabled(
            rule.get("SourceSelectionCriteria"), "SseKmsEncryptedObjects"
        )
        and not _part(destination, "EncryptionConfiguration").get("ReplicaKmsKeyID"),
        "ReplicationTime requires Metrics.": _enabled(destination, "ReplicationTime")
        and not _enabled(destination, "Metrics"),
        "ReplicationTime must be 15 minutes.": _enabled(destination, "ReplicationTime")
        and destination["ReplicationTime"]["Time"]["Minutes"] != _REPLICATION_MINUTES,
    }
    for message, applies in refusals.items():
        if applies:
            raise RefusedError("InvalidRequest", message)


def _enabled(part: dict[str, Any] | None, name: str) -> bool:
    return _part(part, name).get("Status") == "Enabled"


def _buckets(backend: Moto) -> dict[str, Any]:
    # S3 is one per partition in moto.
    found: dict[str, Any] = s3_backends[backend.account_id][backend.partition].buckets
    return found


@PATCHES.fixes(S3Response)
def get_bucket_replication(_original: Moto, self: Moto) -> Moto:
    """Answers every rule with an empty filter, delete markers off and no source criteria, whatever was put."""
    self.data["Action"] = "GetBucketReplication"
    kept = self.backend.get_bucket_replication(self.bucket_name)
    if not kept:
        raise ReplicationConfigurationNotFoundError(bucket_name=self.bucket_name)
    rules = [{**rule, "Filter": _filter(rule)} if "Filter" in rule else rule for rule in kept["Rule"]]
    return self.serialized(ActionResult({"ReplicationConfiguration": {"Role": kept["Role"], "Rules": rules}}))


def _filter(rule: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = rule["Filter"] or {}
    if "And" in chosen:
        both = chosen["And"]
        return {"And": {"Prefix": both.get("Prefix") or "", "Tags": _list(both.get("Tag"))}}
    return chosen if "Tag" in chosen else {"Prefix": chosen.get("Prefix") or ""}


@PATCHES.fixes(FakeBucket)
def set_lifecycle(original: Moto, self: Moto, rules: list[dict[str, Any]]) -> None:
    """Takes what AWS refuses: infrequent access before 30 days, onward within 30, expiry before the last transition."""
    for rule in rules:
        _refuse_days(_list(rule.get("Transition")), "Days", "Transition")
        _refuse_days(_list(rule.get("NoncurrentVersionTransition")), "NoncurrentDays", "NoncurrentVersionTransition")
        expiry = int(_part(rule, "Expiration").get("Days") or 0)
        last = max((int(step["Days"]) for step in _list(rule.get("Transition")) if "Days" in step), default=0)
        if expiry and expiry <= last:
            message = "'Days' in the Expiration action must be greater than 'Days' in the Transition action"
            raise RefusedError("InvalidArgument", message)
    original(self, rules)


def _refuse_days(steps: list[dict[str, Any]], unit: str, action: str) -> None:
    dated = sorted((int(step[unit]), step["StorageClass"]) for step in steps if unit in step)
    for days, storage in dated:
        if storage in _INFREQUENT and days < _INFREQUENT_DAYS:
            message = f"'{unit}' in {action} action must be greater than or equal to 30 for storageClass '{storage}'"
            raise RefusedError("InvalidArgument", message)
    for (earlier, storage), (later, onward) in itertools.pairwise(dated):
        if storage in _INFREQUENT and later < earlier + _INFREQUENT_DAYS:
            message = (
                f"'{unit}' in the {action} action for StorageClass '{onward}' must be 30 days more than"
                f" in the {action} action for StorageClass '{storage}'"
            )
            raise RefusedError("InvalidArgument", message)


@PATCHES.fixes(FakeBucket)
def get_permission(original: Moto, self: Moto, action: str, resource: str) -> Moto:
    """Takes every condition for true, so that a policy which denies what comes without TLS denies everything.

    Statements with conditions are left out: who calls from loopback is not who they are about.
    """
    if self.policy is None:
        return original(self, action, resource)
    policy = json.loads(self.policy)
    policy["Statement"] = [statement for statement in _list(policy["Statement"]) if "Condition" not in statement]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)
