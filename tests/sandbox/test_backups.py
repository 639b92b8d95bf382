"""Databases that are restored, not promoted: what carries their backups into the other region, as boto3 sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.sandbox.up import deploy_into
from tests.project import link_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lifeboat.sandbox.inprocess.run import Deployed
    from lifeboat.sandbox.state import Directory, Record
    from tests.sandbox.conftest import Clients

HOME, OTHER, ACCOUNT = "us-east-1", "us-west-2", "123456789012"
PHYSICAL = "shop-test-ledger"
INSTANCE = f"arn:aws:rds:{HOME}:{ACCOUNT}:db:{PHYSICAL}-{HOME}-g1"


@pytest.fixture
def losing(clean_gateway: Record, sandbox_directory: Directory, tmp_path: Path) -> Callable[[str], Deployed]:
    """Deploys a stack with one database that may lose so much."""

    def losing(rpo: str) -> Deployed:
        config: dict[str, Any] = {
            "system": "shop",
            "environment": "test",
            "account": ACCOUNT,
            "objectives": {"stack": {"rto": "8h", "rpo": rpo}},
            "home": HOME,
            "sites": [{"region": HOME, "cidr": "10.1.0.0/16"}, {"region": OTHER, "cidr": "10.2.0.0/16"}],
            "witness": "us-east-2",
            "databases": [{"name": "ledger", "backups": {"retention_days": 21, "window": "03:15-04:00"}}],
            "network": {"interface_endpoints": []},
        }
        project = link_project(tmp_path)
        settings = {"config": {f"lifeboat:{key}": value for key, value in config.items()}}
        (project / "Pulumi.backups.yaml").write_text(json.dumps(settings))
        return deploy_into(
            project, "backups", directory=sandbox_directory, record=clean_gateway, progress=lambda _: None
        )

    return losing


def test_a_day_may_be_lost_so_a_copy_goes_to_the_other_vault_daily(
    losing: Callable[[str], Deployed], clients: Clients
) -> None:
    deployed = losing("25h")
    sites = deployed.deployment.plain_outputs["contract"]["sites"]
    for region, other, resource in (
        (HOME, OTHER, INSTANCE),
        (OTHER, HOME, f"arn:aws:rds:{OTHER}:{ACCOUNT}:db:{PHYSICAL}-{OTHER}-g*"),
    ):
        backup = clients("backup", region)
        vault = backup.describe_backup_vault(BackupVaultName=f"{PHYSICAL}-{region}")
        assert vault["EncryptionKeyArn"] == sites[region]["keys"]["backups"]
        (listed,) = backup.list_backup_plans()["BackupPlansList"]
        (rule,) = backup.get_backup_plan(BackupPlanId=listed["BackupPlanId"])["BackupPlan"]["Rules"]
        assert rule["TargetBackupVaultName"] == vault["BackupVaultName"]
        assert rule["ScheduleExpression"] == "cron(15 3 * * ? *)"
        destination = clients("backup", other).describe_backup_vault(BackupVaultName=f"{PHYSICAL}-{other}")
        (copy,) = rule["CopyActions"]
        assert copy["DestinationBackupVaultArn"] == destination["BackupVaultArn"]
        assert copy["Lifecycle"] == rule["Lifecycle"] == {"DeleteAfterDays": 21}
        (found,) = backup.list_backup_selections(BackupPlanId=listed["BackupPlanId"])["BackupSelectionsList"]
        selection = backup.get_backup_selection(BackupPlanId=listed["BackupPlanId"], SelectionId=found["SelectionId"])
        assert selection["BackupSelection"]["Resources"] == [resource]
        role = clients("iam").get_role(RoleName=f"{PHYSICAL}-{region}-backup")["Role"]
        assert selection["BackupSelection"]["IamRoleArn"] == role["Arn"]
    assert clients("rds", HOME).describe_db_instances()["DBInstances"][0]["DBInstanceArn"] == INSTANCE
    assert not clients("rds", OTHER).describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]


def test_ten_minutes_may_be_lost_so_logs_are_replicated_and_nothing_is_copied_daily(
    losing: Callable[[str], Deployed], clients: Clients
) -> None:
    deployed = losing("10m")
    (replicated,) = clients("rds", OTHER).describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    assert replicated["DBInstanceArn"] == INSTANCE
    assert replicated["BackupRetentionPeriod"] == 21
    assert replicated["KmsKeyId"] == deployed.deployment.plain_outputs["contract"]["sites"][OTHER]["keys"]["backups"]
    assert not clients("rds", OTHER).describe_db_instances()["DBInstances"]
    for region in (HOME, OTHER):
        assert not clients("backup", region).list_backup_vaults()["BackupVaultList"]
        assert not clients("backup", region).list_backup_plans()["BackupPlansList"]
