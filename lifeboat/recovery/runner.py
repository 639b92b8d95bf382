"""Carries out a plan: side by side as its graph allows, journaled, resumable.

Invariants:
1. A step runs when every step that it comes after has ended well, and never otherwise.
2. Killed anywhere and started again, a run ends with the same epoch, writer and control plane: each step looks whether
   it is done before it does anything, and what the journal has as done is not looked at again.
3. One runner a stack: the lease's claim is taken before the first step, and a runner that loses it makes no more calls.
4. A refusal changes nothing but one journal entry: gates (steps that only look) are passed before the claim is taken.
5. A run is taken back only until its target holds the lease, or a promotion began that has no undo; and gone on with
   in no other way once that began.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lifeboat.recovery import run_entries
from lifeboat.recovery.claim import Claim, persistent, runner_name
from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.graph_run import GraphRun
from lifeboat.recovery.journal import Detail, Event, Journal, told_of
from lifeboat.recovery.lease import LeaseWatch
from lifeboat.recovery.lease_record import LeaseError, RunClaimedError
from lifeboat.recovery.lease_store import StoreError
from lifeboat.recovery.readiness import checks, refusals
from lifeboat.recovery.run_state import Consent
from lifeboat.recovery.step_runs import KNOWN, StepRuns, Unheard
from lifeboat.recovery.way_back import require_open, take_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifeboat.model.physical import Physical
    from lifeboat.model.plan.graph import Plan
    from lifeboat.recovery.journal import Entry, Listener, Mirror
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.ports import Ports
    from lifeboat.recovery.readiness import Check
    from lifeboat.recovery.run_state import Action, Outcome
    from lifeboat.recovery.step_runs import Progress, Stores

DONE, FAILED, ABORTED = "done", "failed", "aborted"


@dataclass(frozen=True, kw_only=True)
class Report:
    """How a run ended."""

    run: str
    result: str
    """``done``, ``failed`` or ``aborted``."""
    steps: Mapping[str, str]
    """What became of each step, by key: what it said, its fault, or ``not begun``."""
    faults: tuple[str, ...] = ()
    """A line for each step that failed."""
    seconds: float = 0.0
    go_back: bool = False
    """Services fail too often where they were moved to; the run is over, and a move back may begin."""
    aborting: bool = False
    """It is being taken back: what is left can only be taken back, not gone on with."""
    warnings: tuple[str, ...] = ()
    """What is not as it should be although the run is over."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What a run is carried out with, the same for every plan of a stack."""

    physical: Physical
    ports: Ports
    stores: Stores
    actions: Mapping[str, Action]
    """The acting half of each kind of step."""
    mirror: Mirror | None = None
    """Where the journal is read by people; None for nowhere."""
    listeners: tuple[Listener, ...] = ()
    """Hear of every call."""
    alarm: Callable[[str], None] | None = None
    """Tells people of a step that failed; must not raise."""
    watch: LeaseWatch | None = None
    """What has watched the lease so far; None begins anew."""
    viewpoint: str = "operator"
    """Where this runs: a warden's region, or ``operator``."""
    runner: str = field(default_factory=runner_name)
    """This process, as the lease's claim has it; another one each time that it starts."""


class Runner:
    """Carries out one plan.

    Args:
        plan: What is to be done.
        outside: What it is done with.
        progress: Hears of steps.

    Raises:
        ValueError: when a kind of step in the plan has no acting half.
    """

    def __init__(self, plan: Plan, outside: Outside, progress: Progress | None = None) -> None:
        if missing := sorted({step.kind for step in plan.steps} - set(outside.actions)):
            raise ValueError(f"no step of kind {', '.join(missing)} can be performed")
        self._plan = plan
        self._outside = outside
        self._progress = progress or Unheard()
        self._store = outside.stores.journal(outside.ports)
        self._stop = threading.Event()
        lease = outside.physical.settings.lease
        self._watch = outside.watch or LeaseWatch(
            margin=lease.clock_margin, pace=outside.ports.pace, clock=outside.ports.clock
        )

    def stop(self) -> None:
        """Begin no more steps and make no more calls."""
        self._stop.set()

    def start(self, consent: Consent) -> Report:
        """Carry out the plan as a new run.

        Raises:
            RecoveryRefused: by a gate, or because another run is under way; one journal entry tells it.
            JournalLost: when the journal takes no entry.
        """
        name = run_name(self._plan.mode.value, self._outside.ports.wall())
        steps = self._steps(consent)
        try:
            claim = self._claim(name)
            claim.require_free()
            try:
                passed = self._gates(steps)
            except RecoveryRefused:
                # What a gate met may be the work of a run that began meanwhile: then that is why.
                claim.require_free()
                raise
            claim.take()
        except (RecoveryRefused, LeaseError, StoreError) as refusal:
            lines = refusal.lines if isinstance(refusal, RecoveryRefused) else (str(refusal),)
            told: dict[str, Detail] = {
                **run_entries.opened_by(self._plan, consent),
                "reasons": "; ".join(lines),
            }
            if isinstance(refusal, RunClaimedError) and refusal.by is not None:
                told["claimed_by"] = refusal.by
            self._journal(name).note(Event.REFUSED, None, told)
            raise RecoveryRefused(*lines) from refusal
        journal = self._journal(name)
        journal.note(Event.OPENED, None, run_entries.opened_by(self._plan, consent))
        for key, outcome in passed.items():
            journal.note(Event.DONE, key, {**outcome.facts, "said": outcome.said})
        return self._carry_out(steps, journal, claim, {key: outcome.said for key, outcome in passed.items()})

    def resume(self, name: str, consent: Consent) -> Report:
        """Go on with a run whose runner is dead.

        Args:
            name: The run.
            consent: Whose counts only when the run was cut off before its journal had that; what it confirms, always.

        Raises:
            RecoveryRefused: when it cannot be gone on with, or its runner lives.
            JournalLost: when the journal takes no entry.
        """
        entries = self._entries(name)
        if run_entries.result_of(entries) is not None:
            return self._over(name, entries)
        if run_entries.is_aborting(entries):
            raise RecoveryRefused(f"{name}: is being taken back: accepted is --abort {name}")
        # Who agreed then; what is confirmed now.
        agreed = replace(run_entries.consent_of(entries) or consent, confirmed=consent.confirmed)
        claim, entries = self._adopted(name)
        if run_entries.result_of(entries) is not None:
            return self._over(name, entries)
        journal = self._journal(name, entries)
        journal.note(Event.OPENED, None, {**run_entries.opened_by(self._plan, agreed), "resumed": True})
        steps = self._steps(agreed)
        done = run_entries.done(entries)
        steps.facts.update({key: entry.detail for key, entry in done.items()})
        sure = {key: said for key, said in run_entries.said(done).items() if steps.is_sure(key)}
        return self._carry_out(steps, journal, claim, sure)

    def abort(self, name: str) -> Report:
        """Take back what a run did, as far as it can be, the latest first; and end it.

        Raises:
            RecoveryRefused: when the run is over, its runner lives, or there is no way back (`require_open`).
            JournalLost: when the journal takes no entry.
        """
        entries = self._entries(name)
        result = run_entries.result_of(entries)
        if result == ABORTED:
            return self._over(name, entries)
        if result is not None:
            raise RecoveryRefused(f"{name}: over: {result}; there is nothing to abort")
        claim, entries = self._adopted(name, aborting=True)
        if run_entries.result_of(entries) is not None:
            return self._over(name, entries)
        agreed = run_entries.consent_of(entries) or Consent(by=())
        journal = self._journal(name, entries)
        journal.note(Event.OPENED, None, {**run_entries.opened_by(self._plan, agreed), run_entries.ABORTING: True})
        steps = self._steps(agreed)
        steps.facts.update({key: entry.detail for key, entry in run_entries.done(entries).items()})
        began = self._outside.ports.clock()
        with claim.kept():
            back = take_back(steps, journal, claim, entries)
            if not back.faults:
                journal.note(Event.ENDED, None, {"result": ABORTED})
        return Report(
            run=name,
            result=FAILED if back.faults else ABORTED,
            steps=back.told,
            faults=back.faults,
            seconds=self._outside.ports.clock() - began,
            aborting=bool(back.faults),
            warnings=() if back.faults else claim.give_up(),
        )

    def readiness(self, region: str, consent: Consent) -> tuple[tuple[Check, ...], list[str]]:
        """Make every check of a site's readiness: the checks, and why a move would be refused. Nothing is changed."""
        steps = self._steps(consent)
        step = next(step for step in self._plan.steps if step.kind == "readiness")
        run = steps.looking(steps.flight(step))
        made = checks(run, region)
        return made, refusals(made, run)

    def rehearse(self, consent: Consent) -> dict[str, str]:
        """Pass the gates and say what every other step would do, by key; nothing is changed, not even the journal.

        Raises:
            RecoveryRefused: by a gate, or because another run is under way.
        """
        steps = self._steps(consent)
        try:
            self._claim("").require_free()
        except (LeaseError, StoreError) as refusal:
            raise RecoveryRefused(str(refusal)) from refusal
        told = {key: outcome.said for key, outcome in self._gates(steps).items()}
        for step in self._plan.steps:
            if step.key in told:
                continue
            try:
                told[step.key] = "done already" if steps.is_done(steps.flight(step)) else "would be done"
            except KNOWN as fault:
                # What comes before it would have to be done first.
                told[step.key] = f"would be done (not told now: {told_of(fault)})"
        return told

    def _gates(self, steps: StepRuns) -> dict[str, Outcome]:
        passed: dict[str, Outcome] = {}
        for step in steps.gates():
            self._progress.started(step)
            flight = steps.flight(step)
            try:
                passed[step.key] = steps.look(flight)
            except KNOWN as fault:
                # What cannot be found out is no reason to go on.
                self._progress.ended(step, None, told_of(fault), self._outside.ports.clock() - flight.began)
                if isinstance(fault, RecoveryRefused):
                    raise
                raise RecoveryRefused(f"{step.title}: {told_of(fault)}") from fault
            steps.facts[step.key] = passed[step.key].facts
            self._progress.ended(step, passed[step.key], None, self._outside.ports.clock() - flight.began)
        return passed

    def _carry_out(self, steps: StepRuns, journal: Journal, claim: Claim, done: dict[str, str]) -> Report:
        ports = self._outside.ports
        began = ports.clock()
        graph = GraphRun(steps=steps, journal=journal, claim=claim, told=dict(done), alarm=self._outside.alarm)
        if not graph.run():
            # The claim stays: nothing else may begin until this run is resumed or aborted.
            faults = tuple(graph.faults) or ("stopped before its end",)
            warnings: tuple[str, ...] = ()
            if graph.go_back:
                told: dict[str, Detail] = {"result": FAILED, "why": "; ".join(faults), run_entries.GO_BACK: True}
                journal.note(Event.ENDED, None, told)
                warnings = claim.give_up()
            return Report(
                run=journal.run,
                result=FAILED,
                steps=graph.told,
                faults=faults,
                seconds=ports.clock() - began,
                go_back=graph.go_back,
                warnings=warnings,
            )
        journal.note(Event.ENDED, None, {"result": DONE})
        warnings = claim.give_up()
        return Report(run=journal.run, result=DONE, steps=graph.told, seconds=ports.clock() - began, warnings=warnings)

    def _record(self) -> LeaseRecord:
        ports = self._outside.ports
        return persistent(ports, self._outside.stores.lease(ports).read).record

    def _entries(self, name: str) -> Sequence[Entry]:
        """What the journal has of a run of this plan; empty when it was cut off right after its claim."""
        entries = self._store.read(name)
        opened = run_entries.opening(entries)
        if opened is None:
            claimed = self._record().run
            if claimed is not None and claimed.id == name:
                return entries
            raise RecoveryRefused(f"{name}: no run of this stack that was begun: `lifeboat journal` lists them")
        if opened.detail.get("plan") != run_entries.digest(self._plan):
            raise RecoveryRefused(
                f"{name}: begun by another plan than the stack's declaration gives now",
                "check out the declaration that it was begun with, and go on from there",
            )
        return entries

    def _over(self, name: str, entries: Sequence[Entry]) -> Report:
        """A run that was cut off between its last entry and the end of its claim, or is simply over."""
        record = self._record()
        claimed = record.run
        warnings: tuple[str, ...] = ()
        if claimed is not None and claimed.id == name:
            claim, _ = self._adopted(name, aborting=claimed.aborting)
            warnings = claim.give_up()
        steps = run_entries.said(run_entries.done(entries))
        # Gone back since: not once more.
        go_back = run_entries.goes_back(entries) and record.holder == self._plan.target
        return Report(
            run=name,
            result=run_entries.result_of(entries) or FAILED,
            steps=steps,
            faults=(str(entries[-1].detail["why"]),) if go_back else (),
            go_back=go_back,
            warnings=warnings,
        )

    def _adopted(self, name: str, *, aborting: bool = False) -> tuple[Claim, Sequence[Entry]]:
        """Take over a run that was cut off: the claim on it, and what its journal has by then."""

        def check(record: LeaseRecord) -> None:
            if aborting:
                # Read here: a runner that was watched may have begun more meanwhile.
                require_open(self._plan, name, record, self._store.read(name))

        claim = self._claim(name)
        try:
            claim.adopt(lambda text: self._progress.line(None, text), aborting=aborting, check=check)
        except (LeaseError, StoreError) as refusal:
            raise RecoveryRefused(str(refusal)) from refusal
        # Read after that: the runner that was watched may have written meanwhile.
        return claim, self._store.read(name)

    def _steps(self, consent: Consent) -> StepRuns:
        outside = self._outside
        return StepRuns(
            plan=self._plan,
            actions=outside.actions,
            physical=outside.physical,
            ports=outside.ports,
            stores=outside.stores,
            progress=self._progress,
            listeners=outside.listeners,
            consent=consent,
            watch=self._watch,
            viewpoint=outside.viewpoint,
            stop=self._stop,
        )

    def _journal(self, name: str, known: Sequence[Entry] = ()) -> Journal:
        outside = self._outside
        return Journal(
            name,
            self._store,
            mirror=outside.mirror,
            wall=outside.ports.wall,
            clock=outside.ports.clock,
            known=known,
            listeners=outside.listeners,
        )

    def _claim(self, name: str) -> Claim:
        outside = self._outside
        return Claim(
            name,
            runner=outside.runner,
            kind=self._plan.mode.value,
            target=self._plan.target,
            store=outside.stores.lease(outside.ports),
            ports=outside.ports,
        )


def run_name(mode: str, wall: float) -> str:
    """A name for a new run: ``failover-20270131T120000Z-1f3a``; names of a mode sort by time."""
    return f"{mode}-{datetime.fromtimestamp(wall, tz=UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
