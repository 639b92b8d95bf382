"""What a step is given while it runs, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import botocore.exceptions
import psycopg
import redis

from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.journal import Detail
from lifeboat.recovery.lease_store import change

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifeboat.model.physical import Physical
    from lifeboat.model.plan.graph import Plan, PlanStep
    from lifeboat.recovery.journal import JournalStore
    from lifeboat.recovery.lease import LeaseWatch
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.lease_store import LeaseStore, ViewStore
    from lifeboat.recovery.ports import Ports
    from lifeboat.recovery.views import Confirmed

_T = TypeVar("_T")
WARDEN: Final = "warden"
"""Who consents to a run that no person decided."""
_LOOK: Final = 2.0
"""Seconds between two looks at something that takes its time; real ones, AWS limits how often one asks."""
_FIRST_PAUSE: Final = 0.1
"""Real seconds between the first look and the second."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step did."""

    said: str
    """For people, in the past tense: ``orders writes in us-west-2``."""
    facts: Mapping[str, Detail] = field(default_factory=dict[str, Detail])
    """What later steps, the evidence and a resumed run need to know; no secrets."""


class Action(Protocol):
    """The acting half of a kind of step: a module in `lifeboat.recovery.steps`.

    Three names are optional. ``undo(step, run) -> Outcome`` takes it back, and may be called twice. ``GATE = True``: it
    only looks, and refuses; gates that come after nothing else are passed before a run is opened, so that a refusal
    changes nothing. ``AGAIN = True``: a resumed run asks `done` although the journal has it as done.
    """

    def perform(self, step: PlanStep, run: StepRun) -> Outcome:
        """Do it; or go on with it, where an earlier attempt was cut off."""
        ...

    def done(self, step: PlanStep, run: StepRun) -> bool:
        """Whether it is done already, as the outside shows it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What people, or the warden by declared rule, agreed to."""

    by: tuple[str, ...]
    """Who decided."""
    loss: bool = False
    """Acknowledged writes may be left behind, beyond the objective: only where the stack's declaration accepts it."""
    confirmed: Confirmed | None = None
    """What a warden had confirmed when it decided; a person's run confirms by itself."""


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """Everything that a step may use.

    `ports`, and the stores that were made of them, are guarded: every call is journaled, and none is made once the
    step's deadline has passed or its run is stopped.
    """

    run: str
    """The run's name; empty before one is opened."""
    plan: Plan
    physical: Physical
    ports: Ports
    lease: LeaseStore
    views: ViewStore
    entries: JournalStore
    consent: Consent
    watch: LeaseWatch
    """Whoever runs this has watched the lease with it so far; one for all steps of a process."""
    viewpoint: str
    """Where this runs, as one of the viewpoints: a warden's region, or ``operator``."""
    deadline: float
    """On `Ports.clock`."""
    facts: Mapping[str, Mapping[str, Detail]]
    """Of the steps that have ended, by key."""
    progress: Callable[[str], None]
    """Takes a line while a step goes on."""

    def until(self, look: Callable[[], _T | None], what: str, every: float = _LOOK) -> _T:
        """Look until there is something to see.

        The first looks follow each other sooner, each pause twice the one before: what is there at once costs no wait,
        and what takes minutes costs a handful of looks more.

        Args:
            look: Gives it, or None.
            what: What is waited for: ``orders is available``.
            every: Real seconds between two looks, at most.

        Raises:
            StepFailed: when the step's deadline passes first.
        """
        pause = min(_FIRST_PAUSE, every)
        while True:
            found = look()
            if found is not None:
                return found
            left = self.deadline - self.ports.clock()
            if left <= 0:
                raise StepFailed(f"{what}: not so by the step's deadline")
            self.ports.wait(None, min(pause, left))
            pause = min(2 * pause, every)

    def change(self, transition: Callable[[LeaseRecord], LeaseRecord]) -> LeaseRecord:
        """Make a transition of the lease that stays right whatever is written between; what it raises is passed on.

        Raises:
            StoreError: when the lease does not answer.
        """
        return change(self.lease, transition).record

    def answers(self, region: str) -> bool:
        """Whether a region is expected to answer."""
        return region not in self.plan.lost


UNANSWERED: Final = (
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    redis.RedisError,
    OSError,
)
"""Faults of the way there, or of whoever should answer; see `is_unanswered`."""

_TRANSIENT_CODES: Final = {
    "InternalFailure",
    "InternalError",
    "InternalServerError",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
_SERVER_FAULT: Final = 500
_UNRETRYABLE: Final = (
    botocore.exceptions.ParamValidationError,
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.UnknownServiceError,
    botocore.exceptions.WaiterError,
)


def is_unanswered(fault: Exception) -> bool:
    """Whether a fault says that nobody answered, or had no time to: another attempt may do better."""
    if isinstance(fault, botocore.exceptions.ClientError):
        status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = fault.response.get("Error", {}).get("Code", "")
        return status >= _SERVER_FAULT or code in _TRANSIENT_CODES
    return isinstance(fault, UNANSWERED) and not isinstance(fault, _UNRETRYABLE)
