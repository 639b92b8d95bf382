"""The heartbeat rows that every writing database gets every few seconds: how far a copy has come, told by its data.

Whoever writes them (the wardens) and whoever reads them agree on one table, one row a site and epoch.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from psycopg import Error, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from lifeboat.recovery.run_state import StepRun

INTERVAL: Final = 5.0
"""Protocol seconds between two rows of a site that holds the lease."""
_log: Final = logging.getLogger(__name__)

_WRITABLE = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"
"""A fenced database takes the one write that says that it is the last."""
SCHEMA = """
CREATE SCHEMA IF NOT EXISTS lifeboat_heartbeat;
CREATE TABLE IF NOT EXISTS lifeboat_heartbeat.heartbeat (
    site text NOT NULL, epoch bigint NOT NULL, beat_at timestamptz NOT NULL, PRIMARY KEY (site, epoch)
)
"""
_BEAT = """
INSERT INTO lifeboat_heartbeat.heartbeat (site, epoch, beat_at) VALUES (%s, %s, clock_timestamp())
ON CONFLICT (site, epoch) DO UPDATE SET beat_at = excluded.beat_at
"""
_MARKS = "CREATE TABLE IF NOT EXISTS lifeboat_heartbeat.mark (run text PRIMARY KEY, marked_at timestamptz NOT NULL)"
_MARK = """
INSERT INTO lifeboat_heartbeat.mark (run, marked_at) VALUES (%s, clock_timestamp())
ON CONFLICT (run) DO UPDATE SET marked_at = excluded.marked_at
RETURNING extract(epoch FROM marked_at)::text
"""
_MARKED = "SELECT extract(epoch FROM marked_at)::text FROM lifeboat_heartbeat.mark WHERE run = %s"
_NEWEST = "SELECT extract(epoch FROM max(beat_at))::float FROM lifeboat_heartbeat.heartbeat WHERE site = %s"
_ABSENT = (errors.UndefinedTable, errors.InvalidSchemaName)


class Beats:
    """Writes the rows of one site, in each of its databases.

    Args:
        site: The region.
        connect: Opens a session to a database by its logical name, as its master user, with autocommit.
        databases: Logical names.
    """

    def __init__(
        self, site: str, connect: Callable[[str], AbstractContextManager[Connection]], databases: Sequence[str]
    ) -> None:
        self._site = site
        self._connect = connect
        self._databases = tuple(databases)

    def beat(self, epoch: int) -> None:
        """Write a row, by the database's own clock; a database that takes none is left for the next time."""
        for name in self._databases:
            try:
                with self._connect(name) as session:
                    self._write(session, epoch)
            except (Error, OSError, LookupError) as fault:
                _log.debug("no heartbeat in %s: %s", name, fault)

    def _write(self, session: Connection, epoch: int) -> None:
        row = (self._site, epoch)
        try:
            session.execute(_BEAT, row)
        except _ABSENT:
            session.execute(SCHEMA)
            session.execute(_BEAT, row)


def mark(run: StepRun, region: str, database: str) -> str:
    """Write a row after the last write, and return what it says."""
    with run.ports.sql(region, database) as session:
        session.execute(_WRITABLE)
        session.execute(SCHEMA)
        session.execute(_MARKS)
        return str(session.execute(_MARK, (run.run,)).fetchone()[0])


def has_mark(run: StepRun, region: str, database: str, said: str) -> bool:
    """Whether a copy has that row."""
    with run.ports.sql(region, database, reader=True) as session:
        try:
            row = session.execute(_MARKED, (run.run,)).fetchone()
        except _ABSENT:
            return False
    return row is not None and row[0] == said


def newest(  # noqa: PLR0913 - whose copy, and how it is asked
    run: StepRun, region: str, database: str, site: str, *, reader: bool = True, best_effort: bool = False
) -> float | None:
    """When a site's newest heartbeat was written that a region's copy has: seconds since the epoch, by the writer.

    None: the copy has none. `reader`: of the copy that is read there, not of what writes.
    """
    with run.ports.sql(region, database, reader=reader, best_effort=best_effort) as session:
        try:
            row = session.execute(_NEWEST, (site,)).fetchone()
        except _ABSENT:
            return None
    return None if row is None or row[0] is None else float(row[0])
