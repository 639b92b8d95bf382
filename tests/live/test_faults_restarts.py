"""A fault on a database stands for as long as it is listed, also while whoever looks after databases restarts them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest

from lifeboat.sandbox.gateway.conditions import Conditions
from lifeboat.sandbox.live.bare_world import NoServers
from lifeboat.sandbox.live.clocks import Clocks
from lifeboat.sandbox.live.faults import Faults
from tests.live.databases import EAST, WEST, Cloud, cloud, fill, numbers
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lifeboat.sandbox.live.databases import Databases
    from lifeboat.sandbox.live.links import Links

__all__ = ["cloud"]

KEY = f"{EAST}/db/orders-g1"
LIMIT = 1024 * 1024


@dataclass
class World:
    """A world of databases alone."""

    directory: Path
    databases: Databases
    clocks: Clocks
    regions: Sequence[str] = (EAST, WEST)
    conditions: Conditions = field(default_factory=Conditions)
    caches: NoServers = field(default_factory=NoServers)
    sites: NoServers = field(default_factory=NoServers)
    links: Links | None = None


@pytest.fixture
def faults(cloud: Cloud) -> Iterator[Faults]:
    directory = cloud.farm.directory
    found = Faults(World(directory=directory, databases=cloud.databases, clocks=Clocks(directory)))
    yield found
    found.clear()


def file_limits(cloud: Cloud) -> set[str]:
    """The soft limit on the size of files that each of the server's processes has."""
    found: set[str] = set()
    for pid in cloud.databases.pids(KEY):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/limits") as limits:  # noqa: PTH123 - a process's file may go while it is read
            found |= {line.split()[3] for line in limits if line.startswith("Max file size")}
    return found


def test_a_disk_stays_full_when_the_server_crashes_and_is_started_again(cloud: Cloud, faults: Faults) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(KEY), 1)
    faults.inject({"kind": "full-disk", "region": EAST})
    before = cloud.server(KEY).pid
    cloud.databases.kill(KEY)
    until(lambda: cloud.server(KEY).pid not in {None, before} and cloud.server(KEY).ready())
    cloud.settle()
    assert file_limits(cloud) == {str(LIMIT)}
    with pytest.raises(psycopg.Error, match="File too large"), cloud.login(KEY) as connection:
        connection.execute("CREATE TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
    assert numbers(cloud.login(KEY)) == [1]
    faults.clear()
    assert file_limits(cloud) == {"unlimited"}
    with cloud.login(KEY) as connection:
        connection.execute("CREATE TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 3000)")


def test_a_disk_without_room_for_the_log_keeps_the_server_down_until_it_is_cleared(
    cloud: Cloud, faults: Faults
) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(KEY), 1)
    faults.inject({"kind": "full-disk", "region": EAST, "file_kib": 0})
    with pytest.raises(psycopg.OperationalError):
        fill(cloud.login(KEY), 2)
    # Tried, and refused by its disk.
    until(lambda: cloud.databases.servers[KEY].failures > 0)
    with pytest.raises(psycopg.OperationalError):
        cloud.login(KEY)
    faults.clear()
    cloud.settle()
    fill(cloud.login(KEY), 3)
    assert set(numbers(cloud.login(KEY))) >= {1, 3}
