"""What a site had acknowledged that the active one never got: found before the site is overwritten by rejoining."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import Error, sql

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.stores import DatabaseMechanism, ObjectMechanism
from lifeboat.recovery import heartbeats, objects, run_entries
from lifeboat.recovery.journal import Detail, told_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.recovery.run_state import StepRun

_TABLES = "SELECT schemaname, relname FROM pg_stat_user_tables WHERE schemaname NOT LIKE 'lifeboat%' ORDER BY 1, 2"
_REPORT = "divergence"
"""Key of the step."""
_COUNT = sql.SQL("SELECT count(*) FROM {}")


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """One store's."""

    store: str
    said: str
    facts: Mapping[str, Detail] = field(default_factory=dict[str, Detail])


def report(run: StepRun, *, back: str, active: str) -> tuple[Divergence, ...]:
    """Compare every store that is copied. It only reads.

    Args:
        run: With both sites answering.
        back: The site that comes back.
        active: The one that took over.
    """
    databases = [_database(run, design.settings.name, back, active) for design in run.physical.topology.databases]
    stores = [
        _objects(run, design.settings.name, back, active)
        for design in run.physical.topology.object_stores
        if design.mechanism is not ObjectMechanism.NONE
    ]
    return (*databases, *stores)


def first_report(run: StepRun) -> tuple[str, Mapping[str, Detail]] | None:
    """The first rejoin of this epoch that reported, and what; a later report may be of what it overwrote by then.

    None: this is the first one.

    Raises:
        JournalLost: when the journal does not answer.
    """
    epoch = run.lease.read().record.epoch
    for name in run.entries.runs():
        if name == run.run or not name.startswith(f"{Mode.REJOIN.value}-"):
            continue
        ended = run_entries.done(run.entries.read(name))
        if _REPORT in ended and "decide" in ended and ended["decide"].detail.get("epoch") == epoch:
            return name, ended[_REPORT].detail
    return None


def row_counts(run: StepRun, region: str, database: str, *, reader: bool = True) -> dict[str, int]:
    """Rows of every table of a region's copy, counted; `reader`: of the copy that is read, not of what writes."""
    with run.ports.sql(region, database, reader=reader) as session:
        # One by one: to count them all in one statement takes XML, which not every server is built with.
        return {
            f"{schema}.{table}": int(session.execute(_COUNT.format(sql.Identifier(schema, table))).fetchone()[0])
            for schema, table in session.execute(_TABLES).fetchall()
        }


def _database(run: StepRun, database: str, back: str, active: str) -> Divergence:
    """By heartbeats: how much later than the newest one that the active site has the old one still took writes."""
    # Beside an old writer that is left as it was, a replica of the active one may stand by now: it tells nothing.
    reader = run.physical.database(database).mechanism is DatabaseMechanism.AURORA_GLOBAL
    try:
        last = heartbeats.newest(run, back, database, back, reader=reader)
        arrived = heartbeats.newest(run, active, database, back)
        here, there = row_counts(run, back, database, reader=reader), row_counts(run, active, database)
    except (Error, OSError, LookupError) as fault:
        return Divergence(
            store=database, said=f"{database}: cannot be told: {told_of(fault)}", facts={"unknown": told_of(fault)}
        )
    more = {table: count - there.get(table, 0) for table, count in here.items() if count > there.get(table, 0)}
    facts: dict[str, Detail] = {f"rows-only-in-{back}:{table}": count for table, count in more.items()}
    rows = f", {sum(more.values())} rows more in {len(more)} tables" if more else ""
    if last is None or arrived is None:
        return Divergence(store=database, said=f"{database}: no heartbeat to compare{rows}", facts=facts)
    seconds = max(0.0, round(last - arrived, 3))
    told = f"{seconds:g} s of writes are in {back} alone" if seconds else f"{back} has nothing that is missing"
    return Divergence(store=database, said=f"{database}: {told}{rows}", facts={"seconds": seconds, **facts})


def _objects(run: StepRun, store: str, back: str, active: str) -> Divergence:
    found = objects.missing(run, store, back, active)
    if found is None:
        return Divergence(
            store=store, said=f"{store}: too many objects to compare by listing", facts={"unknown": "too many"}
        )
    shown = ", ".join(sorted(found)[:5])
    said = f"{store}: {len(found)} objects are in {back} alone" + (f" ({shown})" if found else "")
    return Divergence(store=store, said=said, facts={"objects": len(found)})
