"""What there is before and after, and what of the difference is as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery.drill.inventory import Difference, difference, found
from lifeboat.recovery.drill.scenario import Roles
from lifeboat.recovery.drill.timeline import RunTime
from tests.unit.cli.conftest import STACK_FILE
from tests.unit.recovery.drill.parts import HOME, STANDBY, physical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.recovery.ports import Ports

RELAXED = STACK_FILE.replace("rto: 15m, rpo: 5m", "rto: 8h, rpo: 48h")
RUN = "failback-20270131T120000Z-1A1A"
FIRST = f"reskflow-production-orders-{HOME}-g1"
SECOND = f"reskflow-production-orders-{HOME}-g2"


class Answers:
    """Two pages of everything, the same in each region."""

    pages = {  # noqa: RUF012 - nobody changes it
        "describe_db_clusters": [{"DBClusters": [{"DBClusterIdentifier": "one"}]}, {"DBClusters": []}],
        "describe_db_instances": [{"DBInstances": []}, {"DBInstances": [{"DBInstanceIdentifier": "two"}]}],
        "describe_db_snapshots": [
            {
                "DBSnapshots": [
                    {"DBSnapshotIdentifier": "three", "SnapshotType": "manual"},
                    {"DBSnapshotIdentifier": "rds:nightly", "SnapshotType": "automated"},
                ]
            }
        ],
        "describe_db_cluster_snapshots": [
            {
                "DBClusterSnapshots": [
                    {"DBClusterSnapshotIdentifier": "four", "SnapshotType": "manual"},
                    {"DBClusterSnapshotIdentifier": "rds:nightly", "SnapshotType": "automated"},
                ]
            }
        ],
        "describe_replication_groups": [{"ReplicationGroups": [{"ReplicationGroupId": "five"}]}],
    }

    def __init__(self, operation: str = "") -> None:
        self.operation = operation

    def client(self, service: str, region: str) -> Answers:
        assert (service, region) in {("rds", HOME), ("elasticache", HOME)}
        return self

    def get_paginator(self, operation: str) -> Answers:
        return Answers(operation)

    def paginate(self) -> Iterator[object]:
        return iter(self.pages[self.operation])


def test_every_page_of_every_kind_counts_and_automated_snapshots_do_not() -> None:
    assert list(found(cast("Ports", Answers()), HOME)) == [
        f"{HOME} rds cluster one",
        f"{HOME} rds instance two",
        f"{HOME} rds snapshot three",
        f"{HOME} rds cluster snapshot four",
        f"{HOME} elasticache group five",
    ]


def compared(after: set[str], mechanism: str, *, mode: Mode, result: str = "done") -> Difference:
    own = physical(text=RELAXED.replace("{name: orders}", f"{{name: orders, mechanism: {mechanism}}}"))
    run = RunTime(name=RUN, mode=mode, result=result, began=1.0, ended=2.0, steps=())
    return difference(
        frozenset({"before"}),
        frozenset({"before", *after}),
        physical=own,
        roles=Roles.of(own.topology),
        runs=[run],
    )


@pytest.mark.parametrize(
    ("name", "mechanism", "mode"),
    [
        (f"{HOME} rds instance {SECOND}", "replica", Mode.REJOIN),
        (f"{HOME} rds instance {SECOND}", "replicated-backups", Mode.FAILBACK),
        (f"{STANDBY} rds instance reskflow-production-orders-{STANDBY}-g1", "replicated-backups", Mode.FAILOVER),
        (f"{HOME} rds snapshot {FIRST}-{RUN.lower()}", "replicated-backups", Mode.SWITCHOVER),
        (f"{STANDBY} rds snapshot {FIRST}-{RUN.lower()}", "replicated-backups", Mode.SWITCHOVER),
    ],
)
def test_what_a_run_makes_by_its_declared_name_is_no_orphan(name: str, mechanism: str, mode: Mode) -> None:
    assert compared({name}, mechanism, mode=mode).orphans == ()
    assert compared({name}, mechanism, mode=mode, result="aborted").orphans == (name,)
    assert compared({f"{name}-more"}, mechanism, mode=mode).orphans == (f"{name}-more",)


def test_what_was_there_and_is_not_is_told() -> None:
    own = physical()
    found = difference(
        frozenset({"one", "two"}), frozenset({"two"}), physical=own, roles=Roles.of(own.topology), runs=[]
    )
    assert found == Difference(orphans=(), vanished=("one",))
