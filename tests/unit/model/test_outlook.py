"""A design is judged by what its plan is projected to take, however many stores it has and whatever their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lifeboat.model.design import BoundClass
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.projection import SAMPLES, Task, drawn, percentiles, project
from lifeboat.model.settings.load import load
from lifeboat.model.settings.sites import Strategy
from lifeboat.model.timings import TIMINGS, Evidence, Step, Timing
from lifeboat.model.topology import Refused, resolve
from tests.unit.model.declarations import DROP, changed, decision

if TYPE_CHECKING:
    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings

NOBODYS: tuple[tuple[str, Any], ...] = (("databases.0.services", []), ("caches.0.services", []))
"""Stores without a service."""


def resolved(*changes: tuple[str, Any]) -> tuple[Settings, Topology]:
    settings = load(changed(*changes))
    return settings, resolve(settings)


def p95_of_the_plan(settings: Settings, topology: Topology, seed: int = 6) -> float:
    return project(derive(settings, topology, mode=Mode.FAILOVER, lost={topology.home.region}), seed=seed).p95


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (("strategy", "backup-and-restore"), ("objectives.stack.rto", "4h"), ("databases.0.rpo", "25h")),
        (("strategy", "warm-standby"), ("databases.0.mechanism", "aurora-global")),
        (("strategy", "active-active"), ("routing", {"kind": "routing-control"})),
        (("dns", DROP), ("approval", "two"), ("objectives.stack.rto", "4h"), ("objectives.services", []), *NOBODYS),
        (("objectives.stack.phases", {"detect": "2m", "decide": "5m", "verify": "3m", "communicate": "1m"}),),
    ],
    ids=["sound", "backups", "warm", "active", "two-people", "declared"],
)
def test_it_is_the_projection_of_the_plan_that_follows(changes: tuple[tuple[str, Any], ...]) -> None:
    settings, topology = resolved(*changes)
    assert topology.rto.seconds == p95_of_the_plan(settings, topology)


def test_another_seed_gives_the_same_to_about_a_percent() -> None:
    settings, topology = resolved(("strategy", "warm-standby"))
    for seed in range(100, 110):
        assert p95_of_the_plan(settings, topology, seed) == pytest.approx(topology.rto.seconds, rel=0.015)


def test_many_stores_take_as_long_as_the_last_of_them() -> None:
    declared = [{"name": f"db{number}", "services": ["orders"], "mechanism": "aurora-global"} for number in range(30)]
    settings, topology = resolved(("databases", declared), ("strategy", "active-active"))
    assert topology.rto.seconds == pytest.approx(p95_of_the_plan(settings, topology), rel=0.015)
    _, one = resolved(("databases", declared[:1]), ("strategy", "active-active"))
    assert topology.rto.seconds > 1.2 * one.rto.seconds


def test_the_last_of_many_is_drawn_as_the_last_of_many() -> None:
    timing = Timing(60, 180, (Evidence.PRIOR,), "test")
    each = [drawn(Task(key=f"s{number}", timing=timing), seed=1, samples=SAMPLES) for number in range(12)]
    together = drawn(Task(key="s", timing=timing, copies=12), seed=1, samples=SAMPLES)
    assert percentiles(together) == pytest.approx(percentiles(np.max(each, axis=0)), rel=0.03)


def test_what_has_no_bound_has_no_p95() -> None:
    waived = {"kind": "record", "waive_record": "the zone is another team's"}
    with pytest.raises(Refused) as caught:
        resolved(("routing", waived), ("home", "us-east-1"), ("sites.0.region", "us-east-1"))
    said = [
        reason for reason in caught.value.reasons if "projected p95 unbounded (a step of it has no bound;" in reason
    ]
    assert said


def test_what_does_not_change_the_plan_does_not_change_the_time() -> None:
    _, one = resolved()
    _, renamed = resolved(("system", "store"), ("databases.0.name", "books"), ("tags", {"owner": "x"}))
    assert one.rto == renamed.rto


def test_declared_phases_of_a_kept_recovery_are_all_that_counts() -> None:
    phases = {"detect": "5m", "decide": "0s", "recover": "30m", "verify": "10m"}
    _, topology = resolved(("objectives.stack.phases", phases), ("strategy", "pilot-light"))
    assert topology.rto.seconds == 45 * 60
    assert topology.rto.klass is BoundClass.DOCUMENTED


def test_a_service_is_judged_by_the_phases_that_it_declares() -> None:
    _, topology = resolved(("objectives.services.0.phases", {"decide": "10m"}))
    found = {each.demand.scope: each.bound.seconds for each in decision(topology, "strategy").verdicts}
    assert found["objectives.services.orders"] > found["objectives.stack"] + 500


@pytest.mark.parametrize(
    ("strategy", "evacuation", "usual"),
    [
        (
            Strategy.BACKUP_AND_RESTORE,
            (Step.CLUSTER_IN_EVACUATION, Step.NODE_GROUP_IN_EVACUATION),
            (Step.CLUSTER_CREATE, Step.NODE_GROUP_CREATE),
        ),
        (Strategy.PILOT_LIGHT, (Step.NODES_FROM_ZERO_IN_EVACUATION,), (Step.NODES_FROM_ZERO,)),
        (Strategy.WARM_STANDBY, (Step.NODES_MORE_IN_EVACUATION,), (Step.NODES_MORE,)),
    ],
)
def test_compute_is_harder_to_get_while_a_region_is_lost(
    strategy: Strategy, evacuation: tuple[Step, ...], usual: tuple[Step, ...]
) -> None:
    settings, topology = resolved(
        ("strategy", strategy), ("objectives", {"stack": {"rto": "24h", "rpo": "24h"}}), *NOBODYS
    )

    def scaling(mode: Mode, lost: set[str]) -> float:
        return derive(settings, topology, mode=mode, lost=lost).by_key["scale-compute"].timing.p95

    assert scaling(Mode.FAILOVER, {"eu-west-1"}) == sum(TIMINGS[step].p95 for step in evacuation)
    assert scaling(Mode.SWITCHOVER, set()) == sum(TIMINGS[step].p95 for step in usual)
    assert all(TIMINGS[hard].p95 > TIMINGS[easy].p95 for hard, easy in zip(evacuation, usual, strict=True))
    assert all(Evidence.PRIOR in TIMINGS[step].evidence for step in evacuation)
