"""What there is of stateful resources before a drill and after it, and what of the difference is as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery.runner import DONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.drill.scenario import Roles
    from lifeboat.recovery.drill.timeline import RunTime
    from lifeboat.recovery.ports import Ports

COVERED: Final = "database clusters, instances and manual snapshots of both, and cache groups"
"""Kinds that are looked at, for people."""
_MANUAL: Final = "manual"
_RESTORED: Final = {DatabaseMechanism.BACKUPS, DatabaseMechanism.REPLICATED_BACKUPS}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What is not as it was, and should be.

    Attributes:
        orphans: Was not there before, and nothing declares that it should be now.
        vanished: Was there before, and is not now.
    """

    orphans: tuple[str, ...]
    vanished: tuple[str, ...]


def found(ports: Ports, region: str) -> Iterator[str]:
    """What a region has: ``us-east-1 rds cluster reskflow-production-orders-us-east-1``.

    Raises:
        ClientError: when it cannot be told, or another one of botocore's.
    """
    rds, caches = ports.client("rds", region), ports.client("elasticache", region)
    for each in _pages(rds, "describe_db_clusters", "DBClusters"):
        yield f"{region} rds cluster {each['DBClusterIdentifier']}"
    for each in _pages(rds, "describe_db_instances", "DBInstances"):
        yield f"{region} rds instance {each['DBInstanceIdentifier']}"
    # Automated ones come and go with AWS's own schedule.
    for each in _pages(rds, "describe_db_snapshots", "DBSnapshots"):
        if each["SnapshotType"] == _MANUAL:
            yield f"{region} rds snapshot {each['DBSnapshotIdentifier']}"
    for each in _pages(rds, "describe_db_cluster_snapshots", "DBClusterSnapshots"):
        if each["SnapshotType"] == _MANUAL:
            yield f"{region} rds cluster snapshot {each['DBClusterSnapshotIdentifier']}"
    for each in _pages(caches, "describe_replication_groups", "ReplicationGroups"):
        yield f"{region} elasticache group {each['ReplicationGroupId']}"


def _pages(client: Any, operation: str, result: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - boto3 makes it
    for page in client.get_paginator(operation).paginate():
        yield from page[result]


def difference(
    before: frozenset[str], after: frozenset[str], *, physical: Physical, roles: Roles, runs: Iterable[RunTime]
) -> Difference:
    """What is left over, and what is gone.

    Args:
        before: As `found` has it, of both sites.
        after: The same, once all is over.
        physical: The stack's names.
        roles: Which site is which.
        runs: What was done to it meanwhile.
    """
    meant = {name for run in runs if run.result == DONE for name in _made(physical, roles, run)}
    return Difference(orphans=tuple(sorted(after - before - meant)), vanished=tuple(sorted(before - after)))


def _made(physical: Physical, roles: Roles, run: RunTime) -> Iterator[str]:
    """What a run that ended well makes and leaves: the next generation of an instance, a planned move's snapshot."""
    there, away = (roles.home, roles.standby) if run.mode is Mode.FAILBACK else (roles.standby, roles.home)
    if run.mode is not Mode.REJOIN:
        for cache in physical.topology.caches:
            # Where the standby keeps none, a move makes it under its declared name.
            yield f"{there} elasticache group {physical.replication_group(cache.settings.name, there)}"
    for design in physical.topology.databases:
        name, replicated = design.settings.name, design.mechanism is DatabaseMechanism.REPLICA
        if run.mode is Mode.REJOIN:
            if replicated:
                yield f"{away} rds instance {physical.replica(name, away)}"
        # A replica that the target has none of is restored.
        elif design.mechanism in _RESTORED or (replicated and not physical.generations(name, there)):
            yield f"{there} rds instance {physical.next_instance(name, there)}"
        if design.mechanism in _RESTORED and run.mode in {Mode.SWITCHOVER, Mode.FAILBACK}:
            # Kept on purpose: it is the last state that the site that was left had.
            instances = physical.generations(name, away)
            last = instances[0] if instances else physical.next_instance(name, away)
            for region in (there, away):
                yield f"{region} rds snapshot {last}-{run.name.lower()}"
