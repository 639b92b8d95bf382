"""Second copies made anew: the next generation of a replica, backups copied again, objects that were missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery import copies, objects, restores, run_entries
from lifeboat.recovery.endpoints import plain_instance
from lifeboat.recovery.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.recovery.run_state import StepRun

_SETTLES: Final = 120.0
"""Protocol seconds in which replication that goes on by itself may catch up, before a job is ordered."""
_TAKEN_OVER: Final = {
    "CACertificateIdentifier": "CACertificateIdentifier",
    "DBInstanceClass": "DBInstanceClass",
    "EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "IAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "KmsKeyId": "KmsKeyId",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "MultiAZ": "MultiAZ",
    "PerformanceInsightsEnabled": "EnablePerformanceInsights",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "StorageType": "StorageType",
}
"""What an instance is told by, and how it is asked for, of the settings that a new generation has like the former."""
_JOB_OVER: Final = {"Cancelled", "Complete", "Failed"}


def has_replica(run: StepRun, database: str, region: str) -> bool:
    """Whether the next generation is there, copies, and is available."""
    found = copies.instance(run, run.physical.replica(database, region), region)
    return found is not None and _copies(found) and found["DBInstanceStatus"] == "available"


def build_replica(run: StepRun, database: str, *, active: str, back: str) -> None:
    """Build the next generation as a replica of the active instance, with what the former generation had.

    Raises:
        LookupError: when there is no former one.
        StepFailed: when what has the next one's name is no replica.
    """
    name, client = run.physical.replica(database, back), run.ports.client("rds", back)

    def made() -> bool | None:
        found = copies.instance(run, name, back)
        if found is not None:
            if not _copies(found):
                raise StepFailed(f"{name} in {back} is no replica: accepted is one, or none of this name")
            return True
        # Refused while the source is backed up, or has not been since it was promoted.
        copies.unless_busy(lambda: client.create_db_instance_read_replica(**_replica(run, database, active, back)))
        return None

    run.until(made, f"{name} is made")
    copies.wait_available(run, name, back)


def _copies(found: Mapping[str, Any]) -> bool:
    return bool(found.get("ReadReplicaSourceDBInstanceIdentifier"))


def _replica(run: StepRun, database: str, active: str, back: str) -> dict[str, Any]:
    """What is asked for: place, key and settings are the former generation's, so that a preview has no change."""
    name = run.physical.replica(database, back)
    former = plain_instance(run.ports.client("rds", back), run.physical, database, back, reader=False)
    tags = {each["Key"]: each["Value"] for each in former.get("TagList", ())} | {"Name": name}
    return {
        **{asked: former[said] for said, asked in _TAKEN_OVER.items() if former.get(said)},
        "DBInstanceIdentifier": name,
        "SourceDBInstanceIdentifier": run.physical.instance_arn(database, active),
        "SourceRegion": active,
        "DBSubnetGroupName": former["DBSubnetGroup"]["DBSubnetGroupName"],
        "DBParameterGroupName": former["DBParameterGroups"][0]["DBParameterGroupName"],
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in former["VpcSecurityGroups"]],
        "AutoMinorVersionUpgrade": bool(former.get("AutoMinorVersionUpgrade")),
        "PubliclyAccessible": False,
        "CopyTagsToSnapshot": True,
        "DeletionProtection": True,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def delete_replica(run: StepRun, database: str, region: str) -> None:
    """Delete the next generation, which only copies."""
    copies.delete_instance(run, run.physical.replica(database, region), region)


def has_backups(run: StepRun, database: str, region: str) -> bool:
    """Whether a backup of the active instance is in a region."""
    if run.physical.database(database).mechanism is DatabaseMechanism.BACKUPS:
        return False
    source = restores.standing(run, database, run.plan.target)
    found = restores.automated_backups(run.ports.client("rds", region))
    return any(each.get("DBInstanceArn") == source and each.get("Status") == "replicating" for each in found)


def copy_backups(run: StepRun, database: str, *, active: str, back: str) -> None:
    """Have backups of the active instance copied again."""
    account, days = run.physical.settings.account, run.physical.database(database).settings.backups.retention_days
    arn = restores.standing(run, database, active)
    if run.physical.database(database).mechanism is not DatabaseMechanism.BACKUPS:
        rds = run.ports.client("rds", back)
        former = plain_instance(rds, run.physical, database, back, reader=False)
        rds.start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=arn, BackupRetentionPeriod=days, KmsKeyId=former["KmsKeyId"], SourceRegion=active
        )
        run.until(lambda: has_backups(run, database, back) or None, f"backups of {database} reach {back}")
        return
    vault = f"{run.physical.prefix}-{database}-{active}"
    role = f"arn:aws:iam::{account}:role/{vault}-backup"
    client = run.ports.client("backup", active)
    token = run_entries.token(run, f"rebuild-protection/{database}", database)
    job = client.start_backup_job(BackupVaultName=vault, ResourceArn=arn, IamRoleArn=role, IdempotencyToken=token)[
        "BackupJobId"
    ]
    point = run.until(lambda: _ended("backup", client.describe_backup_job(BackupJobId=job)), f"{database} is backed up")
    copy = client.start_copy_job(
        RecoveryPointArn=point,
        SourceBackupVaultName=vault,
        DestinationBackupVaultArn=f"arn:aws:backup:{back}:{account}:backup-vault:{run.physical.prefix}-{database}-{back}",
        IamRoleArn=role,
        IdempotencyToken=f"{token}-copy",
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
        ClientRequestToken=run_entries.token(run, f"rebuild-protection/{store}", store),
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
