"""A fenced database takes no writes and has no sessions, and a lifted one takes them again: on a real server."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError

from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import load
from lifeboat.model.topology import resolve
from lifeboat.recovery.fence import BEGINNING, DatabaseFence, FenceError
from lifeboat.recovery.system_ports import Surroundings, SystemPorts
from lifeboat.sandbox.live.postgres_setup import Owner
from tests.live.test_postgres import (  # noqa: F401 - fixtures
    OWNER,
    build,
    land,
    login,
    primary,
    replica,
    rows,
    write,
)
from tests.live.waiting import until
from tests.unit.model.declarations import changed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lifeboat.sandbox.live.postgres import Postgres


def fence_of(server: Postgres) -> DatabaseFence:
    def connect(name: str) -> AbstractContextManager[psycopg.Connection]:
        if name != "shop":
            raise LookupError(f"no database {name}")
        return login(server)

    return DatabaseFence(connect, ["shop"])


def test_a_fence_ends_sessions_and_stops_writes_until_it_is_lifted(primary: Postgres) -> None:  # noqa: F811
    write(primary, 1)
    with login(primary) as open_session:
        open_session.autocommit = False
        open_session.execute("INSERT INTO orders VALUES (2)")
        fencing = fence_of(primary)
        fencing.fence()
        # What was about to be committed is not.
        with pytest.raises(psycopg.OperationalError):
            open_session.commit()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        write(primary, 3)
    assert rows(primary) == [1]
    fencing.fence()
    fencing.lift()
    fencing.lift()
    write(primary, 4)
    assert rows(primary) == [1, 4]


def test_a_session_that_began_behind_a_fence_ends_with_it_and_no_other_does(primary: Postgres) -> None:  # noqa: F811
    write(primary, 1)
    fencing = fence_of(primary)
    fencing.fence()
    with login(primary) as pooled:
        fencing.lift()
        # It would have been read-only for as long as somebody held it.
        with pytest.raises(psycopg.OperationalError):
            pooled.execute("SELECT 1")
    with login(primary) as pooled:
        fencing.lift()
        pooled.execute("INSERT INTO orders VALUES (2)")
    assert rows(primary) == [1, 2]


def test_who_goes_on_with_a_lift_ends_the_sessions_that_are_left(
    primary: Postgres,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(primary, 1)
    fence_of(primary).fence()
    with login(primary) as pooled:
        with monkeypatch.context() as killed:
            killed.setattr("lifeboat.recovery.fence._await_beginning", Mock(side_effect=FenceError("killed")))
            with pytest.raises(FenceError, match="killed"):
                fence_of(primary).lift()
        write(primary, 2)
        fence_of(primary).lift()
        with pytest.raises(psycopg.OperationalError):
            pooled.execute("SELECT 1")
    assert rows(primary) == [1, 2]


def test_a_session_that_begins_while_the_fence_is_set_does_not_escape_it(primary: Postgres) -> None:  # noqa: F811
    write(primary, 1)
    with ThreadPoolExecutor(1) as pool, login(primary) as watching:
        # It has read its settings, and is not listed among the sessions so far.
        beginning = pool.submit(login, primary, options="-c post_auth_delay=1")
        until(lambda: watching.execute(BEGINNING).fetchone())
        fence_of(primary).fence()
        with pytest.raises(psycopg.OperationalError), beginning.result() as escaped:
            escaped.execute("INSERT INTO orders VALUES (2)")
    assert rows(primary) == [1]
    fence_of(primary).lift()


def test_a_replica_is_born_fenced_and_lifted_once_it_is_promoted(
    primary: Postgres,  # noqa: F811
    replica: Postgres,  # noqa: F811
) -> None:
    write(primary, 1)
    fence_of(primary).fence()
    until(lambda: rows(replica) == [1])
    fencing = fence_of(replica)
    # It takes no writes anyhow.
    fencing.fence()
    with pytest.raises(FenceError, match="shop: is a replica so far"):
        fencing.lift()
    primary.kill()
    replica.promote()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        write(replica, 2)
    fencing.lift()
    write(replica, 2)
    assert rows(replica) == [1, 2]


def test_replication_goes_on_behind_a_fence(primary: Postgres, replica: Postgres) -> None:  # noqa: F811
    write(primary, 1)
    until(lambda: rows(replica) == [1])
    fencing = fence_of(primary)
    fencing.fence()
    fencing.lift()
    write(primary, 2)
    until(lambda: rows(replica) == [1, 2])


def test_what_cannot_be_fenced_is_named_and_the_others_are(primary: Postgres) -> None:  # noqa: F811
    write(primary, 1)
    working = fence_of(primary)

    def connect(name: str) -> AbstractContextManager[psycopg.Connection]:
        if name == "gone":
            raise LookupError("no database gone")
        return login(primary)

    with pytest.raises(FenceError, match="gone: no database gone"):
        DatabaseFence(connect, ["gone", "shop"]).fence()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        write(primary, 2)
    working.lift()


def test_a_session_that_was_only_told_to_end_is_no_fence(primary: Postgres) -> None:  # noqa: F811
    with login(primary) as writer:
        backend = writer.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        try:
            # It may be about to acknowledge what it commits.
            with pytest.raises(FenceError, match="1 sessions have not ended"):
                fence_of(primary).fence()
        finally:
            os.kill(backend, signal.SIGCONT)
        fence_of(primary).fence()
    fence_of(primary).lift()


class Cloud:
    """What tells a database's endpoint and password, and may be cut off."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.password = OWNER.password
        self.reachable = True
        self.asked = 0

    def client(self, service: str, region: str, **_: bool) -> Cloud:
        if not self.reachable:
            raise EndpointConnectionError(endpoint_url=f"https://{service}.{region}")
        return self

    def describe_db_instances(self, *, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.asked += 1
        place, (asked,) = self.server.place, Filters
        endpoint = {"Address": place.address, "Port": place.port}
        return {"DBInstances": [{"DBInstanceIdentifier": asked["Values"][-1], "Endpoint": endpoint}]}

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": self.password}


def ports_of(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> SystemPorts:
    database = {"name": "shop", "services": ["orders"], "username": OWNER.user, "database": OWNER.database}
    settings = load(changed(("databases", [database])))
    physical = Physical(settings=settings, topology=resolve(settings))

    def client(_: SystemPorts, service: str, region: str, **how: bool) -> Cloud:
        return cloud.client(service, region, **how)

    monkeypatch.setattr(SystemPorts, "client", client)
    return SystemPorts(physical, Surroundings(encrypted=False), remember=True)


def test_a_site_that_is_cut_off_from_its_apis_still_fences_its_database(
    primary: Postgres,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(primary, 1)
    cloud = Cloud(primary)
    ports = ports_of(cloud, monkeypatch)
    fencing = DatabaseFence(lambda name: ports.sql("eu-west-1", name, best_effort=True), ["shop"])
    # As a holder does when it begins to hold.
    fencing.lift()
    cloud.reachable = False
    fencing.fence()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        write(primary, 2)
    fencing.lift()
    assert cloud.asked == 1


def test_a_database_with_another_password_is_asked_for_anew(
    primary: Postgres,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = Cloud(primary)
    ports = ports_of(cloud, monkeypatch)
    ports.sql("eu-west-1", "shop", best_effort=True).close()
    cloud.password = "another secret"
    primary.set_owner(Owner(user=OWNER.user, password=cloud.password, database=OWNER.database))
    cloud.reachable = False
    with pytest.raises(psycopg.OperationalError, match="password"):
        ports.sql("eu-west-1", "shop", best_effort=True)
    cloud.reachable = True
    ports.sql("eu-west-1", "shop", best_effort=True).close()
    assert cloud.asked == 2
