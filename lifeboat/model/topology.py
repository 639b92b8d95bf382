"""Where every decision is taken: from settings to the first, in order of cost, that meets every objective.

The order: strategy (backup-and-restore, pilot light, warm standby, active-active), within it each store's mechanisms
as `candidates` lists them. A choice made in the settings is honoured, or refused with the arithmetic against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from lifeboat.model import bounds, candidates, inregion, layout, outlook, reasons, timings
from lifeboat.model.bounds import Course, Estimate
from lifeboat.model.design import (
    Bound,
    CacheDesign,
    DatabaseDesign,
    Decision,
    Demand,
    ObjectsDesign,
    Quantity,
    Rejected,
    Topology,
    Verdict,
)
from lifeboat.model.objectives import REGIONAL, demands, plural, recovery_of, rpo_of
from lifeboat.model.reasons import OBJECTIVES, Shortfall
from lifeboat.model.settings.objectives import Failure
from lifeboat.model.settings.sites import Nat, RoutingKind, Strategy
from lifeboat.model.settings.stores import (
    Cache,
    CacheMechanism,
    Database,
    DatabaseMechanism,
    ObjectMechanism,
    ObjectStore,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lifeboat.model.candidates import Candidate
    from lifeboat.model.settings import Settings

StoreT = TypeVar("StoreT", Database, Cache, ObjectStore)
MechanismT = TypeVar("MechanismT", DatabaseMechanism, CacheMechanism, ObjectMechanism)

ALARM_FROM = 300
"""The shortest RTO, seconds, that switching by alarm is for; below it, a routing control."""

CAPACITY = {
    Strategy.BACKUP_AND_RESTORE: 0.0,
    Strategy.PILOT_LIGHT: 0.0,
    # One doubling away from full size.
    Strategy.WARM_STANDBY: 0.5,
    Strategy.ACTIVE_ACTIVE: 1.0,
}
"""Share of the home site's compute that runs in the other."""


class Refused(ValueError):  # noqa: N818 - a refusal is an answer, not an error
    """No design meets the objectives; carries every reason, and prints one line each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(self.reasons))


@dataclass(frozen=True, kw_only=True)
class _Choice(Generic[StoreT, MechanismT]):
    """A store and the mechanism it got; the most capable one where none will do."""

    store: StoreT
    candidate: Candidate[MechanismT]
    chosen_by: str
    verdicts: tuple[Verdict, ...]
    rejected: tuple[Rejected, ...]
    shortfall: Shortfall | None


_Choices = _Choice[Database, DatabaseMechanism] | _Choice[Cache, CacheMechanism] | _Choice[ObjectStore, ObjectMechanism]


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """A strategy thought through to its end."""

    course: Course
    databases: tuple[_Choice[Database, DatabaseMechanism], ...]
    caches: tuple[_Choice[Cache, CacheMechanism], ...]
    objects: tuple[_Choice[ObjectStore, ObjectMechanism], ...]
    recoveries: tuple[Verdict, ...]
    """Every demand on the loss of a region, beside what the whole takes."""
    shortfalls: tuple[Shortfall, ...]

    @property
    def choices(self) -> tuple[_Choices, ...]:
        return (*self.databases, *self.caches, *self.objects)


def resolve(settings: Settings) -> Topology:
    """Decide everything.

    Raises:
        Refused: when no design meets every objective; with all the reasons found, one line each.
    """
    found = demands(settings)
    tried = _try(settings, found)
    attempt = tried[-1]
    routing = attempt.course.routing
    databases = tuple(_database_design(settings, choice) for choice in attempt.databases)
    caches = tuple(_cache_design(choice) for choice in attempt.caches)
    objects = tuple(_objects_design(choice) for choice in attempt.objects)
    local = [demand for demand in found if demand.failure in inregion.OF_ONE_REGION]
    nat, nat_why = _nat(settings, local)
    local_answers = [(demand, inregion.answer(demand, (*databases, *caches, *objects), nat)) for demand in local]
    shortfalls = (*attempt.shortfalls, *_local_shortfalls(settings, local_answers, nat))
    if shortfalls:
        raise Refused(tuple(dict.fromkeys(map(str, shortfalls))))

    lease = layout.lease_store(settings)
    offers = [choice.candidate for choice in attempt.choices]
    whole = outlook.recovery(attempt.course, offers, settings.objectives.stack.phases).bound
    regional = [demand for demand in found if demand.quantity is Quantity.RTO and demand.failure in REGIONAL]
    times = [demand for demand in found if demand.quantity is Quantity.RTO]
    strictest = _tightest(regional)
    zone = _tightest(d for d in local if d.quantity is Quantity.RTO and d.failure is Failure.ZONE)
    points = [v for choice in attempt.choices for v in choice.verdicts if v.demand.quantity is Quantity.RPO]
    demanded_rpo = min((verdict.demand.seconds for verdict in points), default=None)
    capacity = CAPACITY[attempt.course.strategy]
    home, standby = layout.sites(settings)
    decided: list[Decision] = [
        reasons.strategy_decision(attempt.course, attempt.recoveries, _passed_over(tried), whole),
        reasons.capacity_decision(attempt.course, capacity),
        reasons.approval_decision(settings, strictest),
        *((_routing_decision(attempt, tried, strictest),) if routing is not None else ()),
        reasons.lease_decision(settings, lease),
        reasons.nat_decision(settings, nat, zone, nat_why, inregion.nat_outage(Nat.SHARED)),
        *(_store_decision(choice) for choice in attempt.choices),
        *(reasons.backups_decision(d.settings, on=d.replicate_backups, mechanism=d.mechanism) for d in databases),
        *_local_decisions(local_answers),
    ]
    return Topology(
        home=home,
        standby=standby,
        witness=settings.witness,
        strategy=attempt.course.strategy,
        nat=nat,
        routing=routing,
        standby_capacity=capacity,
        databases=databases,
        caches=caches,
        object_stores=objects,
        lease=lease,
        demanded_rto=(strictest or min(times, key=_seconds)).seconds,
        demanded_rpo=demanded_rpo,
        rto=whole,
        rpo=max((v.bound for v in points if v.demand.seconds == demanded_rpo), key=lambda b: b.seconds, default=None),
        decisions=tuple(decided),
    )


def _try(settings: Settings, found: Sequence[Demand]) -> list[_Attempt]:
    """Every course in order of cost, up to the first that meets every demand: cheaper routing first, then strategy."""
    tried: list[_Attempt] = []
    for routing in _routings(settings, found):
        for strategy in (settings.strategy,) if settings.strategy is not None else tuple(Strategy):
            tried.append(_attempt(Course(settings=settings, strategy=strategy, routing=routing), found))
            if not tried[-1].shortfalls:
                return tried
    return tried


def _attempt(course: Course, found: Sequence[Demand]) -> _Attempt:
    """The cheapest mechanism of each store under one strategy, and what the whole then takes."""
    settings = course.settings
    databases: list[_Choice[Database, DatabaseMechanism]] = []
    for at, store in enumerate(settings.databases):
        offered = candidates.of_database(settings, store, course.strategy, rpo_of(settings, store, found))
        databases.append(_choose(course, at, store, offered, found))
    caches = [
        _choose(course, at, store, candidates.of_cache(store, course.strategy), found)
        for at, store in enumerate(settings.caches)
    ]
    objects = [
        _choose(course, at, store, candidates.of_objects(), found) for at, store in enumerate(settings.object_stores)
    ]
    choices: tuple[_Choices, ...] = (*databases, *caches, *objects)
    shortfalls = [choice.shortfall for choice in choices if choice.shortfall is not None]
    recoveries: list[Verdict] = []
    for demand in recovery_of(None, found):
        concerned = [c for c in choices if demand.service is None or demand.service in c.store.services]
        offers = [choice.candidate for choice in concerned]
        estimate = outlook.recovery(course, offers, demand.declared)
        recoveries.append(bounds.judge(demand, estimate))
        # What is met but for a mechanism that the settings chose is that choice's fault, which is told already.
        rest = [c.candidate for c in concerned if c.shortfall is None or c.store.mechanism is None]
        if not bounds.judge(demand, outlook.recovery(course, rest, demand.declared)).met:
            why = bounds.why_not(demand, estimate, course.strategy) + reasons.sooner(course, offers, demand)
            key, value = reasons.setting_of(settings, demand), reasons.written(settings, demand)
            shortfalls.append(Shortfall(key=key, value=value, why=why, brief=why))
    return _Attempt(
        course=course,
        databases=tuple(databases),
        caches=tuple(caches),
        objects=tuple(objects),
        recoveries=tuple(recoveries),
        shortfalls=tuple(shortfalls),
    )


def _choose(
    course: Course, at: int, store: StoreT, offered: Sequence[Candidate[MechanismT]], found: Sequence[Demand]
) -> _Choice[StoreT, MechanismT]:
    """The first candidate that is possible and meets every demand; only the fixed one where the settings fix it."""
    fixed = store.mechanism
    key = f"{plural(store)}[{at}].mechanism"
    chosen_by = OBJECTIVES if fixed is None else key
    considered = [candidate for candidate in offered if fixed in {None, candidate.mechanism}]
    points, times = rpo_of(course.settings, store, found), recovery_of(store, found)
    rejected: list[Rejected] = []
    last: tuple[Candidate[MechanismT], tuple[Verdict, ...]] | None = None
    for candidate in considered:
        answers = _answers(course, candidate, points, times)
        verdicts = tuple(bounds.judge(demand, answer) for demand, answer in answers)
        last = (candidate, verdicts)
        if candidate.impossible is None and all(verdict.met for verdict in verdicts):
            return _Choice(
                store=store,
                candidate=candidate,
                chosen_by=chosen_by,
                verdicts=verdicts,
                rejected=tuple(rejected),
                shortfall=None,
            )
        rejected.append(Rejected(mechanism=candidate.mechanism, why=_why(course, candidate, answers)))
    if last is None:
        raise ValueError(f"{key}: {fixed} is not among the candidates")
    said = "; ".join(item.why for item in rejected)
    capable = [item.why for item, candidate in zip(rejected, considered, strict=True) if candidate.impossible is None]
    why = said if fixed is not None else f"no mechanism meets every objective: {said}"
    return _Choice(
        store=store,
        candidate=last[0],
        chosen_by=chosen_by,
        verdicts=last[1],
        rejected=tuple(rejected),
        shortfall=Shortfall(key=key, value=fixed or "auto", why=why, brief=(capable or [said])[-1]),
    )


def _answers(
    course: Course, candidate: Candidate[MechanismT], rpo: Sequence[Demand], rto: Sequence[Demand]
) -> list[tuple[Demand, Bound | Estimate]]:
    answers: list[tuple[Demand, Bound | Estimate]] = [(demand, candidate.rpo) for demand in rpo]
    answers += ((demand, outlook.recovery(course, (candidate,), demand.declared)) for demand in rto)
    return answers


def _why(course: Course, candidate: Candidate[MechanismT], answers: Iterable[tuple[Demand, Bound | Estimate]]) -> str:
    """Why a candidate was not taken: the first demand it fails, or why it cannot be."""
    if candidate.impossible is not None:
        return f"{candidate.named} is not possible: {candidate.impossible}"
    demand, answer = next((demand, answer) for demand, answer in answers if not bounds.judge(demand, answer).met)
    hint = reasons.sooner(course, (candidate,), demand) if demand.quantity is Quantity.RTO else ""
    return bounds.why_not(demand, answer, candidate.named) + hint


def _store_decision(choice: _Choices) -> Decision:
    return reasons.store_decision(choice.store, choice.candidate, choice.chosen_by, choice.verdicts, choice.rejected)


def _routing_decision(attempt: _Attempt, tried: Sequence[_Attempt], strictest: Demand | None) -> Decision:
    kind = attempt.course.routing
    passed = [other for other in tried if other.course.routing is not kind]
    why = passed[-1].shortfalls[0].brief if passed else None
    return reasons.routing_decision(attempt.course, strictest, ALARM_FROM, why)


def _passed_over(tried: Sequence[_Attempt]) -> tuple[Rejected, ...]:
    """The cheaper strategies, each with the first thing it could not answer."""
    return tuple(
        Rejected(mechanism=attempt.course.strategy, why=f"{attempt.shortfalls[0].key}: {attempt.shortfalls[0].brief}")
        for attempt in tried[:-1]
        if attempt.course.routing is tried[-1].course.routing
    )


def _database_design(settings: Settings, choice: _Choice[Database, DatabaseMechanism]) -> DatabaseDesign:
    database, mechanism = choice.store, choice.candidate.mechanism
    aurora = mechanism is DatabaseMechanism.AURORA_GLOBAL
    replica = mechanism is DatabaseMechanism.REPLICA
    home, standby = (site.region for site in layout.sites(settings))
    keys = () if aurora else database.generations or tuple(f"{r}-g1" for r in ((home, standby) if replica else (home,)))
    return DatabaseDesign(
        settings=database,
        mechanism=mechanism,
        instances=layout.lineage(keys),
        # A writer and a reader in another zone; the reader is what Aurora fails over to.
        home_instances=2 if aurora else 1,
        standby_instances=1 if aurora or replica else 0,
        global_rpo=choice.candidate.enforces,
        replicate_backups=mechanism in {DatabaseMechanism.REPLICATED_BACKUPS, DatabaseMechanism.REPLICA},
        rpo=(rpo := _strictest_point(choice.verdicts)),
        # The bound of a plain replica is its alarm's; Aurora's alarm rings where the objective is missed.
        lag_alarm=timings.HEARTBEAT_LAG_ALARM if replica else rpo,
    )


def _cache_design(choice: _Choice[Cache, CacheMechanism]) -> CacheDesign:
    return CacheDesign(
        settings=choice.store, mechanism=choice.candidate.mechanism, rpo=_strictest_point(choice.verdicts)
    )


def _objects_design(choice: _Choice[ObjectStore, ObjectMechanism]) -> ObjectsDesign:
    return ObjectsDesign(
        settings=choice.store, mechanism=choice.candidate.mechanism, rpo=_strictest_point(choice.verdicts)
    )


def _routings(settings: Settings, found: Sequence[Demand]) -> tuple[RoutingKind | None, ...]:
    """The ways to switch that may be taken, cheapest first; none without a zone, an alarm where there is time."""
    if settings.dns is None:
        return (None,)
    if settings.routing.kind is not None:
        return (settings.routing.kind,)
    strictest = min((demand.seconds for demand in recovery_of(None, found)), default=ALARM_FROM)
    if strictest < ALARM_FROM:
        return (RoutingKind.ROUTING_CONTROL,)
    return (RoutingKind.ALARM, RoutingKind.ROUTING_CONTROL)


def _nat(settings: Settings, local: Sequence[Demand]) -> tuple[Nat, str | None]:
    """One gateway a site, unless an objective cannot wait for another one to be made; why not, then."""
    why: str | None = None
    for demand in local:
        if demand.failure is Failure.ZONE and demand.quantity is Quantity.RTO:
            outage = inregion.answer(demand, (), Nat.SHARED)
            if not bounds.judge(demand, outage).met:
                why = bounds.why_not(demand, outage, "a shared NAT gateway")
                break
    if settings.network.nat is not None:
        return settings.network.nat, why
    return (Nat.SHARED if why is None else Nat.PER_ZONE), why


def _local_shortfalls(
    settings: Settings, answers: Iterable[tuple[Demand, Bound | Estimate]], nat: Nat
) -> Iterable[Shortfall]:
    for demand, answer in answers:
        if bounds.judge(demand, answer).met:
            continue
        why = bounds.why_not(demand, answer, inregion.mechanism(demand.failure))
        shared = demand.failure is Failure.ZONE and nat is Nat.SHARED and settings.network.nat is not None
        if shared and not bounds.judge(demand, inregion.answer(demand, (), nat)).met:
            yield Shortfall(key="network.nat", value=nat, why=why, brief=why)
        else:
            key, value = reasons.setting_of(settings, demand), reasons.written(settings, demand)
            yield Shortfall(key=key, value=value, why=why, brief=why)


def _local_decisions(answers: Sequence[tuple[Demand, Bound | Estimate]]) -> Iterable[Decision]:
    for failure in inregion.failures([demand for demand, _ in answers]):
        verdicts = [bounds.judge(demand, answer) for demand, answer in answers if demand.failure is failure]
        yield reasons.within_region_decision(failure, inregion.mechanism(failure), verdicts)


def _strictest_point(verdicts: Iterable[Verdict]) -> float | None:
    points = (verdict.demand.seconds for verdict in verdicts if verdict.demand.quantity is Quantity.RPO)
    return min(points, default=None)


def _tightest(found: Iterable[Demand]) -> Demand | None:
    return min(found, key=_seconds, default=None)


def _seconds(demand: Demand) -> float:
    return demand.seconds
