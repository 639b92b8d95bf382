"""Databases that are copied as they are written: who writes, and how that is changed.

AWS refuses what comes at a bad moment (a backup, a change under way): such an answer is looked at again until the
step's deadline. A call that was made, and whose answer was lost, is found done by the next look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lifeboat.recovery.errors import RecoveryError, StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.recovery.run_state import StepRun

_NOT_NOW: Final = {
    "InvalidDBClusterStateFault",
    "InvalidDBInstanceState",
    "InvalidDBInstanceStateFault",
    "InvalidGlobalClusterStateFault",
    "InvalidGlobalReplicationGroupState",
    "InvalidReplicationGroupState",
}
_DENIED: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_AVAILABLE: Final = "available"
_DELETING: Final = "deleting"
_HOPELESS: Final = {"failed", _DELETING, "incompatible-parameters", "incompatible-restore", "storage-full"}


class LeftOver(RecoveryError):  # noqa: N818  (it says what happened)
    """What a run made stands, and harms nobody; its line says what people should delete."""


def code(fault: ClientError) -> str:
    """The error code of an answer."""
    return str(fault.response.get("Error", {}).get("Code", ""))


def unless_busy(ask: Callable[[], object]) -> bool:
    """Ask for a change; False when this is not the moment for it.

    Raises:
        ClientError: any other refusal.
    """
    try:
        ask()
    except ClientError as fault:
        if code(fault) in _NOT_NOW:
            return False
        raise
    return True


def unless_denied(delete: Callable[[], object], name: str) -> None:
    """Delete something that the run made.

    Raises:
        LeftOver: when whoever asks may not: roles that move a stack may delete nothing.
        ClientError: any other refusal.
    """
    try:
        delete()
    except ClientError as fault:
        if code(fault) in _DENIED:
            raise LeftOver(f"{name} is left, delete it") from fault
        raise


def global_cluster(run: StepRun, database: str, asked: str) -> dict[str, Any]:
    """An Aurora global cluster, as one region describes it."""
    found = run.ports.client("rds", asked).describe_global_clusters(
        GlobalClusterIdentifier=run.physical.global_cluster(database)
    )["GlobalClusters"]
    if not found:
        raise LookupError(f"{asked} knows no global cluster {run.physical.global_cluster(database)}")
    return dict(found[0])


def aurora_writes_in(run: StepRun, database: str, region: str) -> bool:
    """Whether a region's cluster is the writer, and nothing moves."""
    asked = region if run.answers(region) else run.plan.target
    found = global_cluster(run, database, asked)
    return found["Status"] == _AVAILABLE and _writer(found) == run.physical.cluster_arn(database, region)


def is_member(run: StepRun, database: str, region: str) -> bool:
    """Whether a region's cluster belongs to the global cluster and copies it, as the plan's target tells."""
    arn = run.physical.cluster_arn(database, region)
    members = global_cluster(run, database, run.plan.target)["GlobalClusterMembers"]
    # One that came back is a member before it has what was written meanwhile.
    return any(
        member["DBClusterArn"] == arn and member.get("SynchronizationStatus", "connected") == "connected"
        for member in members
    )


def fail_aurora_over(run: StepRun, database: str, target: str) -> None:
    """Make a region's cluster the writer, whatever had not arrived there; it asks the target alone."""
    client = run.ports.client("rds", target)
    _move_aurora(
        run,
        database,
        target,
        lambda: client.failover_global_cluster(
            GlobalClusterIdentifier=run.physical.global_cluster(database),
            TargetDbClusterIdentifier=run.physical.cluster_arn(database, target),
            AllowDataLoss=True,
        ),
    )


def switch_aurora_over(run: StepRun, database: str, *, asked: str, target: str) -> None:
    """Make a region's cluster the writer once it has everything; it asks the region that writes so far."""
    client = run.ports.client("rds", asked)
    _move_aurora(
        run,
        database,
        target,
        lambda: client.switchover_global_cluster(
            GlobalClusterIdentifier=run.physical.global_cluster(database),
            TargetDbClusterIdentifier=run.physical.cluster_arn(database, target),
        ),
    )


def _move_aurora(run: StepRun, database: str, target: str, ask: Callable[[], object]) -> None:
    # Waits out what is under way in the cluster itself, such as `backing-up`.
    _cluster_available(run, database, target)

    def look() -> bool | None:
        found = global_cluster(run, database, target)
        if found["Status"] != _AVAILABLE:
            run.progress(f"{database}: {found['Status']}")
            return None
        if _writer(found) == run.physical.cluster_arn(database, target):
            return True
        unless_busy(ask)
        return None

    run.until(look, f"the cluster of {database} in {target} is the writer")


def _cluster_available(run: StepRun, database: str, region: str) -> None:
    client, name = run.ports.client("rds", region), run.physical.cluster(database, region)

    def look() -> bool | None:
        status = str(client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Status"])
        if status in _HOPELESS:
            raise StepFailed(f"{name}: its status is {status}: accepted is {_AVAILABLE}, or what leads there")
        return True if status == _AVAILABLE else None

    run.until(look, f"{name} is {_AVAILABLE}")


def _writer(found: dict[str, Any]) -> str | None:
    return next((member["DBClusterArn"] for member in found["GlobalClusterMembers"] if member["IsWriter"]), None)


def instance(run: StepRun, name: str, region: str) -> dict[str, Any] | None:
    """An instance as its region describes it; None when there is none."""
    try:
        found = run.ports.client("rds", region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    except ClientError as fault:
        if code(fault) in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
            return None
        raise
    return dict(found[0]) if found else None


def instance_writes(run: StepRun, name: str, region: str) -> bool:
    """Whether an instance is there, replicates nobody, and is available."""
    found = instance(run, name, region)
    return (
        found is not None
        and not found.get("ReadReplicaSourceDBInstanceIdentifier")
        and found["DBInstanceStatus"] == _AVAILABLE
        and not found.get("PendingModifiedValues", {}).get("BackupRetentionPeriod")
    )


def wait_available(run: StepRun, name: str, region: str) -> dict[str, Any]:
    """Wait until an instance is available; `backing-up` is waited out."""

    def look() -> dict[str, Any] | None:
        found = instance(run, name, region)
        if found is None:
            raise LookupError(f"{region} has no instance {name}")
        status = str(found["DBInstanceStatus"])
        if status in _HOPELESS:
            raise StepFailed(f"{name}: its status is {status}: accepted is {_AVAILABLE}, or what leads there")
        return found if status == _AVAILABLE else None

    return run.until(look, f"{name} is {_AVAILABLE}")


def delete_instance(run: StepRun, name: str, region: str) -> None:
    """Delete an instance that nothing was written to, if it is there, and wait until it is gone.

    Raises:
        LeftOver: when whoever asks may not.
        StepFailed: when it is still there, or still busy, at the step's deadline.
    """
    client = run.ports.client("rds", region)

    def delete() -> None:
        client.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
        client.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)

    def look() -> bool | None:
        found = instance(run, name, region)
        if found is None:
            return True
        if found["DBInstanceStatus"] != _DELETING:
            unless_busy(lambda: unless_denied(delete, name))
        return None

    run.until(look, f"{name} is gone")


def promote_instance(run: StepRun, database: str, region: str) -> None:
    """Promote the youngest replica in a region, with the retention that is declared."""
    client, name = run.ports.client("rds", region), run.physical.instance(database, region)
    backups = run.physical.database(database).settings.backups

    def look() -> bool | None:
        found = wait_available(run, name, region)
        if not found.get("ReadReplicaSourceDBInstanceIdentifier"):
            return True
        unless_busy(
            lambda: client.promote_read_replica(
                DBInstanceIdentifier=name,
                BackupRetentionPeriod=backups.retention_days,
                PreferredBackupWindow=backups.window,
            )
        )
        return None

    run.until(look, f"{name} replicates nobody")
    if wait_available(run, name, region).get("BackupRetentionPeriod") != backups.retention_days:
        # Promoted by somebody else, who did not say how long backups are kept.
        client.modify_db_instance(
            DBInstanceIdentifier=name, BackupRetentionPeriod=backups.retention_days, ApplyImmediately=True
        )
        wait_available(run, name, region)
