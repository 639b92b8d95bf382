"""Removing isolated places, also those that verifications left that were killed: each holds a copy of the data."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lifeboat.recovery.backups_place import (
    ABSENT,
    EXPIRY_TAG,
    RUN_TAG,
    STAMP,
    Place,
    described,
    first_part,
    group_named,
    instance,
)
from lifeboat.recovery.copies import code, unless_busy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.backups_place import Bench
    from lifeboat.recovery.ports import Client, Ports


def remove(bench: Bench, gone: Place) -> None:
    """Remove whatever of a place there is, and wait until it is gone.

    Raises:
        StepFailed: when something is left by the deadline.
    """
    client = bench.ports.client("rds", gone.region)
    _delete(
        bench,
        gone.instance,
        lambda: instance(client, gone.instance),
        lambda: client.modify_db_instance(
            DBInstanceIdentifier=gone.instance, DeletionProtection=False, ApplyImmediately=True
        ),
        lambda: client.delete_db_instance(
            DBInstanceIdentifier=gone.instance,
            SkipFinalSnapshot=True,
            # Instances of a cluster have none of their own.
            **({} if gone.cluster else {"DeleteAutomatedBackups": True}),
        ),
    )
    if gone.cluster:
        _delete(
            bench,
            gone.name,
            lambda: described(client, gone),
            lambda: client.modify_db_cluster(
                DBClusterIdentifier=gone.name, DeletionProtection=False, ApplyImmediately=True
            ),
            lambda: client.delete_db_cluster(DBClusterIdentifier=gone.name, SkipFinalSnapshot=True),
        )
    network = bench.ports.client("ec2", gone.region)
    group = group_named(network, gone.name)
    if group is not None:
        # AWS refuses it as long as a network interface of the database is on its way out.
        bench.until(lambda: _group_deleted(network, group["GroupId"]), f"the security group {gone.name} is deleted")


def left(bench: Bench, of: Place) -> list[str]:
    """What of a place is still there, for people; what cannot be asked counts as there."""
    client, network = bench.ports.client("rds", of.region), bench.ports.client("ec2", of.region)
    looks: list[tuple[str, Callable[[], object]]] = [(f"instance {of.instance}", lambda: instance(client, of.instance))]
    if of.cluster:
        looks.append((f"cluster {of.name}", lambda: described(client, of)))
    looks.append((f"security group {of.name}", lambda: group_named(network, of.name)))
    there: list[str] = []
    for what, look in looks:
        found: object = True
        with suppress(Exception):
            found = look()
        if found:
            there.append(f"{of.region}: {what}")
    return there


def leftovers(physical: Physical, ports: Ports, region: str) -> list[tuple[Place, float]]:
    """Places in a region, of whichever run, and from when on each may be deleted: seconds since the epoch."""
    client, first = ports.client("rds", region), first_part(physical)
    places: dict[str, tuple[Place, float]] = {}
    for name, tags, cluster in _tagged(client, ports.client("ec2", region)):
        expiry = _expiry(tags)
        if not name.startswith(first) or RUN_TAG not in tags or expiry is None:
            continue
        # The group says no more than a name; what was restored says whether it is a cluster.
        if cluster or name not in places:
            places[name] = (Place(region=region, name=name, cluster=cluster, tags=tags), expiry)
    return list(places.values())


def _tagged(client: Client, network: Client) -> Iterator[tuple[str, dict[str, str], bool]]:
    for page in client.get_paginator("describe_db_clusters").paginate():
        for found in page["DBClusters"]:
            yield found["DBClusterIdentifier"], _tags(found.get("TagList", [])), True
    for page in client.get_paginator("describe_db_instances").paginate():
        for found in page["DBInstances"]:
            if not found.get("DBClusterIdentifier"):
                yield found["DBInstanceIdentifier"], _tags(found.get("TagList", [])), False
    filters = [{"Name": "tag-key", "Values": [RUN_TAG]}]
    for page in network.get_paginator("describe_security_groups").paginate(Filters=filters):
        for found in page["SecurityGroups"]:
            yield found["GroupName"], _tags(found.get("Tags", [])), False


def _tags(listed: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed}


def _expiry(tags: Mapping[str, str]) -> float | None:
    try:
        return datetime.strptime(tags[EXPIRY_TAG], STAMP).replace(tzinfo=UTC).timestamp()
    except (KeyError, ValueError):
        return None


def _delete(
    bench: Bench,
    name: str,
    look: Callable[[], dict[str, Any] | None],
    unprotect: Callable[[], object],
    delete: Callable[[], object],
) -> None:
    """Delete something in whatever state it is, and wait until it is gone."""

    def gone() -> bool:
        found = look()
        if found is None:
            return True
        if str(found.get("DBInstanceStatus") or found.get("Status")) == "deleting":
            return False
        try:
            if found.get("DeletionProtection"):
                unless_busy(unprotect)
            unless_busy(delete)
        except ClientError as fault:
            if code(fault) not in ABSENT:
                raise
        return look() is None

    bench.until(gone, f"{name} is gone")


def _group_deleted(client: Client, group: str) -> bool:
    try:
        client.delete_security_group(GroupId=group)
    except ClientError as fault:
        if code(fault) == "DependencyViolation":
            return False
        if code(fault) not in ABSENT:
            raise
    return True
