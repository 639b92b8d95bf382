"""Verify with a synthetic transaction: written to the new writer and read back, through the names that clients use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import data, deadline
from lifeboat.model.plan.graph import Call, PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step, declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "verify"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where the active site changes."""
    if not context.moves:
        return
    told, dns, target = context.declared.verify, context.settings.dns, context.target
    timing = TIMINGS[Step.VERIFICATION] if told is None else declared(told, "objectives.stack.phases.verify")
    calls: list[Call] = []
    commands: list[str] = []
    calls += context.session(target, "synthetic transaction")
    for design in context.databases:
        own = design.settings
        write = (
            "CREATE TEMP TABLE written AS SELECT now() AS moment; SELECT NOT pg_is_in_recovery(), moment FROM written"
        )
        commands.append(f'psql "host=$WRITER dbname={own.database} user={own.username} sslmode=require" -c "{write}"')
    if dns is not None:
        calls += data("dns", target, "resolve")
        calls += data("http", target, "synthetic transaction")
        commands += [
            f"curl -sS -o /dev/null -w '%{{http_code}}\\n' https://{endpoint.name}.{dns.zone}{endpoint.path}"
            for endpoint in dns.endpoints
        ]
    yield PlanStep(
        key="verify",
        kind=KIND,
        title=f"Verify: a synthetic transaction on the writer in {target}, through the names that clients use",
        stage=Stage.VERIFY,
        region=target,
        after=frozenset({"take_lease", "switch_routing", "dns_tail"}),
        calls=(*calls, *context.lease_read),
        timing=timing,
        timeout=deadline(timing, 120),
        idempotency="its row is named by the run, and written over",
        undo="delete the row",
        by_hand=tuple(commands) or ("# Do what a user does first, and see it answered.",),
    )
