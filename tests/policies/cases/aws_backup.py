"""Cases of `policies.rules.aws_backup`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"

_source = make(INSTANCE, "source", {"backupRetentionPeriod": 7})

CASES: dict[str, list[Case]] = {
    "rds-retention": [
        Case(kind="passes", resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 7})]),
        Case(
            kind="passes", about="a number as text", resources=[make(CLUSTER, inputs={"backupRetentionPeriod": "35"})]
        ),
        Case(
            kind="fails",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 6})],
            violated=["it:backupRetentionPeriod"],
        ),
        Case(
            kind="fails",
            about="the threshold is the team's",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": 7})],
            parameters={"days": 14},
            violated=["it:backupRetentionPeriod"],
        ),
        Case(kind="absent", resources=[make(INSTANCE)], violated=["it:backupRetentionPeriod"]),
        Case(
            kind="unknown",
            resources=[make(INSTANCE, inputs={"backupRetentionPeriod": UNKNOWN})],
            undecided=["it:backupRetentionPeriod"],
        ),
        Case(
            kind="exempt",
            about="a replica",
            resources=[
                _source,
                make(INSTANCE, inputs={"replicateSourceDb": UNKNOWN}, uses={"replicateSourceDb": _source}),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "rds-retention": {"companion": "the retention is a property of the database itself"},
}
"""By rule and kind: why there is no such case."""
