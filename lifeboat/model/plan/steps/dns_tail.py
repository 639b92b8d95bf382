"""Wait until what resolvers remember of the old answer has run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, data, deadline
from lifeboat.model.plan.graph import PlanStep, Stage
from lifeboat.model.timings import Evidence, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "dns_tail"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where the stack has names that fail over."""
    dns = context.settings.dns
    if not context.moves or context.topology.routing is None or dns is None:
        return
    timing = Timing(dns.ttl / 2, dns.ttl, (Evidence.PRIOR, Evidence.DECLARED), "dns.ttl: half of it is left at p50")
    yield PlanStep(
        key="dns-tail",
        kind=KIND,
        title=f"Wait until the names answer with {context.target}, and {dns.ttl} s of TTL have run out",
        stage=Stage.RECOVER,
        region=context.target,
        after=frozenset({"switch_routing"}),
        calls=data("dns", context.target, "resolve"),
        timing=timing,
        timeout=deadline(timing, 120),
        idempotency="it only looks; each run looks anew",
        undo=READS_ONLY,
        by_hand=tuple(f"dig +short {endpoint.name}.{dns.zone}" for endpoint in dns.endpoints),
    )
