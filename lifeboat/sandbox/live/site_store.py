"""A site's orders in its own database: few connections, a deadline for each request, no write that its gate forbids."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import psycopg
from psycopg import errors
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import Jsonb

from lifeboat.sandbox.live.gate import GateShutError, require_open
from lifeboat.sandbox.live.resolver import ResolutionError
from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from datetime import datetime
    from pathlib import Path
    from typing import LiteralString, Self

    from lifeboat.sandbox.live.gate import WriteGate
    from lifeboat.sandbox.live.resolver import Resolver
    from lifeboat.sandbox.live.site_config import ProcessConfig

Result = TypeVar("Result")

_SUSPICIOUS: Final = (psycopg.OperationalError, errors.ReadOnlySqlTransaction, asyncio.CancelledError)

_CREATE: Final = """
CREATE TABLE IF NOT EXISTS orders (
    client text NOT NULL,
    number bigint NOT NULL,
    payload jsonb NOT NULL,
    site text NOT NULL,
    epoch bigint NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (client, number)
)"""
_CREATION_LOCK: Final = 7_401_966
"""Two sites that make the table at once would collide in the catalogue in spite of IF NOT EXISTS."""
_INSERT: Final = """
INSERT INTO orders (client, number, payload, site, epoch) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (client, number) DO NOTHING
RETURNING client, number, payload, site, epoch, committed_at"""
_ONE: Final = """
SELECT client, number, payload, site, epoch, committed_at FROM orders WHERE client = %s AND number = %s"""
_MANY: Final = """
SELECT client, number, payload, site, epoch, committed_at FROM orders WHERE client = %s AND number > %s
ORDER BY number LIMIT %s"""
_PROBE: Final = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::bool"
_CANCELLATION: Final = 0.2
"""Seconds that the database has to give up a query before its connection is dropped."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """How to reach a database; kept in a file that only its owner may read, never in arguments or logs."""

    host: str
    """An address, or a name that the sandbox's name server knows."""
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ValueError: when the file holds anything else; what it holds is not repeated.
        """
        loaded: object = json.loads(path.read_bytes())
        found = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
        if set(found) != {part.name for part in fields(cls)}:
            raise ValueError(f"{path}: expected are exactly the keys {', '.join(part.name for part in fields(cls))}")
        return cls(**found)

    def save(self, path: Path) -> None:
        """Write them, for the owner only."""
        write_private(path, json.dumps(asdict(self)) + "\n")


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as the database has it."""

    client: str
    number: int
    payload: dict[str, Any]
    site: str
    """The region that took it."""
    epoch: int
    """The lease's epoch in which it was taken."""
    committed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a look at the database found."""

    in_recovery: bool
    """It is a standby."""
    read_only: bool
    """It takes no writes, for that or another reason."""
    latency: float
    """Seconds that one query took."""


class UnavailableError(Exception):
    """The database cannot do it now, and nothing was written; its text says why."""


class UnknownOutcomeError(Exception):
    """The commit was sent, and whether it holds is not known, or may not be promised; its text says why."""


class InvalidOrderError(Exception):
    """What the database can never store; its text says why."""


@dataclass
class _Attempt:
    commit_sent: bool = False


class _Pool:
    """At most so many connections; the one used last is used first, so that the rest may be stale but costs nothing."""

    def __init__(self, size: int, connect: Callable[[], Coroutine[Any, Any, psycopg.AsyncConnection]]) -> None:
        self._free = asyncio.Semaphore(size)
        self._connect = connect
        self._idle: list[psycopg.AsyncConnection] = []
        self.used = 0

    @property
    def open(self) -> int:
        """Connections that there are, idle or in use."""
        return self.used + len(self._idle)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncGenerator[psycopg.AsyncConnection]:
        async with self._free:
            connection = self._idle.pop() if self._idle else await self._connect()
            self.used += 1
            try:
                yield connection
            except BaseException as fault:
                await connection.close()
                if isinstance(fault, _SUSPICIOUS):
                    # The server went or is late, or another has the name by now: the others lead to the same one.
                    await self.close()
                raise
            else:
                self._idle.append(connection)
            finally:
                self.used -= 1

    async def close(self) -> None:
        """Close the idle ones."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()


class Store:
    """Orders of one site.

    Args:
        config: The site's name, which is noted in what is written, its pool and its deadline. One connection beyond the
            pool is for probes, which must not queue behind orders.
        credentials: The database.
        resolver: Finds its address, anew for each connection as far as its TTL lets it.
        gate: Decides over writes.
    """

    def __init__(self, config: ProcessConfig, *, credentials: Credentials, resolver: Resolver, gate: WriteGate) -> None:
        self._site = config.site
        self._timeout = config.request_timeout
        self._idle_limit = config.idle_limit
        self._credentials = credentials
        self._resolver = resolver
        self._gate = gate
        self._pool = _Pool(config.pool, self._connect)
        self._probes = _Pool(1, self._connect)

    @property
    def connections(self) -> int:
        """Connections to the database."""
        return self._pool.open + self._probes.open

    async def put(self, client: str, number: int, payload: dict[str, Any]) -> tuple[Order, bool]:
        """Write an order, or find it when it is there already; tell whether it is new.

        When this returns, the order is committed to the database's disk and its gate was open throughout.

        Raises:
            GateShutError: when the site may not write; nothing was written.
            InvalidOrderError: when it can never be stored.
            UnavailableError: when the database is away, late or takes no writes; nothing was written.
            UnknownOutcomeError: when only the database knows.
        """
        epoch = require_open(self._gate)
        attempt = _Attempt()
        try:
            return await self._within(self._put(client, number, payload, epoch, attempt))
        except errors.DataError as fault:
            raise InvalidOrderError(_line(fault)) from fault
        except (psycopg.Error, GateShutError, UnavailableError) as fault:
            if attempt.commit_sent:
                raise UnknownOutcomeError(f"the commit was sent, then: {_line(fault)}") from fault
            if isinstance(fault, psycopg.Error):
                raise UnavailableError(_line(fault)) from fault
            raise

    async def _put(
        self, client: str, number: int, payload: dict[str, Any], epoch: int, attempt: _Attempt
    ) -> tuple[Order, bool]:
        try:
            return await self._insert(client, number, payload, epoch, attempt)
        except errors.UndefinedTable:
            await self._create(epoch)
            return await self._insert(client, number, payload, epoch, attempt)

    async def _insert(
        self, client: str, number: int, payload: dict[str, Any], epoch: int, attempt: _Attempt
    ) -> tuple[Order, bool]:
        async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Order)) as cursor:
            await cursor.execute("BEGIN")
            # It may have waited for its connection until now.
            require_open(self._gate, epoch)
            await cursor.execute(_INSERT, (client, number, Jsonb(payload), self._site, epoch))
            order = await cursor.fetchone()
            new = order is not None
            if order is None:
                await cursor.execute(_ONE, (client, number))
                order = await cursor.fetchone()
            if order is None:
                raise UnavailableError("the order was there and is gone: it is being deleted")
            require_open(self._gate, epoch)
            attempt.commit_sent = True
            await cursor.execute("COMMIT")
        # A commit that overlapped the gate's end may be missing in what another site took over: it is not promised.
        require_open(self._gate, epoch)
        return order, new

    async def _create(self, epoch: int) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("BEGIN")
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATION_LOCK,))
            await connection.execute(_CREATE)
            require_open(self._gate, epoch)
            await connection.execute("COMMIT")

    async def get(self, client: str, number: int) -> Order | None:
        """An order, None when there is none.

        Raises:
            UnavailableError: when the database is away or late.
        """
        found = await self._read(_ONE, (client, number))
        return found[0] if found else None

    async def list(self, client: str, after: int, limit: int) -> list[Order]:
        """A client's orders with numbers beyond `after`, in their order, at most `limit`.

        Raises:
            UnavailableError: when the database is away or late.
        """
        return await self._read(_MANY, (client, after, limit))

    async def _read(self, query: LiteralString, values: tuple[object, ...]) -> list[Order]:
        async def rows() -> list[Order]:
            async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Order)) as cursor:
                await cursor.execute(query, values)
                return await cursor.fetchall()

        try:
            return await self._within(rows())
        except errors.UndefinedTable:
            # Nobody has written yet, and a standby cannot make it.
            return []
        except psycopg.Error as fault:
            raise UnavailableError(_line(fault)) from fault

    async def probe(self) -> Probe:
        """Look at the database.

        Raises:
            UnavailableError: when it is away or late.
        """

        async def look() -> Probe:
            async with self._probes.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
                started = asyncio.get_running_loop().time()
                await cursor.execute(_PROBE)
                in_recovery, read_only = await cursor.fetchone() or (True, True)
                latency = asyncio.get_running_loop().time() - started
            return Probe(in_recovery=in_recovery, read_only=read_only, latency=latency)

        try:
            return await self._within(look())
        except psycopg.Error as fault:
            raise UnavailableError(_line(fault)) from fault

    async def close(self) -> None:
        """Close what is idle; a request that still runs closes its own."""
        await self._pool.close()
        await self._probes.close()

    async def _connect(self) -> psycopg.AsyncConnection:
        wanted = self._credentials
        try:
            address = await self._resolver.address(wanted.host)
        except ResolutionError as fault:
            raise UnavailableError(f"the database's address is not known: {fault}") from fault
        milliseconds = max(1, round(self._timeout * 1000))
        settings = {
            # The database's own default may be weaker: an answer of 201 promises what is on disk.
            "synchronous_commit": "on",
            "statement_timeout": milliseconds,
            # Ends what a frozen site left open: see the gate.
            "idle_in_transaction_session_timeout": max(1, round(self._idle_limit * 1000)),
            "TimeZone": "UTC",
        }
        return await psycopg.AsyncConnection.connect(
            autocommit=True,
            host=wanted.host,
            hostaddr=address,
            port=wanted.port,
            user=wanted.user,
            password=wanted.password,
            dbname=wanted.database,
            application_name=f"site-{self._site}",
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
        )

    async def _within(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The work's result before the deadline; what is late is abandoned.

        A query that is cancelled waits for the server to confirm, which a frozen one never does: the second
        cancellation makes the client drop the connection instead.
        """
        task = asyncio.create_task(work)
        for seconds in (self._timeout, _CANCELLATION, _CANCELLATION):
            done, _ = await asyncio.wait({task}, timeout=seconds)
            if done:
                break
            task.cancel()
        if not task.done() or task.cancelled():
            raise UnavailableError(f"the database did not answer within {self._timeout:g} s")
        return task.result()


def _line(fault: BaseException) -> str:
    """A failure on one line, without what a database's client adds below."""
    said = str(fault).strip().splitlines()
    if isinstance(fault, errors.ReadOnlySqlTransaction):
        return "the database takes no writes: it is in recovery or read-only"
    return said[0] if said else type(fault).__name__
