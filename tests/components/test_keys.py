"""Who may use a key, and how long it takes to lose one."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest

from components.aws.keys import KeysArgs, Purpose, SiteKeys
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, Deployment, deploy

RULES = {"Service": "events.amazonaws.com"}
"""EventBridge, whose calls carry no source that a condition could name."""
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def deployed(region: str = HOME, *purposes: Purpose) -> Deployment:
    return deploy(
        lambda world: SiteKeys(f"keys-{region}", KeysArgs(site=world.site(region), purposes=purposes or tuple(Purpose)))
    )


def statements(deployment: Deployment) -> list[dict[str, Any]]:
    return [
        statement for key in deployment.of(aws.kms.Key) for statement in json.loads(key.inputs["policy"])["Statement"]
    ]


def test_one_rotating_key_a_purpose_with_the_longest_deletion_window() -> None:
    deployment = deployed()
    keys = deployment.of(aws.kms.Key)
    assert len(keys) == len(Purpose)
    for key in keys:
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["multiRegion"] is False
        assert key.inputs["deletionWindowInDays"] == 30
    assert {alias.inputs["name"] for alias in deployment.of(aws.kms.Alias)} == {
        f"alias/{PREFIX}-{purpose}" for purpose in Purpose
    }
    assert set(deployment.values["arns"]) == set(Purpose)


def test_only_the_accounts_root_may_do_everything() -> None:
    for statement in statements(deployed()):
        if statement["Action"] == "kms:*":
            assert statement["Principal"] == {"AWS": ROOT}
        else:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert all(action != "kms:*" and not action.startswith("kms:Put") for action in actions)
            assert statement.get("Condition") or statement["Principal"] == RULES, statement["Sid"]


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_everybody_else_comes_from_this_account_through_a_service_of_this_region(region: str) -> None:
    for statement in statements(deployed(region)):
        if statement["Principal"] == {"AWS": "*"}:
            equals = statement["Condition"]["StringEquals"]
            assert equals["kms:CallerAccount"] == ACCOUNT
            assert equals["kms:ViaService"]
            assert all(service.endswith(f".{region}.amazonaws.com") for service in equals["kms:ViaService"])


def test_grants_are_for_aws_resources_only() -> None:
    for statement in statements(deployed()):
        if statement["Action"] == "kms:CreateGrant":
            assert statement["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_log_groups_of_this_site_may_use_the_logs_key_and_no_other() -> None:
    (delivery,) = [each for each in statements(deployed(HOME, Purpose.LOGS)) if "Service" in each["Principal"]]
    assert delivery["Principal"] == {"Service": f"logs.{HOME}.amazonaws.com"}
    assert delivery["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:*"}
    }
    others = [purpose for purpose in Purpose if purpose is not Purpose.LOGS]
    assert not [each for each in statements(deployed(HOME, *others)) if "logs." in json.dumps(each)]


def test_alarms_and_databases_of_this_account_and_region_may_publish_encrypted() -> None:
    found = [each for each in statements(deployed(HOME, Purpose.ALERTS)) if "Service" in each["Principal"]]
    (rules,) = [each for each in found if each["Principal"] == RULES]
    assert rules["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    known = [each for each in found if each is not rules]
    assert {each["Principal"]["Service"]: each["Condition"]["ArnLike"]["aws:SourceArn"] for each in known} == {
        "cloudwatch.amazonaws.com": f"arn:aws:cloudwatch:{HOME}:{ACCOUNT}:alarm:*",
        "events.rds.amazonaws.com": f"arn:aws:rds:{HOME}:{ACCOUNT}:*",
    }
    assert all(each["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT} for each in known)
