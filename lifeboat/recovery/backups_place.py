"""The isolated place that a backup is restored into to be looked at, and how nothing of it stays.

Everything in it is named and tagged before it exists, so that whoever comes later finds and removes what a killed
verification left. Nobody but the host that verifies can reach it: it has a security group of its own, and from the
first minute on another password than the database that it is a copy of.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lifeboat.recovery.backups import Kind
from lifeboat.recovery.copies import code, unless_busy
from lifeboat.recovery.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.backups import RestorePoint
    from lifeboat.recovery.ports import Client, Ports

RUN_TAG: Final = "lifeboat:verify"
"""Says which run made it, and that nothing in it is needed."""
EXPIRY_TAG: Final = "lifeboat:expires"
"""From when on whoever finds it may delete it: ``2027-01-31T12:00:00Z``."""
OWNER_TAG: Final = "lifeboat:owner"
_AVAILABLE: Final = "available"
_HOPELESS: Final = {"failed", "incompatible-network", "incompatible-parameters", "incompatible-restore", "storage-full"}
ABSENT: Final = {
    "DBClusterNotFoundFault",
    "DBInstanceNotFound",
    "DBInstanceNotFoundFault",
    "InvalidGroup.NotFound",
}
_LONGEST_NAME: Final = 58
"""Characters of a name before its random end; an identifier of RDS has 63 at most."""
_LOOK: Final = 2.0
"""Real seconds between two looks; AWS limits how often one asks."""
STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"
"""How tags have moments, in UTC."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An isolated place by its names; what of it exists is asked."""

    region: str
    name: str
    """Of the instance or the cluster, and of the security group."""
    cluster: bool
    tags: Mapping[str, str]

    @property
    def instance(self) -> str:
        """The one instance in it."""
        return f"{self.name}-1" if self.cluster else self.name


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a restored database answers."""

    host: str
    port: int
    password: str
    """Of its master user; known to this process alone."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What restoring and removing is done with."""

    physical: Physical
    ports: Ports
    deadline: float
    """On `Ports.clock`."""
    progress: Callable[[str], None]

    def until(self, look: Callable[[], object], what: str) -> None:
        """Look until it is so.

        Raises:
            StepFailed: when the deadline passes first.
        """
        while not look():
            left = self.deadline - self.ports.clock()
            if left <= 0:
                raise StepFailed(f"{what}: not so by the deadline")
            self.ports.wait(None, min(_LOOK, left))


def place(physical: Physical, point: RestorePoint, *, run: str, owner: str, expires: float) -> Place:
    """A new place for a restore point; nothing is made.

    Args:
        physical: The stack's names.
        point: What will be restored.
        run: The run that makes it.
        owner: Who is asked about it.
        expires: From when on it may be deleted by whoever finds it: seconds since the epoch.
    """
    settings = physical.settings
    return Place(
        region=point.region,
        name=f"{first_part(physical)}{point.store}"[:_LONGEST_NAME].rstrip("-") + f"-{secrets.token_hex(2)}",
        cluster=point.cluster,
        tags={
            "System": settings.system,
            "Environment": settings.environment,
            RUN_TAG: run,
            OWNER_TAG: owner,
            EXPIRY_TAG: stamp(expires),
        },
    )


def restore(bench: Bench, point: RestorePoint, to: Place, moment: float | None) -> Endpoint:
    """Restore a point into its place, and wait until it can be connected to.

    Args:
        bench: What it is done with.
        point: What to restore.
        to: Where.
        moment: Of a window: seconds since the epoch; None for its newest.

    Raises:
        StepFailed: when it cannot be restored, or not by the deadline.
        LookupError: when the site lacks what a restored database needs.
    """
    group = _isolated_group(bench, point, to)
    client = bench.ports.client("rds", to.region)
    _ask_for(bench, client, point, to, moment=moment, group=group)
    _wait_available(bench, client, to)
    password = secrets.token_urlsafe(24)
    change = {"MasterUserPassword": password, "DeletionProtection": False, "ApplyImmediately": True}
    if to.cluster:
        bench.until(
            lambda: unless_busy(lambda: client.modify_db_cluster(DBClusterIdentifier=to.name, **change)),
            f"{to.name} takes another password",
        )
    else:
        bench.until(
            lambda: unless_busy(lambda: client.modify_db_instance(DBInstanceIdentifier=to.name, **change)),
            f"{to.name} takes another password",
        )
    _wait_available(bench, client, to)
    found = described(client, to) or {}
    endpoint = found.get("Endpoint")
    if not endpoint:
        raise StepFailed(f"{to.name} is {_AVAILABLE} and has no endpoint")
    host, port = (endpoint, found["Port"]) if to.cluster else (endpoint["Address"], endpoint["Port"])
    return Endpoint(host=host, port=port, password=password)


def admit(bench: Bench, to: Place, port: int, address: str) -> None:
    """Let one host through to the place.

    Args:
        bench: What it is done with.
        to: The place.
        port: The database's.
        address: The host's, as the database's network sees it.
    """
    client = bench.ports.client("ec2", to.region)
    group = group_named(client, to.name)
    if group is not None:
        client.authorize_security_group_ingress(
            GroupId=group["GroupId"],
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": port,
                    "ToPort": port,
                    "IpRanges": [{"CidrIp": f"{address}/32", "Description": "whoever verifies"}],
                }
            ],
        )


def stamp(moment: float) -> str:
    """A moment as tags and people have it; seconds since the epoch."""
    return datetime.fromtimestamp(moment, tz=UTC).strftime(STAMP)


def first_part(physical: Physical) -> str:
    """How names of all places of a stack begin."""
    return f"verify-{physical.prefix}-"


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _isolated_group(bench: Bench, point: RestorePoint, to: Place) -> str:
    """A security group in the database's own network that lets nothing in, and nothing out."""
    client, theirs = bench.ports.client("ec2", to.region), f"{bench.physical.prefix}-{point.store}-{to.region}"
    beside = group_named(client, theirs)
    if beside is None:
        raise LookupError(f"{to.region} has no security group {theirs}: `lifeboat up` makes it")
    made = client.create_security_group(
        GroupName=to.name,
        Description="A restored backup that is being looked at",
        VpcId=beside["VpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": _listed(to.tags)}],
    )["GroupId"]
    everywhere = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    client.revoke_security_group_egress(GroupId=made, IpPermissions=everywhere)
    return str(made)


def group_named(client: Client, name: str) -> dict[str, Any] | None:
    """A security group; None when there is none."""
    found = client.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    return dict(found[0]) if found else None


def _ask_for(  # noqa: PLR0913 - what a restore is made of
    bench: Bench, client: Client, point: RestorePoint, to: Place, *, moment: float | None, group: str
) -> None:
    own, prefix = bench.physical.database(point.store).settings, bench.physical.prefix
    major = own.version.split(".")[0]
    beside: dict[str, Any] = {
        "DBSubnetGroupName": f"{prefix}-{point.store}-{to.region}",
        "VpcSecurityGroupIds": [group],
        "DeletionProtection": False,
        "CopyTagsToSnapshot": False,
        "Tags": _listed(to.tags),
    }
    newest = {"UseLatestRestorableTime": True}
    at = None if moment is None else datetime.fromtimestamp(moment, tz=UTC)
    if to.cluster:
        beside["DBClusterIdentifier"] = to.name
        beside["DBClusterParameterGroupName"] = f"{prefix}-{point.store}-aurora-postgresql{major}-{to.region}"
        if point.kind is Kind.WINDOW:
            client.restore_db_cluster_to_point_in_time(
                SourceDBClusterIdentifier=point.identifier,
                **(newest if at is None else {"RestoreToTime": at}),
                **beside,
            )
        else:
            client.restore_db_cluster_from_snapshot(
                SnapshotIdentifier=point.identifier, Engine="aurora-postgresql", **beside
            )
        client.create_db_instance(
            DBInstanceIdentifier=to.instance,
            DBClusterIdentifier=to.name,
            DBInstanceClass=own.instance_class,
            Engine="aurora-postgresql",
            PubliclyAccessible=False,
            Tags=_listed(to.tags),
        )
        return
    beside |= {
        "DBInstanceClass": own.instance_class,
        "DBParameterGroupName": f"{prefix}-{point.store}-postgres{major}",
        "MultiAZ": False,
        "PubliclyAccessible": False,
        # It is not worth a backup of its own.
        "BackupRetentionPeriod": 0,
    }
    if not point.kind.is_window:
        client.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=to.name, DBSnapshotIdentifier=point.identifier, **beside
        )
        return
    named = "SourceDBInstanceIdentifier" if point.kind is Kind.WINDOW else "SourceDBInstanceAutomatedBackupsArn"
    client.restore_db_instance_to_point_in_time(
        TargetDBInstanceIdentifier=to.name,
        **{named: point.identifier},
        **(newest if at is None else {"RestoreTime": at}),
        **beside,
    )


def described(client: Client, of: Place) -> dict[str, Any] | None:
    """What was restored, as its region describes it; None when it is not there."""
    if not of.cluster:
        return instance(client, of.name)
    try:
        found = client.describe_db_clusters(DBClusterIdentifier=of.name)["DBClusters"]
    except ClientError as fault:
        if code(fault) in ABSENT:
            return None
        raise
    return dict(found[0]) if found else None


def instance(client: Client, name: str) -> dict[str, Any] | None:
    """An instance as its region describes it; None when there is none."""
    try:
        found = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    except ClientError as fault:
        if code(fault) in ABSENT:
            return None
        raise
    return dict(found[0]) if found else None


def _wait_available(bench: Bench, client: Client, to: Place) -> None:
    shown = ""

    def look() -> bool:
        nonlocal shown
        found, member = described(client, to), instance(client, to.instance)
        if found is None or member is None:
            raise StepFailed(f"{to.name} is gone while it was restored")
        statuses = {str(member["DBInstanceStatus"]), *([str(found["Status"])] if to.cluster else [])}
        now = ", ".join(sorted(statuses))
        if statuses & _HOPELESS:
            raise StepFailed(f"{to.name} is {now}: accepted is {_AVAILABLE}, or what leads there")
        if now != shown:
            bench.progress(f"{to.name} is {now}")
            shown = now
        return statuses == {_AVAILABLE}

    bench.until(look, f"{to.name} is {_AVAILABLE}")
