"""Report what the site that comes back had acknowledged and the active one never got, before anything overwrites it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, aws, data, deadline
from lifeboat.model.plan.graph import Call, Mode, PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "divergence"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where a lost site comes back."""
    if context.mode is not Mode.REJOIN:
        return
    back, active, names = context.source, context.target, context.names
    calls: list[Call] = [*context.lease_read, *context.journal_read]
    commands: list[str] = []
    for region in (back, active):
        calls += context.session(region, "read the heartbeats, count rows")
    for design in context.databases:
        own = design.settings
        connection = f"host=$OLD_WRITER dbname={own.database} user={own.username} sslmode=require"
        commands += [
            f"# Rows of {own.name} that {back} has and {active} has not, since the last heartbeat that both have:",
            f'pg_dump "{connection}" --data-only --file {own.name}.sql',
        ]
    for store in context.replicated_objects:
        bucket = names.bucket(store.settings.name, back)
        calls += data("s3", back, "ListObjectsV2")
        calls += data("s3", active, "ListObjectsV2")
        commands.append(aws("s3api list-object-versions", back, bucket=bucket))
    timing = TIMINGS[Step.DIVERGENCE_REPORT]
    yield PlanStep(
        key="divergence",
        kind=KIND,
        title=f"Report what {back} had acknowledged and {active} never got",
        stage=Stage.DETECT,
        region=back,
        after=frozenset({"readiness"}),
        calls=tuple(calls),
        timing=timing,
        timeout=deadline(timing),
        idempotency="it only reads; each run writes the report anew",
        undo=READS_ONLY,
        by_hand=tuple(commands) or ("# Nothing keeps data.",),
    )
