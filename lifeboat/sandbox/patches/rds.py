"""RDS: instances, read replicas and parameter groups."""

from __future__ import annotations

import contextlib
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.rds.exceptions import (
    DBInstanceAlreadyExists,
    DBInstanceNotFoundError,
    DBParameterGroupNotFoundError,
    DBSubnetGroupNotFoundError,
    KMSKeyNotAccessibleFault,
)
from moto.rds.models import DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes

PATCHES = Patches("rds")

# Request name -> the name that AWS answers with.
_KEPT = {
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "NetworkType": "NetworkType",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "EngineLifecycleSupport": "EngineLifecycleSupport",
    "DedicatedLogVolume": "DedicatedLogVolume",
}

# What a replica or a restored instance takes over from its source when the request says nothing.
_INHERITED = (
    "engine",
    "engine_version",
    "port",
    "allocated_storage",
    "max_allocated_storage",
    "auto_minor_version_upgrade",
    "db_instance_class",
    "db_name",
    "iops",
    "master_username",
    "license_model",
    "preferred_backup_window",
    "preferred_maintenance_window",
    "storage_type",
    "storage_encrypted",
    "storage_throughput",
    "ca_certificate_identifier",
    "enable_iam_database_authentication",
)


def inherited(source: Moto) -> dict[str, Any]:
    """What an instance made from `source` takes over, as arguments of moto's instance class."""
    # moto gives a password to nobody; what it keeps has this name.
    password = attributes(source).get("_master_user_password")
    return {"master_user_password": password, **{name: getattr(source, name) for name in _INHERITED}}


def keep(instance: Moto, request: Moto) -> None:
    """Note on an instance what its request said and moto forgets."""
    for sent, answered in _KEPT.items():
        if sent in request:
            setattr(instance, answered, request[sent])


def require_key_of_region(backend: Moto, request: Moto) -> None:
    """Refuse a KMS key of another region, as AWS does: storage is encrypted where it is."""
    key: str = request.get("KmsKeyId") or ""
    if key.startswith("arn:") and key.split(":")[3] != backend.region_name:
        raise KMSKeyNotAccessibleFault(key)


def resource_id() -> str:
    """A DbiResourceId of an instance's own."""
    return f"db-{mock_random.get_random_string(length=26).upper()}"


@PATCHES.fixes(RDSBackend)
def create_db_instance(original: Moto, self: Moto, db_kwargs: Moto) -> Moto:
    """Gives every instance the same DbiResourceId, forgets Performance Insights, takes a key of another region."""
    # Restores hand moto's own attributes over, and those were a request's before.
    request: Moto = {} if type(db_kwargs) is dict else db_kwargs
    require_key_of_region(self, request)
    instance = original(self, db_kwargs)
    instance.dbi_resource_id = resource_id()
    keep(instance, request)
    return instance


@PATCHES.fixes(RDSBackend)
def modify_db_instance(original: Moto, self: Moto, db_instance_identifier: str, db_kwargs: Moto) -> Moto:
    """Forgets Performance Insights and the network type."""
    instance = original(self, db_instance_identifier, db_kwargs)
    keep(instance, db_kwargs)
    return instance


@PATCHES.fixes(RDSBackend)
def create_db_instance_read_replica(_original: Moto, self: Moto, db_kwargs: Moto) -> Moto:
    """Copies the source's object: zone, subnet group, parameter group, protection, logs and Multi-AZ come along.

    A parameter group that is absent in the replica's region makes every later describe of the replica a 500.
    AWS makes a new instance in the replica's own network, backups disabled, other settings taken over.
    """
    identifier: str = db_kwargs["DBInstanceIdentifier"]
    if identifier in self.databases:
        raise DBInstanceAlreadyExists
    primary = self.find_db_from_id(db_kwargs["SourceDBInstanceIdentifier"])
    here: bool = primary.region == self.region_name
    group = db_kwargs.get("DBParameterGroupName") or (primary.db_parameter_group_name if here else None)
    require_key_of_region(self, db_kwargs)
    key = db_kwargs.get("KmsKeyId") or (primary.kms_key_id if here else None)
    if primary.storage_encrypted and not key:
        message = "KmsKeyId should be explicitly specified for cross-region encrypted read replica creation"
        raise RefusedError("InvalidParameterCombination", message)
    replica: Moto = DBInstance(
        self,
        **{
            **inherited(primary),
            "availability_zone": f"{self.region_name}a",
            "tags": [],
            **{name: value for name, value in db_kwargs.items() if value is not None},
            "db_parameter_group_name": group,
            "kms_key_id": key,
            "backup_retention_period": 0,
        },
    )
    replica.dbi_resource_id = resource_id()
    keep(replica, db_kwargs)
    replica.set_as_replica()
    self.databases[identifier] = replica
    primary.add_replica(replica)
    return replica


def _detach(replica: Moto) -> None:
    # The source may be gone, as after the loss of its region; a replica is promoted all the same.
    with contextlib.suppress(DBInstanceNotFoundError):
        replica.backend.find_db_from_id(replica.source_db_instance_identifier).remove_replica(replica)
    replica.source_db_instance_identifier = None
    replica.is_replica = False


@PATCHES.fixes(RDSBackend)
def promote_read_replica(_original: Moto, self: Moto, db_kwargs: Moto) -> Moto:
    """Leaves the source on the replica and the replica on the source: nobody can tell that it was promoted.

    AWS also refuses what is no replica.
    """
    instance = self.describe_db_instances(db_kwargs["DBInstanceIdentifier"])[0]
    if not instance.is_replica:
        message = f"DB Instance {instance.db_instance_identifier} is not a read replica."
        raise RefusedError("InvalidDBInstanceState", message)
    _detach(instance)
    retention = db_kwargs.get("BackupRetentionPeriod")
    # AWS turns backups on with a promotion, for one day when the request does not say.
    instance.backup_retention_period = 1 if retention is None else retention
    if db_kwargs.get("PreferredBackupWindow"):
        instance.preferred_backup_window = db_kwargs["PreferredBackupWindow"]
    return instance


@PATCHES.fixes(DBInstance)
def remove_replica(_original: Moto, self: Moto, replica: Moto) -> None:
    """Looks for a replica in another region by name, where its ARN is: deleting such a replica is a 500."""
    self.replicas = [
        known for known in self.replicas if known not in {replica.db_instance_identifier, replica.db_instance_arn}
    ]


@PATCHES.fixes(RDSBackend)
def delete_db_instance(original: Moto, self: Moto, db_instance_identifier: str, **kwargs: Moto) -> Moto:
    """Leaves the source's name on its replicas, whose own deletion then fails."""
    instance = self.databases.get(db_instance_identifier)
    deleted = original(self, db_instance_identifier, **kwargs)
    for replica in list(instance.replicas):
        _detach(self.find_db_from_id(replica))
    return deleted


@PATCHES.fixes(RDSBackend)
def modify_db_subnet_group(original: Moto, self: Moto, subnet_name: str, description: str, subnets: Moto) -> Moto:
    """Takes the group out of its books: once modified, it does not exist."""
    if subnet_name not in self.subnet_groups:
        raise DBSubnetGroupNotFoundError(subnet_name)
    group = original(self, subnet_name, description, subnets)
    self.subnet_groups[subnet_name] = group
    return group


def _reset(group: Moto, request: Moto) -> None:
    if request.get("ResetAllParameters", True) and not request.get("Parameters"):
        group.parameters.clear()
    for parameter in request.get("Parameters") or ():
        group.parameters.pop(parameter["ParameterName"], None)


@PATCHES.fills(RDSResponse)
def reset_db_parameter_group(self: Moto) -> Moto:
    """Is missing: a parameter that leaves the declaration stays set."""
    name: str = self.params["DBParameterGroupName"]
    group = self.backend.db_parameter_groups.get(name)
    if group is None:
        raise DBParameterGroupNotFoundError(name)
    _reset(group, self.params)
    return ActionResult({"DBParameterGroupName": name})


@PATCHES.fills(RDSResponse)
def reset_db_cluster_parameter_group(self: Moto) -> Moto:
    """Is missing: a parameter that leaves the declaration stays set."""
    name: str = self.params["DBClusterParameterGroupName"]
    group = self.backend.db_cluster_parameter_groups.get(name)
    if group is None:
        raise DBParameterGroupNotFoundError(name)
    _reset(group, self.params)
    return ActionResult({"DBClusterParameterGroupName": name})


@PATCHES.fixes(RDSBackend)
def describe_db_parameter_groups(original: Moto, self: Moto, db_parameter_group_kwargs: Moto) -> Moto:
    """Answers an empty list for a name that does not exist, where AWS answers DBParameterGroupNotFound."""
    found = original(self, db_parameter_group_kwargs)
    name = db_parameter_group_kwargs.get("db_parameter_group_name")
    if name and not found:
        raise DBParameterGroupNotFoundError(name)
    return found
