"""Whether a restored database can be used: read in full, its constraints asked, and compared with what it is a copy of.

All of it is plain reading: whoever verifies needs no more than to read every table. A whole row is read as text, which
takes every value out of where it is stored; a page whose checksum is wrong fails there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import errors, sql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifeboat.recovery.ports import SqlConnection

LEAST_BYTES: Final = 1000
"""A backup under this size has failed, whatever it says of itself."""
SIZE_FACTOR: Final = 10
"""How many times larger or smaller than its source a restored database may be."""
_ALMOST_NOTHING: Final = 16 * 2**20
"""Bytes below which no factor is asked: a new database is all catalogue."""
_SYSTEM: Final = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'"
# Unlogged and temporary tables are empty after every restore.
_TABLES: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND {_SYSTEM} ORDER BY pg_relation_size(c.oid), 1, 2
"""  # noqa: S608 - a constant
# A sequential scan reads what the table has, whatever its indexes say.
_PLAIN: Final = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off"
_INDEXES: Final = f"""
SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.amname = 'btree' AND c.relpersistence = 'p' AND i.indisvalid AND {_SYSTEM} ORDER BY 1
"""  # noqa: S608 - a constant
_CONSTRAINTS: Final = f"""
SELECT n.nspname, c.relname, k.conname, k.contype::text, k.convalidated, pg_get_expr(k.conbin, k.conrelid),
  (SELECT array_agg(a.attname::text ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
  fn.nspname, fc.relname,
  (SELECT array_agg(a.attname::text ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class fc ON fc.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace
WHERE k.contype IN ('f', 'c', 'p', 'u') AND k.conparentid = 0 AND {_SYSTEM} ORDER BY 1, 2, 3
"""  # noqa: S608 - a constant
_SIZE: Final = "SELECT pg_database_size(current_database())"
_SINCE: Final = """
SELECT extract(epoch FROM greatest(pg_postmaster_start_time(), stats_reset))::float
FROM pg_stat_database WHERE datname = current_database()
"""
_BEAT: Final = """
SELECT extract(epoch FROM max(beat_at))::float, max(epoch) FROM lifeboat_heartbeat.heartbeat
"""
_NO_BEATS: Final = (errors.UndefinedTable, errors.InvalidSchemaName)
_SOURCE_STATEMENT: Final = 10_000
"""Milliseconds that the source may take to count one table: it has other work."""
_SHOWN: Final = 3

Table = str
"""Schema and name: ``public.orders``."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One thing that was looked at in a restored backup."""

    name: str
    passed: bool | None
    """None: it could not be found out, and that alone does not fail the backup."""
    said: str
    seconds: float = 0.0


@dataclass(kw_only=True)
class Facts:
    """What a database holds."""

    size: int = 0
    """Bytes."""
    rows: dict[Table, int] = field(default_factory=dict[Table, int])
    """By table; only tables that could be counted."""
    beat: float | None = None
    """When the newest heartbeat in it was written: seconds since the epoch."""
    epoch: int | None = None
    """The lease's epoch then."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a backup is compared with, counted before it was read."""

    facts: Facts
    since: float | None
    """From when on `inserted` counts: seconds since the epoch."""
    inserted: Mapping[Table, int]
    """Rows that were inserted into each table since then, those that were rolled back included."""
    unmoved: bool = False
    """No other server has ever written: the lease is in its first epoch."""


def count_source(session: SqlConnection) -> Facts:
    """Count the source, smallest tables first; a table that takes too long is left out."""
    facts = Facts(size=session.execute(_SIZE).fetchone()[0])
    session.execute(f"SET statement_timeout = {_SOURCE_STATEMENT}")
    for schema, name in session.execute(_TABLES).fetchall():
        try:
            facts.rows[f"{schema}.{name}"] = session.execute(_count(schema, name)).fetchone()[0]
        except errors.QueryCanceled:
            break
        except psycopg.DatabaseError as fault:
            if session.closed:
                raise
            # What the source cannot read is its own trouble; the backup may still have it.
            del fault
    facts.beat, facts.epoch = _beat(session)
    return facts


def count_inserts(session: SqlConnection) -> tuple[float | None, dict[Table, int]]:
    """How much was inserted into the source, to be asked well after `count_source`: servers tell it with a delay."""
    row = session.execute(_SINCE).fetchone()
    found = session.execute("SELECT schemaname, relname, n_tup_ins FROM pg_stat_user_tables").fetchall()
    return (row[0] if row else None), {f"{schema}.{name}": inserted for schema, name, inserted in found}


class Reading:
    """Reads one restored database.

    Args:
        session: A connection to it that commits by itself.
        clock: Monotonic seconds.
    """

    def __init__(self, session: SqlConnection, clock: Callable[[], float]) -> None:
        self._session = session
        self._clock = clock
        self.facts = Facts()

    def checks(self) -> list[Checked]:
        """Everything that it says by itself; a fault of one look keeps none of the others from being made."""
        return [
            self._timed("size", self._size),
            self._timed("readable", self._readable),
            self._timed("indexes", self._indexes),
            self._timed("constraints", self._constraints),
        ]

    def compared(self, source: Source | None, *, at: float, limit: float) -> list[Checked]:
        """How it compares with its source, as it was when it was counted.

        Args:
            source: None when it did not answer.
            at: The moment that was restored: seconds since the epoch.
            limit: Seconds that its newest heartbeat may be older than that.
        """
        return [
            self._timed("size of source", lambda: size_compared(self.facts, source)),
            self._timed("rows of source", lambda: rows_compared(self.facts, source, at)),
            self._timed("recovery point", lambda: self._recovered(source, at, limit)),
        ]

    def _timed(self, name: str, look: Callable[[], tuple[bool | None, str]]) -> Checked:
        began = self._clock()
        try:
            passed, said = look()
        except psycopg.Error as fault:
            passed, said = False, first_line(fault)
        return Checked(name=name, passed=passed, said=said, seconds=round(self._clock() - began, 3))

    def _size(self) -> tuple[bool, str]:
        self.facts.size = size = self._session.execute(_SIZE).fetchone()[0]
        return size >= LEAST_BYTES, f"{size} bytes: accepted is {LEAST_BYTES} or more"

    def _readable(self) -> tuple[bool, str]:
        self._session.execute(_PLAIN)
        checksums = self._session.execute("SHOW data_checksums").fetchone()[0]
        faults: list[str] = []
        tables = self._session.execute(_TABLES).fetchall()
        for schema, name in tables:
            table = f"{schema}.{name}"
            try:
                row = self._session.execute(_read(schema, name)).fetchone()
            except psycopg.DatabaseError as fault:
                faults.append(f"{table}: {first_line(fault)}")
                continue
            self.facts.rows[table] = row[0]
        if faults:
            return False, _some(faults)
        rows = sum(self.facts.rows.values())
        return True, f"{len(tables)} tables with {rows} rows read in full, data checksums {checksums}"

    def _indexes(self) -> tuple[bool | None, str]:
        if not self._session.execute("SELECT FROM pg_available_extensions WHERE name = 'amcheck'").rowcount:
            return None, "amcheck is not available here: uniqueness is checked in the tables themselves"
        try:
            self._session.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            indexes = [name for (name,) in self._session.execute(_INDEXES).fetchall()]
            faults: list[str] = []
            for name in indexes:
                try:
                    # With the table: each row must be found in the index.
                    self._session.execute("SELECT bt_index_check(%s::regclass, true)", [name])
                except (errors.DataCorrupted, errors.IndexCorrupted, errors.InternalError_) as fault:
                    faults.append(f"{name}: {first_line(fault)}")
        except errors.InsufficientPrivilege as fault:
            return None, first_line(fault)
        return (False, _some(faults)) if faults else (True, f"{len(indexes)} B-tree indexes agree with their tables")

    def _constraints(self) -> tuple[bool, str]:
        found = self._session.execute(_CONSTRAINTS).fetchall()
        faults: list[str] = []
        for schema, table, name, kind, validated, expression, columns, other, parent, keys in found:
            where = f"{schema}.{table}: {name}"
            child = sql.Identifier(schema, table)
            if not validated:
                faults.append(f"{where} is NOT VALID")
            if kind == "f":
                query = _orphans(child, columns, sql.Identifier(other, parent), keys)
            elif kind == "c":
                query = sql.SQL("SELECT count(*) FROM {} WHERE NOT ({})").format(child, sql.SQL(expression))
            else:
                query = _twice(child, columns)
            try:
                wrong = self._session.execute(query).fetchone()[0]
            except psycopg.DatabaseError as fault:
                faults.append(f"{where} cannot be asked: {first_line(fault)}")
                continue
            if wrong:
                faults.append(f"{where} is violated by {wrong}")
        return (False, _some(faults)) if faults else (True, f"{len(found)} constraints hold")

    def _recovered(self, source: Source | None, at: float, limit: float) -> tuple[bool | None, str]:
        self.facts.beat, self.facts.epoch = _beat(self._session)
        return recovery_point(self.facts, source, at=at, limit=limit)


def size_compared(facts: Facts, source: Source | None) -> tuple[bool | None, str]:
    """Whether a restored database is about as large as its source."""
    if source is None:
        return None, "the source did not answer"
    theirs = source.facts.size
    said = f"{facts.size} bytes beside {theirs}: accepted is a factor of {SIZE_FACTOR}"
    small, large = sorted((facts.size, theirs))
    return large <= max(small * SIZE_FACTOR, _ALMOST_NOTHING), said


def rows_compared(facts: Facts, source: Source | None, at: float) -> tuple[bool | None, str]:
    """Whether the source has only rows more than the backup that were inserted since.

    Fewer rows than the backup need no explanation: rows are deleted. More rows than the source inserted since its
    statistics began cannot be new ones, so the backup lacks rows that it should have; where the statistics began after
    the moment that was restored, or another server inserted meanwhile, nobody knows.
    """
    if source is None:
        return None, "the source did not answer"
    theirs = source.facts
    missing = {table: rows - facts.rows.get(table, 0) for table, rows in theirs.rows.items()}
    unexplained = [
        f"{table} lacks {lacking} rows, {source.inserted.get(table, 0)} were inserted since"
        for table, lacking in missing.items()
        if lacking > source.inserted.get(table, 0)
    ]
    if not unexplained:
        return True, f"{len(missing)} tables of the source compared"
    if source.since is None or source.since > at:
        return None, f"{_some(unexplained)}; but the source's statistics begin after the moment that was restored"
    if not source.unmoved and (theirs.epoch is None or theirs.epoch != facts.epoch):
        return None, f"{_some(unexplained)}; but it is not known that the same server has written since"
    return False, _some(unexplained)


def recovery_point(facts: Facts, source: Source | None, *, at: float, limit: float) -> tuple[bool | None, str]:
    """Whether the newest heartbeat is as young as the moment that was restored, or as the source's own newest."""
    theirs = None if source is None else source.facts.beat
    if facts.beat is None:
        if theirs is not None and source is not None and theirs < at:
            return False, "no heartbeat in it, and the source had one by then"
        return None, "no heartbeat in it"
    expected = at if theirs is None else min(at, theirs)
    behind = max(0.0, expected - facts.beat)
    said = f"its newest heartbeat is {behind:.1f} s older than the moment that was restored: accepted is {limit:g} s"
    return behind <= limit, said


def first_line(fault: Exception) -> str:
    """A fault in one line."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0]


def _beat(session: SqlConnection) -> tuple[float | None, int | None]:
    try:
        row = session.execute(_BEAT).fetchone()
    except _NO_BEATS:
        return None, None
    return (row[0], row[1]) if row else (None, None)


def _count(schema: str, table: str) -> sql.Composed:
    return sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(schema, table))


def _read(schema: str, table: str) -> sql.Composed:
    # An alias that is no column's name: then it is the whole row.
    row = sql.Identifier("whole row")
    return sql.SQL("SELECT count(*), sum(octet_length({0}::text)) FROM ONLY {1} AS {0}").format(
        row, sql.Identifier(schema, table)
    )


def _orphans(child: sql.Identifier, columns: Sequence[str], parent: sql.Identifier, keys: Sequence[str]) -> Any:  # noqa: ANN401 - a query
    pairs = [
        sql.SQL("c.{} = p.{}").format(sql.Identifier(mine), sql.Identifier(theirs))
        for mine, theirs in zip(columns, keys, strict=True)
    ]
    told = [sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(mine)) for mine in columns]
    return sql.SQL("SELECT count(*) FROM {} c WHERE {} AND NOT EXISTS (SELECT FROM {} p WHERE {})").format(
        child, sql.SQL(" AND ").join(told), parent, sql.SQL(" AND ").join(pairs)
    )


def _twice(table: sql.Identifier, columns: Sequence[str]) -> Any:  # noqa: ANN401 - a query
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    told = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(each)) for each in columns)
    return sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1) twice").format(
        table, told, listed
    )


def _some(faults: Sequence[str]) -> str:
    more = len(faults) - _SHOWN
    return "; ".join(faults[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
