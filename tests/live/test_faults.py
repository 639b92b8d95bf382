"""Each fault on real servers: what a client meets, and that clearing it heals."""

from __future__ import annotations

import email.utils
import http.client
import json
import os
import resource
import statistics
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from lifeboat.sandbox.gateway.calls import Call
from lifeboat.sandbox.gateway.conditions import Conditions, Request
from lifeboat.sandbox.live.fault_documents import catalogue, parse
from lifeboat.sandbox.live.fault_world import OUTSIDE
from lifeboat.sandbox.live.faults import STATE_FILE, Faults
from lifeboat.sandbox.live.file_limits import limit_files
from lifeboat.sandbox.live.links import UNSHAPED, Shape
from lifeboat.sandbox.live.network import HTTP_PORT
from lifeboat.sandbox.state import SandboxError, SandboxInputError
from tests.live.fault_stage import EAST, PRIMARY, REPLICA, WEST, Stage, stage
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


def request(region: str, caller: str = "", operation: str = "DescribeDBInstances", key: str = "AKIA") -> Request:
    call = Call("rds", region, operation, known=True)
    return Request(call=call, caller=caller, access_key=key, principal=key)


def lost(world: Stage, region: str, caller: str = "") -> bool:
    return world.conditions.judge(request(region, caller)).lost


def alive(address: str) -> int:
    """The HTTP status of a site's liveness."""
    connection = http.client.HTTPConnection(address, HTTP_PORT, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status
    finally:
        connection.close()


def senders(world: Stage) -> int:
    with world.primary.connect() as connection:
        return len(connection.execute("SELECT 1 FROM pg_stat_replication").fetchall())


def test_a_region_that_is_blacked_out_answers_nobody_and_comes_back_with_its_data(world: Stage, faults: Faults) -> None:
    identifier = inject(faults, "region-blackout", region=EAST)
    assert lost(world, EAST)
    assert not lost(world, WEST)
    with pytest.raises(psycopg.OperationalError):
        world.login()
    with pytest.raises(OSError, match=r"refused|timed out"):
        alive(world.site_address)
    assert world.read(world.replica) == {1}
    assert faults.clear(identifier) == [identifier]
    assert not lost(world, EAST)
    assert until(lambda: alive(world.site_address)) == 200
    world.write(2)
    until(lambda: world.read(world.replica) == {1, 2})
    assert world.links.shapes() == {}


def test_a_region_that_stands_still_goes_on_where_it_was(world: Stage, faults: Faults) -> None:
    before = world.primary.pid
    inject(faults, "region-blackout", region=EAST, servers="frozen")
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        world.login()
    faults.clear()
    assert world.primary.pid == before
    world.write(2)


def test_a_blackout_of_one_plane_leaves_the_other_and_the_servers(world: Stage, faults: Faults) -> None:
    inject(faults, "region-blackout", region=EAST, plane="control")
    assert lost(world, EAST)
    assert not world.conditions.judge(Request(call=Call("s3", EAST, "GetObject", known=True))).lost
    world.write(2)
    until(lambda: world.read(world.replica) == {1, 2})


def test_a_partitioned_region_lives_but_nothing_gets_in_or_out(world: Stage, faults: Faults) -> None:
    inject(faults, "region-partition", region=EAST)
    assert [lost(world, EAST), lost(world, EAST, WEST), lost(world, WEST, EAST)] == [True, True, True]
    assert [lost(world, EAST, EAST), lost(world, WEST), lost(world, WEST, WEST)] == [False, False, False]
    assert alive(world.farm.network.address(f"site-{EAST}")) == 200
    with pytest.raises(TimeoutError):
        alive(world.site_address)
    world.write(2)
    assert world.read() == {1, 2}
    assert world.read(world.replica) == {1}
    faults.clear()
    until(lambda: world.read(world.replica) == {1, 2})
    assert alive(world.site_address) == 200


def test_an_asymmetric_partition_cuts_one_way(world: Stage, faults: Faults) -> None:
    inject(faults, "asymmetric-partition", from_region=EAST, to_region=WEST)
    assert (lost(world, WEST, EAST), lost(world, EAST, WEST)) == (True, False)
    world.write(2)
    assert world.links.shape_of(EAST, WEST).cut
    assert world.links.shape_of(WEST, EAST) == UNSHAPED
    assert world.read(world.replica) == {1}
    faults.clear()
    until(lambda: world.read(world.replica) == {1, 2})


def test_a_lagging_replica_has_received_what_it_does_not_show(world: Stage, faults: Faults) -> None:
    inject(faults, "replication-lag", region=WEST, seconds=3600)
    until(lambda: _setting(world, REPLICA, "recovery_min_apply_delay") == "1h")
    world.write(2)
    with world.primary.connect() as connection:
        row = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    assert row is not None
    with world.replica.connect() as connection:
        received = "SELECT pg_last_wal_receive_lsn() >= %s::pg_lsn"
        until(lambda: connection.execute(received, row).fetchone() == (True,))
    assert world.read(world.replica) == {1}
    faults.clear()
    until(lambda: world.read(world.replica) == {1, 2})


def test_a_narrow_link_makes_replicas_lag(world: Stage, faults: Faults) -> None:
    inject(faults, "replication-lag", region=WEST, bytes_per_s=1000)
    world.write(*range(2, 202), bytes_each=500)
    assert world.links.shape_of(EAST, WEST).bytes_per_s == 1000
    assert len(world.read(world.replica)) < 201
    faults.clear()
    until(lambda: len(world.read(world.replica)) == 201)


def test_a_broken_replication_is_made_up_for(world: Stage, faults: Faults) -> None:
    inject(faults, "replication-break", region=WEST, database="orders")
    until(lambda: senders(world) == 0)
    world.write(2)
    assert world.read(world.replica) == {1}
    faults.clear()
    until(lambda: world.read(world.replica) == {1, 2})


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


def test_commits_on_a_slow_disk_are_slower_than_before(world: Stage, faults: Faults) -> None:
    def median() -> float:
        durations: list[float] = []
        with world.login() as connection:
            for _ in range(9):
                started = time.monotonic()
                connection.execute("UPDATE orders SET filler = filler")
                durations.append(time.monotonic() - started)
        return statistics.median(durations)

    healthy = median()
    inject(faults, "slow-disk", region=EAST)
    assert median() > healthy


def _setting(world: Stage, key: str, name: str) -> str:
    with world.databases.connect(key, "postgres") as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_a_full_disk_is_an_error_to_writers_only(world: Stage, faults: Faults) -> None:
    inject(faults, "full-disk", region=EAST)
    pid = world.primary.pid
    with pytest.raises(psycopg.Error, match="File too large"):
        world.write(*range(2, 402), bytes_each=8000)
    assert world.read() >= {1}
    faults.clear()
    world.write(*range(1000, 1400), bytes_each=8000)
    assert world.read() >= {1, *range(1000, 1400)}
    assert world.primary.pid == pid


def test_a_disk_without_room_for_the_log_stops_the_server_until_it_is_cleared(world: Stage, faults: Faults) -> None:
    inject(faults, "full-disk", region=EAST, file_kib=0)
    with pytest.raises(psycopg.OperationalError):
        world.write(2)
    faults.clear()
    world.write(3)
    assert world.read() >= {1, 3}


def test_a_corrupted_table_is_an_error_to_readers_and_whole_in_the_replica(world: Stage, faults: Faults) -> None:
    numbers = {1, *range(2, 502)}
    world.write(*range(2, 502), bytes_each=100)
    until(lambda: world.read(world.replica) == numbers)
    inject(faults, "corrupted-table", region=EAST, table="orders", pages=2, seed=3)
    until(world.primary.ready)
    with pytest.raises(psycopg.errors.DataCorrupted, match="invalid page in block"), world.login() as connection:
        connection.execute("SELECT sum(length(filler)) FROM orders")
    assert world.read(world.replica) == numbers
    faults.clear()
    with world.login() as connection:
        assert connection.execute("SELECT count(*), sum(length(filler)) FROM orders").fetchone() == (501, 50001)
    assert list((world.directory / "faults").iterdir()) == []


def test_a_standby_short_of_capacity_makes_nothing_and_answers_little(world: Stage, faults: Faults) -> None:
    inject(faults, "standby-capacity", region=EAST, site_per_s=0)
    refusal = world.conditions.judge(request(EAST, operation="CreateDBInstance")).refusal
    assert refusal is not None
    assert refusal.code == "InsufficientDBInstanceCapacity"
    assert world.conditions.judge(request(EAST)).refusal is None
    connection = http.client.HTTPConnection(world.farm.network.address(f"site-{EAST}"), HTTP_PORT, timeout=10)
    connection.request("GET", "/orders?client=c")
    assert connection.getresponse().status == 503
    connection.close()
    faults.clear()
    assert world.conditions.judge(request(EAST, operation="CreateDBInstance")).refusal is None


def test_expired_credentials_are_refused_until_they_are_renewed(world: Stage, faults: Faults) -> None:
    inject(faults, "credentials-expired", principals=["AKIAOLD"])
    old = world.conditions.judge(request(EAST, key="AKIAOLD")).refusal
    assert old is not None
    assert old.code == "ExpiredToken"
    assert world.conditions.judge(request(EAST, key="AKIANEW")).refusal is None
    faults.clear()
    assert world.conditions.judge(request(EAST, key="AKIAOLD")).refusal is None


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


def health(address: str) -> tuple[datetime, datetime]:
    """What time it is to a site, as it says twice."""
    connection = http.client.HTTPConnection(address, HTTP_PORT, timeout=10)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        date = email.utils.parsedate_to_datetime(answer.headers["Date"])
        return datetime.fromisoformat(json.loads(answer.read())["clock"]), date
    finally:
        connection.close()


def test_a_site_believes_its_wrong_clock(world: Stage, faults: Faults) -> None:
    inject(faults, "clock-skew", agent=AGENT, offset_s=7200)
    second = inject(faults, "clock-skew", agent=AGENT, offset_s=-3600)
    # Wrong by hours, judged by the half hour: no machine is so slow.
    near = timedelta(minutes=30)
    for expected in (timedelta(hours=1), timedelta(hours=2)):
        assert all(abs(shown - datetime.now(UTC) - expected) < near for shown in health(world.site_address))
        faults.clear(second)
    faults.clear()
    assert all(abs(shown - datetime.now(UTC)) < near for shown in health(world.site_address))


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


def test_a_link_that_is_reset_refuses_clients_and_a_cut_one_lets_them_wait(world: Stage, faults: Faults) -> None:
    reset = inject(faults, "link", source_region=EAST, target_region=OUTSIDE, reset=True)
    with pytest.raises(ConnectionError):
        alive(world.site_address)
    faults.clear(reset)
    assert alive(world.site_address) == 200
    inject(faults, "link", source_region=OUTSIDE, target_region=EAST, cut=True)
    with pytest.raises(TimeoutError):
        alive(world.site_address)
    assert alive(world.farm.network.address(f"site-{EAST}")) == 200


def test_an_api_is_slow_throttled_wrong_or_silent_where_it_is_said(world: Stage, faults: Faults) -> None:
    judge = world.conditions.judge
    object_read = Request(call=Call("s3", EAST, "GetObject", known=True))
    slow = inject(faults, "api-slow", region=EAST, seconds=3, services=["rds"])
    assert [seconds for _, seconds in judge(request(EAST)).delays] == [3]
    assert (judge(request(WEST)).ids, judge(object_read).ids) == ((), ())
    faults.clear(slow)
    throttled = inject(faults, "api-throttle", region=EAST, plane="data")
    refusal = judge(object_read).refusal
    assert refusal is not None
    assert refusal.code == "SlowDown"
    assert judge(request(EAST)).ids == ()
    faults.clear(throttled)
    wrong = inject(faults, "api-errors", region=EAST, fraction=0.5, seed=1)
    fates = [judge(request(EAST)).refusal is None for _ in range(100)]
    assert 20 < sum(fates) < 80
    faults.clear(wrong)
    inject(faults, "api-hang", region=EAST)
    (placed,) = judge(request(EAST)).hangs
    faults.clear()
    assert placed.lifted.is_set()
    assert judge(request(EAST)).ids == ()


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


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "flood"}, "Input tag 'flood' found using 'kind' does not match any of the expected tags"),
        ({"region": EAST}, "Unable to extract tag using discriminator 'kind'"),
        ([], "no fault is given"),
        ({"kind": "slow-disk"}, "region: Field required"),
        ({"kind": "slow-disk", "region": EAST, "commit_ms": 5000}, "commit_ms: Input should be less than or equal to"),
        ({"kind": "slow-disk", "region": EAST, "comit_ms": 5}, "comit_ms: Extra inputs are not permitted"),
        ({"kind": "replication-lag", "region": EAST}, "give either seconds or bytes_per_s"),
        (
            {"kind": "asymmetric-partition", "from_region": EAST, "to_region": EAST},
            "from_region and to_region are the same",
        ),
        (
            {"kind": "link", "source_region": EAST, "target_region": EAST, "cut": True},
            "source_region and target_region are the same",
        ),
        ({"kind": "link", "source_region": EAST, "target_region": "moon", "cut": True}, "target_region: String should"),
        ({"kind": "link", "source_region": EAST, "target_region": WEST}, "say what is wrong with it: latency_ms"),
        ([{"kind": "region-partition", "region": EAST}, {"kind": "flood"}], "fault 2: Input tag 'flood'"),
    ],
)
def test_a_wrong_document_is_refused(document: object, said: str) -> None:
    with pytest.raises(SandboxInputError) as refused:
        parse(document)
    assert said in str(refused.value)


def test_the_kinds_are_those_of_the_issue_and_described() -> None:
    rows = catalogue()
    assert [row["kind"] for row in rows] == [
        *("region-blackout", "region-partition", "asymmetric-partition", "link", "replication-lag"),
        *("replication-break", "slow-disk", "full-disk", "corrupted-table", "standby-capacity", "credentials-expired"),
        *("api-slow", "api-throttle", "api-errors", "api-hang", "process-killed", "clock-skew"),
    ]
    assert all(row["what"].endswith(".") or row["what"].endswith(":") for row in rows)
    assert all(parameter["what"] for row in rows for parameter in row["parameters"])
    json.dumps(rows)


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
