"""Failover, switchover and rejoin against the sandbox's APIs: what they change, what they refuse, whom they ask."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery.assembly import lease_store
from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.exposure import open_since
from lifeboat.recovery.journal import Event
from lifeboat.recovery.lease_store import change
from lifeboat.recovery.run_state import Consent
from lifeboat.recovery.steps import confirm_outage
from lifeboat.recovery.views import Sight
from tests.declared import Made, undeclared
from tests.sandbox.recovery_world import CONSENT, EAST, WEST, WITNESS, RecoveryWorld

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import Plan
    from lifeboat.recovery.journal import ExternalCall
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.sandbox.state import Record

PEOPLE = Consent(by=("ada", "grace"))


class Heard:
    """Every call that was made."""

    def __init__(self) -> None:
        self.calls: list[ExternalCall] = []

    def before(self, call: ExternalCall) -> None:
        self.calls.append(call)

    def after(self, call: ExternalCall, seconds: float, fault: str | None) -> None:
        del call, seconds, fault

    def undeclared(self, plan: Plan) -> set[Made]:
        """Calls that no step of the plan declares."""
        return undeclared(plan, (Made(call.step, call.service, call.operation, call.region) for call in self.calls))


@pytest.fixture(scope="module")
def made(gateway: Record) -> RecoveryWorld:
    return RecoveryWorld(gateway)


@pytest.fixture
def world(made: RecoveryWorld) -> RecoveryWorld:
    made.build()
    return made


def test_a_failover_moves_everything_and_asks_the_lost_region_nothing(world: RecoveryWorld) -> None:
    world.lose(EAST)
    heard, plan = Heard(), world.plan()
    report = world.runner(plan, listeners=(heard,)).start(CONSENT)
    assert report.result == "done", report
    after = world.snapshot()
    assert (after["epoch"], after["holder"], after["serving"], after["writer"]) == (2, WEST, WEST, WEST)
    assert after["fenced"] == [EAST]
    primaries = [
        each["ReplicationGroupRegion"] for _, _, of in after["datastores"] for each in of if each["Role"] == "PRIMARY"
    ]
    assert primaries == [WEST]
    levels = world.client("cloudwatch", WITNESS).list_metrics(Namespace=world.physical.switch_namespace)["Metrics"]
    assert {each["Dimensions"][0]["Value"] for each in levels} == {EAST, WEST}
    assert world.outages.asked == []
    assert heard.undeclared(plan) == set()
    assert set(open_since(world.outside().stores.journal(world.ports()))) == {"orders", "sessions", "uploads"}


def test_a_lost_region_that_was_not_seen_to_stop_is_waited_for(made: RecoveryWorld) -> None:
    made.build(stopped=False)
    made.lose(EAST)
    ports = made.ports()
    began = ports.clock()
    assert made.runner().start(CONSENT).result == "done"
    lease = made.physical.settings.lease
    # No timing of ours: before this the holder may still write.
    assert ports.clock() - began >= ports.pace.real(lease.ttl + lease.clock_margin)
    assert made.lease().holder == WEST


def test_a_rejoin_follows(world: RecoveryWorld) -> None:
    world.lose(EAST)
    assert world.runner().start(CONSENT).result == "done"
    world.outages.lost = frozenset()
    heard = Heard()
    plan = world.plan(Mode.REJOIN, frozenset(), source=EAST)
    report = world.runner(plan, listeners=(heard,)).start(PEOPLE)
    assert report.result == "done", report
    after = world.lease()
    assert (after.holder, after.epoch, after.fenced) == (WEST, 2, frozenset())
    assert open_since(world.outside().stores.journal(world.ports())) == {}
    assert heard.undeclared(plan) == set()
    assert "orders" in report.steps["divergence"]


def test_the_same_failover_twice_is_refused_the_second_time(world: RecoveryWorld) -> None:
    world.lose(EAST)
    assert world.runner().start(CONSENT).result == "done"
    before = world.snapshot()
    with pytest.raises(RecoveryRefused, match="is active in epoch 2"):
        world.runner().start(CONSENT)
    assert world.snapshot() == before


def break_secret(world: RecoveryWorld) -> None:
    world.client("secretsmanager", EAST).remove_regions_from_replication(
        SecretId=world.physical.password("orders"), RemoveReplicaRegions=[WEST]
    )


def break_bucket(world: RecoveryWorld) -> None:
    world.client("s3", WEST).delete_bucket(Bucket=world.physical.bucket("uploads", WEST))


def break_cluster(world: RecoveryWorld) -> None:
    world.client("rds", WEST).delete_db_instance(
        DBInstanceIdentifier=f"{world.physical.cluster('orders', WEST)}-1", SkipFinalSnapshot=True
    )


def break_key(world: RecoveryWorld) -> None:
    cluster = world.client("rds", WEST).describe_db_clusters(
        DBClusterIdentifier=world.physical.cluster("orders", WEST)
    )["DBClusters"][0]
    world.client("kms", WEST).disable_key(KeyId=cluster["KmsKeyId"].rpartition("/")[2])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (break_bucket, "bucket uploads: cannot be found out"),
        (break_cluster, "has no instance"),
        (break_key, "key of orders: it is Disabled"),
    ],
)
def test_an_unready_standby_is_refused_and_nothing_changes_but_one_entry(
    world: RecoveryWorld, how: object, said: str
) -> None:
    assert callable(how)
    how(world)
    world.lose(EAST)
    store = world.outside().stores.journal(world.ports())
    before, runs = world.snapshot(), set(store.runs())
    with pytest.raises(RecoveryRefused, match=said):
        world.runner().start(CONSENT)
    assert world.snapshot() == before
    (run,) = set(store.runs()) - runs
    assert [entry.event for entry in store.read(run)] == [Event.REFUSED]


def test_a_region_that_only_one_viewpoint_misses_is_not_failed_over(
    world: RecoveryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody else will see it, and every look is answered at once.
    monkeypatch.setattr(confirm_outage, "_LOOKS", 1.0)
    world.outages.lost = frozenset({EAST})
    before = world.snapshot()
    with pytest.raises(RecoveryRefused, match="not confirmed as lost by two of three"):
        world.runner().start(CONSENT)
    assert world.snapshot() == before


def test_a_grey_region_is_told_to_stop_and_then_left(made: RecoveryWorld) -> None:
    made.build(stopped=False)
    made.see(EAST, Sight(lost=False, grey=True, reason="half of 30 probes took 4 s or more"))
    over = threading.Event()

    def warden() -> None:
        """The source's warden lives: it renews, until the lease says that it is to stop."""
        store = lease_store(made.physical, made.ports())
        while not over.wait(0.02) and EAST not in change(store, obey).record.stopped:
            pass

    def obey(record: LeaseRecord) -> LeaseRecord:
        if EAST in record.fenced:
            return record.stop(EAST)
        return record.renew(EAST, record.epoch, owner="warden", ttl=record.ttl)

    thread = threading.Thread(target=warden)
    thread.start()
    try:
        report = made.runner().start(CONSENT)
    finally:
        over.set()
        thread.join()
    assert report.result == "done", report
    assert report.steps["confirm-outage"].startswith(f"{EAST} is grey")
    assert report.steps["fence"] == f"{EAST} writes no more: it says that it stopped"
    assert made.lease().holder == WEST


def test_a_planned_move_waits_for_the_sites_own_word(made: RecoveryWorld) -> None:
    made.build(stopped=False)
    made.measure_lags(0.5)
    over = threading.Event()

    def warden() -> None:
        """The source's warden: it stops when the lease says so, and says that it did."""
        store = lease_store(made.physical, made.ports())
        while not over.wait(0.02):
            if EAST in store.read().record.fenced:
                change(store, lambda record: record.stop(EAST))
                return

    thread = threading.Thread(target=warden)
    thread.start()
    heard = Heard()
    plan = made.plan(Mode.SWITCHOVER, frozenset(), source=EAST)
    try:
        # Caches are not played here, and so not drained: everything up to there is.
        report = made.runner(plan, listeners=(heard,)).start(PEOPLE)
    finally:
        over.set()
        thread.join()
    assert EAST in made.lease().stopped, report
    assert report.steps["stop-writes"].startswith(f"{EAST} takes no writes")
    assert report.steps["drain/sessions"].endswith("is not played")
    assert report.steps["take-lease"] == "not begun"
    assert made.lease().holder == EAST
    assert heard.undeclared(plan) == set()
    # Nothing was promoted, and so all of it can be taken back.
    aborted = made.runner(plan).abort(report.run)
    assert aborted.result == "aborted"
    record = made.lease()
    assert (record.holder, record.may_write(EAST), record.run) == (EAST, True, None)
