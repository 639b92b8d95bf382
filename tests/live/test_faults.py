"""Faults together, on a schedule, over a restart, and when they cannot be healed; each alone: `test_faults_world`."""

from __future__ import annotations

import http.client
import os
import resource
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from lifeboat.sandbox.gateway.conditions import Conditions
from lifeboat.sandbox.live.faults import STATE_FILE, Faults
from lifeboat.sandbox.live.file_limits import limit_files
from lifeboat.sandbox.live.links import Shape
from lifeboat.sandbox.live.network import HTTP_PORT
from lifeboat.sandbox.state import SandboxError
from tests.live.fault_stage import EAST, PRIMARY, WEST, Stage, stage
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    Document = dict[str, Any]

AGENT = f"site-{EAST}"
"""The one agent there is here."""


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def lasting() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture
def world(lasting: Stage) -> Stage:
    lasting.conditions = Conditions()
    (lasting.directory / STATE_FILE).unlink(missing_ok=True)
    with lasting.login() as connection:
        connection.execute("TRUNCATE orders")
    lasting.write(1)
    until(lambda: lasting.read(lasting.replica) == {1})
    return lasting


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults(world: Stage, clock: Clock) -> Iterator[Faults]:
    found = Faults(world, clock)
    yield found
    found.clear()


def inject(faults: Faults, kind: str, **parameters: object) -> str:
    return faults.inject({"kind": kind, **parameters})


def alive(address: str) -> int:
    """The HTTP status of a site's liveness."""
    connection = http.client.HTTPConnection(address, HTTP_PORT, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_slow_disk_makes_each_commit_wait(world: Stage, faults: Faults) -> None:
    names = ("commit_delay", "commit_siblings", "wal_writer_delay")
    usual = [_setting(world, PRIMARY, name) for name in names]
    inject(faults, "slow-disk", region=EAST, commit_ms=80)
    # In force at once, also for who connects by then.
    assert [_setting(world, PRIMARY, name) for name in names] == ["80000", "0", "10s"]
    narrower = inject(faults, "slow-disk", region=EAST, commit_ms=90)
    assert _setting(world, PRIMARY, "commit_delay") == "90000"
    faults.clear(narrower)
    assert _setting(world, PRIMARY, "commit_delay") == "80000"
    faults.clear()
    assert [_setting(world, PRIMARY, name) for name in names] == usual


def _setting(world: Stage, key: str, name: str) -> str:
    with world.databases.connect(key, "postgres") as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_a_killed_process_stays_down_until_its_time_is_over(world: Stage, faults: Faults, clock: Clock) -> None:
    site = world.farm.network.address(f"site-{EAST}")
    inject(faults, "process-killed", region=EAST, process="site", after_s=10, for_s=30)
    assert [row["state"] for row in faults.list()] == ["scheduled"]
    assert faults.tick() == 10
    assert alive(site) == 200
    clock.now += 10
    assert faults.tick() == 30
    (row,) = faults.list()
    assert (row["state"], row["since"], row["until"]) == ("active", 1010.0, 1040.0)
    with pytest.raises(ConnectionRefusedError):
        alive(site)
    clock.now += 30
    assert faults.tick() is None
    assert faults.list() == []
    assert until(lambda: alive(site)) == 200


def test_clocks_are_wrong_by_the_sum(world: Stage, faults: Faults) -> None:
    inject(faults, "clock-skew", agent=AGENT, offset_s=7200)
    second = inject(faults, "clock-skew", agent=AGENT, offset_s=-3600)
    assert world.clocks.of(AGENT).offset == 3600
    faults.clear(second)
    assert world.clocks.of(AGENT).offset == 7200


def test_a_link_is_what_its_faults_make_of_it_together(world: Stage, faults: Faults) -> None:
    inject(faults, "link", source_region=EAST, target_region=WEST, latency_ms=20, bytes_per_s=50_000)
    second = inject(faults, "link", source_region=WEST, target_region=EAST, both=True, latency_ms=30, bytes_per_s=9000)
    assert world.links.shape_of(EAST, WEST) == Shape(latency_s=0.05, bytes_per_s=9000)
    assert world.links.shape_of(WEST, EAST) == Shape(latency_s=0.03, bytes_per_s=9000)
    faults.clear(second)
    assert world.links.shape_of(EAST, WEST) == Shape(latency_s=0.02, bytes_per_s=50_000)
    world.write(2)
    until(lambda: world.read(world.replica) == {1, 2})
    faults.clear()
    assert world.links.shapes() == {}


def test_a_server_that_two_faults_hold_stays_down_until_both_are_cleared(world: Stage, faults: Faults) -> None:
    one = inject(faults, "process-killed", region=EAST, process="database")
    two = inject(faults, "region-blackout", region=EAST)
    faults.clear(two)
    with pytest.raises(psycopg.OperationalError):
        world.login()
    assert until(lambda: alive(world.site_address)) == 200
    assert faults.clear(one) == [one]
    assert world.read() == {1}
    assert faults.clear(one) == []


@pytest.mark.parametrize("order", [("killed", "still"), ("still", "killed")])
@pytest.mark.parametrize("first", ["killed", "still"])
def test_a_server_that_was_killed_does_not_start_while_its_region_stands_still(
    world: Stage, faults: Faults, order: tuple[str, str], first: str
) -> None:
    documents = {
        "killed": {"kind": "process-killed", "region": EAST, "process": "database"},
        "still": {"kind": "region-blackout", "region": EAST, "servers": "frozen"},
    }
    injected = {name: faults.inject(documents[name]) for name in order}
    with pytest.raises(psycopg.OperationalError, match="refused"):
        world.login()
    faults.clear(injected.pop(first))
    with pytest.raises(psycopg.OperationalError, match="refused"):
        world.login()
    faults.clear(*injected.values())
    assert world.read() == {1}


def test_a_region_stands_still_until_the_last_fault_that_wants_it_is_cleared(world: Stage, faults: Faults) -> None:
    before = world.primary.pid
    identifiers = [inject(faults, "region-blackout", region=EAST, servers="frozen") for _ in range(2)]
    faults.clear(identifiers[0])
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        world.login()
    faults.clear(identifiers[1])
    assert (world.read(), world.primary.pid) == ({1}, before)


def test_a_region_that_is_cut_off_is_lost_to_those_outside(world: Stage, faults: Faults) -> None:
    for kind, given in (("region-partition", {}), ("region-blackout", {}), ("region-blackout", {"plane": "control"})):
        identifier = inject(faults, kind, region=WEST, **given)
        assert world.conditions.lost == ({WEST} if not given else set())
        faults.clear(identifier)
        assert world.conditions.lost == set()


def test_what_is_injected_together_fails_together(world: Stage, faults: Faults) -> None:
    documents = [
        {"kind": "slow-disk", "region": EAST},
        {"kind": "clock-skew", "agent": AGENT, "offset_s": 5, "after_s": 60},
        {"kind": "corrupted-table", "region": EAST, "table": "absent"},
    ]
    with pytest.raises(SandboxError, match=f"{PRIMARY}: no database of it has a table absent"):
        faults.inject({"faults": documents})
    assert faults.list() == []
    until(lambda: _setting(world, PRIMARY, "commit_delay") == "0")


def test_a_schedule_goes_on_over_a_restart(world: Stage, faults: Faults, clock: Clock) -> None:
    documents = [
        {"kind": "standby-capacity", "region": WEST, "for_s": 100},
        {"kind": "clock-skew", "agent": AGENT, "offset_s": 5, "after_s": 50},
    ]
    identifier = faults.inject(documents)
    expected = faults.list()
    # What calls meet is in the gateway's memory, which ends with it.
    world.conditions = Conditions()
    again = Faults(world, clock)
    assert again.list() == expected
    again.start()
    again.stop()
    assert [row["id"] for row in world.conditions.table()] == [f"{identifier}-0-api"]
    clock.now += 200
    assert again.tick() is None
    assert world.conditions.table() == []
    assert world.clocks.of(AGENT).offset == 5
    assert again.clear() == [identifier]
    assert world.clocks.of(AGENT).offset == 0
    assert again.inject({"kind": "clock-skew", "agent": AGENT, "offset_s": 1}) != identifier
    again.clear()


def test_the_schedule_is_kept_by_itself(world: Stage) -> None:
    faults = Faults(world)
    faults.start()
    try:
        faults.inject({"kind": "clock-skew", "agent": AGENT, "offset_s": 5, "after_s": 0.05, "for_s": 0.05})
        until(lambda: not faults.list())
        assert world.clocks.of(AGENT).offset == 0
    finally:
        faults.stop()


def test_what_cannot_be_healed_is_kept_and_tried_again(world: Stage, faults: Faults) -> None:
    identifier = inject(faults, "slow-disk", region=EAST)
    away = world.primary.place.conf.rename(world.primary.place.conf.with_suffix(".away"))
    with pytest.raises(SandboxError, match="not all is healed: "):
        faults.clear()
    (row,) = faults.list()
    assert (row["state"], "server.conf" in row["failure"]) == ("failed", True)
    away.rename(world.primary.place.conf)
    assert faults.clear() == [identifier]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "slow-disk", "region": "eu-west-1"}, "eu-west-1 is no region of this stack: there are us-east-1"),
        ({"kind": "replication-break", "region": EAST}, "there are no replicas in us-east-1"),
        ({"kind": "full-disk", "region": EAST, "database": "users"}, "users is none of the databases in us-east-1"),
        (
            {"kind": "clock-skew", "agent": "warden", "offset_s": 9},
            f"warden is no agent of this sandbox: there are {AGENT}",
        ),
        (
            {"kind": "clock-skew", "agent": "site-us-west-2", "offset_s": 9, "after_s": 60},
            f"site-us-west-2 is no agent of this sandbox: there are {AGENT}",
        ),
        ({"kind": "process-killed", "region": WEST, "process": "site"}, "there are no site servers in us-west-2"),
    ],
)
def test_a_fault_that_this_sandbox_cannot_have_is_refused(faults: Faults, document: Document, said: str) -> None:
    with pytest.raises(SandboxError) as refused:
        faults.inject(document)
    assert said in str(refused.value)
    assert faults.list() == []


@pytest.mark.parametrize("uid", [None, 65534])
def test_the_files_of_a_process_are_limited_and_freed_again(uid: int | None) -> None:
    # Root may be anybody; anyone else limits processes of their own.
    other = uid if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=other, group=other) as process:
        for size, expected in ((4096, 4096), (None, resource.RLIM_INFINITY)):
            limit_files(process.pid, size)
            assert _file_limit(process.pid) == expected
        process.communicate()
    limit_files(process.pid, 4096)


def _file_limit(pid: int) -> int:
    (line,) = [
        line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max file size")
    ]
    soft = line.split()[3]
    return resource.RLIM_INFINITY if soft == "unlimited" else int(soft)
