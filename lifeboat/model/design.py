"""The shape of a design: what `topology.resolve` decides and everything below it builds, judges or explains.

Plain frozen data. Durations are seconds. Regions are names such as ``us-east-1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One objective, and whose it is."""

    quantity: Quantity
    seconds: float
    scope: str
    """Whose objective it is, as a settings path: ``objectives.stack``, ``objectives.services.orders``, ``databases.orders``."""
    strict: bool


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
    """What was decided: ``strategy``, ``routing``, ``nat``, ``database orders``, ``cache sessions``, ``objects uploads``, ..."""
    mechanism: str
    reason: str
    chosen_by: str
    """``objectives`` or the settings key that fixed it, such as ``databases.orders.mechanism``."""
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
    rto: Bound
    """Conservative estimate for the loss of the home region: a sum of phases at p95."""
    rpo: Bound | None
    """The worst of the stores that have one."""
    decisions: tuple[Decision, ...]

    @property
    def sites(self) -> tuple[SiteDesign, ...]:
        """Home first."""
        return (self.home, self.standby)
