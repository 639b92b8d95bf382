"""What AWS Backup takes, and which resources its selections put under a plan."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.arns import NAMED_ARNS, named_arn
from policies.core.roles import BUCKET, BUCKET_REPLICATION, CLUSTER, INSTANCE, is_replica
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set, is_true, mapping, number, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from policies.core.index import Index
    from policies.core.resource import Resource, View

PLAN: Final = "aws:backup/plan:Plan"
SELECTION: Final = "aws:backup/selection:Selection"
VAULT: Final = "aws:backup/vault:Vault"
TABLE: Final = "aws:dynamodb/table:Table"
FILE_SYSTEM: Final = "aws:efs/fileSystem:FileSystem"
FILE_SYSTEM_POLICY: Final = "aws:efs/backupPolicy:BackupPolicy"
FILE_SYSTEM_REPLICATION: Final = "aws:efs/replicationConfiguration:ReplicationConfiguration"
DOCUMENTS: Final = "aws:docdb/cluster:Cluster"
GRAPH: Final = "aws:neptune/cluster:Cluster"
WAREHOUSE: Final = "aws:redshift/cluster:Cluster"
VOLUME: Final = "aws:ebs/volume:Volume"
BACKUPS_REPLICATION: Final = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
BUCKET_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
WAREHOUSE_COPY: Final = "aws:redshift/snapshotCopy:SnapshotCopy"

_FILES: Final = "aws:fsx/lustreFileSystem:LustreFileSystem"
PROTECTED: Final[Mapping[str, str]] = {
    INSTANCE: "RDS",
    CLUSTER: "Aurora",
    DOCUMENTS: "DocumentDB",
    GRAPH: "Neptune",
    WAREHOUSE: "Redshift",
    TABLE: "DynamoDB",
    BUCKET: "S3",
    FILE_SYSTEM: "EFS",
    VOLUME: "EBS",
    _FILES: "FSx",
    "aws:fsx/ontapFileSystem:OntapFileSystem": "FSx",
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": "FSx",
    "aws:fsx/windowsFileSystem:WindowsFileSystem": "FSx",
}
"""Types that AWS Backup takes, with its own name for them; caches are none of them."""
_VAGUE: Final = "\0"
"""Stands in an ARN for what is not known yet; only a wildcard fits it."""
_TAG: Final = "aws:ResourceTag/"
_OPERATORS: Final = {
    "stringEquals": (False, True),
    "stringLikes": (True, True),
    "stringNotEquals": (False, False),
    "stringNotLikes": (True, False),
}
"""By operator: whether its value has wildcards, and whether it must fit."""


def keeps_itself(resource: Resource, index: Index) -> bool:
    """Whether a resource needs no AWS Backup, because its own service keeps its past, or because it follows another.

    Raises:
        UnknownPropertyError: when that is not known yet.
    """
    keeper = _KEEPERS.get(resource.type)
    return is_replica(resource, index) or (keeper is not None and keeper(resource, index))


def _instance_is_kept(instance: Resource, index: Index) -> bool:
    # Its automated backups stay in its region unless they are replicated.
    kept = number(instance.get("backupRetentionPeriod")) or 0
    return kept > 0 and bool(index.companions(instance, BACKUPS_REPLICATION, "sourceDbInstanceArn"))


def _cluster_is_kept(cluster: Resource, _: Index) -> bool:
    # Backups of a cluster cannot be turned off; its global cluster has the data in another region.
    identifier = cluster.peek("globalClusterIdentifier")
    return identifier is UNKNOWN or is_set(identifier)


def _table_is_kept(table: Resource, _: Index) -> bool:
    return is_true(table.get("pointInTimeRecovery.enabled"))


def _warehouse_is_kept(warehouse: Resource, index: Index) -> bool:
    return bool(index.companions(warehouse, WAREHOUSE_COPY, "clusterIdentifier"))


def file_system_is_kept(resource: Resource, index: Index) -> bool:
    """Whether a file system has automatic backups, which AWS Backup makes, or only receives another one's data."""
    policies = index.companions(resource, FILE_SYSTEM_POLICY, "fileSystemId")
    if any(each.get("backupPolicy.status") == "ENABLED" for each in policies):
        return True
    # Only what lies in a single zone has them by default.
    return (not policies and is_set(resource.get("availabilityZoneName"))) or bool(
        index.companions(resource, FILE_SYSTEM_REPLICATION, "destination.fileSystemId")
    )


def _bucket_is_kept(bucket: Resource, index: Index) -> bool:
    replicated = index.companions(bucket, BUCKET_REPLICATION, "bucket")
    received = index.companions(bucket, BUCKET_REPLICATION, "rules")
    if not received and not any(rule.get("status") == "Enabled" for each in replicated for rule in each.items("rules")):
        return False
    versioned = index.companions(bucket, BUCKET_VERSIONING, "bucket")
    return is_true(bucket.get("versioning.enabled")) or any(
        each.get("versioningConfiguration.status") == "Enabled" for each in versioned
    )


_KEEPERS: Final[Mapping[str, Callable[[Resource, Index], bool]]] = {
    INSTANCE: _instance_is_kept,
    CLUSTER: _cluster_is_kept,
    DOCUMENTS: _cluster_is_kept,
    GRAPH: _cluster_is_kept,
    TABLE: _table_is_kept,
    WAREHOUSE: _warehouse_is_kept,
    FILE_SYSTEM: file_system_is_kept,
    BUCKET: _bucket_is_kept,
}


class Selections:
    """The backup selections of a stack, asked for one resource after another.

    A selection takes what its ARNs or one of its tags name, or everything when it has neither, provided that all of
    its conditions hold and no ARN under `notResources` fits; and only what lives where its plan does.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._named: dict[str, list[Resource]] = defaultdict(list)
        self._patterns: dict[str, list[tuple[str, Resource]]] = defaultdict(list)
        self._tags: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self._everything: list[Resource] = []
        self._conditional: dict[str, dict[str, list[Resource]]] = defaultdict(lambda: defaultdict(list))
        self._vague: list[Resource] = []
        for selection in index.of(SELECTION):
            self._read(selection)

    def covers(self, resource: Resource) -> bool | None:
        """Whether a plan takes a resource; None when that is not known yet."""
        arn = self._arn(resource)
        vague = any(self._same_place(each, resource) for each in self._vague)
        for selection in self._candidates(resource, arn):
            found = self._admits(selection, resource, arn)
            if found:
                return True
            vague = vague or found is None
        # Another ARN might fit a pattern that this one does not.
        return None if vague or (_VAGUE in arn and self._patterns) else False

    def of(self, resource: Resource) -> list[Resource]:
        """The selections that take a resource for sure."""
        arn = self._arn(resource)
        found = [each for each in self._candidates(resource, arn) if self._admits(each, resource, arn)]
        return list(dict.fromkeys(found))

    def _read(self, selection: Resource) -> None:
        resources, tags = selection.peek("resources"), selection.peek("selectionTags")
        targets = self._index.targets(selection, "resources")
        for target in targets:
            self._named[target.urn].append(selection)
        tag = _demanded_tag(selection)
        for text in texts(resources):
            if text == "*" and tag is not None:
                self._conditional[tag[0]][tag[1]].append(selection)
            else:
                self._patterns[text.partition("*")[0]].append((text, selection))
        items = cast("list[Any]", resources) if isinstance(resources, list) else [resources]
        vague = tags is UNKNOWN or (UNKNOWN in items and not targets)
        for item in () if tags is UNKNOWN else selection.items("selectionTags"):
            key, value = item.peek("key"), item.peek("value")
            if isinstance(key, str) and isinstance(value, str):
                self._tags[(key, value)].append(selection)
            vague = vague or UNKNOWN in (key, value)
        if vague:
            self._vague.append(selection)
        if not is_set(resources) and not is_set(tags):
            (self._everything if tag is None else self._conditional[tag[0]][tag[1]]).append(selection)

    def _candidates(self, resource: Resource, arn: str) -> Iterator[Resource]:
        yield from self._everything
        yield from self._named.get(resource.urn, ())
        for end in range(len(arn) + 1):
            for pattern, selection in self._patterns.get(arn[:end], ()):
                if _fits(arn, pattern):
                    yield selection
        tags = _tags(resource)
        for key, value in tags.items():
            if isinstance(value, str):
                yield from self._tags.get((key, value), ())
        open_ = resource.peek("tags") is UNKNOWN
        for key in self._conditional if open_ else tags.keys() & self._conditional.keys():
            value, selections = tags.get(key), self._conditional[key]
            if open_ or value is UNKNOWN:
                yield from (each for listed in selections.values() for each in listed)
            elif isinstance(value, str):
                yield from selections.get(value, ())

    def _admits(self, selection: Resource, resource: Resource, arn: str) -> bool | None:
        if not self._same_place(selection, resource):
            return False
        excluded = selection.peek("notResources")
        if resource in self._index.targets(selection, "notResources"):
            return False
        if any(_fits(arn, pattern) for pattern in texts(excluded)):
            return False
        try:
            return all(_holds(each, resource) for each in selection.items("conditions"))
        except UnknownPropertyError:
            return None

    def _same_place(self, selection: Resource, resource: Resource) -> bool:
        index = self._index
        return all(
            # Where one of both is not known, the program may mean the same.
            not own or not its or own == its
            for own, its in (
                (index.region_or(selection, ""), index.region_or(resource, "")),
                (index.account(selection), index.account(resource)),
            )
        )

    def _arn(self, resource: Resource) -> str:
        known = resource.outputs.get("arn")
        if isinstance(known, str) and known:
            return known
        type_ = resource.type if resource.type in PROTECTED else _FILES
        region = self._index.region_or(resource, "") or _VAGUE
        account = self._index.account(resource) or _VAGUE
        return named_arn(type_, _name(resource, NAMED_ARNS[type_][2]), region, account)


def selections(index: Index) -> Selections:
    """The selections of a stack, read once for all rules."""
    return index.once("backup selections", lambda: Selections(index))


def _name(resource: Resource, property_: str) -> str:
    value = resource.peek(property_) if property_ else None
    return value if isinstance(value, str) and value else _VAGUE


def _tags(resource: Resource) -> dict[str, Any]:
    # A provider's default tags are only in what it answers.
    return {**mapping(resource.outputs.get("tagsAll")), **mapping(resource.peek("tags"))}


def _demanded_tag(selection: Resource) -> tuple[str, str] | None:
    """A tag without which a selection takes nothing, if there is one that is known."""
    conditions = selection.peek("conditions")
    for condition in () if conditions is UNKNOWN else selection.items("conditions"):
        demands = condition.peek("stringEquals")
        for item in () if demands is UNKNOWN else condition.items("stringEquals"):
            key, value = item.peek("key"), item.peek("value")
            if isinstance(key, str) and isinstance(value, str):
                return key.removeprefix(_TAG), value
    return None


def _holds(condition: View, resource: Resource) -> bool:
    tags = _tags(resource)
    for operator, (wild, wanted) in _OPERATORS.items():
        for item in condition.items(operator):
            key, value = item.get("key"), item.get("value")
            tag = tags.get(key.removeprefix(_TAG)) if isinstance(key, str) else None
            if tag is UNKNOWN or resource.peek("tags") is UNKNOWN:
                raise UnknownPropertyError("tags")
            fits = isinstance(tag, str) and isinstance(value, str) and (_fits(tag, value) if wild else tag == value)
            if fits is not wanted:
                return False
    return True


def _fits(text: str, pattern: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def kept_days(about: View) -> float:
    """Days for which a plan's rule, or one of its copies, keeps a backup; infinite where nothing ends them.

    Raises:
        UnknownPropertyError: when that is not known yet.
    """
    written = about.get("lifecycle.deleteAfter")
    days = math.inf if written is None else number(written)
    if days is None:
        return 0
    # The API writes "never" as -1.
    return math.inf if days < 0 else days
