"""The mechanisms that could carry a store, cheapest first, each with what it gives; `topology` decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from lifeboat.model import bounds, engines, timings
from lifeboat.model.bounds import INSTANT, Phase
from lifeboat.model.settings.base import GLOBAL_IMPORT
from lifeboat.model.settings.rules import names
from lifeboat.model.settings.sites import Strategy
from lifeboat.model.settings.stores import (
    Cache,
    CacheMechanism,
    Database,
    DatabaseMechanism,
    ObjectMechanism,
)
from lifeboat.model.timings import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifeboat.model.design import Bound, Demand
    from lifeboat.model.settings import Settings

MechanismT = TypeVar("MechanismT", DatabaseMechanism, CacheMechanism, ObjectMechanism)


@dataclass(frozen=True, kw_only=True)
class Candidate(Generic[MechanismT]):
    """One mechanism for one store."""

    mechanism: MechanismT
    named: str
    """In words, as the object of a sentence: ``a plain replica``."""
    rpo: Bound
    promotion: Phase
    """Until the store takes writes in the other site."""
    impossible: str | None = None
    """Why this store cannot have it, None when it can."""
    enforces: int | None = None
    """Aurora: the `rds.global_db_rpo` it is given, seconds."""


def of_database(
    settings: Settings, database: Database, strategy: Strategy, rpo: Sequence[Demand]
) -> tuple[Candidate[DatabaseMechanism], ...]:
    """Backups, replicated backups, a plain replica, Aurora Global."""
    asleep = _asleep(strategy)
    standby_class = database.standby_instance_class or database.instance_class
    refusal = engines.aurora_refuses(database.version, (database.instance_class, standby_class))
    strictest = min((demand.seconds for demand in rpo), default=None)
    enforced = None if strictest is None or strictest < timings.AURORA_LEAST_ENFORCED else int(strictest)
    lineage = "its generations are those of a plain replica" if database.generations else None
    joined = "a global cluster is imported" if GLOBAL_IMPORT in database.import_ else None
    restore = Phase.timed("restore", Step.RDS_RESTORE)
    return (
        Candidate(
            mechanism=DatabaseMechanism.BACKUPS,
            named="daily backups",
            rpo=bounds.loss(timings.DAILY_BACKUPS),
            promotion=restore,
            impossible=lineage or joined or _no_vault(settings, database),
        ),
        Candidate(
            mechanism=DatabaseMechanism.REPLICATED_BACKUPS,
            named="replicated backups",
            rpo=bounds.loss(timings.REPLICATED_BACKUPS),
            promotion=restore,
            impossible=lineage or joined,
        ),
        Candidate(
            mechanism=DatabaseMechanism.REPLICA,
            named="a plain replica",
            rpo=bounds.loss(timings.PLAIN_REPLICA),
            promotion=Phase.timed("promotion of the replica", Step.RDS_PROMOTION),
            impossible=asleep or joined or engines.rds_refuses(database.version),
        ),
        Candidate(
            mechanism=DatabaseMechanism.AURORA_GLOBAL,
            named="Aurora Global",
            rpo=bounds.loss(timings.AURORA_UNENFORCED) if enforced is None else bounds.enforced_lag(enforced),
            promotion=Phase.timed("failover of Aurora Global", Step.AURORA_PROMOTION),
            impossible=asleep or lineage or (None if refusal is None else f"it would need {refusal}"),
            enforces=enforced,
        ),
    )


def of_cache(cache: Cache, strategy: Strategy) -> tuple[Candidate[CacheMechanism], ...]:
    """An empty cache of its own, Global Datastore."""
    refusal = engines.global_datastore_refuses(cache.node_type)
    made = strategy is Strategy.BACKUP_AND_RESTORE
    return (
        Candidate(
            mechanism=CacheMechanism.REBUILD,
            named="an empty cache",
            rpo=bounds.loss(timings.NOTHING_COPIED),
            promotion=Phase.timed("creation of the cache", Step.CACHE_CREATE) if made else INSTANT,
            impossible="a Global Datastore is imported" if GLOBAL_IMPORT in cache.import_ else None,
        ),
        Candidate(
            mechanism=CacheMechanism.GLOBAL_DATASTORE,
            named="Global Datastore",
            rpo=bounds.loss(timings.GLOBAL_DATASTORE),
            promotion=Phase.timed("promotion of the Global Datastore", Step.CACHE_PROMOTION),
            impossible=_asleep(strategy) or (None if refusal is None else f"it would need {refusal}"),
        ),
    )


def of_objects() -> tuple[Candidate[ObjectMechanism], ...]:
    """No copy, replication, replication with time control. Both buckets take writes, so nothing is promoted."""
    return (
        Candidate(
            mechanism=ObjectMechanism.NONE,
            named="buckets that are not replicated",
            rpo=bounds.loss(timings.NOTHING_COPIED),
            promotion=INSTANT,
        ),
        Candidate(
            mechanism=ObjectMechanism.REPLICATION,
            named="replication without time control",
            rpo=bounds.loss(timings.PLAIN_REPLICATION),
            promotion=INSTANT,
        ),
        Candidate(
            mechanism=ObjectMechanism.TIME_CONTROL,
            named="replication with time control",
            rpo=bounds.loss(timings.TIME_CONTROL),
            promotion=INSTANT,
        ),
    )


def _no_vault(settings: Settings, database: Database) -> str | None:
    region = max((site.region for site in settings.sites), key=len)
    return names.too_long(f"{settings.prefix}-{database.name}-{region}", names.BACKUP_VAULT, "backup vault")


def _asleep(strategy: Strategy) -> str | None:
    if strategy is Strategy.BACKUP_AND_RESTORE:
        return "under backup-and-restore nothing runs in the other site"
    return None
