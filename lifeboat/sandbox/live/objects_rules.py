"""Which replication rules of a bucket apply to what happened to an object. Nothing here has state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable


class Change(Enum):
    """What happened. Deleting a version is not among it: S3 never replicates that."""

    CREATED = "created"
    """A new version."""
    MODIFIED = "modified"
    """Tags, access list, retention or legal hold of a version that was there."""
    MARKED = "marked"
    """A delete marker."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a rule looks at.

    Attributes:
        key: The object's name.
        tags: Of the version; a delete marker has none.
        kms: Whether a KMS key encrypts it.
        replica: Whether replication made it.
    """

    key: str
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    kms: bool = False
    replica: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        name: Unique in its bucket.
        priority: The highest one decides among rules of one destination.
        enabled: A rule that is not does not count.
        prefix: Of keys.
        tags: All of which a version has.
        destination: Bucket name.
        delete_markers: Whether they replicate.
        replica_modifications: Whether changes of a replica replicate.
        kms: Whether objects replicate that a KMS key encrypts.
        replica_key: KMS key of such replicas.
        storage_class: Of replicas; None: the original's.
        metrics: Whether its progress is published.
    """

    name: str
    priority: int = 0
    enabled: bool = True
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    destination: str
    delete_markers: bool = False
    replica_modifications: bool = False
    kms: bool = False
    replica_key: str | None = None
    storage_class: str | None = None
    metrics: bool = False

    def matches(self, subject: Subject) -> bool:
        """Whether an object is one of its."""
        return (
            self.enabled
            and subject.key.startswith(self.prefix)
            and all(subject.tags.get(name) == value for name, value in self.tags.items())
        )

    def takes(self, change: Change, subject: Subject) -> bool:
        """Whether it replicates such a change of one of its objects."""
        if change is Change.MARKED:
            return self.delete_markers and not subject.replica
        if subject.kms and not self.kms:
            return False
        return not subject.replica or (change is Change.MODIFIED and self.replica_modifications)


def choose(rules: Iterable[Rule], change: Change, subject: Subject) -> list[Rule]:
    """The rules that replicate a change, at most one a destination, by destination.

    Of one destination's rules that match, the one of the highest priority decides, also that nothing is replicated.
    """
    deciding: dict[str, Rule] = {}
    for rule in rules:
        former = deciding.get(rule.destination)
        if rule.matches(subject) and (former is None or rule.priority > former.priority):
            deciding[rule.destination] = rule
    return [rule for _, rule in sorted(deciding.items()) if rule.takes(change, subject)]


def read_rules(configuration: Mapping[str, Any] | None) -> list[Rule]:
    """The rules of a replication configuration, as S3's XML has them when it is parsed."""
    return [_read(rule) for rule in _several((configuration or {}).get("Rule"))]


def _read(rule: Mapping[str, Any]) -> Rule:
    # Without this element, it is a rule of the first version, whose prefix stands alone and which takes delete markers.
    newer = "Filter" in rule
    filtered = _part(rule, "Filter")
    both = _part(filtered, "And")
    tags = _several(both.get("Tag")) or _several(filtered.get("Tag"))
    destination = _part(rule, "Destination")
    criteria = _part(rule, "SourceSelectionCriteria")
    return Rule(
        name=str(rule["ID"]),
        priority=int(rule.get("Priority") or 0),
        enabled=rule["Status"] == "Enabled",
        prefix=both.get("Prefix") or filtered.get("Prefix") or rule.get("Prefix") or "",
        tags={str(tag["Key"]): tag.get("Value") or "" for tag in tags},
        destination=str(destination["Bucket"]).rpartition(":")[2],
        delete_markers=not newer or _enabled(rule, "DeleteMarkerReplication"),
        replica_modifications=_enabled(criteria, "ReplicaModifications"),
        kms=_enabled(criteria, "SseKmsEncryptedObjects"),
        replica_key=_part(destination, "EncryptionConfiguration").get("ReplicaKmsKeyID"),
        storage_class=destination.get("StorageClass"),
        metrics=_enabled(destination, "Metrics"),
    )


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An element, empty when it is absent or empty."""
    return cast("Mapping[str, Any] | None", whole.get(name)) or {}


def _several(value: object) -> list[Mapping[str, Any]]:
    """What XML had one or several or none of."""
    if not value:
        return []
    return [cast("Mapping[str, Any]", value)] if isinstance(value, Mapping) else cast("list[Mapping[str, Any]]", value)


def _enabled(whole: Mapping[str, Any], name: str) -> bool:
    return _part(whole, name).get("Status") == "Enabled"
