"""Decisions in words: why each was taken, and why a refused stack was refused. Nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifeboat.model import bounds, outlook
from lifeboat.model.bounds import Course, Phase, duration
from lifeboat.model.design import Bound, BoundClass, Decision, Demand, LeaseStore, Quantity, Rejected, Verdict
from lifeboat.model.objectives import Store, plural, worded
from lifeboat.model.settings.faults import NAMESPACE
from lifeboat.model.settings.sites import Approval, Nat, RoutingKind, Strategy
from lifeboat.model.settings.stores import Cache, Database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifeboat.model.candidates import Candidate
    from lifeboat.model.settings import Settings

OBJECTIVES = "objectives"
"""Who chose, when no setting did."""


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """Something no design answers."""

    key: str
    """The setting to change, without the namespace."""
    value: str
    why: str
    brief: str
    """`why` in one clause."""

    def __str__(self) -> str:
        return f"{NAMESPACE}:{self.key}: {self.value}: {self.why}"


def setting_of(settings: Settings, demand: Demand) -> str:
    """Where a demand is written, in a stack file's terms: ``objectives.services[0].rto``."""
    scope = demand.scope.removesuffix(".availability")
    field = "availability" if scope != demand.scope else demand.quantity.value
    parts = scope.split(".")
    objectives = settings.objectives
    match parts[1]:
        case "services":
            at = [service.name for service in objectives.services].index(parts[2])
        case "failures":
            at = [failure.failure.value for failure in objectives.failures].index(parts[2])
        case _:
            return f"{scope}.{field}"
    return f"{parts[0]}.{parts[1]}[{at}].{field}"


def written(settings: Settings, demand: Demand) -> str:
    """A demand's value as it stands in the settings."""
    if demand.scope.endswith(".availability"):
        objectives = settings.objectives
        scopes = {
            "objectives.stack": objectives.stack,
            **{f"objectives.services.{service.name}": service for service in objectives.services},
            **{f"objectives.failures.{failure.failure}": failure for failure in objectives.failures},
        }
        return f"{scopes[demand.scope.removesuffix('.availability')].availability:g}"
    return duration(demand.seconds)


def sooner(course: Course, stores: Sequence[Candidate[Any]], demand: Demand) -> str:
    """What deciding without a person would change; nothing when it would not help, or nobody is asked."""
    if course.settings.approval is Approval.AUTOMATIC or demand.declared.decide is not None:
        return ""
    automatic = course.settings.model_copy(update={"approval": Approval.AUTOMATIC})
    found = outlook.recovery(
        Course(settings=automatic, strategy=course.strategy, routing=course.routing), stores, demand.declared
    )
    if not bounds.judge(demand, found).met:
        return ""
    return f"; approval automatic would make it a {bounds.method(found.bound)} of {duration(found.bound.seconds)}"


def strategy_decision(
    course: Course, verdicts: tuple[Verdict, ...], rejected: tuple[Rejected, ...], whole: Bound
) -> Decision:
    """What the other site holds before the failure."""
    fixed = course.settings.strategy is not None
    tightest = min((verdict.demand for verdict in verdicts), key=lambda demand: demand.seconds, default=None)
    if tightest is None:
        reason = "the cheapest; no objective speaks of the loss of a region"
    else:
        first = "chosen, and it meets" if fixed else "the cheapest that meets"
        reason = f"{first} {worded(tightest)}: {bounds.explained(whole)}"
    return Decision(
        capability="strategy",
        mechanism=course.strategy.value,
        reason=reason,
        chosen_by="strategy" if fixed else OBJECTIVES,
        verdicts=verdicts,
        rejected=rejected,
    )


def capacity_decision(course: Course, share: float) -> Decision:
    """The compute that runs in the other site."""
    phase = bounds.capacity(course.strategy)
    rest = "nothing is left to start"
    if phase.seconds:
        how = "its p95s added" if course.strategy is Strategy.BACKUP_AND_RESTORE else "at p95"
        rest = f"{phase} {how}, while everybody else of the lost region starts machines too"
    return Decision(
        capability="standby capacity",
        mechanism=f"{share:.0%}",
        reason=f"{course.strategy} runs {share:.0%} of the home site's compute; {rest}",
        chosen_by="strategy" if course.settings.strategy is not None else OBJECTIVES,
    )


def approval_decision(settings: Settings, strictest: Demand | None) -> Decision:
    """Who decides a failover."""
    phase = bounds.decision(settings.approval)
    declared = strictest.declared.decide if strictest is not None else None
    person = duration(bounds.decision(Approval.ONE).seconds)
    if settings.approval is Approval.AUTOMATIC:
        reason = f"the warden decides once the loss is confirmed; a person would add {person} at p95"
    elif declared is not None:
        reason = f"the stack declares {duration(declared)} for it; our estimate is {duration(phase.seconds)}"
    else:
        how = "both p95s added" if settings.approval is Approval.TWO else "at p95"
        reason = f"counted as {duration(phase.seconds)}, {how}"
    return Decision(capability="approval", mechanism=settings.approval.value, reason=reason, chosen_by="approval")


def routing_decision(course: Course, strictest: Demand | None, least: int, slower: str | None) -> Decision:
    """How traffic is switched; `slower` is what an alarm could not answer."""
    settings, kind = course.settings, course.routing
    asked = worded(strictest) if strictest is not None else "no objective speaks of a region's loss"
    rejected: tuple[Rejected, ...] = ()
    match kind:
        case RoutingKind.ALARM:
            reason = (
                f"records stay constant and an alarm in {settings.witness} moves traffic by data plane, for an RTO of "
                f"{duration(least)} or more: {asked}"
            )
        case RoutingKind.ROUTING_CONTROL:
            reason = f"a data plane in five regions moves traffic in seconds, for {asked}"
            if settings.routing.kind is None:
                why = slower or f"switching by alarm is for an RTO of {duration(least)} or more, not {asked}"
                rejected = (Rejected(mechanism=RoutingKind.ALARM, why=why),)
        case _:
            reason = f"waived: {settings.routing.waive_record}"
    return Decision(
        capability="routing",
        mechanism=str(kind),
        reason=reason,
        chosen_by="routing.kind" if settings.routing.kind is not None else OBJECTIVES,
        rejected=rejected,
    )


def lease_decision(settings: Settings, store: LeaseStore) -> Decision:
    """Where the lease lives."""
    together = ", ".join((*(site.region for site in settings.sites), settings.witness))
    if store is LeaseStore.STRONG_TABLE:
        reason = f"DynamoDB is strongly consistent across {together}"
    else:
        reason = (
            f"DynamoDB is not strongly consistent across {together}; S3's conditional writes in {settings.witness} are"
        )
    return Decision(capability="lease", mechanism=store.value, reason=reason, chosen_by=OBJECTIVES)


def nat_decision(settings: Settings, nat: Nat, zone: Demand | None, why: str | None, outage: Phase) -> Decision:
    """One NAT gateway a site, or one a zone."""
    if nat is Nat.PER_ZONE:
        reason = "no zone depends on another" + (f", for {worded(zone)}" if zone is not None else "")
    else:
        allowed = f"{worded(zone)} allows it" if zone is not None else "no objective speaks of a zone's loss"
        reason = f"a lost zone may cut the others off for {duration(outage.seconds)}; {allowed}"
    return Decision(
        capability="nat",
        mechanism=nat.value,
        reason=reason,
        chosen_by="network.nat" if settings.network.nat is not None else OBJECTIVES,
        rejected=() if why is None else (Rejected(mechanism=Nat.SHARED, why=why),),
    )


def store_decision(
    store: Store,
    candidate: Candidate[Any],
    chosen_by: str,
    verdicts: tuple[Verdict, ...],
    rejected: tuple[Rejected, ...],
) -> Decision:
    """How a store's data reaches the other site."""
    points = [verdict for verdict in verdicts if verdict.demand.quantity is Quantity.RPO]
    times = [verdict for verdict in verdicts if verdict.demand.quantity is Quantity.RTO]
    parts: list[str] = []
    for found in (points, times):
        if found:
            tightest = min(found, key=lambda verdict: verdict.demand.seconds)
            parts.append(f"{_given(tightest.bound)} within {worded(tightest.demand)}")
    if isinstance(store, Cache) and store.rebuildable:
        parts.append("its data can be computed again")
    first = "the cheapest that will do" if chosen_by == OBJECTIVES else "chosen"
    reason = f"{first}, {candidate.named}: {'; '.join(parts) or 'no objective applies to it'}"
    return Decision(
        capability=f"{_capability(store)} {store.name}",
        mechanism=candidate.mechanism,
        reason=reason,
        chosen_by=chosen_by,
        verdicts=verdicts,
        rejected=rejected,
    )


def backups_decision(database: Database, on: bool, mechanism: str) -> Decision:
    """Whether a database's automated backups are kept in the other region too."""
    if on:
        reason = "a replica repeats a corruption at once; its backups must survive the region as well"
        if mechanism == "replicated-backups":
            reason = "they are what is restored from"
    elif mechanism == "aurora-global":
        reason = "RDS does not replicate Aurora's automated backups to another region"
    else:
        reason = "the daily copy is enough for its objectives"
    return Decision(
        capability=f"backup replication {database.name}",
        mechanism="on" if on else "off",
        reason=reason,
        chosen_by=OBJECTIVES,
    )


def within_region_decision(failure: str, mechanism: str, verdicts: Sequence[Verdict]) -> Decision:
    """What answers a failure that leaves the region standing."""
    tightest = min(verdicts, key=lambda verdict: verdict.demand.seconds)
    bound = tightest.bound
    return Decision(
        capability=f"{failure} failure",
        mechanism=mechanism,
        reason=f"{worded(tightest.demand)}: {bounds.explained(bound)}",
        chosen_by=OBJECTIVES,
        verdicts=tuple(verdicts),
    )


def _given(bound: Bound) -> str:
    """A bound in words that promise no more than its class does. The arithmetic of a time is the strategy's to show."""
    time, how = duration(bound.seconds), bound.arithmetic
    if bound.quantity is Quantity.RTO:
        return f"recovers in {time} by {bounds.method(bound)}"
    match bound.klass:
        case BoundClass.ALARMED:
            return f"an alarm at {time} of loss ({how})"
        case BoundClass.TYPICAL:
            return f"typically loses {time} or less ({how})"
        case _:
            return f"loses {time} at most, {bound.klass} ({how})"


def _capability(store: Store) -> str:
    return {"databases": "database", "caches": "cache", "object_stores": "objects"}[plural(store)]
