"""A database and its replica in the other region, which all tests here share: each finds both in step and empty."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.state import SandboxError
from tests.live.databases import EAST, OWNER, WEST, Cloud, clouds, empty, fill, numbers
from tests.live.test_databases import EAST_G1, WEST_G1
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    with clouds() as made:
        made.instance()
        made.replica()
        made.settle()
        yield made


@pytest.fixture
def cloud(shared: Cloud) -> Cloud:
    shared.settle()
    empty(shared.login(EAST_G1))
    until(lambda: numbers(shared.login(WEST_G1)) == [])
    return shared


def test_an_order_written_to_the_primary_is_read_on_the_replica(cloud: Cloud) -> None:
    fill(cloud.login(EAST_G1), 1, 2)
    until(lambda: numbers(cloud.login(WEST_G1)) == [1, 2])
    described = cloud.rds(WEST).describe_db_instances()["DBInstances"][0]
    assert cloud.databases.names[described["Endpoint"]["Address"]] == cloud.server(WEST_G1).place.address
    assert cloud.roles() == {EAST_G1: "primary", WEST_G1: "replica"}
    assert cloud.links.opened == {("postgres-us-west-2-db-orders-g1-from-postgres-us-east-1-db-orders-g1", EAST, WEST)}


def test_a_server_that_is_killed_comes_back_with_its_data(cloud: Cloud) -> None:
    fill(cloud.login(EAST_G1), 1)
    before = cloud.server(EAST_G1).pid
    cloud.server(EAST_G1).kill()
    until(lambda: cloud.server(EAST_G1).pid not in {None, before})
    cloud.settle()
    assert numbers(cloud.login(EAST_G1)) == [1]


def test_a_stop_a_start_and_a_reboot(cloud: Cloud) -> None:
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
    for password in ("another one", OWNER["password"]):
        cloud.rds(EAST).modify_db_instance(DBInstanceIdentifier="orders-g1", MasterUserPassword=password)
        until(lambda: numbers(cloud.login(EAST_G1, password=password)) == [])  # noqa: B023 - awaited here


def test_a_later_life_finds_the_data_of_an_earlier_one(cloud: Cloud) -> None:
    fill(cloud.login(EAST_G1), 1)
    cloud.restart()
    cloud.settle()
    assert numbers(cloud.login(EAST_G1)) == [1]


def test_one_that_fails_for_hours_is_tried_again(cloud: Cloud) -> None:
    unit = cloud.databases.servers[EAST_G1]
    for _ in range(2000):
        unit.failed(SandboxError("no"))
    assert unit.retry_at <= time.monotonic() + 10
    unit.went_well()
