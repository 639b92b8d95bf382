"""Cases of `policies.rules.aws_backup_copies`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.harness import ACCOUNT, Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

PLAN = "aws:backup/plan:Plan"
VAULT = "aws:backup/vault:Vault"
AIR_GAPPED = "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault"
DLM = "aws:dlm/lifecyclePolicy:LifecyclePolicy"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
KEY = "aws:kms/key:Key"
OTHER_ACCOUNT = "210987654321"


def _arn(region: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:backup:{region}:{account}:backup-vault:vault"


def _copying(*destinations: object) -> Resource:
    return make(
        PLAN,
        inputs={
            "rules": [
                {"targetVaultName": "home", "copyActions": [{"destinationVaultArn": each}]} for each in destinations
            ]
        },
    )


def _keeping(copied: object, kept: object = 35) -> Resource:
    return make(
        PLAN,
        inputs={
            "rules": [{"lifecycle": {"deleteAfter": kept}, "copyActions": [{"lifecycle": {"deleteAfter": copied}}]}]
        },
    )


_home = make(VAULT, "home", {"name": "home"})
_away = make(VAULT, "away", {"name": "away"}, region="us-west-2", outputs={"arn": _arn("us-west-2")})
_safe = make(VAULT, "safe", {"name": "safe"}, region="us-west-2", account=OTHER_ACCOUNT)
_air_gapped = make(AIR_GAPPED, "isolated")
_key = make(KEY, "key", region="us-west-2")
_unknown_copy = {"rules": [{"targetVaultName": "home", "copyActions": [{"destinationVaultArn": UNKNOWN}]}]}
_onward = make(
    PLAN,
    "onward",
    {
        "rules": [
            {"targetVaultName": "away", "copyActions": [{"destinationVaultArn": _arn("us-west-2", OTHER_ACCOUNT)}]}
        ]
    },
    region="us-west-2",
)


def _reaction(pattern: object, target: str = "lambda", kind: str = "Copy Job State Change") -> list[Resource]:
    if isinstance(pattern, dict):
        pattern = json.dumps({"source": ["aws.backup"], "detail-type": [kind], "detail": pattern})
    return [
        make("aws:cloudwatch/eventRule:EventRule", "copied", {"name": "copied", "eventPattern": pattern}),
        make(
            "aws:cloudwatch/eventTarget:EventTarget",
            "goes-on",
            {"rule": "copied", "arn": f"arn:aws:{target}:us-east-1:{ACCOUNT}:it"},
        ),
    ]


def _schedules(copy: object) -> Resource:
    return make(DLM, inputs={"policyDetails": {"schedules": [{"crossRegionCopyRules": [copy]}]}})


def _action(configuration: object) -> Resource:
    copy = {"target": "us-west-2", "encryptionConfiguration": configuration}
    return make(DLM, inputs={"policyDetails": {"action": {"crossRegionCopies": [copy]}}})


CASES: dict[str, list[Case]] = {
    "backup-copy-other-region": [
        Case(kind="passes", resources=[_copying(_arn("us-east-1"), _arn("us-west-2"))]),
        Case(kind="passes", about="a literal vault of this stack", resources=[_away, _copying(_arn("us-west-2"))]),
        Case(
            kind="passes",
            about="a second hop on the completed copy",
            resources=[_copying(_arn("us-east-1")), *_reaction({"state": ["COMPLETED"]})],
        ),
        Case(kind="fails", about="its own region", resources=[_copying(_arn("us-east-1"))], violated=["it:rules"]),
        Case(
            kind="fails",
            about="vaults that copy to each other",
            resources=[
                make(VAULT, "next", {"name": "home"}, outputs={"arn": _arn("us-east-1")}),
                _copying(_arn("us-east-1")),
            ],
            violated=["it:rules"],
        ),
        Case(
            kind="fails",
            about="a literal ARN is not what else the rules depend on",
            resources=[
                _away,
                make(
                    PLAN,
                    inputs={"rules": [{"copyActions": [{"destinationVaultArn": _arn("us-east-1")}]}]},
                    uses={"rules": _away},
                ),
            ],
            violated=["it:rules"],
        ),
        Case(
            kind="absent",
            resources=[make(PLAN, inputs={"rules": [{"targetVaultName": "home"}]})],
            violated=["it:rules"],
        ),
        Case(kind="unknown", resources=[make(PLAN, inputs=_unknown_copy)], undecided=["it:rules"]),
        Case(
            kind="unknown", about="all rules", resources=[make(PLAN, inputs={"rules": UNKNOWN})], undecided=["it:rules"]
        ),
        Case(
            kind="unknown",
            about="an ARN of a vault that is known",
            resources=[_home, _away, make(PLAN, inputs=_unknown_copy, uses={"rules": [_home, _away]})],
        ),
        Case(
            kind="unknown",
            about="an ARN of a vault of the same region",
            resources=[_home, make(PLAN, inputs=_unknown_copy, uses={"rules": _home})],
            violated=["it:rules"],
        ),
    ],
    "backup-copy-other-account": [
        Case(kind="passes", resources=[_copying(_arn("us-east-1", OTHER_ACCOUNT))]),
        Case(
            kind="passes",
            about="a vault of another provider",
            resources=[_safe, make(PLAN, inputs=_unknown_copy, uses={"rules": _safe})],
        ),
        Case(
            kind="passes",
            about="a second hop on the completed copy",
            resources=[
                _copying(_arn("us-west-2")),
                *_reaction({"state": ["COMPLETED"], "destinationBackupVaultArn": [_arn("us-west-2")]}),
            ],
        ),
        Case(
            kind="fails",
            about="a plan over the same vault copies what it backs up itself",
            resources=[_away, _copying(_arn("us-west-2")), _onward],
            violated=["it:rules"],
        ),
        *(
            Case(kind="fails", about=about, resources=[_copying(_arn("us-west-2")), *reaction], violated=["it:rules"])
            for about, reaction in {
                "somebody is only told": _reaction({}, "sns"),
                "failed copies": _reaction({"state": ["FAILED"]}),
                "backups": _reaction({}, kind="Backup Job State Change"),
                "another vault": _reaction({"destinationBackupVaultArn": [_arn("eu-west-1")]}),
                "nothing is started": _reaction({})[:1],
            }.items()
        ),
        Case(
            kind="unknown",
            about="a pattern",
            resources=[_copying(_arn("us-west-2")), *_reaction(UNKNOWN)],
            undecided=["it:rules"],
        ),
        Case(kind="fails", resources=[_copying(_arn("us-west-2"))], violated=["it:rules"]),
        Case(
            kind="fails",
            about="the plan that goes on begins elsewhere",
            resources=[
                make(VAULT, "away", {"name": "aside"}, region="us-west-2", outputs={"arn": _arn("us-west-2")}),
                _copying(_arn("us-west-2")),
                _onward,
            ],
            violated=["it:rules"],
        ),
        Case(
            kind="absent",
            resources=[make(PLAN, inputs={"rules": [{"copyActions": []}]}), make(PLAN, "empty")],
            violated=["it:rules", "empty:rules"],
        ),
        Case(kind="unknown", resources=[make(PLAN, inputs=_unknown_copy)], undecided=["it:rules"]),
        Case(
            kind="unknown",
            about="its own account",
            resources=[
                make(
                    PLAN,
                    inputs={"rules": [{"copyActions": [{"destinationVaultArn": _arn("us-west-2", OTHER_ACCOUNT)}]}]},
                    account='", "',
                )
            ],
            undecided=["it:rules"],
        ),
        Case(
            kind="exempt",
            about="a copy in an air-gapped vault",
            resources=[_air_gapped, make(PLAN, inputs=_unknown_copy, uses={"rules": _air_gapped})],
        ),
        Case(
            kind="exempt",
            about="backups in an air-gapped vault",
            resources=[
                _air_gapped,
                make(
                    PLAN,
                    inputs={"rules": [{"targetLogicallyAirGappedBackupVaultArn": UNKNOWN}]},
                    uses={"rules": _air_gapped},
                ),
            ],
        ),
    ],
    "copy-retention-covers-source": [
        Case(kind="passes", resources=[_keeping(35)]),
        Case(kind="passes", about="for ever", resources=[_keeping(-1)]),
        Case(kind="fails", resources=[_keeping(34)], violated=["it:rules.0.copyActions.0.lifecycle.deleteAfter"]),
        Case(
            kind="fails",
            about="of what is kept for ever",
            resources=[_keeping("365", None)],
            violated=["it:rules.0.copyActions.0.lifecycle.deleteAfter"],
        ),
        Case(
            kind="fails",
            about="no number",
            resources=[_keeping({"days": 365})],
            violated=["it:rules.0.copyActions.0.lifecycle.deleteAfter"],
        ),
        Case(kind="absent", about="takes its source's", resources=[_keeping(None)]),
        Case(
            kind="unknown",
            resources=[_keeping(UNKNOWN)],
            undecided=["it:rules.0.copyActions.0.lifecycle.deleteAfter"],
        ),
        Case(
            kind="unknown",
            about="of the source",
            resources=[_keeping(7, UNKNOWN)],
            undecided=["it:rules.0.lifecycle.deleteAfter"],
        ),
    ],
    "dlm-copy-encrypted": [
        Case(kind="passes", resources=[_schedules({"encrypted": True, "cmkArn": "key"})]),
        Case(kind="passes", about="on an event", resources=[_action({"encrypted": "true", "cmkArn": "key"})]),
        Case(kind="passes", about="no copies", resources=[make(DLM)]),
        Case(
            kind="fails",
            resources=[_schedules({"encrypted": False, "cmkArn": "key"})],
            violated=["it:policyDetails.schedules.0.crossRegionCopyRules.0.encrypted"],
        ),
        Case(
            kind="fails",
            about="on an event",
            resources=[_action({"encrypted": True})],
            violated=["it:policyDetails.action.crossRegionCopies.0.encryptionConfiguration.cmkArn"],
        ),
        Case(
            kind="absent",
            resources=[_schedules({"target": "us-west-2"})],
            violated=[
                "it:policyDetails.schedules.0.crossRegionCopyRules.0.encrypted",
                "it:policyDetails.schedules.0.crossRegionCopyRules.0.cmkArn",
            ],
        ),
        Case(
            kind="absent",
            about="on an event",
            resources=[_action(None)],
            violated=[
                "it:policyDetails.action.crossRegionCopies.0.encrypted",
                "it:policyDetails.action.crossRegionCopies.0.cmkArn",
            ],
        ),
        Case(
            kind="unknown",
            resources=[_schedules({"encrypted": UNKNOWN, "cmkArn": UNKNOWN})],
            undecided=[
                "it:policyDetails.schedules.0.crossRegionCopyRules.0.encrypted",
                "it:policyDetails.schedules.0.crossRegionCopyRules.0.cmkArn",
            ],
        ),
        Case(
            kind="exempt",
            about="a disabled policy",
            resources=[
                make(
                    DLM,
                    inputs={"state": "DISABLED", "policyDetails": {"schedules": [{"crossRegionCopyRules": [{}]}]}},
                )
            ],
        ),
    ],
    "backup-replication-cmk": [
        Case(kind="passes", resources=[make(REPLICATION, inputs={"kmsKeyId": "key"})]),
        Case(kind="fails", resources=[make(REPLICATION, inputs={"kmsKeyId": ""})], violated=["it:kmsKeyId"]),
        Case(kind="absent", resources=[make(REPLICATION)], violated=["it:kmsKeyId"]),
        Case(kind="unknown", resources=[make(REPLICATION, inputs={"kmsKeyId": UNKNOWN})], undecided=["it:kmsKeyId"]),
        Case(
            kind="companion",
            about="a key whose ARN is not known yet",
            resources=[_key, make(REPLICATION, inputs={"kmsKeyId": UNKNOWN}, uses={"kmsKeyId": _key})],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "backup-copy-other-region": {
        "exempt": "every plan is asked",
        "companion": "copies are made by the plan itself; those of another plan have cases among the others",
    },
    "backup-copy-other-account": {
        "companion": "copies are made by the plan itself; those of another plan have cases among the others"
    },
    "copy-retention-covers-source": {
        "exempt": "every copy is asked",
        "companion": "both retentions are properties of the plan itself",
    },
    "dlm-copy-encrypted": {"companion": "copies are properties of the policy itself"},
    "backup-replication-cmk": {"exempt": "every replication takes a key of its own"},
}
"""By rule and kind: why there is no such case."""
