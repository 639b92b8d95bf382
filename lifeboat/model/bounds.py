"""The worst that a mechanism gives: what may be lost, and how long a recovery takes, with class and arithmetic.

What is summed here is a conservative estimate: every phase of a recovery at its p95, one after the other. It is no p95
itself. The loss of a region is judged by a projection (`outlook`), with this beside it; what a region survives has no
plan, and is judged by the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifeboat.model.design import Bound, BoundClass, Demand, Quantity, Verdict
from lifeboat.model.objectives import worded
from lifeboat.model.settings import Settings, format_duration
from lifeboat.model.settings.sites import Approval, RoutingKind, Strategy
from lifeboat.model.timings import TIMINGS, Loss, Step, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.settings.objectives import Phases

_SURE = (BoundClass.ENFORCED, BoundClass.DOCUMENTED)
_BY_SURENESS = tuple(BoundClass)
_GLOBAL_CONTROL_PLANE = "us-east-1"


@dataclass(frozen=True)
class Phase:
    """A part of a recovery: seconds, and what they rest on."""

    name: str
    seconds: float
    klass: BoundClass

    @staticmethod
    def timed(name: str, *steps: Step) -> Phase:
        """A phase that runs `steps` one after the other, each at its p95."""
        found = [TIMINGS[step] for step in steps]
        return Phase(name, sum(timing.p95 for timing in found), weakest(timing.klass for timing in found))

    def __str__(self) -> str:
        return f"{self.name} {duration(self.seconds)}"


INSTANT = Phase("", 0, BoundClass.ENFORCED)
"""No time at all."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The bound of a recovery, and whether it keeps to the limit that the stack declares."""

    bound: Bound
    """A projected p95 with its conservative estimate beside it, or a conservative estimate alone."""
    over: str | None
    """The arithmetic of a declared `recover` phase that is exceeded."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a stack recovers from the loss of a region, apart from its stores."""

    settings: Settings
    strategy: Strategy
    routing: RoutingKind | None


def duration(seconds: float) -> str:
    """A duration in words, unbounded ones too."""
    return "unbounded" if math.isinf(seconds) else format_duration(seconds)


def weakest(classes: Iterable[BoundClass]) -> BoundClass:
    """The least sure of several classes; nothing at all is enforced."""
    return max(classes, key=_BY_SURENESS.index, default=BoundClass.ENFORCED)


def loss(found: Loss) -> Bound:
    """What a way of copying data may lose."""
    return Bound(quantity=Quantity.RPO, seconds=found.seconds, klass=found.klass, arithmetic=found.arithmetic)


def enforced_lag(seconds: int) -> Bound:
    """Aurora Global whose writes stall rather than let the other region fall further behind."""
    arithmetic = f"rds.global_db_rpo {format_duration(seconds)}: writes stall rather than exceed it"
    return Bound(quantity=Quantity.RPO, seconds=seconds, klass=BoundClass.ENFORCED, arithmetic=arithmetic)


def total(phases: Iterable[Phase]) -> Bound:
    """The bound of a recovery that takes these phases one after the other."""
    taken = [phase for phase in phases if phase.seconds]
    seconds = sum(phase.seconds for phase in taken)
    arithmetic = " + ".join(map(str, taken)) if taken else "nothing to wait for"
    return Bound(quantity=Quantity.RTO, seconds=seconds, klass=weakest(p.klass for p in taken), arithmetic=arithmetic)


def longest(bounds: Iterable[Bound]) -> Bound:
    """The bound of things that happen side by side: the longest, as sure as the least sure."""
    found = list(bounds)
    worst = max(found, key=lambda bound: bound.seconds)
    return Bound(
        quantity=worst.quantity,
        seconds=worst.seconds,
        klass=weakest(bound.klass for bound in found if bound.seconds),
        arithmetic=worst.arithmetic,
    )


def estimate(declared: Phases, detect: Phase, decide: Phase, machine: Iterable[Phase], verify: Phase) -> Estimate:
    """A recovery phase by phase, with the declared ones in place of ours.

    A declared `recover` phase is an upper limit on `machine`: it counts instead of it, unless it is exceeded.
    """
    steps = tuple(machine)
    own = total(steps)
    over = None
    if declared.recover is not None and own.seconds <= declared.recover:
        named = f"recover (declared; {duration(own.seconds)} estimated)"
        steps = (Phase(named, declared.recover, BoundClass.DOCUMENTED),)
    elif declared.recover is not None:
        over = (
            f"recovering takes {duration(own.seconds)} by conservative estimate ({own.arithmetic}), "
            f"declared is {duration(declared.recover)}"
        )
    bound = total(
        (
            _declared("detect", declared.detect, detect),
            _declared("decide", declared.decide, decide),
            *steps,
            _declared("verify", declared.verify, verify),
            _declared("communicate", declared.communicate, INSTANT),
        )
    )
    return Estimate(bound=bound, over=over)


def recovery(course: Course, promotion: Phase, declared: Phases, *, kept: bool = False) -> Bound:
    """Loss of the home region to the first durable write, from detection to verification: the conservative estimate.

    Args:
        course: How the stack recovers, apart from its stores.
        promotion: The slowest store's.
        declared: Phases that replace ours.
        kept: Whether the projection keeps to the declared `recover`, which then vouches for what it limits, even where
            the sum of p95s is longer.
    """
    lease = course.settings.lease
    steps = _machine(course, promotion)
    if kept:
        steps = tuple(Phase(step.name, step.seconds, BoundClass.DOCUMENTED) for step in steps)
    seen = Phase.timed("detect", Step.HEALTH_CHECK_FAST)
    return estimate(
        declared,
        detect=Phase("detect", seen.seconds + lease.confirm_for, seen.klass),
        decide=decision(course.settings.approval),
        machine=steps,
        verify=Phase.timed("verify", Step.VERIFICATION),
    ).bound


def machine(course: Course, promotion: Phase) -> Bound:
    """The part of it that machines do, which a declared `recover` phase limits: the conservative estimate."""
    return total(_machine(course, promotion))


def _machine(course: Course, promotion: Phase) -> tuple[Phase, ...]:
    lease = course.settings.lease
    return (
        Phase("lease expiry", lease.ttl + lease.clock_margin, BoundClass.ENFORCED),
        promotion,
        capacity(course.strategy),
        *switch(course),
    )


def decision(approval: Approval) -> Phase:
    """From the confirmed loss to the decision."""
    person = TIMINGS[Step.PERSON_DECIDES]
    match approval:
        case Approval.AUTOMATIC:
            return INSTANT
        case Approval.ONE:
            return Phase("a person decides", person.p95, person.klass)
        case Approval.TWO:
            # One after the other: nobody promises that the second looks before the first has.
            return Phase("two people decide", 2 * person.p95, person.klass)


def capacity(strategy: Strategy) -> Phase:
    """Until the recovery site has the compute of the lost one."""
    match strategy:
        case Strategy.BACKUP_AND_RESTORE:
            return Phase.timed("compute made anew", Step.CLUSTER_IN_EVACUATION, Step.NODE_GROUP_IN_EVACUATION)
        case Strategy.PILOT_LIGHT:
            return Phase.timed("compute from zero", Step.NODES_FROM_ZERO_IN_EVACUATION)
        case Strategy.WARM_STANDBY:
            return Phase.timed("compute to full size", Step.NODES_MORE_IN_EVACUATION)
        case Strategy.ACTIVE_ACTIVE:
            return INSTANT


def switch(course: Course) -> tuple[Phase, ...]:
    """Until clients reach the other site; nothing without a zone, since then nothing is switched here."""
    dns = course.settings.dns
    if course.routing is None or dns is None:
        return ()
    match course.routing:
        case RoutingKind.ALARM:
            steps: Timing = TIMINGS[Step.SWITCH_ALARM]
        case RoutingKind.ROUTING_CONTROL:
            steps = TIMINGS[Step.SWITCH_ROUTING_CONTROL]
        case RoutingKind.RECORD:
            lost = any(site.region == _GLOBAL_CONTROL_PLANE for site in course.settings.sites)
            steps = TIMINGS[Step.RECORD_EDIT_WITHOUT_US_EAST_1 if lost else Step.RECORD_CHANGE]
    return (
        Phase(f"switch by {course.routing}", steps.p95, steps.klass),
        Phase("DNS TTL", dns.ttl, BoundClass.DOCUMENTED),
    )


def judge(demand: Demand, found: Bound | Estimate) -> Verdict:
    """Whether a bound answers a demand: by its number, by its class where the demand is strict, by a declared limit."""
    bound = found if isinstance(found, Bound) else found.bound
    kept = isinstance(found, Bound) or found.over is None
    sure = not demand.strict or bound.klass in _SURE
    return Verdict(demand=demand, bound=bound, met=kept and sure and bound.seconds <= demand.seconds)


def why_not(demand: Demand, found: Bound | Estimate, mechanism: str) -> str:
    """Why a demand is not met: ``RPO 5m of objectives.stack cannot be met by daily backups: worst loss 24h05m``."""
    bound = found if isinstance(found, Bound) else found.bound
    said = f"{worded(demand)} cannot be met by {mechanism}: "
    if isinstance(found, Estimate) and found.over is not None:
        return said + found.over
    said += explained(bound)
    if bound.seconds <= demand.seconds:
        said += f" is {bound.klass}; strict needs enforced or documented"
        if demand.quantity is Quantity.RTO:
            said += ", or declared phases"
    return said


def method(bound: Bound) -> str:
    """What a bound's seconds are: a sum of p95s is never called one."""
    if bound.quantity is Quantity.RPO:
        return "worst loss"
    return "conservative estimate" if bound.conservative is None else "projected p95"


def explained(bound: Bound) -> str:
    """A bound with how it comes about, and the sum beside it.

    ``projected p95 9m (p50 6m; ...; conservative estimate 14m: detect 105s + ...)``.
    """
    beside = ""
    if bound.conservative is not None:
        beside = f"; conservative estimate {duration(bound.conservative.seconds)}: {bound.conservative.arithmetic}"
    return f"{method(bound)} {duration(bound.seconds)} ({bound.arithmetic}{beside})"


def _declared(name: str, seconds: int | None, estimate: Phase) -> Phase:
    # The organisation is the only authority on its people, so its word is as good as a vendor's document.
    return estimate if seconds is None else Phase(f"{name} (declared)", seconds, BoundClass.DOCUMENTED)
