"""What calls of a region meet: slowness, throttling, errors, silence, refused credentials, missing capacity.

A condition says which calls it is for (region, caller, plane, services, operations; whatever it leaves out, it does not
ask for) and what it does to them. Several compose, always in this order, whatever order they were placed in:

1. ``blackout``: the connection ends without an answer.
2. ``hang``: no answer until the condition is lifted; then the call goes on.
3. ``slow``: seconds are added; those of several conditions add up.
4. ``expired``: the credentials have expired.
5. ``throttle``, 6. ``errors``: refusals of a fraction of the calls.
7. ``capacity``: refusals of calls that need a machine.

Only a call that comes through is carried out: nothing that is refused, or whose client gave up, had an effect.

Fractions are seeded: the n-th call that a service and region bring to a condition meets the same fate in every run,
whatever other services' calls come in between.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lifeboat.sandbox.gateway.planes import Plane
from lifeboat.sandbox.gateway.refusals import capacity, expired, failed, throttled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lifeboat.sandbox.gateway.answers import RefusalError
    from lifeboat.sandbox.gateway.calls import Call

REGION: Final = r"[a-z]{2}(-[a-z]+)+-\d"

RegionPattern: TypeAlias = Annotated[str, Field(pattern=f"^!?{REGION}$")]
"""A region, or with ``!`` in front any other one."""


class _Condition(BaseModel):
    """Which calls it is for.

    Attributes:
        region: The region that must answer; ``!us-east-1`` is any other.
        caller: The region that the caller says it is in (see `calls.Caller`); ``!us-east-1`` is any other, and whoever
            says none.
        plane: ``control`` or ``data``.
        services: The SDK's names, such as ``rds``.
        operations: Such as ``DescribeDBInstances``.
        seed: Another seed is another choice of the calls that a fraction means.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    region: RegionPattern | None = None
    caller: RegionPattern | None = None
    plane: Plane | None = None
    services: frozenset[str] | None = None
    operations: frozenset[str] | None = None
    seed: int = 0

    def matches(self, request: Request) -> bool:
        """Whether it is for this call."""
        call = request.call
        return (
            _named(self.region, call.region)
            and _named(self.caller, request.caller)
            and self.plane in {None, call.plane}
            and (self.services is None or call.service in self.services)
            and (self.operations is None or call.operation in self.operations)
        )


class Slow(_Condition):
    """Answers come `seconds` later."""

    effect: Literal["slow"]
    seconds: float = Field(gt=0, le=3600)


class Throttle(_Condition):
    """A fraction of the calls is answered as AWS does to one who asks too often."""

    effect: Literal["throttle"]
    fraction: float = Field(default=1, gt=0, le=1)


class Errors(_Condition):
    """A fraction of the calls is answered with a fault of the service's own, HTTP 500 or 503."""

    effect: Literal["errors"]
    fraction: float = Field(default=1, gt=0, le=1)


class Hang(_Condition):
    """No call is answered until this is lifted."""

    effect: Literal["hang"]


class Blackout(_Condition):
    """Every connection ends without an answer."""

    effect: Literal["blackout"]

    @property
    def whole(self) -> bool:
        """Whether it takes a whole region, at least from all who are outside of it."""
        narrowed = (self.plane, self.services, self.operations) != (None,) * 3
        named = self.region is not None and not self.region.startswith("!")
        return named and not narrowed and self.caller in {None, f"!{self.region}"}


class Expired(_Condition):
    """Credentials count as expired; those of `principals` (access keys or role sessions), by default everyone's."""

    effect: Literal["expired"]
    principals: frozenset[str] | None = None

    def matches(self, request: Request) -> bool:
        """Whether it is for this call, and for who signed it."""
        named = self.principals is None or bool(self.principals & {request.principal, request.access_key})
        return bool(request.access_key) and named and super().matches(request)


class Capacity(_Condition):
    """There are no machines: calls that create, restore, start or resize a server are refused."""

    effect: Literal["capacity"]


Condition: TypeAlias = Slow | Throttle | Errors | Hang | Blackout | Expired | Capacity
_ADAPTER: Final[TypeAdapter[Condition]] = TypeAdapter(Annotated[Condition, Field(discriminator="effect")])


def parse(document: object) -> Condition:
    """Read a condition such as ``{"effect": "slow", "region": "us-east-1", "seconds": 2}``.

    Raises:
        pydantic.ValidationError: when it is none.
    """
    return _ADAPTER.validate_python(document)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What conditions ask of a call.

    Attributes:
        call: Which call it is.
        caller: The region that the caller says it is in; empty when it says none.
        access_key: The access key's ID; empty when it is not signed.
        principal: The role session's name, or the access key's ID again.
        parameters: Names of the parameters, where the protocol tells them.
    """

    call: Call
    caller: str = ""
    access_key: str = ""
    principal: str = ""
    parameters: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class Placed:
    """A condition in force.

    Attributes:
        id: Names it, such as ``slow-3``.
        condition: What it does.
        since: Seconds since the epoch.
        lifted: Set when it is not in force any more.
        changed: How many calls it changed.
    """

    id: str
    condition: Condition
    since: float
    lifted: threading.Event = field(default_factory=threading.Event)
    changed: int = 0
    met: Counter[tuple[str, str]] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        given = self.condition.model_dump(mode="json", exclude_defaults=True)
        return {"id": self.id, "since": self.since, "changed": self.changed, **given}


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What happens to a call, in this order.

    Attributes:
        lost: The connection ends.
        hangs: It waits until each of these is lifted.
        delays: It waits for so many seconds, or until the condition is lifted.
        refusal: It is answered with this.
        ids: The conditions that did it.
    """

    lost: bool = False
    hangs: Sequence[Placed] = ()
    delays: Sequence[tuple[Placed, float]] = ()
    refusal: RefusalError | None = None
    ids: tuple[str, ...] = ()


UNCHANGED: Final = Fate()


class Conditions:
    """The conditions in force; several threads use it."""

    def __init__(self) -> None:
        self._placed: dict[str, Placed] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def place(self, condition: Condition, identifier: str | None = None) -> str:
        """Put a condition in force; the answer is its ID.

        Args:
            condition: What it does.
            identifier: Its ID; one in force that has it already stays. None: a new one.
        """
        with self._lock:
            wanted = identifier or f"{condition.effect}-{next(self._numbers)}"
            if wanted not in self._placed:
                self._placed[wanted] = Placed(id=wanted, condition=condition, since=time.time())
        return wanted

    def lift(self, *identifiers: str) -> list[str]:
        """Take conditions away; those that are not in force do not matter. The answer is the IDs of those that were."""
        with self._lock:
            lifted = [self._placed.pop(each) for each in identifiers if each in self._placed]
        for placed in lifted:
            placed.lifted.set()
        return [placed.id for placed in lifted]

    def table(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        return [placed.document() for placed in self.all()]

    def all(self) -> list[Placed]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._placed.values())

    @property
    def lost(self) -> frozenset[str]:
        """Regions that answer nobody outside of them."""
        conditions = [placed.condition for placed in self.all()]
        return frozenset(each.region or "" for each in conditions if isinstance(each, Blackout) and each.whole)

    def blacked_out(self, request: Request) -> bool:
        """Whether a blackout is on the call's way now."""
        conditions = [placed.condition for placed in self.all()]
        return any(isinstance(each, Blackout) and each.matches(request) for each in conditions)

    def judge(self, request: Request) -> Fate:
        """Decide a call's fate, and count it."""
        if not self._placed:
            return UNCHANGED
        with self._lock:
            # Each counts every call that is for it, also one whose fate another decides.
            met = [
                (placed, _number(placed, request))
                for placed in self._placed.values()
                if placed.condition.matches(request)
            ]
            fate = _compose(request, met)
            for placed, _ in met:
                placed.changed += placed.id in fate.ids
        return fate


def _compose(request: Request, met: Sequence[tuple[Placed, int]]) -> Fate:
    blackouts = [placed for placed, _ in met if isinstance(placed.condition, Blackout)]
    if blackouts:
        return Fate(lost=True, ids=tuple(placed.id for placed in blackouts))
    hangs = [placed for placed, _ in met if isinstance(placed.condition, Hang)]
    delays = [(placed, placed.condition.seconds) for placed, _ in met if isinstance(placed.condition, Slow)]
    refused = _refusal(request, met)
    waits = tuple(placed.id for placed in (*hangs, *(placed for placed, _ in delays)))
    if refused is None:
        return Fate(hangs=hangs, delays=delays, ids=waits)
    placed, refusal = refused
    return Fate(hangs=hangs, delays=delays, refusal=refusal, ids=(*waits, placed.id))


def _refusal(request: Request, met: Sequence[tuple[Placed, int]]) -> tuple[Placed, RefusalError] | None:
    """The first refusal that applies, by the order of effects, and whose it is."""
    call = request.call
    for effect in ("expired", "throttle", "errors", "capacity"):
        for placed, number in _of(effect, met):
            condition = placed.condition
            drawn = draw(condition.seed, effect, call.service, call.region, number)
            refusal: RefusalError | None = None
            if isinstance(condition, Expired):
                refusal = expired(call)
            elif isinstance(condition, Throttle) and drawn < condition.fraction:
                refusal = throttled(call)
            elif isinstance(condition, Errors) and drawn < condition.fraction:
                # Of those that fail, half fail either way.
                refusal = failed(call, unavailable=drawn < condition.fraction / 2)
            elif isinstance(condition, Capacity):
                refusal = capacity(call, request.parameters)
            if refusal is not None:
                return placed, refusal
    return None


def _of(effect: str, met: Iterable[tuple[Placed, int]]) -> list[tuple[Placed, int]]:
    return [(placed, number) for placed, number in met if placed.condition.effect == effect]


def _number(placed: Placed, request: Request) -> int:
    key = (request.call.service, request.call.region)
    placed.met[key] += 1
    return placed.met[key]


def draw(seed: int, effect: str, service: str, region: str, number: int) -> float:
    """A number from 0 up to 1 that only the arguments decide."""
    text = f"{seed}/{effect}/{service}/{region}/{number}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest()) / 2**56


def _named(pattern: str | None, region: str) -> bool:
    if pattern is None:
        return True
    return region != pattern[1:] if pattern.startswith("!") else region == pattern
