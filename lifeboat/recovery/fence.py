"""Self-fencing at the databases: no session goes on, no new one writes unless it insists.

The gate stops what asks it; this stops what does not. A database's setting is what RDS lets its master user change; it
is written to the log like data and so arrives at replicas: a promoted database may be born fenced, and is lifted by
its site's warden, or by the step that promoted it. A session keeps the setting that it began with: those that began
behind a fence end when it is lifted, or a pool that holds them would write never again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, LiteralString, Protocol

from psycopg import Error, sql

from lifeboat.model.plan.context import CLIENT_SESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from psycopg import Connection

_WRITABLE: Final = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"
"""A fenced database's own setting would refuse to be changed by a session that obeys it."""
_LIMITS: Final = "SET lock_timeout = '2s'; SET statement_timeout = '4s'"
_END_SESSIONS: Final = (
    "SELECT array_agg(activity.pid), clock_timestamp(), bool_and(pg_terminate_backend(activity.pid)) " + CLIENT_SESSIONS
)
_IS_FENCED: Final = """
SELECT count(*) FROM pg_db_role_setting AS own JOIN pg_database AS it ON it.oid = own.setdatabase
WHERE it.datname = current_database() AND own.setrole = 0
  AND own.setconfig && ARRAY['default_transaction_read_only=on', 'default_transaction_read_only=off']
"""
"""It is off, and not unset, until the sessions behind it are ended: whoever does that may be killed before it has."""
_LEFT: Final = "FROM pg_stat_activity WHERE pid = ANY(%s) AND backend_start <= %s"
_AWAIT_END: Final = "SELECT pg_terminate_backend(pid, 2000) " + _LEFT
"""The first is a signal and no more; a session in the middle of a commit may still acknowledge it. In milliseconds."""
_COUNT_LEFT: Final = "SELECT count(*) " + _LEFT
BEGINNING: Final = """
SELECT pid FROM pg_locks WHERE locktype = 'object' AND mode = 'RowExclusiveLock'
  AND classid = 'pg_database'::regclass AND objid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""A session that begins holds this lock from before it reads its settings until after it is listed."""
_LOOKS: Final = 100
_BETWEEN_LOOKS: Final = "SELECT pg_sleep(0.02)"
"""Seconds; beginning takes milliseconds."""


class FenceError(Exception):
    """A database could not be fenced or lifted; its text is one line."""


class Fencing(Protocol):
    """Stops and allows writes where the gate is not asked."""

    def fence(self) -> None:
        """No write is acknowledged any more once this returns.

        Raises:
            FenceError: when that cannot be said of every database.
        """
        ...

    def lift(self) -> None:
        """Writes are possible again.

        Raises:
            FenceError: when some database does not take them so far.
        """
        ...


class DatabaseFence:
    """The databases of one site.

    Args:
        connect: Opens a session to a database by its logical name, as its master user, with autocommit; 5 s at most.
        databases: Logical names.
    """

    def __init__(self, connect: Callable[[str], AbstractContextManager[Connection]], databases: Sequence[str]) -> None:
        self._connect = connect
        self._databases = tuple(databases)

    def fence(self) -> None:
        """Make each database read-only for new transactions, and end every session; all are tried."""
        self._each(fence)

    def lift(self) -> None:
        """Take each database's setting back; all are tried."""
        self._each(lift)

    def _each(self, act: Callable[[Connection], None]) -> None:
        if not self._databases:
            return
        # Side by side: one that hangs must not take the time that the others are to be fenced in.
        with ThreadPoolExecutor(len(self._databases), thread_name_prefix="fence") as pool:
            faults = list(filter(None, pool.map(partial(self._fault, act), self._databases)))
        if faults:
            raise FenceError("; ".join(faults))

    def _fault(self, act: Callable[[Connection], None], name: str) -> str:
        """Why it could not be done at one database; empty when it was."""
        try:
            with self._connect(name) as session:
                act(session)
        except (Error, OSError, LookupError, FenceError) as fault:
            return f"{name}: {' '.join(str(fault).split())}"
        except Exception as fault:  # noqa: BLE001 - an SDK's own; whatever it is, the others are still to be fenced
            return f"{name}: {type(fault).__name__}: {' '.join(str(fault).split())}"
        return ""


def fence(session: Connection) -> None:
    """Fence the database of a session. A replica takes no writes anyhow, and is left alone.

    Raises:
        FenceError: when a session that began before does not end: it may still commit.
    """
    if _one(session, "SELECT pg_is_in_recovery()"):
        return
    session.execute(_LIMITS)
    session.execute(_WRITABLE)
    _set(session, "SET default_transaction_read_only = on")
    _await_beginning(session)
    # Sessions that began before have the old setting; ending them ends what they were about to commit.
    row = session.execute(_END_SESSIONS).fetchone()
    if row is None or row[0] is None:
        return
    before = (row[0], row[1])
    session.execute(_AWAIT_END, before)
    left = session.execute(_COUNT_LEFT, before).fetchone()
    if left is None or left[0]:
        raise FenceError(f"{left[0] if left else 'some'} sessions have not ended so far, and may still commit")


def lift(session: Connection) -> None:
    """Lift the fence of a session's database, and end the sessions that began behind it: clients connect anew.

    Raises:
        FenceError: when it is a replica still: the setting can be taken back once it is promoted.
    """
    if _one(session, "SELECT pg_is_in_recovery()"):
        raise FenceError("is a replica so far: to be lifted when it is promoted")
    session.execute(_LIMITS)
    session.execute(_WRITABLE)
    if not _one(session, _IS_FENCED):
        return
    _set(session, "SET default_transaction_read_only = off")
    _await_beginning(session)
    session.execute(_END_SESSIONS)
    _set(session, "RESET default_transaction_read_only")


def _set(session: Connection, clause: LiteralString) -> None:
    name = str(_one(session, "SELECT current_database()"))
    session.execute(sql.SQL("ALTER DATABASE {} " + clause).format(sql.Identifier(name)))


def _await_beginning(session: Connection) -> None:
    """Wait until whoever may have begun with the setting of before is listed; whoever begins later has the new one.

    Raises:
        FenceError: when some session does not come to an end with beginning.
    """
    beginning = set(session.execute(BEGINNING).fetchall())
    for _ in range(_LOOKS):
        if not beginning:
            return
        session.execute(_BETWEEN_LOOKS)
        beginning &= set(session.execute(BEGINNING).fetchall())
    raise FenceError(f"{len(beginning)} sessions have not begun so far, and would have the setting of before")


def _one(session: Connection, question: LiteralString) -> object:
    row = session.execute(question).fetchone()
    return None if row is None else row[0]
