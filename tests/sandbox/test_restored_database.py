"""A database that was restored is not declared where it stands: what follows finds it all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.model.plan.graph import Mode
from tests.sandbox.recovery_world import EAST, SITES, WEST
from tests.sandbox.test_recovery_mechanisms import RUN, Stage, database, stubbed

if TYPE_CHECKING:
    from lifeboat.sandbox.state import Record


class AfterFailover(Stage):
    """The writer of home was left, and what was restored in the other site took over."""

    def __init__(self, gateway: Record, mechanism: str, mode: Mode) -> None:
        super().__init__(gateway, database(mechanism), Mode.REJOIN)
        if mode is not Mode.REJOIN:
            lost = frozenset({WEST}) if mode is Mode.FAILOVER else frozenset[str]()
            self.plan = self.world.plan(mode, lost, source=WEST)
        self.keys = {region: self._instance(region) for region in SITES}

    def _instance(self, region: str) -> str:
        names = {EAST: self.physical.instance("orders", EAST), WEST: self.physical.next_instance("orders", WEST)}
        key: str = self.world.client("kms", region).create_key()["KeyMetadata"]["Arn"]
        self._rds(region).create_db_instance(
            DBInstanceIdentifier=names[region],
            Engine="postgres",
            EngineVersion="16.8",
            DBInstanceClass="db.r6g.large",
            AllocatedStorage=20,
            MasterUsername="owner",
            MasterUserPassword="hidden-1",
            DBName="shop",
            BackupRetentionPeriod=9,
            StorageEncrypted=True,
            KmsKeyId=key,
        )
        return key

    @property
    def restored(self) -> str:
        return f"arn:aws:rds:{WEST}:123456789012:db:{self.physical.next_instance('orders', WEST)}"

    def backups(self, region: str) -> list[dict[str, Any]]:
        found = self._rds(region).describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
        return [each for each in found if each.get("DBInstanceArn") == self.restored]


def test_backups_of_what_was_restored_are_copied_home(gateway: Record) -> None:
    stage = AfterFailover(gateway, "replicated-backups", Mode.REJOIN)
    stage.perform("rebuild-protection/orders")
    (found,) = [each for each in stage.backups(EAST) if each["Status"] == "replicating"]
    assert found["KmsKeyId"] == stage.keys[EAST]
    assert stage.perform("rebuild-protection/orders") == "so already"
    assert stage.undeclared() == set()


def test_a_vault_s_backup_is_that_of_what_was_restored(gateway: Record) -> None:
    stage = AfterFailover(gateway, "backups", Mode.REJOIN)
    client, stub = stubbed("backup")
    stage.told["backup"] = client
    vault = f"{stage.physical.prefix}-orders"
    role, point = f"arn:aws:iam::123456789012:role/{vault}-{WEST}-backup", f"{stage.restored}-point"
    stub.add_response(
        "start_backup_job",
        {"BackupJobId": "job"},
        {
            "BackupVaultName": f"{vault}-{WEST}",
            "ResourceArn": stage.restored,
            "IamRoleArn": role,
            "IdempotencyToken": f"{RUN}-orders",
        },
    )
    stub.add_response("describe_backup_job", {"State": "COMPLETED", "RecoveryPointArn": point}, {"BackupJobId": "job"})
    stub.add_response(
        "start_copy_job",
        {"CopyJobId": "copy"},
        {
            "RecoveryPointArn": point,
            "SourceBackupVaultName": f"{vault}-{WEST}",
            "DestinationBackupVaultArn": f"arn:aws:backup:{EAST}:123456789012:backup-vault:{vault}-{EAST}",
            "IamRoleArn": role,
            "IdempotencyToken": f"{RUN}-orders-copy",
        },
    )
    stub.add_response("describe_copy_job", {"CopyJob": {"State": "COMPLETED"}}, {"CopyJobId": "copy"})
    stage.perform("rebuild-protection/orders")
    stub.assert_no_pending_responses()
    assert stage.undeclared() == set()


def test_the_way_home_takes_its_last_snapshot_of_what_was_restored(gateway: Record) -> None:
    stage = AfterFailover(gateway, "replicated-backups", Mode.FAILBACK)
    kms = stage.world.client("kms", EAST)
    kms.create_alias(AliasName=f"alias/{stage.physical.prefix}-database", TargetKeyId=stage.keys[EAST])
    stage.perform("drain/orders")
    for region in (WEST, EAST):
        snapshots = stage.world.client("rds", region).describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        (taken,) = [each for each in snapshots if each["DBSnapshotIdentifier"].endswith(RUN.lower())]
        assert taken["DBInstanceIdentifier"] == stage.physical.next_instance("orders", WEST)
    assert stage.undeclared() == set()
    stage.undo("drain/orders")
    left = stage.world.client("rds", EAST).describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert taken["DBSnapshotIdentifier"] not in {each["DBSnapshotIdentifier"] for each in left}


def test_a_failover_home_takes_the_backups_of_what_was_restored(gateway: Record) -> None:
    stage = AfterFailover(gateway, "replicated-backups", Mode.FAILOVER)
    east = stage.world.client("rds", EAST)
    with pytest.raises(Exception, match=f"{EAST} has no replicated backups of {stage.restored}"):
        stage.perform("promote-database/orders")
    east.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=stage.restored, BackupRetentionPeriod=9, KmsKeyId=stage.keys[EAST]
    )
    group = f"{stage.physical.prefix}-orders-{EAST}"
    ec2 = stage.world.client("ec2", EAST)
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.10.{number}.0/24", AvailabilityZone=f"{EAST}{zone}")
        for number, zone in enumerate("ab")
    ]
    ec2.create_security_group(GroupName=group, Description=group, VpcId=vpc)
    east.create_db_subnet_group(
        DBSubnetGroupName=group,
        DBSubnetGroupDescription=group,
        SubnetIds=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
    )
    east.create_db_parameter_group(
        DBParameterGroupName=f"{stage.physical.prefix}-orders-postgres16",
        DBParameterGroupFamily="postgres16",
        Description="as declared",
    )
    stage.perform("promote-database/orders")
    names = {each["DBInstanceIdentifier"] for each in east.describe_db_instances()["DBInstances"]}
    assert stage.physical.next_instance("orders", EAST) in names
    assert stage.undeclared() == set()
