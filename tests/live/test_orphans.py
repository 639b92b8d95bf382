"""Whatever is killed at whatever moment: no process of the sandbox stays, and the next start works."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import ACCESS_KEY, SECRET_KEY
from lifeboat.sandbox.live.processes import servers_live
from lifeboat.sandbox.live.world_config import Live
from lifeboat.sandbox.state import Directory, Record, SandboxError, locked
from tests.live.living import HOME, STANDBY, processes_in
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
LIVE = Live(regions=(HOME, STANDBY, "us-east-2"), time_scale=None)


@pytest.fixture
def directory() -> Iterator[Directory]:
    # Not pytest's directory, which only its user may enter: root's servers run as somebody else.
    path = Path(tempfile.mkdtemp(prefix="lifeboat-orphans-"))
    path.chmod(0o711)
    made = Directory(path / ".sandbox")
    try:
        yield made
    finally:
        supervisor.stop(made)
        shutil.rmtree(path)


def start(directory: Directory, live: Live = LIVE) -> Record:
    return supervisor.start(directory, stack="reskflow", account=ACCOUNT, home=HOME, live=live)


def make_servers(record: Record) -> None:
    """A database with a replica in the other region, and a cache; the gateway may end meanwhile."""
    session = boto3.session.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
    rds, replicas, caches = (
        session.client(service, region_name=region, endpoint_url=record.endpoint, config=config)
        for service, region in (("rds", HOME), ("rds", STANDBY), ("elasticache", HOME))
    )
    with contextlib.suppress(BotoCoreError, ClientError):
        rds.create_db_instance(
            DBInstanceIdentifier="orders",
            DBInstanceClass="db.m6g.large",
            Engine="postgres",
            AllocatedStorage=20,
            BackupRetentionPeriod=7,
            MasterUsername="owner",
            MasterUserPassword="correct horse",
            DBName="shop",
        )
        replicas.create_db_instance_read_replica(
            DBInstanceIdentifier="orders",
            SourceDBInstanceIdentifier=f"arn:aws:rds:{HOME}:{ACCOUNT}:db:orders",
            SourceRegion=HOME,
        )
        caches.create_replication_group(
            ReplicationGroupId="sessions", ReplicationGroupDescription="s", NumCacheClusters=2, Engine="redis"
        )


def gone(directory: Directory) -> bool:
    return not locked(directory) and not servers_live(directory.path) and not processes_in(directory.path)


def all_ready(record: Record) -> bool:
    live = supervisor.living(record)
    assert live is not None
    kinds = [row["kind"] for row in live["processes"]]
    return kinds.count("database") == 2 and "cache" in kinds and all(part["ready"] for part in supervisor.parts(record))


def keeper(directory: Directory) -> int | None:
    """The keeper's process, when there is one."""
    found = [pid for pid, command in processes_in(directory.path).items() if "lifeboat.sandbox.live.keeper" in command]
    return found[0] if found else None


@pytest.mark.parametrize("victim", ["gateway", "keeper"])
def test_servers_end_with_whoever_keeps_them_and_resume_with_their_data(directory: Directory, victim: str) -> None:
    record = start(directory)
    make_servers(record)
    until(lambda: all_ready(record), 60)
    servers = processes_in(directory.path)
    pid = record.pid if victim == "gateway" else keeper(directory)
    assert pid in servers
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(directory))
    data = directory.data / "rds" / HOME / "db" / "orders" / "data"
    identity = (data / "PG_VERSION").stat().st_ino
    resumed = start(directory, Live(regions=LIVE.regions, time_scale=None, resume=True))
    make_servers(resumed)
    until(lambda: all_ready(resumed), 60)
    # The very same files, not a server made anew.
    assert (data / "PG_VERSION").stat().st_ino == identity


def test_a_name_server_or_link_process_that_dies_is_started_again(directory: Directory) -> None:
    record = start(directory)
    for kind in ("name server", "links"):
        before = pid_of(record, kind)
        os.kill(before, signal.SIGKILL)
        assert until(lambda: (after := pid_of(record, kind)) is not None and after != before)  # noqa: B023
    until(lambda: all(part["ready"] for part in supervisor.parts(record)))


def pid_of(record: Record, kind: str) -> int:
    live = supervisor.living(record)
    assert live is not None
    return next(row["pid"] for row in live["processes"] if row["kind"] == kind)


def test_nothing_is_removed_while_a_server_lives(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "KILL_DEADLINE", 0.1)
    directory.create()
    directory.data.mkdir()
    with directory.keeper_lock_path.open("a") as server:
        fcntl.flock(server, fcntl.LOCK_EX)
        for call in (supervisor.stop, start):
            with pytest.raises(SandboxError, match=r"keeper\.lock: servers of the sandbox do not end"):
                call(directory)
        assert directory.data.is_dir()
    supervisor.stop(directory)
    assert not directory.data.exists()


def test_a_start_that_fails_leaves_no_process(directory: Directory) -> None:
    with pytest.raises(supervisor.StartError, match="did not answer within 0 s"):
        supervisor.start(directory, stack="reskflow", account=ACCOUNT, home=HOME, live=LIVE, deadline=0.0)
    assert gone(directory)
    assert not directory.record_path.exists()


def test_a_reset_ends_what_the_api_forgot(directory: Directory) -> None:
    record = start(directory)
    make_servers(record)
    until(lambda: all_ready(record), 60)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", record.port, timeout=30)) as connection:
        connection.request("POST", "/_lifeboat/reset", headers={"Authorization": f"Bearer {record.token}"})
        assert connection.getresponse().status == 200
    until(lambda: {row["kind"] for row in (supervisor.living(record) or {})["processes"]} == {"name server", "links"})
    until(lambda: not any("postgres" in command for command in processes_in(directory.path).values()))
