"""Take the lease: a new epoch, held by the target. From here on the target's gates open, and nobody else's.

A database that was fenced or stopped while its copies still followed has passed its read-only default on to them: the
target's warden takes that back once its site holds the lease, and ends the sessions that began with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import END_SESSIONS, deadline
from lifeboat.model.plan.graph import PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "take_lease"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where the active site changes."""
    if not context.moves:
        return
    timing, lease, target = TIMINGS[Step.LEASE_ACCESS], context.settings.lease, context.target
    connections = (
        (own.database, f"host=$WRITER dbname={own.database} user={own.username} sslmode=require")
        for own in (design.settings for design in context.databases)
    )
    yield PlanStep(
        key="take-lease",
        kind=KIND,
        title=f"Take the lease for {target}: a new epoch",
        stage=Stage.RECOVER,
        region=target,
        after=frozenset({"fence", "promote_database", "promote_cache", "settle_objects", "scale_compute"}),
        calls=(*context.lease_write, *context.session(target, "ALTER DATABASE", "pg_terminate_backend")),
        timing=timing,
        # A runner that starts anew watches the lease anew, for as long as it may live.
        timeout=deadline(timing, 2.0 * (lease.ttl + lease.clock_margin)),
        idempotency="the lease's holder is the target, in the epoch that follows the one the run began in",
        no_undo="writes are acknowledged in the new epoch from now on; the way back is a failback",
        by_hand=(
            *context.change_lease(f"the holder is {target}, and the epoch is raised by one"),
            *(
                f"PGOPTIONS='-c default_transaction_read_only=off' psql \"{connection}\" "
                f'-c "ALTER DATABASE {name} RESET default_transaction_read_only" -c "{END_SESSIONS}"'
                for name, connection in connections
            ),
        ),
    )
