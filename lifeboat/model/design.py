"""The shape of a design: what `topology.resolve` decides and everything below it builds, judges or explains.

Plain frozen data. Durations are seconds. Regions are names such as ``us-east-1``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lifeboat.model.settings.objectives import Failure, Phases

if TYPE_CHECKING:
    from lifeboat.model.settings.sites import Nat, RoutingKind, Strategy
    from lifeboat.model.settings.stores import (
        Cache,
        CacheMechanism,
        Database,
        DatabaseMechanism,
        ObjectMechanism,
        ObjectStore,
    )


class BoundClass(StrEnum):
    """How sure a bound is, surest first."""

    ENFORCED = "enforced"
    DOCUMENTED = "documented"
    ALARMED = "alarmed"
    TYPICAL = "typical"


class LeaseStore(StrEnum):
    """Where the lease lives that decides who may write."""

    STRONG_TABLE = "strong-table"
    """A DynamoDB global table with multi-Region strong consistency: a replica a site, a witness in the third region."""
    WITNESS_OBJECT = "witness-object"
    """Conditional writes on an object in the witness region, where no strongly consistent table spans the regions."""


class Quantity(StrEnum):
    """What a bound or an objective bounds."""

    RTO = "rto"
    RPO = "rpo"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The worst that a mechanism gives, and how sure that is."""

    quantity: Quantity
    seconds: float
    klass: BoundClass
    arithmetic: str
    """How the seconds come about, such as ``interval 24h + copy 5m``."""
    conservative: Bound | None = None
    """Of a recovery time that is the p95 of a projection: the sum of p95s beside it. None where `seconds` is itself
    such a sum, a conservative estimate, or bounds a loss."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One objective, and whose it is."""

    quantity: Quantity
    seconds: float
    scope: str
    """Whose objective it is, by name: ``objectives.stack``, ``objectives.services.orders``, ``databases.orders``."""
    strict: bool
    """Only an enforced or documented bound answers it."""
    failure: Failure = Failure.REGION
    """The class of failure it speaks of."""
    service: str | None = None
    """The service whose objective it is, None for everything."""
    declared: Phases = field(default_factory=Phases)
    """Phases that the scope declares; they replace estimates in the bound of a recovery time."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A demand beside the bound that answers it."""

    demand: Demand
    bound: Bound
    met: bool


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A cheaper mechanism that was not taken, and the arithmetic that ruled it out."""

    mechanism: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One choice, with its reason and what it gives."""

    capability: str
    """What was decided: ``strategy``, ``routing``, ``nat``, ``database orders``, ``objects uploads``, ..."""
    mechanism: str
    reason: str
    chosen_by: str
    """``objectives`` or the settings key that fixed it, such as ``databases[0].mechanism``."""
    verdicts: tuple[Verdict, ...] = ()
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SiteDesign:
    """One site's network."""

    region: str
    cidr: str
    zones: tuple[str, ...]
    home: bool


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One generation of a plain database instance."""

    key: str
    """``us-east-1-g1``."""
    region: str
    source: str | None
    """Key of the instance it replicates from, None for the first of the chain."""


@dataclass(frozen=True, kw_only=True)
class DatabaseDesign:
    """A database as it is built."""

    settings: Database
    mechanism: DatabaseMechanism
    instances: tuple[Instance, ...]
    """Plain mechanisms: every generation that exists, oldest first. Aurora: empty."""
    home_instances: int
    standby_instances: int
    """Aurora: instances in a site (0 is a headless secondary). Plain: 1 or 0 in the standby."""
    global_rpo: int | None
    """Aurora Global: ``rds.global_db_rpo`` in seconds, which enforces the bound; None leaves it unset."""
    replicate_backups: bool
    """RDS automated backups are replicated to the other site."""
    rpo: float | None
    """The strictest RPO demanded of it."""
    lag_alarm: float | None
    """Replication lag that raises an alarm, seconds; None raises none."""


@dataclass(frozen=True, kw_only=True)
class CacheDesign:
    """A cache as it is built."""

    settings: Cache
    mechanism: CacheMechanism
    rpo: float | None


@dataclass(frozen=True, kw_only=True)
class ObjectsDesign:
    """An object store as it is built."""

    settings: ObjectStore
    mechanism: ObjectMechanism
    rpo: float | None


@dataclass(frozen=True, kw_only=True)
class Topology:
    """A whole design. `settings` values that need no decision are read from the settings themselves."""

    home: SiteDesign
    standby: SiteDesign
    witness: str
    strategy: Strategy
    nat: Nat
    routing: RoutingKind | None
    """None without a zone."""
    standby_capacity: float
    """Share of the home site's compute that runs in the standby, 0 to 1."""
    databases: tuple[DatabaseDesign, ...]
    caches: tuple[CacheDesign, ...]
    object_stores: tuple[ObjectsDesign, ...]
    lease: LeaseStore
    demanded_rto: float
    """The strictest RTO of any scope for the loss of a region; without one, of any failure. Seconds."""
    demanded_rpo: float | None
    """The strictest RPO of any store, None for a stack without data to keep. Seconds."""
    rto: Bound
    """For the loss of the home region: the p95 of the plan's projection, with the conservative estimate beside it."""
    rpo: Bound | None
    """The worst bound among the stores that have the strictest RPO; the others stand in their decisions."""
    decisions: tuple[Decision, ...]

    @property
    def sites(self) -> tuple[SiteDesign, ...]:
        """Home first."""
        return (self.home, self.standby)
