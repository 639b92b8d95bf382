"""Cases of `policies.rules.aws_backup_vaults`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

VAULT = "aws:backup/vault:Vault"
AIR_GAPPED = "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
POLICY = "aws:backup/vaultPolicy:VaultPolicy"
NOTIFICATIONS = "aws:backup/vaultNotifications:VaultNotifications"
EVENTS = "aws:cloudwatch/eventRule:EventRule"
ACTIONS = ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle", "backup:PutBackupVaultAccessPolicy"]
FAILURES = ["BACKUP_JOB_FAILED", "COPY_JOB_FAILED"]
KINDS = ["Backup Job State Change", "Copy Job State Change"]

_vault = make(VAULT, inputs={"name": "vault"})


def _lock(**properties: object) -> Resource:
    return make(LOCK, "lock", {"backupVaultName": "vault", **properties})


def _policy(document: object, **more: object) -> Resource:
    if isinstance(document, list):
        statement = {"Effect": "Deny", "Principal": "*", "Action": document, "Resource": "*", **more}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return make(POLICY, "policy", {"backupVaultName": "vault", "policy": document})


def _notified(events: object, topic: object = "topic") -> Resource:
    return make(
        NOTIFICATIONS, "notified", {"backupVaultName": "vault", "backupVaultEvents": events, "snsTopicArn": topic}
    )


def _heard(region: str = "us-east-1", **pattern: object) -> Resource:
    document = json.dumps({"source": ["aws.backup"], **pattern})
    return make(EVENTS, f"heard-{len(document)}", {"eventPattern": document}, region=region)


_NOBODY: dict[str, dict[str, object]] = {
    "only to strangers": {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-example"}}},
    "but from everywhere": {"Condition": {"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
    "but to everybody": {"Principal": None, "NotPrincipal": {"AWS": "*"}},
    "but to any role": {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}},
    "but to every principal": {"Condition": {"StringNotLike": {"aws:PrincipalArn": ["*"]}}},
    "one recovery point": {"Resource": "arn:aws:backup:us-east-1:123456789012:recovery-point:one"},
}
"""Denials that leave all or most of what they deny."""


CASES: dict[str, list[Case]] = {
    "backup-vault-locked": [
        Case(kind="passes", resources=[_vault, _lock(minRetentionDays=7, changeableForDays=3)]),
        Case(
            kind="passes",
            about="governance is enough for this team",
            resources=[_vault, _lock(minRetentionDays="35")],
            parameters={"compliance": False},
        ),
        Case(
            kind="fails",
            resources=[_vault, _lock(minRetentionDays=1, changeableForDays=3)],
            violated=["lock:minRetentionDays"],
        ),
        Case(
            kind="fails",
            about="nothing, though no more is declared",
            resources=[_vault, _lock(minRetentionDays=0, changeableForDays=3)],
            settings={"objectives": {"retention_days": 1}},
            violated=["lock:minRetentionDays"],
        ),
        Case(
            kind="fails",
            about="less than declared",
            resources=[_vault, _lock(minRetentionDays=7, changeableForDays=3)],
            settings={"objectives": {"retention_days": 30}},
            violated=["lock:minRetentionDays"],
        ),
        Case(kind="absent", resources=[_vault], violated=["it:"]),
        Case(
            kind="absent",
            about="properties of the lock",
            resources=[_vault, _lock()],
            violated=["lock:minRetentionDays", "lock:changeableForDays"],
        ),
        Case(
            kind="unknown",
            resources=[_vault, _lock(minRetentionDays=UNKNOWN, changeableForDays=1)],
            undecided=["lock:minRetentionDays"],
            violated=["lock:changeableForDays"],
        ),
        Case(kind="exempt", about="an air-gapped vault", resources=[make(AIR_GAPPED)]),
        Case(
            kind="companion",
            about="of a vault of the same name in another region",
            resources=[
                _vault,
                make(
                    LOCK,
                    "lock",
                    {"backupVaultName": "vault", "minRetentionDays": 7, "changeableForDays": 3},
                    region="us-west-2",
                ),
            ],
            violated=["it:"],
        ),
        Case(
            kind="companion",
            about="joined by dependency",
            resources=[
                _vault,
                make(
                    LOCK,
                    "lock",
                    {"backupVaultName": UNKNOWN, "minRetentionDays": 7, "changeableForDays": 3},
                    uses={"backupVaultName": _vault},
                ),
            ],
        ),
    ],
    "backup-vault-deny-delete": [
        Case(kind="passes", resources=[_vault, _policy(ACTIONS)]),
        Case(kind="passes", about="wildcards", resources=[_vault, _policy(["backup:*"], Principal={"AWS": ["*"]})]),
        Case(
            kind="passes",
            about="everything but reading",
            resources=[
                _vault,
                _policy(
                    json.dumps(
                        {
                            "Statement": {
                                "Effect": "Deny",
                                "Principal": "*",
                                "NotAction": "backup:Describe*",
                                "Resource": "*",
                            }
                        }
                    )
                ),
            ],
        ),
        Case(
            kind="fails",
            about="an action too few",
            resources=[_vault, _policy(ACTIONS[:2])],
            violated=["policy:policy"],
        ),
        Case(
            kind="fails",
            about="allowed",
            resources=[_vault, _policy(ACTIONS, Effect="Allow")],
            violated=["policy:policy"],
        ),
        Case(
            kind="fails",
            about="denied to somebody only",
            resources=[_vault, _policy(ACTIONS, Principal={"AWS": "arn:aws:iam::123456789012:role/other"})],
            violated=["policy:policy"],
        ),
        Case(
            kind="fails",
            about="denied under a condition only",
            resources=[_vault, _policy(ACTIONS, Condition={"StringEquals": {"aws:PrincipalTag/team": "other"}})],
            violated=["policy:policy"],
        ),
        *(
            Case(kind="fails", about=about, resources=[_vault, _policy(ACTIONS, **more)], violated=["policy:policy"])
            for about, more in _NOBODY.items()
        ),
        Case(
            kind="passes",
            about="a session of a role, by its ID",
            resources=[_vault, _policy(ACTIONS, Condition={"StringNotLike": {"aws:userId": ["AROAEXAMPLE:*"]}})],
        ),
        Case(kind="fails", about="no JSON", resources=[_vault, _policy("{")], violated=["policy:policy"]),
        Case(
            kind="fails",
            about="no policy document",
            resources=[_vault, _policy('{"Statement": [1, null]}')],
            violated=["policy:policy"],
        ),
        Case(kind="absent", resources=[_vault], violated=["it:"]),
        Case(kind="absent", about="the document", resources=[_vault, _policy(None)], violated=["policy:policy"]),
        Case(kind="unknown", resources=[_vault, _policy(UNKNOWN)], undecided=["policy:policy"]),
        Case(
            kind="exempt",
            about="a role for emergencies",
            resources=[
                _vault,
                _policy(
                    ACTIONS, Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/emergency"}}
                ),
            ],
        ),
        Case(
            kind="companion",
            about="joined by dependency",
            resources=[
                make(VAULT),
                make(
                    POLICY,
                    "policy",
                    {"backupVaultName": UNKNOWN, "policy": _policy(ACTIONS).inputs["policy"]},
                    uses={"backupVaultName": make(VAULT)},
                ),
            ],
        ),
    ],
    "backup-failure-notified": [
        Case(kind="passes", resources=[_vault, _notified(FAILURES)]),
        Case(
            kind="passes",
            about="completed jobs include failed ones",
            resources=[_vault, _notified(["BACKUP_JOB_COMPLETED", "COPY_JOB_FAILED"])],
        ),
        Case(
            kind="fails",
            about="copies are silent",
            resources=[_vault, _notified(FAILURES[:1])],
            violated=["notified:backupVaultEvents"],
        ),
        Case(
            kind="fails",
            about="nobody hears",
            resources=[_vault, _notified(FAILURES, "")],
            violated=["notified:snsTopicArn"],
        ),
        Case(
            kind="fails",
            about="event rules of another region, or of jobs that succeed",
            resources=[_vault, _heard("us-west-2"), _heard(detail={"state": ["COMPLETED"]})],
            violated=["it:"],
        ),
        Case(kind="absent", resources=[_vault], violated=["it:"]),
        Case(
            kind="absent", about="events", resources=[_vault, _notified(None)], violated=["notified:backupVaultEvents"]
        ),
        Case(kind="unknown", resources=[_vault, _notified(UNKNOWN)], undecided=["notified:backupVaultEvents"]),
        Case(kind="exempt", about="an event rule for everything", resources=[_vault, _heard()]),
        Case(
            kind="exempt",
            about="event rules for both kinds of jobs",
            resources=[
                _vault,
                _heard(**{"detail-type": KINDS[:1], "detail": {"state": ["FAILED", "ABORTED"]}}),
                _heard(**{"detail-type": KINDS[1:]}),
            ],
        ),
        Case(
            kind="companion",
            about="one kind of jobs by event rule is not enough",
            resources=[_vault, _heard(**{"detail-type": KINDS[:1]})],
            violated=["it:"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
