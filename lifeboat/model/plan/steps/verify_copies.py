"""Before the way home: the copies hold the same, by positions, counts and checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, deadline
from lifeboat.model.plan.graph import Call, Mode, PlanStep, Stage
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "verify_copies"

_LIVE = {DatabaseMechanism.REPLICA, DatabaseMechanism.AURORA_GLOBAL}


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where home becomes active again and something is copied as it is written."""
    compared = [design.settings for design in context.databases if design.mechanism in _LIVE]
    if context.mode is not Mode.FAILBACK or not compared:
        return
    calls: list[Call] = []
    for region in (context.source, context.target):
        calls += context.session(region, "count rows")
    timing = TIMINGS[Step.COPIES_COMPARED]
    count = "SELECT relname, n_live_tup FROM pg_stat_user_tables ORDER BY 1"
    yield PlanStep(
        key="verify-copies",
        kind=KIND,
        title=f"Compare the databases in {context.source} and {context.target}",
        stage=Stage.DETECT,
        region=context.target,
        after=frozenset({"resynchronise"}),
        calls=tuple(calls),
        timing=timing,
        timeout=deadline(timing),
        idempotency="it only reads; each run compares anew",
        undo=READS_ONLY,
        by_hand=tuple(
            f'psql "host=$EITHER_SITE dbname={own.database} user={own.username} sslmode=require" -c "{count}"'
            for own in compared
        ),
    )
