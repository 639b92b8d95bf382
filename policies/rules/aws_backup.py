"""AWS: every store keeps backups of itself, long enough, and they survive its deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.core.backups import FILE_SYSTEM_POLICY, TABLE, file_system_is_kept, selections
from policies.core.results import attempt, require, undecided, violation
from policies.core.roles import REPLICATION_GROUP, is_replica
from policies.core.values import at_least, is_false, is_set, is_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from policies.core.backups import Selections
    from policies.core.context import Context
    from policies.core.resource import Resource
    from policies.core.results import Result

_MOST_DAYS: Final = 35
"""What automated backups of every service here can be kept at most; who declares more needs AWS Backup besides."""
_UNSAVED_NODES: Final = ("cache.t1.",)


def _retained(property_: str) -> Callable[[Resource, Context], Iterable[Result]]:
    """The check that a property has the declared days of retention, else the rule's."""

    def check(resource: Resource, context: Context) -> Iterable[Result]:
        if is_replica(resource, context.index):
            return
        declared = context.objectives(resource).retention_days
        # Who declares less does not thereby lower what everybody has to keep.
        days = max(context.parameters["days"], min(declared or 0, _MOST_DAYS))
        yield from require(resource, property_, at_least(days), f"at least {days:g} days")

    return check


_snapshots = _retained("snapshotRetentionLimit")


def _elasticache_snapshots(resource: Resource, context: Context) -> Iterable[Result]:
    engine, node = resource.peek("engine"), resource.peek("nodeType")
    if engine == "memcached" or (isinstance(node, str) and node.startswith(_UNSAVED_NODES)):
        return
    if resource.type != REPLICATION_GROUP and is_set(resource.peek("replicationGroupId")):
        return
    yield from _snapshots(resource, context)


def _dynamodb_pitr(resource: Resource, _: Context) -> Iterable[Result]:
    if resource.type != TABLE:
        yield from require(resource, "pointInTimeRecovery", is_true, "true")
        return
    yield from require(resource, "pointInTimeRecovery.enabled", is_true, "true")
    yield from attempt(
        resource,
        lambda: [
            result
            for replica in resource.items("replicas")
            for result in require(replica, "pointInTimeRecovery", is_true, "true")
        ],
    )


def _efs_auto_backup(context: Context) -> Iterable[Result]:
    taken = selections(context.index)
    for resource in context.index.of("aws:efs/fileSystem:FileSystem"):
        yield from attempt(resource, lambda each=resource: _file_system(each, context, taken))


def _file_system(resource: Resource, context: Context, taken: Selections) -> Iterable[Result]:
    selected = taken.covers(resource)
    if selected or file_system_is_kept(resource, context.index):
        return
    if selected is None:
        yield undecided(resource, "")
        return
    policies = context.index.companions(resource, FILE_SYSTEM_POLICY, "fileSystemId")
    for policy in policies:
        yield from require(policy, "backupPolicy.status", lambda status: status == "ENABLED", "`ENABLED`")
    if not policies:
        yield violation(resource, "", "needs a backup policy, or a selection of a backup plan", absent=True)


def _final_snapshot_kept(resource: Resource, context: Context) -> Iterable[Result]:
    if is_replica(resource, context.index):
        return
    yield from require(resource, "skipFinalSnapshot", lambda value: value is None or is_false(value), "false")
    yield from require(resource, "deleteAutomatedBackups", is_false, "false")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rds-retention": _retained("backupRetentionPeriod"),
    "docdb-neptune-retention": _retained("backupRetentionPeriod"),
    "redshift-snapshots": _retained("automatedSnapshotRetentionPeriod"),
    "elasticache-snapshots": _elasticache_snapshots,
    "dynamodb-pitr": _dynamodb_pitr,
    "efs-auto-backup": _efs_auto_backup,
    "final-snapshot-kept": _final_snapshot_kept,
}
