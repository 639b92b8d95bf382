"""A site's orders in a real database, under a gate that changes at the worst moments."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from lifeboat.sandbox.live.gate import GateShutError, GateState
from lifeboat.sandbox.live.postgres import Postgres
from lifeboat.sandbox.live.postgres_setup import Owner, Passwords, Place
from lifeboat.sandbox.live.resolver import Resolver
from lifeboat.sandbox.live.site_config import ProcessConfig
from lifeboat.sandbox.live.site_store import (
    Credentials,
    InvalidOrderError,
    Order,
    Store,
    UnavailableError,
    UnknownOutcomeError,
)
from tests.live.farm import Farm, farm
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

OPEN = GateState(open=True, epoch=3)
OWNER = Owner(user="shop_owner", password="it's a pass:word\\", database="shop")
TIMEOUT = 3.0


@pytest.fixture(scope="module")
def land() -> Iterator[Farm]:
    with farm() as made:
        yield made


@pytest.fixture(scope="module")
def database(land: Farm) -> Postgres:
    place = Place(
        name="store",
        directory=land.directory / "data" / "store",
        address=land.network.address("store"),
        passwords=Passwords.kept_in(land.directory / "passwords.json"),
        account=land.account,
    )
    server = Postgres(place, land.processes)
    server.create(OWNER)
    return server


class Script:
    """A gate that gives one answer after the other, the last one forever."""

    def __init__(self, *answers: GateState | Callable[[], GateState]) -> None:
        self._answers = list(answers)

    def state(self) -> GateState:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer() if callable(answer) else answer

    async def wait_change(self, known: GateState) -> GateState:
        del known
        return await asyncio.Future()


Opened = contextlib.AbstractAsyncContextManager[Store]


@pytest.fixture
def opened(database: Postgres) -> Callable[[Script], Opened]:
    assert OWNER.password
    assert OWNER.database
    credentials = Credentials(
        host=database.place.address,
        port=database.place.port,
        user=OWNER.user,
        password=OWNER.password,
        database=OWNER.database,
    )
    config = ProcessConfig(
        site="us-east-1",
        address="",
        port=0,
        name_server="127.0.0.1",
        name_server_port=1,
        credentials="",
        gate="",
        capacity="",
        clock="",
        request_timeout=TIMEOUT,
        pool=2,
    )

    @contextlib.asynccontextmanager
    async def store(gate: Script) -> AsyncIterator[Store]:
        made = Store(config, credentials=credentials, resolver=Resolver(("127.0.0.1", 1)), gate=gate)
        try:
            yield made
        finally:
            await made.close()

    return store


def shop(database: Postgres) -> psycopg.Connection[tuple[Any, ...]]:
    return database.connect(dbname=OWNER.database)


def numbers(database: Postgres, client: str) -> list[int]:
    with shop(database) as connection:
        rows = connection.execute("SELECT number FROM orders WHERE client = %s ORDER BY 1", [client]).fetchall()
    return [number for (number,) in rows]


def put(
    opened: Callable[[Script], Opened], client: str, *answers: GateState | Callable[[], GateState]
) -> tuple[Order, bool]:
    async def once() -> tuple[Order, bool]:
        async with opened(Script(*answers)) as store:
            return await store.put(client, 7, {"a": 1})

    return asyncio.run(once())


def test_an_order_is_written_once_and_found_again(opened: Callable[[Script], Opened], database: Postgres) -> None:
    first, new = put(opened, "once", OPEN)
    again, new_again = put(opened, "once", GateState(open=True, epoch=4))
    assert (new, new_again) == (True, False)
    assert first == again
    assert (first.site, first.epoch, first.payload) == ("us-east-1", 3, {"a": 1})
    assert first.committed_at.utcoffset() is not None
    assert numbers(database, "once") == [7]


SHUT = GateState(open=False, epoch=3, reason="lease lost")
LATER = GateState(open=True, epoch=4)


@pytest.mark.parametrize("now", [SHUT, LATER], ids=["shut", "another epoch"])
@pytest.mark.parametrize("looks", [1, 2])
def test_a_gate_that_changes_before_the_commit_aborts(
    opened: Callable[[Script], Opened], database: Postgres, now: GateState, looks: int
) -> None:
    put(opened, "before", OPEN)
    client = f"aborted-{looks}-{now.epoch}"
    with pytest.raises(GateShutError, match=r"lease lost|epoch 4 holds"):
        put(opened, client, *[OPEN] * looks, now)
    assert numbers(database, client) == []


@pytest.mark.parametrize("now", [SHUT, LATER], ids=["shut", "another epoch"])
def test_a_commit_that_overlaps_the_gates_end_is_not_promised(
    opened: Callable[[Script], Opened], database: Postgres, now: GateState
) -> None:
    put(opened, "before", OPEN)
    client = f"overlapped-{now.epoch}"
    with pytest.raises(UnknownOutcomeError, match="the commit was sent"):
        put(opened, client, OPEN, OPEN, OPEN, now)
    assert numbers(database, client) == [7]


def test_a_site_frozen_before_its_commit_commits_nothing_later(
    opened: Callable[[Script], Opened], database: Postgres
) -> None:
    put(opened, "before", OPEN)

    def ended() -> bool:
        with shop(database) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'site-us-east-1'"
            return connection.execute(query).fetchone() == (0,)

    def freeze() -> GateState:
        # As a whole: the event loop stands still while this waits.
        until(ended)
        return OPEN

    with pytest.raises((UnknownOutcomeError, UnavailableError)):
        put(opened, "frozen", OPEN, OPEN, freeze, OPEN)
    assert numbers(database, "frozen") == []


def test_an_order_that_waits_for_another_is_given_up(opened: Callable[[Script], Opened], database: Postgres) -> None:
    put(opened, "before", OPEN)
    with shop(database) as connection, connection.transaction():
        connection.execute("INSERT INTO orders VALUES ('waits', 7, '{}', 'x', 1)")
        with pytest.raises(UnavailableError, match=r"did not answer within 3 s|statement timeout"):
            put(opened, "waits", OPEN)
        raise psycopg.Rollback
    assert numbers(database, "waits") == []


def test_a_frozen_database_holds_no_request_and_is_used_again(
    opened: Callable[[Script], Opened], database: Postgres
) -> None:
    async def through() -> None:
        async with opened(Script(OPEN)) as store:
            await store.put("thawed", 1, {})
            await asyncio.to_thread(database.freeze)
            try:
                for number in (2, 3, 4):
                    with pytest.raises(UnavailableError, match="did not answer within 3 s"):
                        await store.put("thawed", number, {})
                with pytest.raises(UnavailableError, match="did not answer within 3 s"):
                    await store.probe()
            finally:
                await asyncio.to_thread(database.thaw)
            await store.put("thawed", 5, {})

    asyncio.run(through())
    assert numbers(database, "thawed") == [1, 5]


def test_two_sites_make_the_table_at_once(opened: Callable[[Script], Opened], database: Postgres) -> None:
    async def both() -> list[bool]:
        async with opened(Script(OPEN)) as one, opened(Script(OPEN)) as other:
            made = await asyncio.gather(*(store.put("race", n, {}) for n, store in enumerate([one, other] * 2)))
            return [new for _, new in made]

    for _ in range(5):
        with shop(database) as connection:
            connection.execute("DROP TABLE IF EXISTS orders")
        assert asyncio.run(both()) == [True] * 4


def test_nothing_is_found_before_the_first_order(opened: Callable[[Script], Opened], database: Postgres) -> None:
    async def read() -> tuple[object, object]:
        async with opened(Script(SHUT)) as store:
            return await store.get("c", 1), await store.list("c", 0, 10)

    with shop(database) as connection:
        connection.execute("DROP TABLE IF EXISTS orders")
    assert asyncio.run(read()) == (None, [])


def test_what_the_database_cannot_store_is_the_clients_fault(opened: Callable[[Script], Opened]) -> None:
    async def store_nul() -> None:
        async with opened(Script(OPEN)) as store:
            await store.put("nul", 1, {"text": "\x00"})

    with pytest.raises(InvalidOrderError):
        asyncio.run(store_nul())


def test_credentials_are_for_their_owner_and_in_no_text(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    credentials = Credentials(host="db.example", port=5432, user="u", password="s3cret", database="d")
    credentials.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Credentials.load(path) == credentials
    assert "s3cret" not in repr(credentials)
    path.write_text(json.dumps({"password": "s3cret"}))
    with pytest.raises(ValueError, match="expected are exactly the keys host, port") as refusal:
        Credentials.load(path)
    assert "s3cret" not in str(refusal.value)
