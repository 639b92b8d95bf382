"""The writer of an Aurora global cluster moves, which all tests here share: each finds both members in step and empty.

Wherever it is: `near` writes when a test begins, and `far` follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.live.databases import Cloud, clouds, empty, fill, numbers
from tests.live.test_databases import EAST_C, WEST_C
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Group:
    """The global cluster."""

    cloud: Cloud
    near: str
    far: str


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with clouds() as made:
        made.aurora()
        yield made


@pytest.fixture
def group(cloud: Cloud) -> Group:
    cloud.settle()
    near = cloud.writer()
    far = EAST_C if near == WEST_C else WEST_C
    empty(cloud.login(near))
    until(lambda: numbers(cloud.login(far)) == [])
    return Group(cloud, near, far)


def test_a_switchover_keeps_every_row_and_the_old_primary_follows(group: Group) -> None:
    cloud, near, far = group.cloud, group.near, group.far
    fill(cloud.login(near), *range(100))
    cloud.effects.durations["switchover-global-cluster"] = 0.3
    cloud.switch_over(far)
    # The writer stays the writer until the other one is.
    assert cloud.writer() == near
    assert cloud.global_status() == "switching-over"
    until(lambda: cloud.writer() == far)
    fill(cloud.login(far), 100)
    cloud.settle()
    until(lambda: numbers(cloud.login(near)) == list(range(101)))
    assert cloud.global_status() == "available"
    assert cloud.roles() == {near: "replica", far: "primary"}


def test_a_failover_from_a_lost_region_and_its_return(group: Group) -> None:
    cloud, near, far = group.cloud, group.near, group.far
    fill(cloud.login(near), 1)
    until(lambda: numbers(cloud.login(far)) == [1])
    cloud.databases.hold(near)
    cloud.fail_over(far)
    until(lambda: cloud.writer() == far)
    fill(cloud.login(far), 2)
    assert cloud.server(near).pid is None
    cloud.databases.release(near)
    until(lambda: numbers(cloud.login(near)) == [1, 2])
    cloud.settle()


def test_an_old_primary_that_is_cut_off_goes_on_until_it_learns_better(group: Group) -> None:
    cloud, near, far = group.cloud, group.near, group.far
    fill(cloud.login(near), 1)
    until(lambda: numbers(cloud.login(far)) == [1])
    cloud.links.cut = True
    cloud.fail_over(far)
    until(lambda: cloud.writer() == far)
    fill(cloud.login(far), 2)
    # Two write now; what only the old one has is lost when it rejoins.
    fill(cloud.login(near), 666)
    assert numbers(cloud.login(near)) == [1, 666]
    cloud.links.cut = False
    until(lambda: numbers(cloud.login(near)) == [1, 2])


def test_a_switchover_that_would_lose_rows_is_given_up(group: Group) -> None:
    cloud, near, far = group.cloud, group.near, group.far
    cloud.databases.hold(near)
    cloud.switch_over(far)
    until(lambda: cloud.global_status() == "available")
    assert cloud.writer() == near
    assert cloud.server(far).standby
    cloud.databases.release(near)
