"""The shape of a plan: a typed graph of steps, plain frozen data. Durations are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lifeboat.model.timings import Timing


class Plane(StrEnum):
    """What a call needs to be answered: control planes fail with their home region, data planes where they serve."""

    CONTROL = "control"
    DATA = "data"


class Mode(StrEnum):
    """What a plan is for."""

    FAILOVER = "failover"
    """A region is lost: ungraceful, may lose what had not arrived."""
    SWITCHOVER = "switchover"
    """Both sites answer: loses nothing."""
    REJOIN = "rejoin"
    """A site that was lost comes back as the standby."""
    FAILBACK = "failback"
    """Home becomes active again: a switchover that goes back by itself past the declared error rate."""


class Stage(StrEnum):
    """Parts of a recovery, in the order in which the declared clock counts them."""

    DETECT = "detect"
    DECIDE = "decide"
    RECOVER = "recover"
    VERIFY = "verify"
    COMMUNICATE = "communicate"
    AFTERWARDS = "afterwards"
    """Clients do not wait for it: ledger, protection, rejoining."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One thing that a step asks of the outside."""

    service: str
    """As boto3 names it (``rds``, ``cloudwatch``), or ``postgresql``, ``redis``, ``http``, ``dns``."""
    operation: str
    """As its API names it, such as ``FailoverGlobalCluster``; a verb for the others."""
    region: str
    """Where it is sent."""
    plane: Plane
    best_effort: bool = False
    """Its answer is not needed: tried for 5 s at most, and listed in the evidence."""
    quorum: frozenset[str] = field(default_factory=frozenset[str])
    """Regions of which more than half must answer each other for it; empty where `region` answers alone."""


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """One step: what it does, to what, after what, and what becomes of it when it fails."""

    key: str
    """Unique in its plan, such as ``promote-database/orders``."""
    kind: str
    """Who performs it: the module of this name in `lifeboat.recovery.steps`, such as ``promote_database``."""
    title: str
    """For people, in the imperative: ``Promote the database orders in us-west-2``."""
    stage: Stage
    region: str
    """Where it acts."""
    store: str | None = None
    """Logical name of the store it acts on, such as ``orders``."""
    mechanism: str | None = None
    """How that store is copied, where that decides what is done."""
    after: frozenset[str] = field(default_factory=frozenset[str])
    """Keys of the steps that must have ended."""
    calls: tuple[Call, ...]
    timing: Timing
    """How long it takes."""
    timeout: float
    """When it is given up."""
    idempotency: str
    """How a second run of it is told from the first."""
    undo: str | None = None
    """How it is taken back."""
    no_undo: str | None = None
    """Why it cannot be; exactly one of both is told."""
    who: str = "operator"
    """Who does it when nothing does it for them."""
    by_hand: tuple[str, ...]
    """How a person does it without this tool: lines of a shell, what no command does as a comment (``# ...``)."""

    def __post_init__(self) -> None:
        if (self.undo is None) == (self.no_undo is None):
            raise ValueError(f"{self.key}: tell either how it is undone or why it cannot be")
        if not 0 < self.timeout < float("inf"):
            raise ValueError(f"{self.key}: timeout {self.timeout}: a deadline is a positive number of seconds")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that has to happen, and in which order. `lifeboat.model.plan.derive` makes and checks it."""

    mode: Mode
    source: str
    """The region that is active before."""
    target: str
    """The region that is active afterwards; of a rejoin, the one that stays active."""
    lost: frozenset[str]
    """Regions that do not answer; empty when graceful."""
    steps: tuple[PlanStep, ...]
    """In an order that respects `PlanStep.after`."""

    @property
    def by_key(self) -> Mapping[str, PlanStep]:
        """The steps by key."""
        return {step.key: step for step in self.steps}

    def calls(self) -> Iterator[tuple[PlanStep, Call]]:
        """Every call with its step."""
        return ((step, call) for step in self.steps for call in step.calls)
