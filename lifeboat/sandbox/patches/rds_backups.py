"""RDS: automated backups replicated to another region, and restores from them."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.rds.models import RDSBackend, rds_backends
from moto.rds.responses import RDSResponse

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes
from lifeboat.sandbox.patches.rds import inherited, require_key_of_region

PATCHES = Patches("rds_backups")


class ReplicatedBackup:
    """One instance's automated backups, kept in another region; attribute names are what moto's serializer wants."""

    def __init__(self, backend: Moto, source: Moto, *, retention: int, key: str | None) -> None:
        self.source = source
        """Stays readable when the instance is deleted: its replicated backups outlive it."""
        self.db_instance_arn: str = source.db_instance_arn
        self.dbi_resource_id: str = source.dbi_resource_id
        self.db_instance_identifier: str = source.db_instance_identifier
        self.region: str = source.region
        identifier = mock_random.get_random_string(length=26, lower_case=True)
        self.db_instance_automated_backups_arn = (
            f"arn:aws:rds:{backend.region_name}:{backend.account_id}:auto-backup:ab-{identifier}"
        )
        self.status = "replicating"
        self.backup_retention_period = retention
        self.kms_key_id = key
        self.encrypted: bool = source.storage_encrypted
        self.engine: str = source.engine
        self.engine_version: str = source.engine_version
        self.allocated_storage: int = source.allocated_storage
        self.port: int = source.port
        self.master_username: str = source.master_username
        self.instance_create_time = source.instance_create_time
        self.availability_zone: str = source.availability_zone
        self._started = utcnow()

    @property
    def restore_window(self) -> dict[str, Any]:
        """Replication is at once here, unlike AWS's minutes."""
        return {"EarliestTime": self._started, "LatestTime": utcnow()}


def replicated(backend: Moto) -> dict[str, ReplicatedBackup]:
    """A region's replicated backups by source ARN; a reset of moto empties the backend's attributes and so these."""
    found: dict[str, ReplicatedBackup] = attributes(backend).setdefault("lifeboat_replicated_backups", {})
    return found


@PATCHES.fills(RDSResponse)
def start_db_instance_automated_backups_replication(self: Moto) -> Moto:
    """Is missing."""
    arn: str = self.params["SourceDBInstanceArn"]
    source = self.backend.find_db_from_id(arn)
    require_key_of_region(self.backend, self.params)
    key: str | None = self.params.get("KmsKeyId")
    refusal = None
    if source.region == self.region:
        refusal = "InvalidParameterValue", "Automated backups are replicated to another region than their source's."
    elif not source.backup_retention_period:
        refusal = "InvalidDBInstanceState", f"{source.db_instance_identifier} has no automated backups."
    elif source.storage_encrypted and not key:
        refusal = "InvalidParameterCombination", "KmsKeyId is required to replicate encrypted backups."
    elif arn in replicated(self.backend):
        refusal = "InvalidDBInstanceState", f"{source.db_instance_identifier}'s backups are replicated here already."
    if refusal:
        raise RefusedError(*refusal)
    backup = ReplicatedBackup(self.backend, source, retention=self.params.get("BackupRetentionPeriod") or 7, key=key)
    replicated(self.backend)[arn] = backup
    return ActionResult({"DBInstanceAutomatedBackup": backup})


@PATCHES.fills(RDSResponse)
def stop_db_instance_automated_backups_replication(self: Moto) -> Moto:
    """Is missing."""
    arn: str = self.params["SourceDBInstanceArn"]
    backup = replicated(self.backend).pop(arn, None)
    if backup is None:
        raise RefusedError("DBInstanceNotFound", f"No automated backups of {arn} are replicated here.")
    backup.status = "pending"
    return ActionResult({"DBInstanceAutomatedBackup": backup})


@PATCHES.fixes(RDSBackend)
def describe_db_instance_automated_backups(original: Moto, self: Moto, **request: Moto) -> Moto:
    """Knows no replicated backups, and ignores the ARN and the resource that it is asked for."""
    arn = request.get("db_instance_automated_backups_arn")
    resource = request.get("dbi_resource_id")
    name = request.get("db_instance_identifier")
    own: list[Moto] = [] if arn or resource else original(self, **request)
    found = [
        backup
        for backup in replicated(self).values()
        if (not arn or arn == backup.db_instance_automated_backups_arn)
        and (not resource or resource == backup.dbi_resource_id)
        and (not name or name == backup.db_instance_identifier)
    ]
    if arn and not found:
        raise RefusedError("DBInstanceAutomatedBackupNotFound", f"DBInstanceAutomatedBackup {arn} not found.")
    return [*own, *found]


def _where(instance: Moto) -> list[dict[str, str]]:
    return [
        {"DBInstanceAutomatedBackupsArn": backup.db_instance_automated_backups_arn}
        for backend in list(rds_backends[instance.account_id].values())
        for arn, backup in replicated(backend).items()
        if arn == instance.db_instance_arn
    ]


@PATCHES.fixes(RDSBackend)
def describe_db_instances(original: Moto, self: Moto, *args: Moto, **kwargs: Moto) -> Moto:
    """Does not list where an instance's backups are replicated to."""
    instances = original(self, *args, **kwargs)
    for instance in instances:
        instance.db_instance_automated_backups_replications = _where(instance)
    return instances


@PATCHES.fixes(RDSBackend)
def restore_db_instance_to_point_in_time(
    original: Moto, self: Moto, source_db_identifier: str | None, target_db_identifier: str, overrides: Moto
) -> Moto:
    """Restores some instance or other when asked for replicated backups by their ARN, a bogus ARN included."""
    arn: str | None = overrides.get("SourceDBInstanceAutomatedBackupsArn")
    if not arn:
        return original(self, source_db_identifier, target_db_identifier, overrides)
    backups = self.describe_db_instance_automated_backups(db_instance_automated_backups_arn=arn)
    request = {name: value for name, value in overrides.items() if value is not None}
    request.setdefault("kms_key_id", backups[0].kms_key_id)
    request["db_instance_identifier"] = target_db_identifier
    return self.create_db_instance({**inherited(backups[0].source), **request})
