"""Compare the databases of both sites: the same tables, and nowhere fewer rows than before the comparison began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.recovery.divergence import row_counts
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from lifeboat.model.plan.graph import PlanStep

GATE = True
"""It only looks."""
_LIVE = {DatabaseMechanism.REPLICA, DatabaseMechanism.AURORA_GLOBAL}


def done(step: PlanStep, run: StepRun) -> bool:
    """Never: each run compares anew."""
    del step, run
    return False


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Count in the active site, then wait until the copy has as many; writes go on meanwhile."""
    del step
    source, target = run.plan.source, run.plan.target
    compared = [each.settings.name for each in run.physical.topology.databases if each.mechanism in _LIVE]
    rows = 0
    for database in compared:
        wanted = row_counts(run, source, database)
        rows += sum(wanted.values())

        def look(database: str = database, wanted: dict[str, int] = wanted) -> bool | None:
            # Rows that are deleted meanwhile are counted again in the active site.
            now, copy = row_counts(run, source, database), row_counts(run, target, database)
            lacking = [table for table, count in wanted.items() if copy.get(table, -1) < min(count, now.get(table, 0))]
            if lacking:
                run.progress(f"{database}: fewer rows in {target}: {', '.join(lacking[:5])}")
            return None if lacking else True

        run.until(look, f"{database} in {target} has every row of {source}")
    return Outcome(said=f"{len(compared)} databases agree, with {rows} rows", facts={"rows": rows})
