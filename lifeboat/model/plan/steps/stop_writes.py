"""Maintenance: stop writes where they are taken now. Gateways refuse, databases turn read-only, their sessions end.

Whoever writes is told by the refusal itself when to come back; nothing has to be announced before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import END_SESSIONS, deadline
from lifeboat.model.plan.graph import Call, PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "stop_writes"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where both sites answer; a site that does not fences itself."""
    if not context.graceful:
        return
    timing = TIMINGS[Step.WRITES_STOP]
    calls: list[Call] = [*context.lease_write]
    commands = ["# Gateways: shut the gate of every instance in the site."]
    calls += context.session(context.source, "ALTER DATABASE", "pg_terminate_backend")
    for design in context.databases:
        own = design.settings
        refuse = f"ALTER DATABASE {own.database} SET default_transaction_read_only = on"
        connection = f"host=$WRITER dbname={own.database} user={own.username} sslmode=require"
        commands += [
            f"# The writer of {own.name} in {context.source}, as {own.username}:",
            f'psql "{connection}" -c "{refuse}" -c "{END_SESSIONS}"',
        ]
    yield PlanStep(
        key="stop-writes",
        kind=KIND,
        title=f"Maintenance in {context.source}: reads go on, gates refuse writes, databases are read-only",
        stage=Stage.RECOVER,
        region=context.source,
        after=frozenset({"decide", "scale_compute"}),
        calls=tuple(calls),
        timing=timing,
        timeout=deadline(timing),
        idempotency="gates are shut and the databases' default is read-only; doing it again changes nothing",
        undo="databases writable again, gates open: the lease is still the source's",
        by_hand=tuple(commands),
    )
