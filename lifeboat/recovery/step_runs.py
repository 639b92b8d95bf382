"""One step at a time: its deadline, its guard, its further attempts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import psycopg

from lifeboat.recovery.errors import RecoveryError, StepFailed
from lifeboat.recovery.guarded_ports import Guard, GuardedPorts
from lifeboat.recovery.journal import Journal, told_of
from lifeboat.recovery.lease_record import LeaseError
from lifeboat.recovery.lease_store import StoreError
from lifeboat.recovery.run_state import UNANSWERED, Action, Consent, Outcome, StepRun, is_unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifeboat.model.physical import Physical
    from lifeboat.model.plan.graph import Plan, PlanStep
    from lifeboat.recovery.claim import Claim
    from lifeboat.recovery.journal import Detail, ExternalCall, JournalStore, Listener
    from lifeboat.recovery.lease import LeaseWatch
    from lifeboat.recovery.lease_store import LeaseStore, ViewStore
    from lifeboat.recovery.ports import Ports

KNOWN: Final = (RecoveryError, LeaseError, StoreError, LookupError, psycopg.Error, *UNANSWERED)
"""Faults that a step can end with; any other one is a bug, and keeps its traceback."""
_BACKOFF: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Real seconds before a step that got no answer is tried again; the last one holds for all further times."""
_LEAST_DEADLINE: Final = 30.0
"""Real seconds that a step gets at least, however fast the protocol runs: its I/O is real."""


class Progress(Protocol):
    """Hears of a run's steps, from several threads."""

    def started(self, step: PlanStep) -> None:
        """A step began."""
        ...

    def line(self, step: PlanStep | None, text: str) -> None:
        """Something to know while it goes on."""
        ...

    def ended(self, step: PlanStep, outcome: Outcome | None, fault: str | None, seconds: float) -> None:
        """A step ended: well with an outcome, otherwise with a fault."""
        ...


class Unheard:
    """`Progress` that nobody listens to."""

    def started(self, step: PlanStep) -> None:
        """Is not told."""

    def line(self, step: PlanStep | None, text: str) -> None:
        """Is not told."""

    def ended(self, step: PlanStep, outcome: Outcome | None, fault: str | None, seconds: float) -> None:
        """Is not told."""


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where lease, views and journal are kept, reached by whatever ports are given."""

    lease: Callable[[Ports], LeaseStore]
    views: Callable[[Ports], ViewStore]
    journal: Callable[[Ports], JournalStore]


class StoppedError(RecoveryError):
    """The run makes no more calls."""


@dataclass(frozen=True, kw_only=True)
class Flight:
    """A step that is running."""

    step: PlanStep
    began: float
    deadline: float
    over: threading.Event = field(default_factory=threading.Event)
    """Set once nothing that comes back from it counts any more."""


@dataclass(frozen=True, kw_only=True)
class StepRuns:
    """Makes and runs steps of one plan."""

    plan: Plan
    actions: Mapping[str, Action]
    physical: Physical
    ports: Ports
    stores: Stores
    progress: Progress
    listeners: Sequence[Listener]
    consent: Consent
    watch: LeaseWatch
    viewpoint: str
    """Where this runs, see `StepRun.viewpoint`."""
    stop: threading.Event
    """Set: no step makes another call."""
    facts: dict[str, Mapping[str, Detail]] = field(default_factory=dict[str, "Mapping[str, Detail]"])
    """Of the steps that have ended."""

    def flight(self, step: PlanStep) -> Flight:
        """A step that begins now."""
        now = self.ports.clock()
        seconds = max(self.ports.pace.real(step.timeout), min(step.timeout, _LEAST_DEADLINE))
        return Flight(step=step, began=now, deadline=now + seconds)

    def carry_out(self, flight: Flight, journal: Journal, claim: Claim) -> Outcome:
        """Do a step, unless it is done."""
        run = self._run(flight, journal.run, self._guarded(flight, journal, claim))
        return self._until_answered(lambda: self._act(flight.step, run), flight)

    def look(self, flight: Flight) -> Outcome:
        """Pass a gate: its ports refuse whatever changes something, and nothing is noted in the journal's store."""
        run = self.looking(flight)
        return self._until_answered(lambda: self._act(flight.step, run), flight)

    def is_done(self, flight: Flight) -> bool:
        """Whether a step is done, as the outside shows it; nothing is changed."""
        return self.actions[flight.step.kind].done(flight.step, self.looking(flight))

    def looking(self, flight: Flight) -> StepRun:
        """What a step is given that may only look: its ports refuse whatever changes something."""
        return self._run(flight, "", self._looking(flight))

    def take_back(self, flight: Flight, journal: Journal, claim: Claim) -> Outcome | None:
        """Undo a step; None when it cannot be."""
        undo: Callable[[PlanStep, StepRun], Outcome] | None = getattr(self.actions[flight.step.kind], "undo", None)
        if undo is None or flight.step.undo is None:
            return None
        run = self._run(flight, journal.run, self._guarded(flight, journal, claim))
        return self._until_answered(lambda: undo(flight.step, run), flight)

    def gates(self) -> list[PlanStep]:
        """Steps that only look, and come after no other: they are passed before a run is opened."""
        found: dict[str, PlanStep] = {}
        for step in self.plan.steps:
            if getattr(self.actions[step.kind], "GATE", False) and step.after <= found.keys():
                found[step.key] = step
        return list(found.values())

    def is_sure(self, key: str) -> bool:
        """Whether what the journal has as done needs no second look."""
        return not getattr(self.actions[self.plan.by_key[key].kind], "AGAIN", False)

    def _guarded(self, flight: Flight, journal: Journal, claim: Claim) -> Ports:
        guard = Guard(around=journal.around, check=lambda: self._check(flight, claim), step=flight.step.key)
        return GuardedPorts(self.ports, guard)

    def _looking(self, flight: Flight) -> Ports:
        unnoted = Journal(
            "",
            self.stores.journal(self.ports),
            mirror=None,
            wall=self.ports.wall,
            clock=self.ports.clock,
            listeners=self.listeners,
        )
        step = flight.step.key
        guard = Guard(around=unnoted.around, check=lambda: self._check(flight, None), refuse=_refuse, step=step)
        return GuardedPorts(self.ports, guard)

    def _act(self, step: PlanStep, run: StepRun) -> Outcome:
        action = self.actions[step.kind]
        return Outcome(said="so already") if action.done(step, run) else action.perform(step, run)

    def _until_answered(self, act: Callable[[], Outcome], flight: Flight) -> Outcome:
        """Try again for as long as nobody answers and the deadline allows."""
        attempt = 0
        while True:
            try:
                return act()
            except (StoreError, *UNANSWERED) as fault:
                pause = _BACKOFF[min(attempt, len(_BACKOFF) - 1)]
                again = isinstance(fault, StoreError) or is_unanswered(fault)
                if not again or self.ports.clock() + pause > flight.deadline:
                    raise
                attempt += 1
                self.progress.line(flight.step, f"tried again: {told_of(fault)}")
                self.ports.wait(self.stop, pause)

    def _check(self, flight: Flight, claim: Claim | None) -> None:
        if flight.over.is_set() or self.ports.clock() > flight.deadline:
            raise StepFailed(missed(flight.step))
        if self.stop.is_set() or (claim is not None and claim.lost):
            raise StoppedError("the run was stopped")

    def _run(self, flight: Flight, name: str, ports: Ports) -> StepRun:
        return StepRun(
            run=name,
            plan=self.plan,
            physical=self.physical,
            ports=ports,
            lease=self.stores.lease(ports),
            views=self.stores.views(ports),
            entries=self.stores.journal(ports),
            consent=self.consent,
            watch=self.watch,
            viewpoint=self.viewpoint,
            deadline=flight.deadline,
            facts=self.facts,
            progress=lambda text: self.progress.line(flight.step, text),
        )


def missed(step: PlanStep) -> str:
    """What is said of a step that took too long."""
    return f"missed its deadline of {step.timeout:g} s"


def _refuse(call: ExternalCall) -> None:
    raise StepFailed(f"a look would have changed something: {call.service} {call.operation}")
