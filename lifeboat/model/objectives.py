"""From settings to demands: every objective as one number with its scope, and which of them a store must meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.design import Demand, Quantity
from lifeboat.model.settings import Settings, format_duration
from lifeboat.model.settings.objectives import Failure, FailureObjective, Objective, Phases
from lifeboat.model.settings.stores import Cache, Database, ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MONTH = 30 * 86_400
YEAR = 365 * 86_400
REGIONAL = frozenset({Failure.REGION, Failure.SYSTEM})
"""Failures that only the other site survives."""

Store = Database | Cache | ObjectStore


def demands(settings: Settings) -> tuple[Demand, ...]:
    """Every demand of every scope; those of single stores come with the stores (`rpo_of`).

    An availability becomes three: a month's error budget bounds the failure of an instance and of a zone, a year's the
    loss of a region.
    """
    objectives = settings.objectives
    found: list[Demand] = [*_of_scope(settings, objectives.stack, "objectives.stack", Failure.REGION, None)]
    for service in objectives.services:
        found += _of_scope(settings, service, f"objectives.services.{service.name}", Failure.REGION, service.name)
    for failure in objectives.failures:
        found += _of_scope(settings, failure, f"objectives.failures.{failure.failure}", failure.failure, None)
    return tuple(found)


def budget(availability: float, period: int) -> float:
    """Seconds that may be lost of `period` seconds at an availability in percent."""
    return round(period * (100 - availability) / 100, 1)


def recovery_of(store: Store | None, found: Iterable[Demand]) -> tuple[Demand, ...]:
    """The recovery times for the loss of a region that apply to a store; to what has no store, with None."""
    return tuple(
        demand
        for demand in found
        if demand.quantity is Quantity.RTO
        and demand.failure in REGIONAL
        and (demand.service is None or store is None or demand.service in store.services)
    )


def rpo_of(settings: Settings, store: Store, found: Iterable[Demand]) -> tuple[Demand, ...]:
    """The recovery points for the loss of a region that apply to a store: its own, else those of its scopes."""
    if isinstance(store, Cache) and store.rebuildable:
        return ()
    strict = settings.objectives.strict
    if store.rpo is not None:
        return (Demand(quantity=Quantity.RPO, seconds=store.rpo, scope=f"{plural(store)}.{store.name}", strict=strict),)
    return tuple(
        demand
        for demand in found
        if demand.quantity is Quantity.RPO
        and demand.failure in REGIONAL
        and (demand.service is None or demand.service in store.services)
    )


def plural(store: Store) -> str:
    """The settings key a store stands under."""
    match store:
        case Database():
            return "databases"
        case Cache():
            return "caches"
        case ObjectStore():
            return "object_stores"


def worded(demand: Demand) -> str:
    """``RPO 5m of objectives.stack``."""
    return f"{demand.quantity.upper()} {format_duration(demand.seconds)} of {demand.scope}"


def _of_scope(
    settings: Settings, scope: Objective, path: str, failure: Failure, service: str | None
) -> Iterator[Demand]:
    strict = settings.objectives.strict
    phases = _declared(settings, scope, failure)

    def demand(quantity: Quantity, seconds: float, where: str, which: Failure) -> Demand:
        declared = phases if which in REGIONAL or which is failure else Phases()
        return Demand(
            quantity=quantity,
            seconds=seconds,
            scope=where,
            strict=strict,
            failure=which,
            service=service,
            declared=declared,
        )

    if scope.rto is not None:
        yield demand(Quantity.RTO, scope.rto, path, failure)
    if scope.rpo is not None:
        yield demand(Quantity.RPO, scope.rpo, path, failure)
    if scope.availability is not None:
        where = f"{path}.availability"
        # The availability of a failure class is that class's own share, of a year where the region is lost.
        classes = (
            (failure,) if isinstance(scope, FailureObjective) else (Failure.INSTANCE, Failure.ZONE, Failure.REGION)
        )
        for which in classes:
            period = YEAR if which in REGIONAL else MONTH
            yield demand(Quantity.RTO, budget(scope.availability, period), where, which)


def _declared(settings: Settings, scope: Objective, failure: Failure) -> Phases:
    """A scope's declared phases; where a region is lost, what it leaves open is the stack's."""
    if failure not in REGIONAL:
        return scope.phases
    stack = settings.objectives.stack.phases
    own = {name: value for name, value in scope.phases if value is not None}
    return stack.model_copy(update=own)
