"""What a stack gives when something fails and the region stands: an instance, a zone, a database, code, data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model import bounds, timings
from lifeboat.model.bounds import INSTANT, Estimate, Phase
from lifeboat.model.design import Bound, CacheDesign, DatabaseDesign, Demand, ObjectsDesign, Quantity
from lifeboat.model.settings.objectives import Failure
from lifeboat.model.settings.sites import Nat
from lifeboat.model.settings.stores import Cache, Database, DatabaseMechanism
from lifeboat.model.timings import Loss, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

StoreDesign = DatabaseDesign | CacheDesign | ObjectsDesign

OF_ONE_REGION = frozenset(Failure) - {Failure.REGION, Failure.SYSTEM}


def concerned(demand: Demand, stores: Sequence[StoreDesign]) -> tuple[StoreDesign, ...]:
    """The stores that a demand speaks of: its service's, else all; where the database fails, databases only."""
    return tuple(
        store
        for store in stores
        if (demand.service is None or demand.service in store.settings.services)
        and (demand.failure is not Failure.DATABASE or isinstance(store, DatabaseDesign))
    )


def answer(demand: Demand, stores: Sequence[StoreDesign], nat: Nat) -> Bound | Estimate:
    """What answers a demand about a failure within a region."""
    if demand.quantity is Quantity.RPO:
        lost = [bounds.loss(_loss(demand.failure, store)) for store in concerned(demand, stores) if _kept(store)]
        return bounds.longest(lost) if lost else bounds.loss(timings.STATELESS)
    match demand.failure:
        case Failure.APPLICATION:
            return bounds.estimate(
                demand.declared,
                detect=Phase.timed("detect", Step.HEALTH_CHECK_FAST),
                decide=INSTANT,
                machine=(Phase.timed("replacement", Step.NODES_MORE),),
                verify=Phase.timed("verify", Step.VERIFICATION),
            )
        case Failure.CORRUPTION:
            return bounds.estimate(
                demand.declared,
                detect=INSTANT,
                decide=Phase.timed("find the point", Step.PERSON_DECIDES),
                machine=(Phase.timed("restore to a point in time", Step.RDS_RESTORE),),
                verify=Phase.timed("verify", Step.VERIFICATION),
            )
        case _:
            return _failover(demand, stores, nat)


def nat_outage(nat: Nat) -> Phase:
    """How long a zone's loss may cut the other zones off from the outside."""
    if nat is Nat.PER_ZONE:
        return INSTANT
    return Phase.timed("a person decides and makes another NAT gateway", Step.PERSON_DECIDES, Step.NAT_CREATE)


def _failover(demand: Demand, stores: Sequence[StoreDesign], nat: Nat) -> Estimate:
    """Side by side: each store fails over by itself, what was routed through a lost zone waits for a gateway."""
    side_by_side = [_own_failover(store) for store in concerned(demand, stores)]
    if demand.failure is Failure.ZONE:
        side_by_side.append(nat_outage(nat))
    slowest = max(side_by_side, key=lambda phase: phase.seconds, default=INSTANT)
    klass = bounds.weakest(phase.klass for phase in side_by_side if phase.seconds)
    return bounds.estimate(
        demand.declared,
        detect=INSTANT,
        decide=INSTANT,
        machine=(Phase(slowest.name, slowest.seconds, klass),),
        verify=INSTANT,
    )


def _own_failover(store: StoreDesign) -> Phase:
    match store:
        case DatabaseDesign(mechanism=DatabaseMechanism.AURORA_GLOBAL):
            return Phase.timed("Aurora's failover in its region", Step.AURORA_FAILOVER)
        case DatabaseDesign():
            return Phase.timed("RDS Multi-AZ failover", Step.RDS_MULTI_AZ_FAILOVER)
        case CacheDesign():
            return Phase.timed("ElastiCache failover in its region", Step.CACHE_FAILOVER)
        case ObjectsDesign():
            return INSTANT


def _kept(store: StoreDesign) -> bool:
    return not (isinstance(store.settings, Cache) and store.settings.rebuildable)


def _loss(failure: Failure, store: StoreDesign) -> Loss:
    if failure is Failure.APPLICATION:
        return timings.STATELESS
    if failure is Failure.CORRUPTION:
        match store.settings:
            case Database():
                return timings.POINT_IN_TIME
            case Cache():
                return timings.DAILY_SNAPSHOT
            case _:
                return timings.VERSIONED
    return timings.CACHE_REPLICA if isinstance(store.settings, Cache) else timings.SYNCHRONOUS


def mechanism(failure: Failure) -> str:
    """What answers this failure, in words."""
    match failure:
        case Failure.APPLICATION:
            return "health checks and replacement"
        case Failure.CORRUPTION:
            return "restore to a point in time"
        case _:
            return "failover within the region"


def failures(demands: Sequence[Demand]) -> Iterator[Failure]:
    """The classes of failure within a region that somebody has an objective for, in their declared order."""
    found = {demand.failure for demand in demands}
    return (failure for failure in Failure if failure in found and failure in OF_ONE_REGION)
