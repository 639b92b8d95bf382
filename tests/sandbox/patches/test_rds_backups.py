"""RDS: automated backups replicated to another region, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.patches.test_rds import EAST, WEST, create, describe, key

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")


def replicate_backups(clients: Clients) -> tuple[dict[str, Any], dict[str, Any]]:
    instance = create(clients, StorageEncrypted=True, KmsKeyId=key(clients, EAST))
    answer = clients("rds", WEST).start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=instance["DBInstanceArn"], BackupRetentionPeriod=14, KmsKeyId=key(clients, WEST)
    )
    return instance, answer["DBInstanceAutomatedBackup"]


def test_start_db_instance_automated_backups_replication(clients: Clients) -> None:
    instance, backup = replicate_backups(clients)
    assert backup["DBInstanceAutomatedBackupsArn"].startswith(f"arn:aws:rds:{WEST}:123456789012:auto-backup:ab-")
    assert backup["Region"] == EAST
    assert backup["BackupRetentionPeriod"] == 14
    assert backup["DbiResourceId"] == instance["DbiResourceId"]
    assert backup["Status"] == "replicating"
    with pytest.raises(ClientError, match="replicated here already"):
        clients("rds", WEST).start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=instance["DBInstanceArn"], KmsKeyId=backup["KmsKeyId"]
        )


def test_start_db_instance_automated_backups_replication_refuses_its_own_region(clients: Clients) -> None:
    with pytest.raises(ClientError, match="another region"):
        clients("rds", EAST).start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=create(clients)["DBInstanceArn"]
        )


def test_stop_db_instance_automated_backups_replication(clients: Clients) -> None:
    instance, _ = replicate_backups(clients)
    west = clients("rds", WEST)
    west.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=instance["DBInstanceArn"])
    assert west.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"] == []
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        west.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=instance["DBInstanceArn"])


def test_describe_db_instance_automated_backups_by_arn(clients: Clients) -> None:
    _, backup = replicate_backups(clients)
    arn = backup["DBInstanceAutomatedBackupsArn"]
    west = clients("rds", WEST)
    found = west.describe_db_instance_automated_backups(DBInstanceAutomatedBackupsArn=arn)
    assert [known["DBInstanceIdentifier"] for known in found["DBInstanceAutomatedBackups"]] == ["orders"]
    with pytest.raises(ClientError, match="DBInstanceAutomatedBackupNotFound"):
        west.describe_db_instance_automated_backups(DBInstanceAutomatedBackupsArn=f"{arn}x")


def test_describe_db_instances_lists_where_backups_go(clients: Clients) -> None:
    _, backup = replicate_backups(clients)
    listed = describe(clients, EAST, "orders")["DBInstanceAutomatedBackupsReplications"]
    assert listed == [{"DBInstanceAutomatedBackupsArn": backup["DBInstanceAutomatedBackupsArn"]}]


def test_restore_db_instance_to_point_in_time_after_the_source_is_gone(clients: Clients) -> None:
    _, backup = replicate_backups(clients)
    clients("rds", EAST).delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
    west = clients("rds", WEST)
    west.restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=backup["DBInstanceAutomatedBackupsArn"],
        TargetDBInstanceIdentifier="restored",
        UseLatestRestorableTime=True,
    )
    restored = describe(clients, WEST, "restored")
    assert (restored["EngineVersion"], restored["MasterUsername"]) == ("16.4", "app")
    assert restored["KmsKeyId"] == backup["KmsKeyId"]


def test_restore_db_instance_to_point_in_time_from_a_bogus_arn(clients: Clients) -> None:
    create(clients)
    with pytest.raises(ClientError, match="DBInstanceAutomatedBackupNotFound"):
        clients("rds", EAST).restore_db_instance_to_point_in_time(
            SourceDBInstanceAutomatedBackupsArn="arn:aws:rds:us-east-1:123456789012:auto-backup:ab-bogus",
            TargetDBInstanceIdentifier="restored",
        )
