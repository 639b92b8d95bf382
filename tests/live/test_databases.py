"""Databases live as moto's RDS says: a client of AWS's API on one side, a client of PostgreSQL on the other."""

from __future__ import annotations

import pytest

from lifeboat.sandbox.live.world_config import require_resumable
from lifeboat.sandbox.state import Directory, SandboxError
from tests.live.databases import EAST, OWNER, WEST, Cloud, cloud, fill, numbers
from tests.live.waiting import until

__all__ = ["cloud"]

EAST_G1, WEST_G1 = f"{EAST}/db/orders-g1", f"{WEST}/db/orders-g1"
EAST_C, WEST_C = f"{EAST}/cluster/shop-east", f"{WEST}/cluster/shop-west"


def test_an_order_written_to_the_primary_is_read_on_the_replica(cloud: Cloud) -> None:
    cloud.instance()
    cloud.replica()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1, 2)
    until(lambda: numbers(cloud.login(WEST_G1)) == [1, 2])
    described = cloud.rds(WEST).describe_db_instances()["DBInstances"][0]
    assert cloud.databases.names[described["Endpoint"]["Address"]] == cloud.server(WEST_G1).place.address
    east, west = (
        cloud.databases.status()[::-1] if cloud.databases.status()[0]["key"] == WEST_G1 else cloud.databases.status()
    )
    assert (east["role"], west["role"], west["source"]) == ("primary", "replica", EAST_G1)
    assert cloud.links.opened == {("postgres-us-west-2-db-orders-g1-from-postgres-us-east-1-db-orders-g1", EAST, WEST)}


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


def test_a_server_that_is_killed_comes_back_with_its_data(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    before = cloud.server(EAST_G1).pid
    cloud.databases.kill(EAST_G1)
    until(lambda: cloud.server(EAST_G1).pid not in {None, before})
    cloud.settle()
    assert numbers(cloud.login(EAST_G1)) == [1]


def test_a_deletion_leaves_no_process_and_no_data(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    server = cloud.server(EAST_G1)
    cloud.rds(EAST).delete_db_instance(DBInstanceIdentifier="orders-g1", SkipFinalSnapshot=True)
    until(lambda: not server.place.directory.exists())
    assert cloud.farm.processes.names() == []
    assert cloud.databases.status() == []
    # Its name is free, and what comes next is empty.
    cloud.instance()
    cloud.settle()
    assert numbers(cloud.login(EAST_G1)) == []


def test_a_stop_a_start_and_a_reboot(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    server = cloud.server(EAST_G1)
    cloud.rds(EAST).stop_db_instance(DBInstanceIdentifier="orders-g1")
    until(lambda: server.pid is None)
    cloud.rds(EAST).start_db_instance(DBInstanceIdentifier="orders-g1")
    cloud.settle()
    first = server.pid
    cloud.rds(EAST).reboot_db_instance(DBInstanceIdentifier="orders-g1")
    assert cloud.instance_status(EAST) == "rebooting"
    until(lambda: cloud.instance_status(EAST) == "available")
    assert server.pid != first
    assert numbers(cloud.login(EAST_G1)) == [1]


def test_a_new_master_password_is_the_one_that_gets_in(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    cloud.rds(EAST).modify_db_instance(DBInstanceIdentifier="orders-g1", MasterUserPassword="another one")
    until(lambda: numbers(cloud.login(EAST_G1, password="another one")) == [])
    assert OWNER["password"] != "another one"


def test_a_switchover_keeps_every_row_and_the_old_primary_follows(cloud: Cloud) -> None:
    cloud.aurora()
    cloud.settle()
    fill(cloud.login(EAST_C), *range(100))
    cloud.effects.durations["switchover-global-cluster"] = 0.3
    cloud.switch_over(WEST_C)
    # The writer stays the writer until the other one is.
    assert cloud.writer() == EAST_C
    assert cloud.global_status() == "switching-over"
    until(lambda: cloud.writer() == WEST_C)
    fill(cloud.login(WEST_C), 100)
    cloud.settle()
    until(lambda: numbers(cloud.login(EAST_C)) == list(range(101)))
    assert cloud.global_status() == "available"
    assert [(row["key"], row["role"]) for row in cloud.databases.status()] == [(EAST_C, "replica"), (WEST_C, "primary")]


def test_a_failover_from_a_lost_region_and_its_return(cloud: Cloud) -> None:
    cloud.aurora()
    cloud.settle()
    fill(cloud.login(EAST_C), 1)
    until(lambda: numbers(cloud.login(WEST_C)) == [1])
    cloud.databases.hold(EAST_C)
    cloud.fail_over(WEST_C)
    until(lambda: cloud.writer() == WEST_C)
    fill(cloud.login(WEST_C), 2)
    assert cloud.server(EAST_C).pid is None
    cloud.databases.release(EAST_C)
    until(lambda: numbers(cloud.login(EAST_C)) == [1, 2])
    cloud.settle()


def test_an_old_primary_that_is_cut_off_goes_on_until_it_learns_better(cloud: Cloud) -> None:
    cloud.aurora()
    cloud.settle()
    fill(cloud.login(EAST_C), 1)
    until(lambda: numbers(cloud.login(WEST_C)) == [1])
    cloud.links.cut = True
    cloud.fail_over(WEST_C)
    until(lambda: cloud.writer() == WEST_C)
    fill(cloud.login(WEST_C), 2)
    # Two write now; what only the old one has is lost when it rejoins.
    fill(cloud.login(EAST_C), 666)
    assert numbers(cloud.login(EAST_C)) == [1, 666]
    cloud.links.cut = False
    until(lambda: numbers(cloud.login(EAST_C)) == [1, 2])


def test_a_switchover_that_would_lose_rows_is_given_up(cloud: Cloud) -> None:
    cloud.aurora()
    cloud.settle()
    cloud.databases.hold(EAST_C)
    cloud.switch_over(WEST_C)
    until(lambda: cloud.global_status() == "available")
    assert cloud.writer() == EAST_C
    assert cloud.server(WEST_C).standby


def test_a_later_life_finds_the_data_of_an_earlier_one(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    cloud.restart()
    cloud.settle()
    assert numbers(cloud.login(EAST_G1)) == [1]


@pytest.mark.parametrize("kept", [True, False], ids=["by what is kept", "by timelines"])
def test_after_a_failover_from_a_lost_region_home_is_not_resumed(cloud: Cloud, kept: bool) -> None:
    directory = Directory(cloud.farm.directory)
    cloud.aurora()
    cloud.settle()
    fill(cloud.login(EAST_C), 1)
    until(lambda: numbers(cloud.login(WEST_C)) == [1])
    require_resumable(directory, EAST)
    cloud.databases.hold(EAST_C)
    cloud.fail_over(WEST_C)
    until(lambda: cloud.writer() == WEST_C)
    fill(cloud.login(WEST_C), 2)
    cloud.databases.kill(WEST_C)
    assert not (directory.data / "rds" / EAST_C / "data" / "standby.signal").exists()
    reason = f"{WEST_C} took over"
    if not kept:
        (directory.data / "rds" / "writers.json").unlink()
        reason = f"{WEST_C} is on timeline 2, it on 1"
        until(lambda: refused(directory) is not None)
    with pytest.raises(SandboxError, match=f"^{EAST_C}: {reason}.*--resume would lose them; start without it"):
        require_resumable(directory, EAST)
    require_resumable(directory, WEST)


def refused(directory: Directory) -> str | None:
    try:
        require_resumable(directory, EAST)
    except SandboxError as refusal:
        return str(refusal)
    return None
