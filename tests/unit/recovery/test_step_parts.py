"""What steps are made of: orders of jobs, what is on its way, deletions, the judgement of a way home."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from lifeboat.recovery import copies, objects, run_entries
from lifeboat.recovery.errors import ErrorRateExceeded, StepFailed
from lifeboat.recovery.journal import Entry, Event
from lifeboat.recovery.ports import Pace
from lifeboat.recovery.run_state import StepRun
from lifeboat.recovery.steps import watch_error_rate
from tests.unit.recovery.memory import EAST, WEST, MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.model.plan.graph import PlanStep

STEP = cast("PlanStep", SimpleNamespace(key="step"))
RUN = "failover-20270131T120000Z-1f3a"


class Ports:
    """Time passes only while somebody waits, or is asked for an answer that does not come."""

    def __init__(self, client: object = None, *, scale: float = 1, hangs: float = 0.0) -> None:
        self.pace = Pace(scale=scale)
        self.now = 1_800_000_010.0
        self._client = client
        self._hangs = hangs

    def clock(self) -> float:
        return self.now

    wall = clock

    def wait(self, event: object, seconds: float) -> None:
        del event
        self.now += seconds

    def client(self, service: str, region: str) -> object:
        assert (service, region) in {("rds", WEST), ("cloudwatch", WEST)}
        return self._client

    def http(self, url: str, *, timeout: float) -> None:
        del timeout
        self.now += self._hangs
        raise TimeoutError(url)

    def site_url(self, host: str, port: int) -> str:
        return f"https://{host}:{port}"


def run_of(ports: Ports, **parts: object) -> StepRun:
    fixed: dict[str, Any] = {"run": RUN, "ports": ports, "deadline": ports.now + 3600, "progress": str}
    run = SimpleNamespace(**fixed | parts)

    def until(look: Callable[[], object], what: str, every: float = 2.0) -> object:
        return StepRun.until(cast("StepRun", run), look, what, every)

    run.until = until
    return cast("StepRun", run)


def test_an_order_that_failed_is_made_anew_and_one_that_was_cut_off_is_not() -> None:
    journal, key = MemoryJournal(), "promote-database/orders"
    run = run_of(Ports(), entries=journal)

    def note(event: Event, of: str) -> None:
        number = len(journal.entries) + 1
        journal.append(Entry(run=RUN, seq=number, wall=0, event=event, step=of, detail={}))

    note(Event.STARTED, key)
    first = run_entries.token(run, key, "orders")
    assert first == f"{RUN}-orders"
    # Cut off, gone on with; something else failed meanwhile.
    note(Event.STARTED, key)
    note(Event.FAILED, "promote-database/users")
    assert run_entries.token(run, key, "orders") == first
    note(Event.FAILED, key)
    note(Event.STARTED, key)
    second = run_entries.token(run, key, "orders")
    assert second == run_entries.token(run, key, "orders") != first


class Metrics:
    """S3's metric: operations that wait, by the moment when a period of a minute began."""

    def __init__(self, *points: tuple[float, float]) -> None:
        self.points = points

    def get_metric_data(self, *, StartTime: datetime, **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's name
        # As AWS does, the start is rounded down to a period.
        start = math.floor(StartTime.timestamp() / 60) * 60
        told = [(at, value) for at, value in sorted(self.points, reverse=True) if at >= start]
        stamps = [datetime.fromtimestamp(at, tz=UTC) for at, _ in told]
        return {"MetricDataResults": [{"Timestamps": stamps, "Values": [value for _, value in told]}]}


BEGAN = 1_800_000_010.0
BEFORE, FIRST, SECOND = 1_800_000_000.0, 1_800_000_060.0, 1_800_000_120.0


@pytest.mark.parametrize(
    ("points", "waited", "settled"),
    [
        # The minute that was under way says nothing of what was put last.
        ([(BEFORE, 0.0)], 30, None),
        ([(BEFORE, 0.0)], 100, None),
        ([(BEFORE, 0.0), (FIRST, 7.0)], 100, None),
        ([(BEFORE, 7.0), (FIRST, 0.0)], 100, True),
        ([(FIRST, 7.0), (SECOND, 0.0)], 150, True),
        ([(FIRST, 0.0), (SECOND, 7.0)], 150, None),
        # Silence: two whole minutes of it.
        ([], 0, None),
        ([], 169, None),
        ([], 170, True),
        ([(BEFORE, 7.0)], 170, True),
    ],
)
def test_objects_have_arrived_once_a_minute_that_began_since_says_so(
    points: list[tuple[float, float]], waited: float, settled: bool | None
) -> None:
    ports = Ports(Metrics(*points))
    physical = SimpleNamespace(bucket=lambda store, region: f"{store}-{region}", other=lambda _region: WEST)
    ports.now = BEGAN + waited
    assert objects.settled(run_of(ports, physical=physical), "uploads", EAST, BEGAN) is settled


def test_the_minutes_of_silence_are_as_short_as_the_rest_of_the_protocol() -> None:
    ports = Ports(Metrics(), scale=60)
    physical = SimpleNamespace(bucket=lambda store, region: f"{store}-{region}", other=lambda _region: WEST)
    run = run_of(ports, physical=physical)
    assert objects.settled(run, "uploads", EAST, BEGAN) is None
    ports.now = BEGAN + 3
    assert objects.settled(run, "uploads", EAST, BEGAN)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "DeleteDBInstance")


class Instance:
    """An instance that refuses to be deleted, once for each code, and is gone some looks after it was."""

    def __init__(self, *refusals: str, busy: str = "") -> None:
        self.refusals = list(refusals)
        self.busy = busy
        self.left = -1
        self.deletions = 0

    def describe_db_instances(self, **_: str) -> dict[str, Any]:
        if self.left == 0:
            raise refusal("DBInstanceNotFound")
        self.left -= self.left > 0
        return {"DBInstances": [{"DBInstanceStatus": "deleting" if self.left >= 0 else "available"}]}

    def modify_db_instance(self, **changed: object) -> None:
        assert changed["DeletionProtection"] is False
        if self.busy:
            raise refusal(self.busy)

    def delete_db_instance(self, **_: object) -> None:
        if self.refusals:
            raise refusal(self.refusals.pop(0))
        self.deletions += 1
        self.left = 3


def test_an_instance_that_is_busy_is_deleted_once_it_is_not() -> None:
    there = Instance("InvalidDBInstanceState", "InvalidDBInstanceStateFault")
    copies.delete_instance(run_of(Ports(there)), "orders-g2", WEST)
    assert (there.deletions, there.left) == (1, 0)
    # Twice is as good.
    copies.delete_instance(run_of(Ports(there)), "orders-g2", WEST)
    assert there.deletions == 1


def test_an_instance_that_stays_busy_is_given_up_at_the_deadline() -> None:
    with pytest.raises(StepFailed, match="orders-g2 is gone: not so by the step's deadline"):
        copies.delete_instance(run_of(Ports(Instance(busy="InvalidDBInstanceState"))), "orders-g2", WEST)


def test_an_instance_that_may_not_be_deleted_is_left() -> None:
    with pytest.raises(copies.LeftOver, match=r"^orders-g2 is left, delete it$"):
        copies.delete_instance(run_of(Ports(Instance("AccessDenied"))), "orders-g2", WEST)
    with pytest.raises(ClientError, match="DBInstanceNotDeletable"):
        copies.delete_instance(run_of(Ports(Instance("DBInstanceNotDeletable"))), "orders-g2", WEST)


@pytest.mark.parametrize(
    ("told", "copies_it"),
    [({}, True), ({"SynchronizationStatus": "connected"}, True), ({"SynchronizationStatus": "pending-resync"}, False)],
)
def test_a_cluster_that_came_back_is_no_copy_before_it_is_connected(told: dict[str, str], copies_it: bool) -> None:
    members = [{"DBClusterArn": "arn:orders", **told}]
    client = SimpleNamespace(
        describe_global_clusters=lambda **_: {"GlobalClusters": [{"GlobalClusterMembers": members}]}
    )
    physical = SimpleNamespace(cluster_arn=lambda _name, _region: "arn:orders", global_cluster=str)
    run = run_of(Ports(client), physical=physical, plan=SimpleNamespace(target=WEST))
    assert copies.is_member(run, "orders", EAST) is copies_it


@pytest.mark.parametrize("hangs", [0.0, 30.0])
def test_a_home_that_answers_nothing_is_gone_back_from_however_few_were_asked(hangs: float) -> None:
    endpoints = (SimpleNamespace(name="orders", port=443, path="/"),)
    settings = SimpleNamespace(
        dns=SimpleNamespace(endpoints=endpoints, zone="shop.example.com"),
        failback=SimpleNamespace(window=60.0, error_percent=5.0),
    )
    run = run_of(Ports(hangs=hangs), physical=SimpleNamespace(settings=settings), plan=SimpleNamespace(target=EAST))
    with pytest.raises(ErrorRateExceeded, match=r"accepted is 5.0 % \(failback.error_percent\)"):
        watch_error_rate.perform(STEP, run)


def test_without_a_name_there_is_nothing_to_judge() -> None:
    settings = SimpleNamespace(dns=None, failback=SimpleNamespace(window=60.0, error_percent=5.0))
    run = run_of(Ports(), physical=SimpleNamespace(settings=settings), plan=SimpleNamespace(target=EAST))
    assert watch_error_rate.perform(STEP, run).said == "0 of 0 requests failed"
