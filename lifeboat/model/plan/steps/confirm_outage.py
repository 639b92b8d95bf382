"""Confirm that the region is lost, from two of three viewpoints, for as long as the stack declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, data, deadline
from lifeboat.model.plan.graph import Mode, PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step, declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "confirm_outage"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where a region is lost."""
    if context.mode is not Mode.FAILOVER:
        return
    settings, told = context.settings, context.declared.detect
    confirm = declared(settings.lease.confirm_for, "lease.confirm_for")
    timing = (
        declared(told, "objectives.stack.phases.detect")
        if told is not None
        else TIMINGS[Step.HEALTH_CHECK_FAST].then(confirm)
    )
    probes: list[str] = []
    if settings.dns is not None:
        for endpoint in settings.dns.endpoints:
            host = settings.dns.target(endpoint, context.source)
            probes.append(
                f"curl --max-time 5 -sS -o /dev/null -w '%{{http_code}}\\n' https://{host}:{endpoint.port}{endpoint.path}"
            )
    yield PlanStep(
        key="confirm-outage",
        kind=KIND,
        title=f"Confirm from two of three viewpoints that {context.source} is lost",
        stage=Stage.DETECT,
        region=context.target,
        calls=(
            *data("dns", context.source, "resolve", best_effort=True),
            *data("http", context.source, "GET /health/ready", best_effort=True),
            *context.lease_read,
            *context.views_read,
        ),
        timing=timing,
        timeout=deadline(timing),
        idempotency="it only reads; each run confirms anew",
        undo=READS_ONLY,
        by_hand=(
            f"# From {context.target}, from {context.topology.witness} and from outside of AWS: two of three fail,",
            f"# for {settings.lease.confirm_for} s without a success:",
            *probes,
            "# The beat in the lease stands still once its holder no longer renews it:",
            context.show_lease,
        ),
    )
