"""Databases of which only backups reach the other site: restored as the next generation of their instances there.

The generation is the one that the plan names: one more than the declaration has in that region. A restore that was
begun is found by this name and waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery import copies, run_entries
from lifeboat.recovery.endpoints import plain_instance
from lifeboat.recovery.errors import StepFailed

if TYPE_CHECKING:
    from lifeboat.recovery.ports import Client
    from lifeboat.recovery.run_state import StepRun

_AVAILABLE: Final = "available"
_ENDED_BADLY: Final = {"ABORTED", "FAILED"}


def name_of(run: StepRun, database: str, region: str) -> str:
    """The instance that is, or will be, the next generation."""
    return run.physical.next_instance(database, region)


def standing(run: StepRun, database: str, region: str) -> str:
    """ARN of the instance that writes in a region: what was restored there, else the declared one.

    Raises:
        LookupError: when there is neither.
    """
    rds = run.ports.client("rds", region)
    return str(plain_instance(rds, run.physical, database, region, reader=False)["DBInstanceArn"])


def is_restored(run: StepRun, database: str, region: str) -> bool:
    """Whether it is there, available and kept in backups as declared."""
    found = copies.instance(run, name_of(run, database, region), region)
    days = run.physical.database(database).settings.backups.retention_days
    return found is not None and found["DBInstanceStatus"] == _AVAILABLE and found.get("BackupRetentionPeriod") == days


def restore(run: StepRun, database: str, region: str) -> None:
    """Restore the newest copy there is, wait for it, and have it backed up."""
    name = name_of(run, database, region)
    if copies.instance(run, name, region) is None:
        if run.plan.mode is not Mode.FAILOVER:
            _from_final_snapshot(run, database, region, name)
        elif run.physical.database(database).mechanism is DatabaseMechanism.BACKUPS:
            _from_vault(run, database, region, name)
        else:
            _from_replicated_backups(run, database, region, name)
    copies.wait_available(run, name, region)
    days = run.physical.database(database).settings.backups.retention_days
    run.ports.client("rds", region).modify_db_instance(
        DBInstanceIdentifier=name, BackupRetentionPeriod=days, ApplyImmediately=True
    )
    copies.wait_available(run, name, region)


def delete(run: StepRun, database: str, region: str) -> None:
    """Delete what was restored; nothing was written to it."""
    copies.delete_instance(run, name_of(run, database, region), region)


def automated_backups(rds: Client) -> list[dict[str, Any]]:
    """Every automated backup that a region has, its own and those that are copied to it."""
    pages = rds.get_paginator("describe_db_instance_automated_backups").paginate()
    return [found for page in pages for found in page["DBInstanceAutomatedBackups"]]


def recovery_points(run: StepRun, database: str, region: str) -> list[dict[str, Any]]:
    """Finished copies of a database in a region's vault."""
    client = run.ports.client("backup", region)
    vault = f"{run.physical.prefix}-{database}-{region}"
    pages = client.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=vault)
    return [point for page in pages for point in page["RecoveryPoints"] if point["Status"] == "COMPLETED"]


def final_snapshot(run: StepRun, database: str) -> str:
    """The snapshot that a planned move takes after the last write, and its copy; each run has its own.

    The first name of its instance is in it, by which those who move a stack have the right to take it.
    """
    return f"{_names(run, database, run.plan.source)[-1]}-{run.run.lower()}"


def _names(run: StepRun, database: str, region: str) -> tuple[str, ...]:
    """What an instance may be called that writes in a region, of which nothing can be asked: restored, declared."""
    restored = name_of(run, database, region)
    try:
        return restored, run.physical.instance(database, region)
    except LookupError:
        return (restored,)


def _place(run: StepRun, database: str, region: str, name: str) -> dict[str, Any]:
    """What a restored instance is given, so that it stands where the declared ones stand."""
    own = run.physical.database(database).settings
    group = f"{run.physical.prefix}-{database}-{region}"
    found = run.ports.client("ec2", region).describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [group]}]
    )["SecurityGroups"]
    if not found:
        raise LookupError(f"{region} has no security group {group}: `lifeboat up` makes it")
    return {
        "DBInstanceClass": own.instance_class,
        "DBSubnetGroupName": group,
        "DBParameterGroupName": f"{run.physical.prefix}-{database}-postgres{own.version.split('.')[0]}",
        "VpcSecurityGroupIds": [found[0]["GroupId"]],
        "MultiAZ": True,
        "PubliclyAccessible": False,
        "DeletionProtection": True,
        "CopyTagsToSnapshot": True,
        **({"TargetDBInstanceIdentifier": name} if run.plan.mode is Mode.FAILOVER else {"DBInstanceIdentifier": name}),
    }


def _from_final_snapshot(run: StepRun, database: str, region: str, name: str) -> None:
    run.ports.client("rds", region).restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier=final_snapshot(run, database), **_place(run, database, region, name)
    )


def _from_replicated_backups(run: StepRun, database: str, region: str, name: str) -> None:
    client = run.ports.client("rds", region)
    account, source = run.physical.settings.account, run.plan.source
    arns = [f"arn:aws:rds:{source}:{account}:db:{each}" for each in _names(run, database, source)]
    found = automated_backups(client)
    # What was restored there took the declared one's place: its backups go on where the others ended.
    backups = [each for arn in arns for each in found if each.get("DBInstanceArn") == arn]
    if not backups:
        raise StepFailed(f"{region} has no replicated backups of {' or '.join(arns)}")
    client.restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=backups[0]["DBInstanceAutomatedBackupsArn"],
        UseLatestRestorableTime=True,
        **_place(run, database, region, name),
    )


def _from_vault(run: StepRun, database: str, region: str, name: str) -> None:
    """The newest copy in the region's vault, by AWS Backup."""
    client = run.ports.client("backup", region)
    vault = f"{run.physical.prefix}-{database}-{region}"
    points = recovery_points(run, database, region)
    if not points:
        raise StepFailed(f"{region}: the vault {vault} has no finished copy of {database}")
    newest = max(points, key=lambda point: point["CreationDate"])
    place = _place(run, database, region, name)
    metadata = {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": place["DBInstanceClass"],
        "DBSubnetGroupName": place["DBSubnetGroupName"],
        "DBParameterGroupName": place["DBParameterGroupName"],
        "VpcSecurityGroupIds": f'["{place["VpcSecurityGroupIds"][0]}"]',
        "MultiAZ": "true",
        "PubliclyAccessible": "false",
        "DeletionProtection": "true",
    }
    job = client.start_restore_job(
        RecoveryPointArn=newest["RecoveryPointArn"],
        Metadata=metadata,
        IamRoleArn=f"arn:aws:iam::{run.physical.settings.account}:role/{vault}-backup",
        # The same job, when it is asked for again after its answer was lost.
        IdempotencyToken=run_entries.token(run, f"promote-database/{database}", database),
        ResourceType="RDS",
    )["RestoreJobId"]

    def look() -> bool | None:
        found = client.describe_restore_job(RestoreJobId=job)
        if found["Status"] in _ENDED_BADLY:
            why = found.get("StatusMessage", "no reason told")
            raise StepFailed(f"the restore of {name} is {found['Status']}: {why}")
        return True if found["Status"] == "COMPLETED" else None

    run.until(look, f"{name} is restored")
