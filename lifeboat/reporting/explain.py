"""The page behind `lifeboat explain`: every decision, its reason, what was rejected, and the arithmetic."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lifeboat.model.bounds import duration, method
from lifeboat.model.design import Quantity
from lifeboat.model.plan.refusals import PlanRefused
from lifeboat.model.settings import format_duration
from lifeboat.reporting.overview import recovery, total
from lifeboat.reporting.plan import projected, projection_document

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lifeboat.model.design import Bound, Decision, Demand, Topology, Verdict
    from lifeboat.model.settings import Settings
    from lifeboat.reporting.cost import Estimate
    from lifeboat.reporting.plan import PlanReport
    from lifeboat.reporting.prices import Prices


def explanation(
    settings: Settings, topology: Topology, estimate: Estimate, prices: Prices, failover: PlanReport | PlanRefused
) -> RenderableType:
    """The whole page, for a terminal; `failover` is the plan for the loss of home, or why there is none."""
    heading = f"{settings.system} {settings.environment}: {topology.home.region} (home), {topology.standby.region}"
    parts: list[RenderableType] = [
        Text(f"{heading}, witness {topology.witness}", style="bold"),
        *recovery(topology),
        Text(),
        Text("RTO, as the design is judged by it: the p95 of a projection", style="bold"),
        Padding(_arithmetic(topology.rto), (0, 0, 0, 2)),
        Text("RTO, conservative estimate: every phase at its p95, one after the other; no percentile", style="bold"),
        Padding(_arithmetic(topology.rto.conservative or topology.rto), (0, 0, 0, 2)),
        Text(f"RTO, as the plan for the loss of {topology.home.region} is projected", style="bold"),
        Padding(_projection(failover), (0, 0, 0, 2)),
    ]
    if topology.rpo is not None:
        parts += [Text("RPO, the worst store's", style="bold"), Padding(_arithmetic(topology.rpo), (0, 0, 0, 2))]
    for decision in topology.decisions:
        parts += [Text(), *_decision(decision)]
    parts += [Text(), Text("Standby, by the month", style="bold"), Padding(_cost(estimate), (0, 0, 0, 2))]
    parts += list(total(estimate, prices))
    return Group(*parts)


def document(
    settings: Settings, topology: Topology, estimate: Estimate, prices: Prices, failover: PlanReport | PlanRefused
) -> dict[str, Any]:
    """The same as plain JSON values. Durations are seconds, money is USD a month; a refused plan has no projection."""
    return {
        "system": settings.system,
        "environment": settings.environment,
        "home": topology.home.region,
        "standby": topology.standby.region,
        "witness": topology.witness,
        "strategy": topology.strategy,
        "rto": _bound(topology.rto),
        "projection": None if isinstance(failover, PlanRefused) else projection_document(failover),
        "rpo": None if topology.rpo is None else _bound(topology.rpo),
        "decisions": [_decided(decision) for decision in topology.decisions],
        "standby_cost": {
            "region": estimate.region,
            "monthly_usd": round(estimate.monthly_usd, 2),
            "prices_of": prices.oldest().isoformat(),
            "missing": list(estimate.missing),
            "lines": [asdict(line) for line in estimate.lines],
        },
    }


def _projection(failover: PlanReport | PlanRefused) -> Group:
    lines = (
        [f"refused: {why}" for why in failover.reasons] if isinstance(failover, PlanRefused) else projected(failover)
    )
    return Group(*(Text(line) for line in lines))


def _arithmetic(bound: Bound) -> Text:
    if bound.conservative is not None:
        return Text(f"{duration(bound.seconds)}, {bound.klass} ({bound.arithmetic})")
    return Text(f"{bound.arithmetic} = {duration(bound.seconds)}, {bound.klass}")


def _decision(decision: Decision) -> list[RenderableType]:
    title = Text(decision.capability, style="bold").append(f": {decision.mechanism}", style="bold")
    grid = Table.grid(padding=(0, 2))
    grid.add_row("  why", Text(decision.reason))
    grid.add_row("  chosen by", Text(decision.chosen_by))
    for bound, verdicts in _by_bound(decision):
        met = all(verdict.met for verdict in verdicts)
        mark = Text("meets" if met else "MISSES", style="green" if met else "red")
        demands = ", ".join(_demand(verdict.demand) for verdict in verdicts)
        # The reason often holds the arithmetic already, and it is long.
        arithmetic = "" if bound.arithmetic in decision.reason else f" ({bound.arithmetic})"
        how = f"{method(bound)} " if bound.quantity is Quantity.RTO else ""
        line = f"{bound.quantity.upper()} {demands}: {how}{duration(bound.seconds)} {bound.klass}{arithmetic}"
        grid.add_row(Text("  ").append(mark), Text(line))
    for rejected in decision.rejected:
        grid.add_row("  not", Text(f"{rejected.mechanism}: {rejected.why}"))
    return [title, grid]


def _by_bound(decision: Decision) -> list[tuple[Bound, list[Verdict]]]:
    """Verdicts that one bound answers, together; met and missed apart."""
    found: dict[tuple[Bound, bool], list[Verdict]] = {}
    for verdict in decision.verdicts:
        found.setdefault((verdict.bound, verdict.met), []).append(verdict)
    return [(bound, verdicts) for (bound, _), verdicts in found.items()]


def _demand(demand: Demand) -> str:
    return f"{format_duration(demand.seconds)} of {demand.scope}{' (strict)' if demand.strict else ''}"


def _cost(estimate: Estimate) -> Table:
    table = Table.grid(padding=(0, 2))
    for line in estimate.lines:
        amount = "" if line.monthly_usd is None else f"${line.monthly_usd:,.2f}"
        table.add_row(line.capability, line.item, Text(amount, justify="right"), Text(line.note))
    return table


def _bound(bound: Bound) -> dict[str, Any]:
    found: dict[str, Any] = {
        "seconds": bound.seconds,
        "class": bound.klass,
        "arithmetic": bound.arithmetic,
        "method": method(bound),
    }
    if bound.conservative is not None:
        found["conservative"] = _bound(bound.conservative)
    return found


def _decided(decision: Decision) -> dict[str, Any]:
    return {
        "capability": decision.capability,
        "mechanism": decision.mechanism,
        "reason": decision.reason,
        "chosen_by": decision.chosen_by,
        "verdicts": [
            {
                "quantity": verdict.demand.quantity,
                "scope": verdict.demand.scope,
                "objective_seconds": verdict.demand.seconds,
                "strict": verdict.demand.strict,
                "bound": _bound(verdict.bound),
                "met": verdict.met,
            }
            for verdict in decision.verdicts
        ],
        "rejected": [asdict(rejected) for rejected in decision.rejected],
    }
