"""A plain replica goes there and back: failover, rejoin by the next generation, failback to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery import assembly
from lifeboat.recovery.exposure import open_since
from lifeboat.recovery.run_state import Consent
from lifeboat.recovery.runner import Runner
from tests.sandbox.plain_world import DATABASE, PlainWorld
from tests.sandbox.recovery_world import EAST, GONE, WEST
from tests.sandbox.test_recovery import Heard

if TYPE_CHECKING:
    from lifeboat.recovery.runner import Report
    from lifeboat.sandbox.state import Record

ADA = Consent(by=("ada",))


@pytest.fixture
def world(gateway: Record) -> PlainWorld:
    made = PlainWorld(gateway)
    made.build()
    made.measure_lag(WEST)
    with made.ports().sql(EAST, DATABASE) as session:
        session.execute("INSERT INTO videos VALUES (%s)", ("video 1",))
    made.copy()
    return made


def carried_out(world: PlainWorld, mode: Mode, lost: frozenset[str] = frozenset(), **ends: str) -> Report:
    """A run whose every call is declared."""
    heard, plan = Heard(), world.plan(mode, lost, **ends)
    outside = assembly.outside(
        world.physical, world.ports(), near=plan.target, lost=lost, listeners=(heard,), runner=f"{GONE}{plan.mode}"
    )
    report = Runner(plan, outside).start(ADA)
    assert heard.undeclared(plan) == set()
    return report


def failed_over(world: PlainWorld) -> None:
    # Acknowledged at home, and never copied.
    world.cut = True
    with world.ports().sql(EAST, DATABASE) as session:
        session.execute("INSERT INTO videos VALUES (%s)", ("video 2",))
    world.lose(EAST)
    report = carried_out(world, Mode.FAILOVER, frozenset({EAST}))
    assert report.result == "done", report
    assert world.outages.asked == []
    world.outages.lost, world.cut = frozenset(), False


def test_there_and_back(world: PlainWorld, gateway: Record) -> None:
    g1, g2 = (f"{world.physical.prefix}-{DATABASE}-{EAST}-g{number}" for number in (1, 2))
    failed_over(world)
    assert world.lease().holder == WEST
    promoted = world.physical.instance(DATABASE, WEST)
    assert not world.instances(WEST)[promoted].get("ReadReplicaSourceDBInstanceIdentifier")

    report = carried_out(world, Mode.REJOIN, source=EAST)
    assert report.result == "done", report
    assert "1 rows more in 1 tables" in report.steps["divergence"]
    former, built = world.instances(EAST)[g1], world.instances(EAST)[g2]
    assert built["ReadReplicaSourceDBInstanceIdentifier"] == world.physical.instance_arn(DATABASE, WEST)
    # It stands where the former one stands, with the same settings: that is what the declaration will say of it.
    for name in ("DBInstanceClass", "KmsKeyId", "MultiAZ", "DeletionProtection", "DBParameterGroups"):
        assert built[name] == former[name], name
    assert built["DBSubnetGroup"]["DBSubnetGroupName"] == former["DBSubnetGroup"]["DBSubnetGroupName"]
    assert built["VpcSecurityGroups"] == former["VpcSecurityGroups"]
    assert {each["Key"]: each["Value"] for each in built["TagList"]} == {"System": "streamgate", "Name": g2}
    assert world.lease().fenced == frozenset()
    assert open_since(world.outside().stores.journal(world.ports())) == {}

    # People add the generation to the stack's file.
    world.declare(gateway, f"{EAST}-g1", f"{WEST}-g1", f"{EAST}-g2")
    world.measure_lag(EAST)
    with world.ports().sql(WEST, DATABASE) as session:
        session.execute("INSERT INTO videos VALUES (%s)", ("video 3",))
    report = carried_out(world, Mode.FAILBACK)
    assert report.result == "done", report
    home = world.instances(EAST)[g2]
    assert not home.get("ReadReplicaSourceDBInstanceIdentifier")
    assert home["BackupRetentionPeriod"] == 14
    assert (world.lease().holder, world.lease().serving) == (EAST, EAST)
    with world.ports().sql(EAST, DATABASE) as session:
        assert session.execute("SELECT count(*) FROM videos").fetchone() == (2,)
    assert {"video 1", "video 3"} <= world.kept[g2].keys()


def test_a_generation_that_was_declared_before_is_built_by_its_name_and_once(
    world: PlainWorld, gateway: Record
) -> None:
    failed_over(world)
    world.declare(gateway, f"{EAST}-g1", f"{WEST}-g1", f"{EAST}-g2")
    report = carried_out(world, Mode.REJOIN, source=EAST)
    assert report.result == "done", report
    # The old writer is what is compared, not what will be built.
    assert "1 rows more in 1 tables" in report.steps["divergence"]
    base = f"{world.physical.prefix}-{DATABASE}-{EAST}"
    assert world.instances(EAST).keys() == {f"{base}-g1", f"{base}-g2"}


def test_a_replica_is_built_once_the_source_has_been_backed_up(world: PlainWorld) -> None:
    failed_over(world)
    east, refused = world.client("rds", EAST), iter([True, True])

    def busy(**_event: object) -> None:
        if next(refused, False):
            said = {"Error": {"Code": "InvalidDBInstanceState", "Message": "Automated backups are not enabled"}}
            raise ClientError(said, "CreateDBInstanceReadReplica")

    east.meta.events.register("before-call.rds.CreateDBInstanceReadReplica", busy)
    report = carried_out(world, Mode.REJOIN, source=EAST)
    east.meta.events.unregister("before-call.rds.CreateDBInstanceReadReplica", busy)
    assert report.result == "done", report
    assert next(refused, None) is None


def test_an_instance_in_the_way_that_is_no_replica_is_left_alone(world: PlainWorld) -> None:
    failed_over(world)
    name = world.physical.replica(DATABASE, EAST)
    world.client("rds", EAST).create_db_instance(
        DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.m6g.large", AllocatedStorage=20
    )
    report = carried_out(world, Mode.REJOIN, source=EAST)
    assert report.result == "failed"
    assert f"{name} in {EAST} is no replica" in report.steps[f"rebuild-protection/{DATABASE}"]
    assert world.lease().fenced == {EAST}


def test_the_generation_after_a_retired_one_is_counted_on(world: PlainWorld, gateway: Record) -> None:
    world.declare(gateway, f"{WEST}-g1", f"{EAST}-g2")
    physical = world.physical
    assert physical.instance(DATABASE, EAST).endswith("-g2")
    assert physical.next_instance(DATABASE, EAST).endswith("-g3")
    assert physical.next_instance(DATABASE, WEST).endswith("-g2")
