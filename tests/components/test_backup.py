"""Daily copies: both sites alike, each into the other's vault, and by a role that can do no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.examples.backup import INSTANCE_ARN, backup
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, Deployment, deploy, regions_in

PAIRS = [(HOME, OTHER), (OTHER, HOME)]


@pytest.fixture(scope="module")
def copies() -> Deployment:
    return deploy(backup())


def statements(deployment: Deployment, region: str) -> dict[str, dict[str, Any]]:
    policy = json.loads(deployment.named(f"orders-{region}-backup-policy").inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


@pytest.mark.parametrize(("region", "other"), PAIRS)
def test_every_day_a_snapshot_goes_into_the_other_sites_vault(copies: Deployment, region: str, other: str) -> None:
    plan = copies.named(f"orders-{region}-plan")
    assert copies.region(plan) == region
    (rule,) = plan.inputs["rules"]
    assert rule["schedule"] == "cron(30 2 * * ? *)"
    assert rule["scheduleExpressionTimezone"] == "Etc/UTC"
    assert rule["targetVaultName"] == copies.named(f"orders-{region}-vault").inputs["name"]
    (copy,) = rule["copyActions"]
    assert copy["destinationVaultArn"] == copies.named(f"orders-{other}-vault").state["arn"]
    assert copy["lifecycle"]["deleteAfter"] >= rule["lifecycle"]["deleteAfter"] == 14


def test_a_day_begins_where_the_window_does() -> None:
    plan = deploy(backup("23:05-00:05")).named(f"orders-{HOME}-plan")
    assert plan.inputs["rules"][0]["schedule"] == "cron(5 23 * * ? *)"


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_a_vault_is_kept_and_encrypted_by_its_own_site(copies: Deployment, region: str) -> None:
    vault = copies.named(f"orders-{region}-vault")
    assert vault.protect
    assert vault.inputs["forceDestroy"] is False
    assert vault.inputs["kmsKeyArn"] == f"arn:aws:kms:{region}:{ACCOUNT}:key/backups-{region}"
    assert copies.values["vault_arns"][region] == vault.state["arn"]


def test_exactly_the_instance_that_lives_here_is_selected(copies: Deployment) -> None:
    selection = copies.named(f"orders-{HOME}-selection")
    assert selection.inputs["resources"] == [INSTANCE_ARN]
    assert selection.inputs["planId"] == f"orders-{HOME}-plan-id"
    assert "selectionTags" not in selection.inputs


def test_where_none_lives_every_generation_that_a_restore_makes_is_selected(copies: Deployment) -> None:
    selection = copies.named(f"orders-{OTHER}-selection")
    assert selection.inputs["resources"] == [f"arn:aws:rds:{OTHER}:{ACCOUNT}:db:{PREFIX}-orders-{OTHER}-g*"]


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_the_role_can_do_all_before_it_is_selected(copies: Deployment, region: str) -> None:
    selection = copies.named(f"orders-{region}-selection")
    role = copies.named(f"orders-{region}-backup")
    assert selection.inputs["iamRoleArn"] == role.state["arn"]
    assert copies.named(f"orders-{region}-backup-policy").urn in selection.depends_on
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "backup.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


@pytest.mark.parametrize(("region", "other"), PAIRS)
def test_the_role_reaches_what_is_selected_its_snapshots_and_both_vaults(
    copies: Deployment, region: str, other: str
) -> None:
    allowed = statements(copies, region)
    snapshots = [f"arn:aws:rds:{each}:{ACCOUNT}:snapshot:awsbackup:*" for each in (region, other)]
    assert allowed["Snapshot"]["Resource"] == [
        *copies.named(f"orders-{region}-selection").inputs["resources"],
        *snapshots,
    ]
    assert allowed["CopyAndExpire"]["Resource"] == snapshots
    assert set(allowed["Vaults"]["Resource"]) == set(copies.values["vault_arns"].values())
    everywhere = [statement["Action"] for statement in allowed.values() if statement["Resource"] == "*"]
    assert everywhere == [["tag:GetResources", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots"]]


@pytest.mark.parametrize(("region", "other"), PAIRS)
def test_the_role_may_use_the_keys_of_snapshot_and_copy(copies: Deployment, region: str, other: str) -> None:
    allowed = statements(copies, region)
    keys = {
        f"arn:aws:kms:{region}:{ACCOUNT}:key/database-{region}",
        *(f"arn:aws:kms:{each}:{ACCOUNT}:key/backups-{each}" for each in (region, other)),
    }
    assert set(allowed["Keys"]["Resource"]) == set(allowed["GrantsForCopies"]["Resource"]) == keys
    assert allowed["GrantsForCopies"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_people_are_told_of_each_job_that_left_no_backup(copies: Deployment, region: str) -> None:
    rule = copies.named(f"orders-{region}-backup-failed")
    target = copies.named(f"orders-{region}-backup-failed-people")
    assert copies.region(rule) == copies.region(target) == region
    pattern = json.loads(rule.inputs["eventPattern"])
    assert pattern["source"] == ["aws.backup"]
    assert set(pattern["detail-type"]) == {"Backup Job State Change", "Copy Job State Change"}
    assert set(pattern["detail"]["state"]) == {"ABORTED", "EXPIRED", "FAILED"}
    assert target.inputs["rule"] == rule.inputs["name"]
    assert target.inputs["arn"] == f"arn:aws:sns:{region}:{ACCOUNT}:alerts"


def test_both_sites_are_alike(copies: Deployment) -> None:
    names = {region: {c.name for c in copies.children if regions_in(c.name) == {region}} for region in (HOME, OTHER)}
    assert {name.replace(HOME, OTHER) for name in names[HOME]} == names[OTHER]
    assert len(copies.children) == 2 * len(names[HOME])
