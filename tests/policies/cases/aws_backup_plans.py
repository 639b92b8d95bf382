"""Cases of `policies.rules.aws_backup_plans`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import ACCOUNT, Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
TESTING_PLAN = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
TESTING_SELECTION = "aws:backup/restoreTestingSelection:RestoreTestingSelection"
INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
TABLE = "aws:dynamodb/table:Table"
ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}:db:orders"
DAILY = "cron(0 5 ? * * *)"
WEEKLY = "cron(0 5 ? * 1 *)"
TIER_1 = {"tier": "1"}

_tier_1 = make(INSTANCE, inputs={"tags": TIER_1})


def _plan(*rules: object) -> Resource:
    return make(PLAN, "plan", {"rules": list(rules)}, outputs={"id": "plan-1"})


def _rule(schedule: object = DAILY, days: object = 35, cold: object = None) -> dict[str, Any]:
    return {"schedule": schedule, "lifecycle": {"deleteAfter": days, "coldStorageAfter": cold}}


def _selection(region: str = "us-east-1", **properties: object) -> Resource:
    return make(SELECTION, "selection", {"planId": "plan-1", **properties}, region=region)


def _test(store: object = "RDS", schedule: object = WEEKLY, region: str = "us-east-1") -> list[Resource]:
    return [
        make(TESTING_PLAN, "tests", {"name": "tests", "scheduleExpression": schedule}, region=region),
        make(
            TESTING_SELECTION,
            "test",
            {"restoreTestingPlanName": "tests", "protectedResourceType": store},
            region=region,
        ),
    ]


CASES: dict[str, list[Case]] = {
    "backup-plan-frequency-retention": [
        Case(kind="passes", resources=[_plan(_rule())]),
        Case(kind="passes", about="for ever", resources=[_plan(_rule(days=-1))]),
        Case(
            kind="fails",
            about="one rule runs often, the other one keeps",
            resources=[_plan(_rule(days=7), _rule(WEEKLY, 365))],
            violated=["plan:rules.0.lifecycle.deleteAfter", "plan:rules.1.schedule"],
        ),
        Case(
            kind="fails",
            about="no schedule",
            resources=[_plan(_rule("daily", "soon"))],
            violated=["plan:rules.0.schedule", "plan:rules.0.lifecycle.deleteAfter"],
        ),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[_plan(_rule())],
            parameters={"hours": 12, "days": 90},
            violated=["plan:rules.0.schedule", "plan:rules.0.lifecycle.deleteAfter"],
        ),
        Case(kind="absent", about="no rules", resources=[make(PLAN)], violated=["it:rules"]),
        Case(kind="absent", about="runs daily and keeps for ever", resources=[_plan({"ruleName": "all"})]),
        Case(
            kind="unknown",
            resources=[_plan(_rule(UNKNOWN, 7))],
            undecided=["plan:rules.0.schedule"],
            violated=["plan:rules.0.lifecycle.deleteAfter"],
        ),
        Case(kind="unknown", about="one rule that is known is enough", resources=[_plan(_rule(UNKNOWN), _rule())]),
        Case(
            kind="exempt", about="a monthly rule besides", resources=[_plan(_rule("cron(0 5 1 * ? *)", 3650), _rule())]
        ),
        Case(
            kind="companion",
            about="what is declared for a selected store",
            resources=[
                make(INSTANCE, inputs={"tags": {"retention-days": "14"}}, outputs={"arn": ARN}),
                _selection(resources=[ARN]),
                _plan(_rule(days=14)),
            ],
        ),
        Case(
            kind="companion",
            about="more is declared for a selected store",
            resources=[
                make(INSTANCE, inputs={"tags": {"retention-days": "90"}}, outputs={"arn": ARN}),
                _selection(resources=[ARN]),
                _plan(_rule()),
            ],
            violated=["plan:rules.0.lifecycle.deleteAfter"],
        ),
    ],
    "backup-lifecycle-valid": [
        Case(kind="passes", resources=[_plan(_rule(days=120, cold=30))]),
        Case(
            kind="fails", resources=[_plan(_rule(days="119", cold=30))], violated=["plan:rules.0.lifecycle.deleteAfter"]
        ),
        Case(
            kind="fails",
            about="a copy",
            resources=[_plan({"copyActions": [{"lifecycle": {"deleteAfter": 35, "coldStorageAfter": 7}}]})],
            violated=["plan:rules.0.copyActions.0.lifecycle.deleteAfter"],
        ),
        Case(kind="absent", about="is for ever", resources=[_plan(_rule(days=None, cold=30))]),
        Case(kind="absent", about="stays warm", resources=[_plan(_rule(), {})]),
        Case(
            kind="unknown",
            resources=[_plan(_rule(days=UNKNOWN, cold=30), _rule(cold=UNKNOWN))],
            undecided=["plan:rules.0.lifecycle.deleteAfter", "plan:rules.1.lifecycle.coldStorageAfter"],
        ),
    ],
    "restore-test-scheduled": [
        Case(kind="passes", resources=[_tier_1, *_test()]),
        Case(
            kind="passes",
            about="a plan of another stack",
            resources=[
                _tier_1,
                make(TESTING_SELECTION, "test", {"restoreTestingPlanName": "gone", "protectedResourceType": "RDS"}),
            ],
        ),
        Case(
            kind="fails",
            about="one resource of another stack",
            resources=[
                _tier_1,
                make(
                    TESTING_SELECTION,
                    "test",
                    {
                        "restoreTestingPlanName": "gone",
                        "protectedResourceType": "RDS",
                        "protectedResourceArns": ["arn:aws:rds:us-east-1:123456789012:db:elsewhere"],
                    },
                ),
            ],
            violated=["it:"],
        ),
        Case(kind="fails", about="another kind", resources=[_tier_1, *_test("Aurora")], violated=["it:"]),
        Case(kind="fails", about="another region", resources=[_tier_1, *_test(region="us-west-2")], violated=["it:"]),
        Case(
            kind="fails",
            about="too rarely",
            resources=[_tier_1, *_test(schedule="cron(0 5 1 1 ? *)")],
            violated=["it:"],
        ),
        Case(kind="fails", about="no schedule", resources=[_tier_1, *_test(schedule=7)], violated=["it:"]),
        Case(
            kind="fails",
            about="one of each kind is named",
            resources=[_tier_1, make(INSTANCE, "second", {"tags": TIER_1}), make(CLUSTER, "cluster", {"tags": TIER_1})],
            violated=["it:", "cluster:"],
        ),
        Case(
            kind="fails",
            about="what keeps itself and is in a plan too",
            resources=[
                make(TABLE, inputs={"pointInTimeRecovery": {"enabled": True}, "tags": TIER_1}),
                _selection(resources=["*"]),
            ],
            violated=["it:"],
        ),
        Case(kind="absent", resources=[_tier_1], violated=["it:"]),
        Case(kind="unknown", resources=[_tier_1, *_test(UNKNOWN)], undecided=["it:"]),
        Case(kind="unknown", about="the schedule", resources=[_tier_1, *_test(schedule=UNKNOWN)], undecided=["it:"]),
        Case(
            kind="unknown",
            about="whether it keeps itself",
            resources=[make(TABLE, inputs={"pointInTimeRecovery": UNKNOWN, "tags": TIER_1})],
            undecided=["it:pointInTimeRecovery.enabled"],
        ),
        Case(kind="exempt", about="another tier", resources=[make(INSTANCE, inputs={"tags": {"tier": "2"}})]),
        Case(
            kind="exempt",
            about="what keeps itself",
            resources=[make(TABLE, inputs={"pointInTimeRecovery": {"enabled": True}, "tags": TIER_1})],
        ),
        Case(
            kind="companion",
            about="joined by dependency",
            resources=[
                _tier_1,
                _test()[0],
                make(
                    TESTING_SELECTION,
                    "test",
                    {"restoreTestingPlanName": UNKNOWN, "protectedResourceType": "RDS"},
                    uses={"restoreTestingPlanName": _test()[0]},
                ),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "backup-lifecycle-valid": {
        "exempt": "every rule and every copy is asked",
        "companion": "the lifecycle is a property of the plan itself",
    },
}
"""By rule and kind: why there is no such case."""
