"""The steps of a plan side by side, each as soon as everything that it comes after has ended well."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Final, TypeAlias

from lifeboat.recovery.claim import BEAT
from lifeboat.recovery.errors import ErrorRateExceeded, JournalLost, StepFailed
from lifeboat.recovery.journal import Event, told_of
from lifeboat.recovery.lease_record import LeaseError
from lifeboat.recovery.step_runs import KNOWN, StoppedError, missed

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.model.plan.graph import PlanStep
    from lifeboat.recovery.claim import Claim
    from lifeboat.recovery.journal import Journal
    from lifeboat.recovery.run_state import Outcome
    from lifeboat.recovery.step_runs import Flight, StepRuns

WORKERS: Final = 8
"""Steps at once, at most."""
_TICK: Final = 0.5
"""Real seconds between two looks at deadlines and at the claim, at most."""
_End: TypeAlias = "tuple[str, Outcome | None, BaseException | None]"


@dataclass(kw_only=True)
class GraphRun:
    """One way through a plan's graph.

    `told` has what is done already, and gets what becomes of every other step; `faults` gets a line for each that
    failed. Steps that do not come after one that failed go on: what can be recovered is.
    """

    steps: StepRuns
    journal: Journal
    claim: Claim
    told: dict[str, str]
    alarm: Callable[[str], None] | None = None
    """Tells people of a step that failed."""
    faults: list[str] = field(default_factory=list[str])
    go_back: bool = False
    """Services fail too often where they were moved to."""
    _flights: dict[str, Flight] = field(default_factory=dict[str, "Flight"])
    _ended: queue.SimpleQueue[_End] = field(default_factory=queue.SimpleQueue["_End"])

    def run(self) -> bool:
        """Carry out everything; whether all of it ended well.

        Raises:
            JournalLost: when the journal takes no entry; no step makes another call then.
        """
        plan, stop = self.steps.plan, self.steps.stop
        sorter = TopologicalSorter({step.key: step.after for step in plan.steps})
        sorter.prepare()
        ready = self._fresh(sorter)
        try:
            while self._flights or (ready and not stop.is_set()):
                while ready and len(self._flights) < WORKERS and not stop.is_set():
                    self._launch(ready.pop(0))
                self._give_up_late()
                self._keep_claim()
                key = self._next()
                if key is not None:
                    sorter.done(key)
                    ready += self._fresh(sorter)
        except BaseException:
            # Whoever is left in a thread makes no more calls.
            stop.set()
            raise
        for step in plan.steps:
            self.told.setdefault(step.key, "not begun")
        return not self.faults and not stop.is_set()

    def _fresh(self, sorter: TopologicalSorter[str]) -> list[PlanStep]:
        """Steps that may begin now; what is done already lets those after it begin."""
        found: list[PlanStep] = []
        while keys := sorter.get_ready():
            for key in keys:
                if key in self.told:
                    sorter.done(key)
                else:
                    found.append(self.steps.plan.by_key[key])
        return found

    def _launch(self, step: PlanStep) -> None:
        flight = self._flights[step.key] = self.steps.flight(step)
        self.steps.progress.started(step)

        def work() -> None:
            try:
                self.journal.note(Event.STARTED, step.key, {"title": step.title})
                self._ended.put((step.key, self.steps.carry_out(flight, self.journal, self.claim), None))
            except BaseException as fault:  # noqa: BLE001  (handed to whoever waits, who raises it)
                self._ended.put((step.key, None, fault))

        # Not a pool's: its threads are waited for at the interpreter's end, however long one hangs.
        threading.Thread(target=work, name=step.key, daemon=True).start()

    def _next(self) -> str | None:
        """The next step that ended well, if one does before the next look is due."""
        try:
            key, outcome, fault = self._ended.get(timeout=min(_TICK, self.steps.ports.pace.real(BEAT) / 4))
        except queue.Empty:
            return None
        flight = self._flights.pop(key, None)
        if flight is None:
            # Given up before.
            return None
        if outcome is not None:
            self._end_well(flight, outcome)
            return key
        self._end_badly(flight, fault or StepFailed("nothing came of it"))
        return None

    def _give_up_late(self) -> None:
        now = self.steps.ports.clock()
        for key, flight in list(self._flights.items()):
            if now > flight.deadline:
                # Its thread may hang in a call; whatever comes back from there leads to nothing more.
                flight.over.set()
                del self._flights[key]
                self._end_badly(flight, StepFailed(missed(flight.step)))

    def _keep_claim(self) -> None:
        try:
            self.claim.keep()
        except LeaseError as lost:
            if not self.steps.stop.is_set():
                self.faults.append(str(lost))
            self.steps.stop.set()

    def _end_well(self, flight: Flight, outcome: Outcome) -> None:
        step, seconds = flight.step, self.steps.ports.clock() - flight.began
        self.journal.note(Event.DONE, step.key, {**outcome.facts, "said": outcome.said, "took": round(seconds, 3)})
        self.steps.facts[step.key] = outcome.facts
        self.told[step.key] = outcome.said
        self.steps.progress.ended(step, outcome, None, seconds)

    def _end_badly(self, flight: Flight, fault: BaseException) -> None:
        step, seconds = flight.step, self.steps.ports.clock() - flight.began
        if isinstance(fault, JournalLost) or not isinstance(fault, KNOWN):
            raise fault
        said = told_of(fault)
        self.go_back = self.go_back or isinstance(fault, ErrorRateExceeded)
        self.told[step.key] = said
        self.faults.append(f"{step.title}: {said}")
        self.steps.progress.ended(step, None, said, seconds)
        if isinstance(fault, StoppedError):
            return
        self.journal.note(Event.FAILED, step.key, {"fault": said, "took": round(seconds, 3)})
        if self.alarm is not None:
            self.alarm(f"{self.journal.run}: {step.title}: {said}")
