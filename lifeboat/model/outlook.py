"""How long the loss of the home region takes to recover from, by the plan that follows: what `topology` judges by.

The plan of a design that is only thought of is derived like any other, with one store for each mechanism, which stands
for all that are copied that way, and its p95 is projected. An answer is kept by everything that it depends on. Names,
sizes and who is served change no plan's time, so a hundred services ask no more than one does.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lifeboat.model import bounds, layout, timings
from lifeboat.model.bounds import INSTANT, Estimate, Phase, duration
from lifeboat.model.design import (
    Bound,
    BoundClass,
    CacheDesign,
    DatabaseDesign,
    ObjectsDesign,
    Quantity,
    Topology,
)
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode, Stage
from lifeboat.model.projection import SAMPLES, SEED, Task, counted, percentiles, simulate, tasks_of
from lifeboat.model.settings.sites import Nat
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

    from lifeboat.model.bounds import Course
    from lifeboat.model.candidates import Candidate
    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.model.settings import Settings
    from lifeboat.model.settings.objectives import Phases

Mechanism = DatabaseMechanism | CacheMechanism | ObjectMechanism


@dataclass(frozen=True, kw_only=True)
class _Question:
    """Everything that a recovery time depends on."""

    regions: tuple[str, ...]
    """Home, standby, witness."""
    strategy: str
    routing: str | None
    approval: str
    lease: object
    ttl: int | None
    declared: Phases
    stores: frozenset[tuple[Mechanism, int]]
    """Each mechanism with how many stores have it."""
    promotion: Phase
    """The slowest, at its p95, as sure as the least sure."""
    course: Course = field(compare=False)


def recovery(course: Course, stores: Iterable[Candidate[Any]], declared: Phases) -> Estimate:
    """Loss of the home region to the first durable write, verified.

    The bound is the projection's p95, as sure as the least sure thing it rests on, with the conservative estimate
    beside it. Declared phases replace their stages; a declared `recover` phase is an upper limit on the p95 of what it
    stands for, and counts instead of it unless that exceeds it.

    Args:
        course: How the stack recovers, apart from its stores.
        stores: What each store that is waited for has.
        declared: Phases that the objective's scope declares.
    """
    found = tuple(stores)
    settings = course.settings
    return _answer(
        _Question(
            regions=(settings.home, *(site.region for site in settings.sites), settings.witness),
            strategy=course.strategy,
            routing=course.routing,
            approval=settings.approval,
            lease=settings.lease,
            ttl=None if settings.dns is None else settings.dns.ttl,
            declared=declared,
            stores=frozenset(Counter(each.mechanism for each in found).items()),
            promotion=slowest(each.promotion for each in found),
            course=course,
        )
    )


def slowest(promotions: Iterable[Phase]) -> Phase:
    """Stores are promoted side by side: the longest promotion, as sure as the least sure."""
    phases = list(promotions)
    worst = max(phases, key=lambda phase: phase.seconds, default=INSTANT)
    return Phase(worst.name, worst.seconds, bounds.weakest(phase.klass for phase in phases if phase.seconds))


@lru_cache(maxsize=1024)
def _answer(question: _Question) -> Estimate:
    course, limit = question.course, question.declared.recover
    summed = bounds.recovery(course, question.promotion, question.declared)
    if math.isinf(summed.seconds):
        arithmetic = "a step of it has no bound"
        return Estimate(bound=replace(summed, arithmetic=arithmetic, conservative=summed), over=None)
    steps, copies = _steps(question)
    tasks = [replace(task, copies=copies.get(step.store, 1)) for step, task in zip(steps, _timed(steps), strict=True)]
    over, klass = None, summed.klass
    if limit is not None:
        recover = frozenset(step.key for step in steps if step.stage is Stage.RECOVER)
        within = _p95([replace(task, after=task.after & recover) for task in tasks if task.key in recover])
        if within <= limit:
            tasks = _limited(tasks, recover, limit)
            klass = bounds.recovery(course, question.promotion, question.declared, kept=True).klass
        else:
            own = bounds.machine(course, question.promotion)
            over = (
                f"recovering takes {duration(within)} by projected p95 (conservative estimate "
                f"{duration(own.seconds)}: {own.arithmetic}), declared is {duration(limit)}"
            )
    run = simulate(tasks, seed=SEED, samples=SAMPLES)
    p50, p95 = percentiles(run.totals)
    most = int(run.spent.argmax())
    bound = Bound(
        quantity=Quantity.RTO,
        seconds=p95,
        klass=klass,
        arithmetic=f"p50 {duration(p50)}, {tasks[most].key} adds most",
        conservative=summed,
    )
    return Estimate(bound=bound, over=over)


def _timed(steps: Sequence[PlanStep]) -> list[Task]:
    return tasks_of(steps, lambda step: step.timing)


def _p95(tasks: Sequence[Task]) -> float:
    return percentiles(simulate(tasks, seed=SEED, samples=SAMPLES).totals)[1]


def _limited(tasks: Sequence[Task], recover: frozenset[str], limit: float) -> list[Task]:
    """The same with what recovers as one task of the declared length."""
    one = "recover (declared)"
    before = frozenset[str]().union(*(task.after for task in tasks if task.key in recover)) - recover
    timing = timings.declared(limit, "phases.recover")
    found: list[Task] = []
    for task in tasks:
        if task.key not in recover:
            waits = task.after & recover
            found.append(replace(task, after=(task.after - recover) | {one} if waits else task.after))
        elif all(each.key != one for each in found):
            found.append(Task(key=one, timing=timing, after=before))
    return found


def _steps(question: _Question) -> tuple[tuple[PlanStep, ...], dict[str | None, int]]:
    """The steps that count of the plan that would follow, and how many stores each one's store stands for."""
    settings = _declaring(question.course.settings, question.declared)
    topology = _thought_of(settings, question)
    plan = derive(settings, topology, mode=Mode.FAILOVER, lost={topology.home.region})
    copies: dict[str | None, int] = {str(mechanism): count for mechanism, count in question.stores}
    return counted(plan), copies


def _declaring(settings: Settings, declared: Phases) -> Settings:
    """The settings with these phases as the stack's; one name stands for all."""
    objectives, dns = settings.objectives, settings.dns
    stack = objectives.stack.model_copy(update={"phases": declared})
    one = None if dns is None else dns.model_copy(update={"endpoints": dns.endpoints[:1]})
    return settings.model_copy(update={"objectives": objectives.model_copy(update={"stack": stack}), "dns": one})


def _thought_of(settings: Settings, question: _Question) -> Topology:
    """A design as far as its plan's time depends on it, each store named by its mechanism."""
    home, standby = layout.sites(settings)
    found = sorted(mechanism for mechanism, _ in question.stores)
    return Topology(
        home=home,
        standby=standby,
        witness=settings.witness,
        strategy=question.course.strategy,
        nat=Nat.SHARED,
        routing=question.course.routing,
        standby_capacity=0,
        databases=tuple(
            DatabaseDesign(
                settings=Database(name=mechanism),
                mechanism=mechanism,
                instances=layout.lineage((f"{home.region}-g1", f"{standby.region}-g1")),
                home_instances=1,
                standby_instances=1,
                global_rpo=None,
                replicate_backups=False,
                rpo=None,
                lag_alarm=None,
            )
            for mechanism in found
            if isinstance(mechanism, DatabaseMechanism)
        ),
        caches=tuple(
            CacheDesign(settings=Cache(name=mechanism), mechanism=mechanism, rpo=None)
            for mechanism in found
            if isinstance(mechanism, CacheMechanism)
        ),
        object_stores=tuple(
            ObjectsDesign(settings=ObjectStore(name=mechanism), mechanism=mechanism, rpo=None)
            for mechanism in found
            if isinstance(mechanism, ObjectMechanism)
        ),
        lease=layout.lease_store(settings),
        demanded_rto=math.inf,
        demanded_rpo=None,
        rto=Bound(quantity=Quantity.RTO, seconds=0, klass=BoundClass.TYPICAL, arithmetic="not known so far"),
        rpo=None,
        decisions=(),
    )
