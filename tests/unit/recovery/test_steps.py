"""The two halves of each kind of step, and what a step does where it is cut off or overtaken."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from lifeboat.model.plan.context import READS_ONLY
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.plan.refusals import PlanRefused
from lifeboat.model.plan.steps import kinds
from lifeboat.model.settings.load import load
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.topology import resolve
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Versioned
from lifeboat.recovery.run_state import StepRun
from lifeboat.recovery.steps import actions, scale_compute, verify
from tests.unit.model.declarations import changed
from tests.unit.recovery.memory import EAST, WEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.model.plan.graph import PlanStep

STEP = cast("PlanStep", SimpleNamespace(key="step", mechanism="warm-standby"))


class Timed:
    """Ports on which time passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def wait(self, event: object, seconds: float) -> None:
        del event
        self.now += seconds


def test_what_is_there_soon_is_seen_soon_and_what_takes_long_is_seldom_looked_at() -> None:
    ports, looked = Timed(), list[float]()
    waiting = cast("StepRun", SimpleNamespace(ports=ports, deadline=60.0))

    def look() -> None:
        looked.append(ports.now)

    with pytest.raises(StepFailed, match="it is there: not so by the step's deadline"):
        StepRun.until(waiting, look, "it is there")
    assert looked[:4] == pytest.approx([0, 0.1, 0.3, 0.7])
    assert looked[6] - looked[5] == pytest.approx(2)
    assert looked[-1] == pytest.approx(60)
    # Four more than one each two seconds.
    assert len(looked) == 1 + 60 / 2 + 4


def test_every_kind_of_step_has_an_acting_half_and_every_acting_half_a_kind() -> None:
    assert sorted(actions()) == [kind.name for kind in kinds()]


def test_every_acting_half_performs_and_tells_whether_it_is_done() -> None:
    for name, action in actions().items():
        assert callable(action.perform), name
        assert callable(action.done), name


@pytest.mark.parametrize("mechanism", list(DatabaseMechanism))
def test_an_undo_that_a_plan_promises_is_there(mechanism: DatabaseMechanism) -> None:
    settings = load(
        changed(
            ("objectives", {"stack": {"rto": "48h", "rpo": "48h"}}),
            ("databases", [{"name": "ledger", "mechanism": mechanism.value}]),
            ("caches", [{"name": "baskets", "mechanism": "global-datastore"}, {"name": "pages"}]),
        )
    )
    topology, promised = resolve(settings), set[str]()
    for mode in Mode:
        try:
            plan = derive(settings, topology, mode=mode, lost=[settings.home] if mode is Mode.FAILOVER else [])
        except PlanRefused:
            # Home has no next generation of a replica yet.
            continue
        promised |= {step.kind for step in plan.steps if step.undo not in {None, READS_ONLY}}
    assert {"fence", "stop_writes", "verify"} <= promised
    assert {kind for kind in promised if not callable(getattr(actions()[kind], "undo", None))} == set()


class Compute:
    """Auto Scaling of one region. Its caller is ended once it has changed a size, while that is told."""

    def __init__(self) -> None:
        self.group: dict[str, Any] = {
            "AutoScalingGroupName": "web",
            "MaxSize": 8,
            "DesiredCapacity": 2,
            "Instances": [],
            "Tags": [],
        }
        self.dies = False

    def get_paginator(self, _name: str) -> Compute:
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        return [{"AutoScalingGroups": [self.group]}]

    def create_or_update_tags(self, *, Tags: list[dict[str, Any]]) -> None:  # noqa: N803 - AWS's name
        self.group["Tags"] = Tags

    def update_auto_scaling_group(self, *, AutoScalingGroupName: str, DesiredCapacity: int) -> None:  # noqa: N803
        assert AutoScalingGroupName == "web"
        self.group["DesiredCapacity"] = DesiredCapacity
        self.group["Instances"] = [{"LifecycleState": "InService"}] * DesiredCapacity
        if self.dies:
            raise KeyboardInterrupt


def run_of(run: str = "r", **parts: object) -> StepRun:
    def until(look: Callable[[], object], what: str) -> object:
        for _ in range(5):
            found = look()
            if found is not None:
                return found
        raise StepFailed(what)

    settings = SimpleNamespace(system="shop", environment="test", dns=None)
    databases = [SimpleNamespace(settings=SimpleNamespace(name="orders"))]
    fixed: dict[str, object] = {
        "run": run,
        "plan": SimpleNamespace(target=WEST),
        "physical": SimpleNamespace(settings=settings, topology=SimpleNamespace(databases=databases)),
        "facts": {},
        "until": until,
        "progress": str,
    }
    return cast("StepRun", SimpleNamespace(**fixed | parts))


def test_a_former_size_outlives_whoever_changed_it() -> None:
    compute = Compute()

    def client(service: str, region: str) -> Compute:
        assert (service, region) == ("autoscaling", WEST)
        return compute

    ports = SimpleNamespace(client=client)
    compute.dies = True
    with pytest.raises(KeyboardInterrupt):
        scale_compute.perform(STEP, run_of(ports=ports))
    compute.dies = False
    # Whoever resumes finds the group at its full size, and says nothing of another one.
    scale_compute.perform(STEP, run_of(ports=ports))
    assert compute.group["DesiredCapacity"] == 8
    scale_compute.undo(STEP, run_of("another", ports=ports))
    assert compute.group["DesiredCapacity"] == 8
    scale_compute.undo(STEP, run_of(ports=ports))
    assert compute.group["DesiredCapacity"] == 2


class Fencing:
    """A lease that the target holds until its database was asked once, and a database that does not answer."""

    def __init__(self) -> None:
        self.record = LeaseRecord.first(EAST, 60).stop(EAST).take(WEST, 1)
        self.asked = 0

    def read(self) -> Versioned:
        return Versioned(version=1, record=self.record)

    def sql(self, region: str, database: str) -> None:
        self.asked += 1
        self.record = self.record.fence(region)
        raise psycopg.OperationalError(f"{database}: no answer")


def test_a_site_that_is_fenced_while_it_is_verified_is_not_lifted_again() -> None:
    world = Fencing()
    with pytest.raises(StepFailed, match=f"accepted is {WEST}"):
        verify.perform(STEP, run_of(lease=world, ports=world))
    assert world.asked == 1
