"""Stores in memory, a world of nothing but a clock, and steps that only note what is done to them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lifeboat.model.plan.graph import Mode, Plan, PlanStep, Stage
from lifeboat.model.timings import Evidence, Timing
from lifeboat.recovery.errors import StepFailed
from lifeboat.recovery.journal import Entry, Taken
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Conflict, Unreachable, Versioned
from lifeboat.recovery.ports import Pace
from lifeboat.recovery.run_state import Consent, Outcome, StepRun
from lifeboat.recovery.runner import Outside, Runner
from lifeboat.recovery.step_runs import Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Option: TypeAlias = Any
"""An argument of `Outside`, or the time scale."""
EAST, WEST = "us-east-1", "us-west-2"
CONSENT = Consent(by=("ada",))
GONE = "somebody@nowhere pid 1 started 1 #1"


class MemoryLease:
    """A lease's register.

    Attributes:
        unanswered: How many of the next calls nobody answers.
        unheard: How many of the next writes are made, and not answered.
        silent_after_write: Such a write is the last thing that it does for long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = Versioned(version=1, record=LeaseRecord.first(EAST, 60))
        self.unanswered = self.unheard = 0
        self.silent_after_write = False

    def read(self) -> Versioned:
        self._answer()
        return self.now

    def create(self, record: LeaseRecord) -> Versioned:
        raise Conflict(str(record))

    def replace(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        self._answer()
        with self._lock:
            if seen.version != self.now.version:
                raise Conflict("changed")
            self.now = Versioned(version=seen.version + 1, record=record)
            if self.unheard:
                self.unheard -= 1
                self.unanswered = 1000 if self.silent_after_write else 0
                raise Unreachable("no answer")
            return self.now

    def _answer(self) -> None:
        if self.unanswered:
            self.unanswered -= 1
            raise Unreachable("no answer")


class MemoryJournal:
    """A journal's store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.entries: dict[tuple[str, int], Entry] = {}

    def append(self, entry: Entry) -> None:
        with self._lock:
            if (entry.run, entry.seq) in self.entries:
                raise Taken(self.entries[entry.run, entry.seq])
            self.entries[entry.run, entry.seq] = entry

    def read(self, run: str) -> Sequence[Entry]:
        return [entry for (of, _), entry in sorted(self.entries.items()) if of == run]

    def runs(self) -> Sequence[str]:
        return sorted({run for run, _ in self.entries})


class NoPorts:
    """Time passes, and nothing else is there."""

    def __init__(self, scale: float = 1000) -> None:
        self.pace = Pace(scale=scale)

    def clock(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def wait(self, event: threading.Event | None, seconds: float) -> bool:
        return (event or threading.Event()).wait(min(seconds, 0.01))

    def client(self, service: str, region: str, **_how: object) -> PlayedClient:
        return PlayedClient(service, region)


class PlayedClient:
    """A client of whatever service, with one operation that reads and one that changes."""

    def __init__(self, service: str, region: str) -> None:
        self.meta = SimpleNamespace(method_to_api_mapping={"get_thing": "GetThing", "put_thing": "PutThing"})
        self.service, self.region = service, region

    def get_thing(self, **_arguments: object) -> str:
        return "thing"

    def put_thing(self, **_arguments: object) -> None:
        return


@dataclass
class Played:
    """Steps of one kind: each notes when it began and ended, and may be told to do something else meanwhile.

    Attributes:
        does: By the step's key.
        already: Keys of steps that the outside shows as done.
        log: What happened, in order.
        undoes: As `does`, before it is taken back.
    """

    does: Mapping[str, Callable[[StepRun], None]] = field(default_factory=dict[str, "Callable[[StepRun], None]"])
    already: set[str] = field(default_factory=set[str])
    log: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    undoes: Mapping[str, Callable[[StepRun], None]] = field(default_factory=dict[str, "Callable[[StepRun], None]"])
    GATE: bool = False

    def done(self, step: PlanStep, run: StepRun) -> bool:
        del run
        return step.key in self.already

    def perform(self, step: PlanStep, run: StepRun) -> Outcome:
        self.log.append(("began", step.key))
        if step.key in self.does:
            self.does[step.key](run)
        self.already.add(step.key)
        self.log.append(("ended", step.key))
        return Outcome(said=f"{step.key} is done", facts={"key": step.key})

    def undo(self, step: PlanStep, run: StepRun) -> Outcome:
        if step.key in self.undoes:
            self.undoes[step.key](run)
        self.already.discard(step.key)
        self.log.append(("undone", step.key))
        return Outcome(said=f"{step.key} is undone")

    def began(self) -> list[str]:
        return [key for what, key in self.log if what == "began"]


def step(
    key: str, after: Iterable[str] = (), *, kind: str = "played", timeout: float = 30.0, fixed: bool = False
) -> PlanStep:
    return PlanStep(
        key=key,
        kind=kind,
        title=f"Do {key}",
        stage=Stage.RECOVER,
        region=WEST,
        after=frozenset(after),
        calls=(),
        timing=Timing(1, 2, (Evidence.PRIOR,), "made up"),
        timeout=timeout,
        idempotency="its note",
        undo=None if fixed else "taken back",
        no_undo="it cannot be" if fixed else None,
        by_hand=(),
    )


def plan(*steps: PlanStep) -> Plan:
    return Plan(mode=Mode.FAILOVER, source=EAST, target=WEST, lost=frozenset({EAST}), steps=steps)


CHAIN = plan(step("a"), step("b", {"a"}), step("c", {"b"}, fixed=True), step("d", {"c"}))


def fail(text: str = "it broke") -> Callable[[StepRun], None]:
    def act(run: StepRun) -> None:
        del run
        raise StepFailed(text)

    return act


class Scene:
    """A plan's surroundings, kept over the runners of one test."""

    def __init__(self) -> None:
        self.lease = MemoryLease()
        self.journal = MemoryJournal()
        self.actions: dict[str, Any] = {"played": Played()}

    @property
    def played(self) -> Played:
        return cast("Played", self.actions["played"])

    def runner(self, of: Plan, runner: str = GONE, **options: Option) -> Runner:
        physical: Any = SimpleNamespace(settings=SimpleNamespace(lease=SimpleNamespace(clock_margin=5)))
        outside = Outside(
            physical=physical,
            ports=cast("Any", NoPorts(options.pop("scale", 20))),
            stores=Stores(
                lease=lambda _: self.lease, views=lambda _: cast("Any", None), journal=lambda _: self.journal
            ),
            actions=self.actions,
            runner=runner,
            **options,
        )
        return Runner(of, outside)

    def events(self, run: str) -> list[tuple[str, str | None]]:
        return [(entry.event.value, entry.step) for entry in self.journal.read(run)]
