"""Second copies made anew: the next generation of a replica, backups copied again, objects that were missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery import copies, objects, restores
from lifeboat.recovery.errors import StepFailed

if TYPE_CHECKING:
    from lifeboat.recovery.run_state import StepRun

_SETTLES: Final = 120.0
"""Protocol seconds in which replication that goes on by itself may catch up, before a job is ordered."""
_JOB_OVER: Final = {"Cancelled", "Complete", "Failed"}


def has_replica(run: StepRun, database: str, region: str) -> bool:
    """Whether the next generation is there and available."""
    found = copies.instance(run, restores.name_of(run, database, region), region)
    return found is not None and found["DBInstanceStatus"] == "available"


def build_replica(run: StepRun, database: str, *, active: str, back: str) -> None:
    """Build the next generation as a replica of the active instance; place and key are the former generation's."""
    name = restores.name_of(run, database, back)
    if copies.instance(run, name, back) is None:
        former = copies.instance(run, run.physical.instance(database, back), back)
        if former is None:
            raise LookupError(f"{back} has no instance of {database} to take place and key from")
        run.ports.client("rds", back).create_db_instance_read_replica(
            DBInstanceIdentifier=name,
            SourceDBInstanceIdentifier=run.physical.instance_arn(database, active),
            SourceRegion=active,
            DBInstanceClass=former["DBInstanceClass"],
            DBSubnetGroupName=former["DBSubnetGroup"]["DBSubnetGroupName"],
            VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in former["VpcSecurityGroups"]],
            KmsKeyId=former["KmsKeyId"],
            CopyTagsToSnapshot=True,
            DeletionProtection=True,
        )
    copies.wait_available(run, name, back)


def delete_replica(run: StepRun, database: str, region: str) -> None:
    """Delete the next generation, which only copies."""
    restores.delete(run, database, region)


def has_backups(run: StepRun, database: str, region: str) -> bool:
    """Whether a backup of the active instance is in a region."""
    if run.physical.database(database).mechanism is DatabaseMechanism.BACKUPS:
        return False
    source = run.physical.instance_arn(database, run.plan.target)
    found = run.ports.client("rds", region).describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    return any(each.get("DBInstanceArn") == source and each.get("Status") == "replicating" for each in found)


def copy_backups(run: StepRun, database: str, *, active: str, back: str) -> None:
    """Have backups of the active instance copied again."""
    account, days = run.physical.settings.account, run.physical.database(database).settings.backups.retention_days
    arn = run.physical.instance_arn(database, active)
    if run.physical.database(database).mechanism is not DatabaseMechanism.BACKUPS:
        former = copies.instance(run, run.physical.instance(database, back), back)
        if former is None:
            raise LookupError(f"{back} has no instance of {database} to take the key from")
        run.ports.client("rds", back).start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=arn, BackupRetentionPeriod=days, KmsKeyId=former["KmsKeyId"], SourceRegion=active
        )
        run.until(lambda: has_backups(run, database, back) or None, f"backups of {database} reach {back}")
        return
    vault = f"{run.physical.prefix}-{database}-{active}"
    role = f"arn:aws:iam::{account}:role/{vault}-backup"
    client = run.ports.client("backup", active)
    job = client.start_backup_job(
        BackupVaultName=vault, ResourceArn=arn, IamRoleArn=role, IdempotencyToken=f"{run.run}-{database}"
    )["BackupJobId"]
    point = run.until(lambda: _ended("backup", client.describe_backup_job(BackupJobId=job)), f"{database} is backed up")
    copy = client.start_copy_job(
        RecoveryPointArn=point,
        SourceBackupVaultName=vault,
        DestinationBackupVaultArn=f"arn:aws:backup:{back}:{account}:backup-vault:{run.physical.prefix}-{database}-{back}",
        IamRoleArn=role,
        IdempotencyToken=f"{run.run}-{database}-copy",
    )["CopyJobId"]
    run.until(lambda: _ended("copy", client.describe_copy_job(CopyJobId=copy)["CopyJob"]), f"the backup is in {back}")


def copy_objects(run: StepRun, store: str, *, active: str, back: str) -> None:
    """See every object of the active site's bucket in the other one; order a job for what does not come by itself."""
    waited_from = run.ports.clock()
    settles = run.ports.pace.real(_SETTLES)

    def arrived() -> bool | None:
        found = objects.missing(run, store, active, back)
        if found is None:
            return None
        if found:
            run.progress(f"{store}: {len(found)} objects are missing in {back}")
        return not found or None

    def by_itself() -> bool | None:
        return arrived() or (False if run.ports.clock() - waited_from > settles else None)

    if run.until(by_itself, f"{store} has arrived in {back}"):
        return
    account, bucket = run.physical.settings.account, run.physical.bucket(store, active)
    client = run.ports.client("s3control", active)
    job = client.create_job(
        AccountId=account,
        ConfirmationRequired=False,
        Operation={"S3ReplicateObject": {}},
        Report={"Enabled": False},
        ManifestGenerator={
            "S3JobManifestGenerator": {
                "SourceBucket": f"arn:aws:s3:::{bucket}",
                "EnableManifestOutput": False,
                "Filter": {"EligibleForReplication": True, "ObjectReplicationStatuses": ["FAILED", "NONE"]},
            }
        },
        Priority=10,
        RoleArn=f"arn:aws:iam::{account}:role/{run.physical.prefix}-{store}-{active}-replication",
        ClientRequestToken=f"{run.run}-{store}",
    )["JobId"]

    def over() -> bool | None:
        found = client.describe_job(AccountId=account, JobId=job)["Job"]
        if found["Status"] not in _JOB_OVER:
            return None
        if found["Status"] != "Complete":
            raise StepFailed(f"the job that copies {store} to {back} is {found['Status']}")
        return True

    run.until(over, f"the job that copies {store} to {back} is over")


def _ended(what: str, job: dict[str, str]) -> str | None:
    state = job["State"]
    if state in {"ABORTED", "EXPIRED", "FAILED"}:
        raise StepFailed(f"the {what} job is {state}: {job.get('StatusMessage', 'no reason told')}")
    return (job.get("RecoveryPointArn") or "-") if state == "COMPLETED" else None
