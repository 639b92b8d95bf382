"""Caches that are copied to the other site (ElastiCache Global Datastore), and those that are made anew there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lifeboat.recovery.copies import code, unless_busy, unless_denied

if TYPE_CHECKING:
    from lifeboat.recovery.run_state import StepRun

_AVAILABLE: Final = "available"


def datastore(run: StepRun, cache: str, asked: str) -> dict[str, Any]:
    """A cache's Global Datastore, as one region describes it; AWS chose the first part of its identifier.

    Raises:
        LookupError: if that region knows none.
    """
    pages = (
        run.ports.client("elasticache", asked)
        .get_paginator("describe_global_replication_groups")
        .paginate(ShowMemberInfo=True)
    )
    for page in pages:
        for found in page["GlobalReplicationGroups"]:
            if run.physical.is_datastore(cache, found["GlobalReplicationGroupId"]):
                return dict(found)
    raise LookupError(f"{asked} knows no Global Datastore of the cache {cache}")


def member(run: StepRun, cache: str, region: str) -> dict[str, Any] | None:
    """A region's group as a member of the datastore, as the plan's target tells; None when it is none."""
    members = datastore(run, cache, run.plan.target)["Members"]
    return next((dict(each) for each in members if each["ReplicationGroupRegion"] == region), None)


def writes_in(run: StepRun, cache: str, region: str) -> bool:
    """Whether a region's group is the primary, and nothing moves."""
    found = datastore(run, cache, run.plan.target)
    return found["Status"] != "modifying" and any(
        each["Role"] == "PRIMARY" and each["ReplicationGroupRegion"] == region for each in found["Members"]
    )


def fail_over(run: StepRun, cache: str, region: str) -> None:
    """Make a region's group the primary."""
    asked = region if run.answers(region) else run.plan.target
    client = run.ports.client("elasticache", asked)

    def look() -> bool | None:
        if writes_in(run, cache, region):
            return True
        found = datastore(run, cache, asked)
        unless_busy(
            lambda: client.failover_global_replication_group(
                GlobalReplicationGroupId=found["GlobalReplicationGroupId"],
                PrimaryRegion=region,
                PrimaryReplicationGroupId=run.physical.replication_group(cache, region),
            )
        )
        return None

    run.until(look, f"the group of {cache} in {region} is the primary")


def group(run: StepRun, cache: str, region: str) -> dict[str, Any] | None:
    """A region's replication group; None when there is none."""
    name = run.physical.replication_group(cache, region)
    try:
        found = run.ports.client("elasticache", region).describe_replication_groups(ReplicationGroupId=name)
    except ClientError as fault:
        if code(fault) == "ReplicationGroupNotFoundFault":
            return None
        raise
    return dict(found["ReplicationGroups"][0])


def is_there(run: StepRun, cache: str, region: str) -> bool:
    """Whether a region's group is there and available."""
    found = group(run, cache, region)
    return found is not None and found["Status"] == _AVAILABLE


def make(run: StepRun, cache: str, region: str) -> None:
    """Make a region's group as the declaration has it, and wait for it."""
    own, physical = run.physical.cache(cache).settings, run.physical
    name = physical.replication_group(cache, region)
    place = f"{physical.prefix}-{cache}-{region}"
    if group(run, cache, region) is None:
        groups = run.ports.client("ec2", region).describe_security_groups(
            Filters=[{"Name": "group-name", "Values": [place]}]
        )["SecurityGroups"]
        if not groups:
            raise LookupError(f"{region} has no security group {place}: `lifeboat up` makes it")
        token = run.ports.client("secretsmanager", region).get_secret_value(SecretId=physical.token(cache))
        run.ports.client("elasticache", region).create_replication_group(
            ReplicationGroupId=name,
            ReplicationGroupDescription=name,
            Engine="redis",
            EngineVersion=own.version,
            CacheNodeType=own.node_type,
            NumCacheClusters=own.nodes,
            CacheSubnetGroupName=place,
            SecurityGroupIds=[groups[0]["GroupId"]],
            AuthToken=token["SecretString"],
            AutomaticFailoverEnabled=True,
            MultiAZEnabled=True,
            TransitEncryptionEnabled=True,
            AtRestEncryptionEnabled=True,
        )
    run.until(lambda: is_there(run, cache, region) or None, f"{name} is {_AVAILABLE}")


def delete(run: StepRun, cache: str, region: str) -> None:
    """Delete a region's group.

    Raises:
        LeftOver: when whoever asks may not.
    """
    if group(run, cache, region) is not None:
        client, name = run.ports.client("elasticache", region), run.physical.replication_group(cache, region)
        unless_denied(lambda: client.delete_replication_group(ReplicationGroupId=name), name)
