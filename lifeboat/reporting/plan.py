"""The page and the document behind `lifeboat plan`: every step, what it asks of whom, and how long the whole takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lifeboat.model.bounds import duration
from lifeboat.model.plan.context import READS_ONLY
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.plan.refusals import PlanRefused
from lifeboat.model.projection import project

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lifeboat.model.design import Bound, Topology
    from lifeboat.model.plan.graph import Call, Plan, PlanStep
    from lifeboat.model.projection import Projection
    from lifeboat.model.records import Records
    from lifeboat.model.settings import Settings
    from lifeboat.model.timings import Timing

FORMAT = 1
"""Of the document. A key may be added; what a key means changes with this number only."""


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """A plan, and what surrounds it on every outlet."""

    settings: Settings
    topology: Topology
    plan: Plan
    projection: Projection

    @property
    def objective(self) -> float | None:
        """The RTO that the projection is held against, seconds; a rejoin has none."""
        return None if self.plan.mode is Mode.REJOIN else self.topology.demanded_rto

    @property
    def conservative(self) -> Bound:
        """The conservative estimate for the loss of home: a sum of p95s, no percentile."""
        return self.topology.rto.conservative or self.topology.rto

    @property
    def met(self) -> bool | None:
        """Whether the projection's p95 keeps to the objective; None without one."""
        return None if self.objective is None else self.projection.p95 <= self.objective

    @property
    def heading(self) -> str:
        """``reskflow production: failover from us-east-1 to us-west-2, us-east-1 lost``."""
        plan = self.plan
        lost = f", {' and '.join(sorted(plan.lost))} lost" if plan.lost else ""
        way = f"{plan.source} beside {plan.target}" if plan.mode is Mode.REJOIN else f"{plan.source} to {plan.target}"
        joint = "of" if plan.mode is Mode.REJOIN else "from"
        return f"{self.settings.system} {self.settings.environment}: {plan.mode} {joint} {way}{lost}"


def of_home_lost(settings: Settings, topology: Topology, records: Records) -> PlanReport | PlanRefused:
    """The plan for the loss of home, or why there is none."""
    try:
        plan = derive(settings, topology, mode=Mode.FAILOVER, lost={topology.home.region})
    except PlanRefused as refused:
        return refused
    return PlanReport(settings=settings, topology=topology, plan=plan, projection=project(plan, records=records))


def page(report: PlanReport) -> RenderableType:
    """The whole plan, for a terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("", "stage", "step", "after", "asks", "p50", "p95", "deadline", "undo"):
        durations = title in {"p50", "p95", "deadline"}
        table.add_column(title, justify="right" if durations or not title else "left", no_wrap=durations)
    numbers = numbered(report.plan)
    # As measured, where drills did.
    timings = {share.key: share.timing for share in report.projection.shares}
    for step in report.plan.steps:
        timing = timings.get(step.key, step.timing)
        table.add_row(
            str(numbers[step.key]),
            step.stage,
            Text(step.title),
            ", ".join(str(number) for number in awaited(step, numbers)),
            Text("\n".join(_places(step))),
            duration(timing.p50),
            duration(timing.p95),
            duration(step.timeout),
            Text(_way_back(step)),
        )
    return Group(
        Text(report.heading, style="bold"),
        Padding(Group(*(Text(line) for line in projected(report))), (0, 0, 1, 2)),
        table,
    )


def projected(report: PlanReport) -> list[str]:
    """The projection in words, a line each."""
    found, objective = report.projection, report.objective
    against = ""
    if objective is not None:
        against = f"; the objective of {duration(objective)} is {'met' if report.met else 'MISSED'} at p95"
    drawn = f"{found.samples} samples, seed {found.seed}"
    bound = f"if every step ran to its deadline: {duration(found.bound)}"
    lines = [
        f"{found.what}: p50 {duration(found.p50)}, p95 {duration(found.p95)}{against} ({drawn})",
        f"{bound}; {found.given_up:.1%} of the samples run into a deadline",
    ]
    if report.plan.mode is Mode.FAILOVER:
        summed = duration(report.conservative.seconds)
        lines.append(f"conservative estimate, every phase at its p95 one after the other: {summed}; no percentile")
    if found.dominating is not None:
        share = found.dominating
        lines.append(
            f"{share.key} adds most: {duration(share.seconds)} on average, on the longest path in {share.critical:.0%} "
            "of the samples"
        )
    lines.append(f"{found.priors:.0%} of the time rests on figures that are, at least in part, our own guess")
    measured = [share for share in found.shares if "measured" in share.timing.evidence[:1]]
    lines += [f"{share.key} as measured: {share.timing.source}" for share in measured if "runs" in share.timing.source]
    return lines


def numbered(plan: Plan) -> dict[str, int]:
    """Each step's number on a page, by its key."""
    return {step.key: number for number, step in enumerate(plan.steps, start=1)}


def awaited(step: PlanStep, numbers: dict[str, int]) -> list[int]:
    """Numbers of the steps that must have ended."""
    return sorted(numbers[key] for key in step.after)


def asked(step: PlanStep) -> list[str]:
    """What a step asks of whom, the operations of one service in one place together."""
    found: dict[tuple[str, str, str, bool], list[str]] = {}
    for call in step.calls:
        found.setdefault((call.service, call.region, call.plane, call.best_effort), []).append(call.operation)
    return [
        f"{service} {', '.join(dict.fromkeys(operations))} ({region}, {plane}{', best effort' if best_effort else ''})"
        for (service, region, plane, best_effort), operations in found.items()
    ]


def _places(step: PlanStep) -> list[str]:
    """Whom a step asks, without what."""
    found = (
        f"{call.service} {call.region} {call.plane}{', best effort' if call.best_effort else ''}" for call in step.calls
    )
    return list(dict.fromkeys(found))


def _way_back(step: PlanStep) -> str:
    if step.no_undo is not None:
        return f"none: {step.no_undo}"
    return "" if step.undo == READS_ONLY else str(step.undo)


def document(report: PlanReport) -> dict[str, Any]:
    """The same as plain JSON values. Durations are seconds, shares are 0 to 1; what has no bound is null.

    The shape is kept (`FORMAT`):

    - ``format``, ``system``, ``environment``, ``mode``, ``source``, ``target``, ``lost`` (sorted)
    - ``steps``: in an order that can be followed; each with ``key``, ``kind``, ``title``, ``stage``, ``region``,
      ``store``, ``mechanism``, ``after`` (keys), ``calls`` (``service``, ``operation``, ``region``, ``plane``,
      ``best_effort``, ``quorum``), ``timing`` (``p50``, ``p95``, ``evidence``, ``source``), ``timeout``,
      ``idempotency``, ``undo``, ``no_undo``, ``who``, ``by_hand``
    - ``projection``: ``what``, ``p50``, ``p95``, ``bound``, ``objective``, ``met``, ``priors``, ``given_up``,
      ``samples``, ``seed``, ``dominating`` (a key), ``shares`` (``key``, ``critical``, ``seconds``, ``timing``) and,
      of a failover, ``conservative_sum``: every phase at its p95, one after the other
    """
    plan = report.plan
    return {
        "format": FORMAT,
        "system": report.settings.system,
        "environment": report.settings.environment,
        "mode": plan.mode.value,
        "source": plan.source,
        "target": plan.target,
        "lost": sorted(plan.lost),
        "steps": [_step(step) for step in plan.steps],
        "projection": projection_document(report),
    }


def projection_document(report: PlanReport) -> dict[str, Any]:
    """The projection alone, as `document` has it."""
    found = report.projection
    return {
        "what": found.what,
        "p50": _finite(found.p50),
        "p95": _finite(found.p95),
        "bound": _finite(found.bound),
        "objective": report.objective,
        "met": report.met,
        "priors": round(found.priors, 4),
        "given_up": round(found.given_up, 4),
        "samples": found.samples,
        "seed": found.seed,
        "dominating": None if found.dominating is None else found.dominating.key,
        "shares": [
            {
                "key": share.key,
                "critical": round(share.critical, 4),
                "seconds": _finite(share.seconds),
                "timing": _timing(share.timing),
            }
            for share in found.shares
        ],
        "conservative_sum": _finite(report.conservative.seconds) if report.plan.mode is Mode.FAILOVER else None,
    }


def _step(step: PlanStep) -> dict[str, Any]:
    return {
        "key": step.key,
        "kind": step.kind,
        "title": step.title,
        "stage": step.stage.value,
        "region": step.region,
        "store": step.store,
        "mechanism": None if step.mechanism is None else str(step.mechanism),
        "after": sorted(step.after),
        "calls": [_call(call) for call in step.calls],
        "timing": _timing(step.timing),
        "timeout": step.timeout,
        "idempotency": step.idempotency,
        "undo": step.undo,
        "no_undo": step.no_undo,
        "who": step.who,
        "by_hand": list(step.by_hand),
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "plane": call.plane.value,
        "best_effort": call.best_effort,
        "quorum": sorted(call.quorum),
    }


def _timing(timing: Timing) -> dict[str, Any]:
    evidence = [each.value for each in timing.evidence]
    return {"p50": _finite(timing.p50), "p95": _finite(timing.p95), "evidence": evidence, "source": timing.source}


def _finite(seconds: float) -> float | None:
    return None if math.isinf(seconds) else round(seconds, 3)
