"""AWS Backup: selections and changes of plans, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")

SELECTION = {
    "SelectionName": "orders",
    "IamRoleArn": "arn:aws:iam::123456789012:role/backup",
    "Resources": ["arn:aws:rds:us-east-1:123456789012:db:orders"],
}


def rules(hour: int) -> dict[str, Any]:
    rule = {"RuleName": "daily", "TargetBackupVaultName": "orders", "ScheduleExpression": f"cron(0 {hour} * * ? *)"}
    return {"BackupPlanName": "ledger", "Rules": [rule]}


def planned(clients: Clients) -> str:
    identifier: str = clients("backup").create_backup_plan(BackupPlan=rules(2))["BackupPlanId"]
    return identifier


def selected(clients: Clients) -> dict[str, str]:
    plan = planned(clients)
    made = clients("backup").create_backup_selection(BackupPlanId=plan, BackupSelection=SELECTION)
    return {"BackupPlanId": plan, "SelectionId": made["SelectionId"]}


def test_create_backup_selection(clients: Clients) -> None:
    plan = planned(clients)
    made = clients("backup").create_backup_selection(BackupPlanId=plan, BackupSelection=SELECTION)
    assert made["BackupPlanId"] == plan
    assert made["SelectionId"]
    with pytest.raises(ClientError, match="Cannot find Backup plan"):
        clients("backup").create_backup_selection(BackupPlanId="none", BackupSelection=SELECTION)


def test_get_backup_selection(clients: Clients) -> None:
    key = selected(clients)
    answer = clients("backup").get_backup_selection(**key)
    assert answer["BackupSelection"] == SELECTION
    assert {name: answer[name] for name in key} == key
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        clients("backup").get_backup_selection(**{**key, "SelectionId": "none"})


def test_list_backup_selections(clients: Clients) -> None:
    key = selected(clients)
    (listed,) = clients("backup").list_backup_selections(BackupPlanId=key["BackupPlanId"])["BackupSelectionsList"]
    assert (listed["SelectionId"], listed["SelectionName"]) == (key["SelectionId"], "orders")
    assert listed["IamRoleArn"] == SELECTION["IamRoleArn"]


def test_delete_backup_selection(clients: Clients) -> None:
    key = selected(clients)
    clients("backup").delete_backup_selection(**key)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        clients("backup").get_backup_selection(**key)


def test_update_backup_plan(clients: Clients) -> None:
    backup, plan = clients("backup"), planned(clients)
    before = backup.get_backup_plan(BackupPlanId=plan)
    updated = backup.update_backup_plan(BackupPlanId=plan, BackupPlan=rules(4))
    after = backup.get_backup_plan(BackupPlanId=plan)
    assert after["BackupPlan"]["Rules"][0]["ScheduleExpression"] == "cron(0 4 * * ? *)"
    assert after["BackupPlanArn"] == before["BackupPlanArn"]
    assert after["VersionId"] == updated["VersionId"] != before["VersionId"]


def test_delete_backup_plan_with_selections(clients: Clients) -> None:
    backup, key = clients("backup"), selected(clients)
    with pytest.raises(ClientError, match="selections must be deleted prior"):
        backup.delete_backup_plan(BackupPlanId=key["BackupPlanId"])
    backup.delete_backup_selection(**key)
    backup.delete_backup_plan(BackupPlanId=key["BackupPlanId"])
    assert backup.list_backup_plans()["BackupPlansList"] == []


def test_create_backup_plan_under_the_name_of_a_deleted_one(clients: Clients) -> None:
    backup, plan = clients("backup"), planned(clients)
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        planned(clients)
    backup.delete_backup_plan(BackupPlanId=plan)
    assert planned(clients) != plan
