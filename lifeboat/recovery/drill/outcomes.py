"""Has happen what a scenario expects, and waits for it: by the wardens, or by the people whom the stack declares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.sites import Approval
from lifeboat.recovery.drill.measure import Measured, measure
from lifeboat.recovery.drill.scenario import Expect, Roles
from lifeboat.recovery.drill.timeline import REFUSED, STOOD_BACK, RunTime
from lifeboat.recovery.drill.workload import Stores
from lifeboat.recovery.drill.world import DrillError
from lifeboat.recovery.ports import Pace
from lifeboat.recovery.runner import DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifeboat.recovery.drill.compose import Mark, Subject
    from lifeboat.recovery.drill.measure import Order
    from lifeboat.recovery.drill.notes import Notes
    from lifeboat.recovery.drill.watch import Watch
    from lifeboat.recovery.drill.world import Ran, Workload, World
    from lifeboat.recovery.lease_record import LeaseRecord

PEOPLE: Final = ("drill", "rehearsal")
"""As many as any declaration wants."""
APPROVED: Final = tuple(f"--approved-by={name}" for name in PEOPLE)
REFUSED_CODE: Final = 3
UNCONFIRMED: Final = "is not confirmed as lost"
"""What `lifeboat.recovery.steps.confirm_outage` says when it came too early: no answer to what is rehearsed."""
_AGAIN: Final = 1.0
"""Real seconds until a command that was refused is tried again."""
_MEANWHILE: Final = 5.0
"""Real seconds between two looks at the journal of a run that is under way."""


class Outcomes:
    """What must happen in one drill.

    Args:
        subject: What is rehearsed.
        world: What it is done to.
        watch: Looks at it.
        notes: Takes what happened.
        progress: Takes a line for people.
    """

    def __init__(
        self, subject: Subject, world: World, watch: Watch, notes: Notes, progress: Callable[[str], None]
    ) -> None:
        self._subject = subject
        self._world = world
        self._watch = watch
        self._notes = notes
        self._tell = progress
        self._home = Roles.of(subject.physical.topology).home
        self._by_people = subject.physical.settings.approval is not Approval.AUTOMATIC

    def bring_about(self, expect: Expect, workload: Workload, mark: Mark, lease: LeaseRecord) -> Measured | None:
        """Have it happen; what did not goes to the notes.

        Args:
            expect: What must happen.
            workload: What uses the stack.
            mark: When the clock started.
            lease: As it was then.

        Returns:
            What clients measured, where that is told by the outcome alone.
        """
        match expect:
            case Expect.FAILOVER | Expect.DECLARED:
                self._failover(mark)
            case Expect.SWITCHOVER:
                ran = self._world.command("failover", self._subject.stack, "--graceful", "--yes", *APPROVED)
                if ran.code != 0:
                    self._notes.happened = f"lifeboat failover --graceful exits with {ran.code}: {ran.last}"
                self.note("the planned move has ended")
            case Expect.NOTHING:
                self._nothing(mark, lease)
            case Expect.REFUSED:
                self._refused(mark, lease)
            case Expect.RESTORE:
                return self._restore(workload, mark)
        return None

    def note(self, what: str) -> None:
        """Note a moment: now."""
        self._notes.moments.append((self._world.wall(), what))

    def repeated(self, seconds: float, *words: str) -> Ran:
        """Run a command, and again while it is refused and there is time."""
        end = self._world.clock() + seconds
        while True:
            ran = self._world.command(*words)
            if ran.code != REFUSED_CODE or self._world.clock() > end:
                return ran
            self._world.wait(_AGAIN)

    def _failover(self, mark: Mark) -> None:
        if self._by_people:
            self._approve()
            ran = self.repeated(self._watch.bound, *self._decision)
            if ran.code != 0:
                self._notes.happened = f"lifeboat failover --lost {self._home} exits with {ran.code}: {ran.last}"
                return
        self._tell("waiting for the failover's end" if self._by_people else "waiting for the wardens")
        told: set[str] = set()
        read = -math.inf

        def ended() -> RunTime | None:
            nonlocal read
            lease, now = self._world.lease(), self._world.clock()
            if lease is not None and lease.run is not None and now < read + _MEANWHILE:
                # A run ends in the journal before it gives up its claim. Until then a look at the whole of it only
                # takes time from what writes it: one process answers for both.
                return None
            read = now
            for run in self._watch.runs(mark) or ():
                line = f"{run.name}: {run.result}{f': {run.why}' if run.why else ''}"
                if line not in told:
                    told.add(line)
                    self._tell(line)
                if run.mode is Mode.FAILOVER and run.result == DONE:
                    return run
            return None

        if self._watch.until(ended, self._watch.bound, "a failover ends well") is None:
            last = [run.told for run in self._watch.runs(mark) or () if run.result != STOOD_BACK][-1:]
            self._notes.happened = f"no failover ended well in time; {''.join(last) or 'none began'}"

    @property
    def _decision(self) -> tuple[str, ...]:
        return "failover", self._subject.stack, "--lost", self._home, "--yes", *APPROVED

    def _approve(self) -> None:
        """Say who decides: a warden only asks for it where the stack declares that people do."""
        declared = self._subject.physical.settings.approval
        self._tell(f"approval: {declared}: the drill plays the people who approve")
        self.note(f"people approve, played by the drill ({' and '.join(PEOPLE)}): failover --lost {self._home}")

    def _nothing(self, mark: Mark, lease: LeaseRecord) -> None:
        seconds = Pace(scale=self._subject.scale).real(self._subject.scenario.watch)
        self._tell(f"watching for {seconds:.0f} s that nothing moves")
        reads = 0

        def moved() -> str | None:
            nonlocal reads
            reads += self._world.lease() is not None
            return self._watch.moved(mark, lease)

        found = self._watch.until(moved, seconds, None)
        unread = "" if reads else "the lease could not be read, so nobody can say that nothing moved"
        self._notes.happened = found or unread

    def _refused(self, mark: Mark, lease: LeaseRecord) -> None:
        self._tell("waiting for the refusal")
        if self._by_people:
            self._approve()
        refused = self._watch.until(lambda: self._refusal(mark), self._watch.bound, "a refusal")
        if refused is None:
            self._notes.happened = self._notes.happened or "no failover was refused in time"
            return
        self.note(f"refused: {refused}")
        self._notes.happened = self._notes.happened or self._watch.stayed(mark, lease)

    def _refusal(self, mark: Mark) -> str | None:
        """Why a failover is refused, for another reason than that the loss was not confirmed so far."""
        if self._by_people:
            ran = self._world.command(*self._decision)
            if ran.code != REFUSED_CODE:
                self._notes.happened = f"lifeboat failover --lost {self._home} exits with {ran.code}, not refused"
                return ran.last
        refusals = (run.why for run in self._watch.runs(mark) or () if run.result == REFUSED)
        found = next((why for why in refusals if UNCONFIRMED not in why), None)
        if found is None and self._by_people:
            self._world.wait(_AGAIN)
        return found

    def _restore(self, workload: Workload, mark: Mark) -> Measured:
        self._tell("restoring to the moment before")
        label = Stores.of(self._subject.physical.topology).labels["database"]
        there: Mapping[str, frozenset[Order]] = {label: frozenset()}
        try:
            restored = self._world.restore(mark.wall)
        except DrillError as fault:
            self._notes.happened = str(fault)
        else:
            there = {label: restored.found}
            self._notes.restored = restored.seconds
            self.note("the restored database was read, and removed")
        writes = [each.write for each in workload.told() if each.write.answered <= mark.clock]
        return measure(writes, fault=mark.clock, found=there, store=label)
