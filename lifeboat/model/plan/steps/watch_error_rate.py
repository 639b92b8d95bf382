"""After the way home: watch the error rate, and go back past the declared one; without a copy there, tell people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import data, deadline
from lifeboat.model.plan.graph import Mode, PlanStep, Stage
from lifeboat.model.timings import declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "watch_error_rate"


def steps(context: Context) -> Iterable[PlanStep]:
    """One, where home becomes active again."""
    if context.mode is not Mode.FAILBACK:
        return
    rule, dns, target = context.settings.failback, context.settings.dns, context.target
    timing = declared(rule.window, "failback.window")
    names = [(f"{each.name}.{dns.zone}", each) for each in dns.endpoints] if dns is not None else []
    past = f"past {rule.error_percent} %"
    if context.unprotected:
        lacking = ", ".join(context.unprotected)
        then = f"{past}, tell people: {context.source} has no copy of {lacking} to go back to"
        no_undo = f"it only watches; there is no way back by itself before {context.source} has rejoined"
        hands = (
            f"# If more than {rule.error_percent} % fail within {rule.window} s, nothing goes back by itself:",
            f"# mend {target}, or have the copy of {lacking} built in {context.source}, and go there:",
            "# `lifeboat rejoin STACK`, then `lifeboat failover STACK --graceful`",
        )
    else:
        then = f"{past}, go back to {context.source}"
        no_undo = f"it only watches; what goes back to {context.source} is a switchover, which the command then begins"
        hands = (
            f"# If more than {rule.error_percent} % fail within {rule.window} s, go back:",
            "# `lifeboat failover STACK --graceful`",
        )
    yield PlanStep(
        key="watch-error-rate",
        kind=KIND,
        title=f"Watch the errors of the services in {target}: {then}",
        stage=Stage.AFTERWARDS,
        region=target,
        after=frozenset({"verify", "rejoin"}),
        calls=(*data("dns", target, "resolve"), *data("http", target, "GET")),
        timing=timing,
        timeout=deadline(timing),
        idempotency="a run that is resumed watches anew",
        no_undo=no_undo,
        by_hand=(
            *(f"curl -sS -o /dev/null -w '%{{http_code}}\\n' https://{name}{each.path}" for name, each in names),
            *hands,
        ),
    )
