"""Databases live as moto's RDS says: a client of AWS's API on one side, a client of PostgreSQL on the other."""

from __future__ import annotations

import pytest

from lifeboat.sandbox.live.postgres_setup import REPLICATION
from lifeboat.sandbox.live.writers import Past, past
from lifeboat.sandbox.state import Directory, SandboxError
from tests.live.databases import EAST, WEST, Cloud, cloud, fill, numbers
from tests.live.waiting import until

__all__ = ["cloud"]

EAST_G1, WEST_G1 = f"{EAST}/db/orders-g1", f"{WEST}/db/orders-g1"
EAST_C, WEST_C = f"{EAST}/cluster/shop-east", f"{WEST}/cluster/shop-west"


def test_a_thousand_rows_survive_a_promotion(cloud: Cloud) -> None:
    cloud.instance()
    cloud.replica()
    cloud.settle()
    fill(cloud.login(EAST_G1), *range(1000))
    until(lambda: len(numbers(cloud.login(WEST_G1))) == 1000)
    cloud.databases.hold(EAST_G1)
    cloud.effects.durations["promote-rds-replica"] = 0.3
    cloud.rds(WEST).promote_read_replica(DBInstanceIdentifier="orders-g1")
    assert cloud.instance_status(WEST) == "modifying"
    until(lambda: cloud.instance_status(WEST) == "available")
    fill(cloud.login(WEST_G1), 1000)
    assert numbers(cloud.login(WEST_G1)) == list(range(1001))
    assert cloud.server(EAST_G1).pid is None


def test_a_deletion_leaves_no_process_and_no_data(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    server = cloud.server(EAST_G1)
    cloud.rds(EAST).delete_db_instance(DBInstanceIdentifier="orders-g1", SkipFinalSnapshot=True)
    until(lambda: not server.place.directory.exists())
    assert cloud.farm.processes.names() == []
    assert cloud.roles() == {}


def test_who_took_over_from_a_lost_region_is_kept_for_a_later_life(cloud: Cloud) -> None:
    directory = Directory(cloud.farm.directory)
    cloud.aurora()
    cloud.settle()
    fill(cloud.login(EAST_C), 1)
    until(lambda: numbers(cloud.login(WEST_C)) == [1])
    assert not past(directory.data, EAST)
    cloud.databases.hold(EAST_C)
    cloud.fail_over(WEST_C)
    until(lambda: cloud.writer() == WEST_C)
    cloud.server(WEST_C).kill()
    assert past(directory.data, EAST) == Past(writers={EAST_C: WEST_C})
    assert not past(directory.data, WEST)
    (directory.data / "rds" / "writers.json").unlink()
    # A promotion's first checkpoint tells of it, too.
    until(lambda: refused(directory) is not None)
    reason = f"{EAST_C}: {WEST_C} is on timeline 2, it on 1"
    with pytest.raises(SandboxError, match=f"^{reason}.*--resume would lose them; start without it"):
        past(directory.data, EAST)


def test_a_replica_that_was_promoted_is_kept_as_one_that_writes_beside_its_source(cloud: Cloud) -> None:
    directory = Directory(cloud.farm.directory)
    cloud.instance()
    cloud.replica()
    cloud.settle()
    cloud.rds(WEST).promote_read_replica(DBInstanceIdentifier="orders-g1")
    cloud.settle()
    assert past(directory.data, EAST) == Past(parted=(WEST_G1,))


def test_a_server_whose_making_was_cut_short_is_completed_in_a_later_life(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    with cloud.server(EAST_G1).connect() as connection:
        connection.execute(f"DROP ROLE {REPLICATION}")
    cloud.restart()
    cloud.replica()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    until(lambda: numbers(cloud.login(WEST_G1)) == [1])


def refused(directory: Directory) -> str | None:
    try:
        past(directory.data, EAST)
    except SandboxError as refusal:
        return str(refusal)
    return None
