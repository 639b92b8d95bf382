"""One real PostgreSQL server and its replica, as a client sees them."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import psycopg
import pytest

from lifeboat.sandbox.live.postgres import Postgres
from lifeboat.sandbox.live.postgres_setup import Owner, Passwords, Place
from lifeboat.sandbox.live.standstill import stands_still
from lifeboat.sandbox.state import SandboxError
from tests.live.farm import Farm, farm
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Build = Callable[[str], Postgres]

OWNER = Owner(user="shop_owner", password="it's a pass:word\\", database="shop")


@pytest.fixture(scope="module")
def land() -> Iterator[Farm]:
    with farm() as made:
        yield made


@pytest.fixture
def build(land: Farm) -> Iterator[Build]:
    """Makes servers by name; they are removed in the end."""
    made: list[Postgres] = []

    def build(name: str) -> Postgres:
        made.append(land.postgres(name))
        return made[-1]

    yield build
    for server in made:
        server.remove()
    # A later server of its name must not take its log for its own.
    shutil.rmtree(land.directory / "wal", ignore_errors=True)


@pytest.fixture
def primary(build: Build) -> Postgres:
    server = build("primary")
    server.create(OWNER)
    return server


@pytest.fixture
def replica(build: Build, primary: Postgres) -> Postgres:
    server = build("replica")
    server.clone_from(primary.source())
    server.start()
    return server


def login(server: Postgres, **changed: Any) -> psycopg.Connection[tuple[Any, ...]]:  # noqa: ANN401 - psycopg's own
    """As the owner, with the password."""
    as_owner = {"user": OWNER.user, "password": OWNER.password, "dbname": OWNER.database, "connect_timeout": 2}
    return psycopg.connect(
        host=server.place.address, port=server.place.port, autocommit=True, **{**as_owner, **changed}
    )


def write(server: Postgres, *numbers: int) -> None:
    with login(server) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (number bigint PRIMARY KEY)")
        connection.cursor().executemany("INSERT INTO orders VALUES (%s)", [(number,) for number in numbers])


def rows(server: Postgres) -> list[int]:
    """What is in the table; nothing when a replica does not have it so far."""
    with login(server) as connection:
        try:
            return [number for (number,) in connection.execute("SELECT number FROM orders ORDER BY number")]
        except psycopg.errors.UndefinedTable:
            return []


def test_the_owner_and_nobody_else_gets_in(primary: Postgres) -> None:
    write(primary, 1)
    assert rows(primary) == [1]
    for wrong in ({"password": "wrong"}, {"user": "rdsadmin", "password": ""}):
        with pytest.raises(psycopg.OperationalError, match="password"):
            login(primary, **wrong)
    with primary.connect() as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)


def test_no_password_is_in_logs_settings_or_arguments(primary: Postgres, land: Farm) -> None:
    primary.set_owner(Owner(user=OWNER.user, password="another secret", database=OWNER.database))
    secrets = {OWNER.password, "another secret", primary.place.passwords.superuser, primary.place.passwords.replication}
    seen = [path.read_text() for path in (land.directory / "logs").iterdir()] + [primary.place.conf.read_text()]
    for pid in primary.pids():
        # One that serves a session may end meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            seen.append(Path(f"/proc/{pid}/cmdline").read_text())
    assert [secret for secret in secrets for text in seen if str(secret) in text] == []
    with pytest.raises(psycopg.OperationalError, match="password"):
        login(primary)


def test_a_replica_has_what_was_written_and_takes_nothing(primary: Postgres, replica: Postgres) -> None:
    write(primary, 1, 2)
    until(lambda: rows(replica) == [1, 2])
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        write(replica, 3)
    assert replica.standby


def test_rows_survive_a_crash(primary: Postgres, land: Farm) -> None:
    write(primary, *range(100))
    pids = primary.pids()
    primary.kill()
    # A server cannot start while one of these has its memory.
    assert all(stands_still(pid) for pid in pids)
    until(lambda: primary.pid is None)
    assert primary.name in land.ended
    primary.start()
    assert rows(primary) == list(range(100))


def test_a_promoted_replica_takes_writes_and_the_old_primary_follows_it(primary: Postgres, replica: Postgres) -> None:
    write(primary, 1)
    until(lambda: rows(replica) == [1])
    replica.promote()
    write(replica, 2)
    # Too late: the other one leads.
    write(primary, 99)
    primary.stop()
    assert primary.rewind_or_reclone(replica.source()) == "rewound"
    primary.start()
    write(replica, 3)
    until(lambda: rows(primary) == [1, 2, 3])
    assert primary.standby
    assert not replica.standby


def test_one_whose_rewind_was_cut_short_is_cloned(
    primary: Postgres, replica: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(primary, 1)
    until(lambda: rows(replica) == [1])
    replica.promote()
    write(replica, 2)
    primary.stop()
    with monkeypatch.context() as cut:
        cut.setattr(primary, "follow", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            primary.rewind_or_reclone(replica.source())
    # Rewound once more it would recover what it has, on the writer's own timeline, and never follow it.
    assert primary.rewind_or_reclone(replica.source()) == "cloned"
    primary.start()
    write(replica, 3)
    until(lambda: rows(primary) == [1, 2, 3])
    primary.stop()
    assert primary.rewind_or_reclone(replica.source()) == "rewound"


def test_a_copy_follows_from_the_moment_that_it_is_there(
    primary: Postgres, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(primary, 1)
    copy = build("copy")
    monkeypatch.setattr(copy, "follow", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        copy.clone_from(primary.source())
    assert copy.made
    assert copy.standby


def test_a_server_without_common_history_is_cloned(build: Build, primary: Postgres) -> None:
    write(primary, 1)
    stranger = build("stranger")
    stranger.create(OWNER)
    stranger.stop()
    assert stranger.rewind_or_reclone(primary.source()) == "cloned"
    stranger.start()
    assert rows(stranger) == [1]


def test_a_backup_is_restored_without_what_came_later(build: Build, primary: Postgres, land: Farm) -> None:
    write(primary, 1)
    base = land.directory / "backups" / "first"
    primary.backup(base)
    write(primary, 2)
    restored = build("restored")
    restored.restore(base)
    assert rows(restored) == [1]
    write(restored, 3)


def test_a_point_in_time_is_restored_from_the_archive(build: Build, primary: Postgres, land: Farm) -> None:
    base = land.directory / "backups" / "timed"
    primary.backup(base)
    write(primary, 1)
    with primary.connect() as connection:
        ((moment,),) = connection.execute("SELECT clock_timestamp()").fetchall()
    write(primary, 666)
    primary.archive_now()
    restored, latest = build("restored"), build("latest")
    restored.restore(base, primary.place.archive, moment)
    assert rows(restored) == [1]
    write(restored, 2)
    latest.restore(base, primary.place.archive, None)
    assert rows(latest) == [1, 666]


def test_a_moment_after_the_last_commit_is_the_archives_end(build: Build, primary: Postgres, land: Farm) -> None:
    base = land.directory / "backups" / "idle"
    primary.backup(base)
    write(primary, 1)
    primary.archive_now()
    with primary.connect() as connection:
        ((moment,),) = connection.execute("SELECT clock_timestamp() + interval '1 hour'").fetchall()
    restored = build("restored")
    restored.restore(base, primary.place.archive, moment)
    assert rows(restored) == [1]


def test_a_frozen_server_does_not_answer_until_it_thaws(primary: Postgres) -> None:
    write(primary, 1)
    with login(primary) as connection:
        primary.freeze()
        assert len(primary.pids()) > 1
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            login(primary)
        primary.thaw()
        until(lambda: rows(primary) == [1])
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_frozen_server_is_gone_when_the_gateway_is() -> None:
    with farm() as land:
        passwords = Passwords(superuser="a", replication="b")
        directory, address = land.directory / "data", land.network.address("frozen")
        place = Place(name="frozen", directory=directory, address=address, passwords=passwords, account=land.account)
        server = Postgres(place, land.processes)
        server.create(OWNER)
        server.freeze()
        pids = server.pids()
        land.processes.close()
        until(lambda: not [pid for pid in pids if alive(pid)])


def test_a_start_that_fails_says_why(primary: Postgres) -> None:
    primary.stop()
    primary.place.write(primary.place.conf, primary.place.conf.read_text() + "port = none\n")
    with pytest.raises(SandboxError, match=r"primary: .*FATAL: .*contains errors"):
        primary.start()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
