"""Tell people: that it began, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import aws, data, deadline
from lifeboat.model.plan.graph import PlanStep, Stage
from lifeboat.model.timings import TIMINGS, Step, declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context
    from lifeboat.model.timings import Timing

KIND = "notify"


def steps(context: Context) -> Iterable[PlanStep]:
    """Two. Nothing waits for them, unless the stack declares how long it takes to tell everybody."""
    told = context.declared.communicate
    sent = TIMINGS[Step.NOTIFICATION]
    began = f"{context.settings.prefix}: {context.mode} from {context.source} to {context.target} has begun"
    ended = f"{context.settings.prefix}: {context.target} is active"
    last = {"verify", "rejoin", "close_exposure"}
    yield _step(context, "began", began, {"decide"}, sent, Stage.AFTERWARDS)
    if told is None:
        yield _step(context, "ended", ended, last, sent, Stage.AFTERWARDS)
    else:
        timing = declared(told, "objectives.stack.phases.communicate")
        yield _step(context, "ended", ended, last, timing, Stage.COMMUNICATE)


def _step(  # noqa: PLR0913, PLR0917 - what differs between the two
    context: Context, which: str, message: str, after: set[str], timing: Timing, stage: Stage
) -> PlanStep:
    region = context.target
    return PlanStep(
        key=f"notify/{which}",
        kind=KIND,
        title=f"Tell people that it has {'begun' if which == 'began' else which}",
        stage=stage,
        region=region,
        after=frozenset(after),
        calls=data("sns", region, "Publish"),
        timing=timing,
        timeout=deadline(timing),
        idempotency="the run tells each thing once, by its journal; a second message harms nobody",
        no_undo="what was said was said",
        by_hand=(aws("sns publish", region, topic_arn=context.names.alerts(region), message=message),),
    )
