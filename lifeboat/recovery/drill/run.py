"""Carries out a drill: in which order what is done to a world, and what is waited for.

Nothing here waits for a time to pass where something can be waited for, except where nothing may happen: that can only
be seen by looking for as long as was declared. What goes wrong after the fault is no error of the drill: it is noted,
the world is healed, and the evidence tells it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery.drill.compose import Course, Mark, compose
from lifeboat.recovery.drill.judge import Objectives
from lifeboat.recovery.drill.measure import Known, Measured, measure
from lifeboat.recovery.drill.measurements import record
from lifeboat.recovery.drill.scenario import Afterwards, Expect, Roles
from lifeboat.recovery.drill.timeline import REFUSED, STOOD_BACK, RunTime, runs, unprotected
from lifeboat.recovery.drill.workload import CLIENTS, Load, Stores
from lifeboat.recovery.drill.world import DrillError
from lifeboat.recovery.ports import Pace
from lifeboat.recovery.runner import DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lifeboat.recovery.drill.compose import Subject
    from lifeboat.recovery.drill.evidence import Evidence
    from lifeboat.recovery.drill.measure import Order
    from lifeboat.recovery.drill.world import Workload, World
    from lifeboat.recovery.lease_record import LeaseRecord

_T = TypeVar("_T")
MOVES: Final = {Expect.FAILOVER, Expect.SWITCHOVER}
_APPROVED: Final = ("--approved-by", "drill", "--approved-by", "rehearsal")
"""As many as any declaration wants."""
_REFUSED: Final = 3
_LOOK: Final = 0.25
"""Real seconds between two looks at something."""
_STEADY: Final = 180.0
"""Real seconds that a stack may take until it works as it should."""
_SPARE: Final = 120.0
"""Real seconds on top of a declared duration: servers and clients are not scaled."""
_ENOUGH: Final = 5
"""Acknowledgements of each client that show that it is under way."""
_RETURN: Final = 1800.0
"""Declared seconds in which a site that was healed must be able to rejoin."""


@dataclass
class _Noted:
    happened: str = ""
    failures: list[str] = field(default_factory=list[str])
    moments: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    restored: float | None = None
    """Seconds since the fault."""
    broken: float | None = None
    """When the fault stood whole, seconds since the epoch."""
    healed: float | None = None
    """The same, when it was about to be healed."""
    standing: list[str] = field(default_factory=list[str])
    """Injections."""


class Drill:
    """One rehearsal of one scenario.

    Args:
        subject: What is rehearsed.
        world: What it is done to.
        directory: Takes histories.
        progress: Takes a line for people.
    """

    def __init__(self, subject: Subject, world: World, directory: Path, progress: Callable[[str], None]) -> None:
        self._subject = subject
        self._world = world
        self._directory = directory
        self._tell = progress
        self._pace = Pace(scale=subject.scale)
        self._roles = Roles.of(subject.physical.topology)
        self._stores = Stores.of(subject.physical.topology)
        self._expect = subject.scenario.expectation(subject.physical.settings)
        self._noted = _Noted()
        self._recorded: tuple[RunTime, ...] = ()

    def run(self) -> Evidence:
        """Do all of it.

        Raises:
            DrillError: when it cannot be carried out; what was started is removed.
        """
        if self._stores.database is None:
            raise DrillError("this stack has no database: a drill is measured by its writes")
        try:
            self._world.start()
            before = self._world.inventory()
            workload = self._world.workload(self._directory, Load(rate=self._subject.rate, seed=self._subject.seed))
            try:
                return self._rehearsed(workload, before)
            finally:
                workload.stop()
        finally:
            self._world.stop()

    def record(self, directory: Path) -> list[Path]:
        """Write what `run` measured of steps, a file for each mode of the runs that ended well.

        Args:
            directory: The project's ``records``.
        """
        subject, day = self._subject, datetime.now(UTC).date().isoformat()
        done = [run for run in self._recorded if run.result == DONE]
        written: list[Path] = []
        for mode in dict.fromkeys(run.mode for run in done):
            path = directory / f"{day}-{subject.stack}-{subject.scenario.name}-{mode}-seed-{subject.seed}.json"
            directory.mkdir(exist_ok=True)
            path.write_text(record(done, mode, stack=subject.stack, taken=day, by=subject.command), encoding="utf-8")
            written.append(path)
        return written

    def _rehearsed(self, workload: Workload, before: frozenset[str]) -> Evidence:
        lease = self._steady(workload)
        scenario, noted, seed = self._subject.scenario, self._noted, self._subject.seed
        if scenario.prepare:
            self._tell("preparing the scene")
            noted.standing.append(self._world.inject(scenario.preparation(self._roles, seed)))
        mark = Mark(clock=self._world.clock(), wall=self._world.wall(), epoch=lease.epoch)
        recovered: Measured | None = None
        at_end: Measured | None = None
        try:
            if scenario.faults:
                self._tell(scenario.title.lower())
                noted.standing.append(self._world.inject(scenario.documents(self._roles, seed)))
                noted.broken = self._world.wall()
                self._note(f"the fault is injected: {', '.join(each['kind'] for each in scenario.faults)}")
            recovered = self._course(workload, mark, lease)
            if recovered is None and self._expect in MOVES and not noted.happened:
                self._until(
                    lambda: self._wrote_since(workload, mark.clock, mark.epoch), self._bound, "every client writes"
                )
                recovered = self._collected(workload, mark, self._roles.standby)
            self._afterwards(workload)
        finally:
            # Whatever became of it: no fault outlives its drill.
            self._heal()
        if recovered is None:
            since = self._world.clock()
            self._until(lambda: self._wrote_since(workload, since), self._bound, "clients write again")
            recovered = self._collected(workload, mark, self._holder())
        ended = workload.ended()
        workload.stop()
        if self._expect in MOVES and not self._subject.recovery_only:
            at_end = self._collected(workload, mark, self._holder())
        entries = self._world.entries()
        self._recorded = runs(entries, self._subject.physical, mark.wall)
        left = self._world.inventory() - before
        return compose(
            self._subject,
            Course(
                mark=mark,
                broken=noted.broken or mark.wall,
                healed=noted.healed or self._world.wall(),
                over=self._world.wall(),
                expect=self._expect,
                happened=noted.happened,
                failures=tuple(noted.failures),
                moments=tuple(noted.moments),
                restored=noted.restored,
                told=tuple(workload.told()),
                recovered=recovered,
                at_end=at_end,
                entries=tuple(entries),
                calls=tuple(self._world.calls()),
                orphans=tuple(sorted(left)),
                open=tuple(each.store for each in unprotected(entries, mark.wall) if each.until is None),
                ended=tuple(ended),
            ),
        )

    @property
    def _bound(self) -> float:
        """Real seconds after which what was to happen will not happen any more."""
        objectives = Objectives.of(self._subject.physical.settings, self._subject.physical.topology, Expect.FAILOVER)
        return self._pace.real(2 * (objectives.rto or _RETURN)) + _SPARE

    def _steady(self, workload: Workload) -> LeaseRecord:
        """Wait until home holds the lease, every store takes what clients write, and the standby is ready."""
        self._tell("waiting until all of it works as it should")
        stack, home = self._subject.stack, self._roles.home
        waiting = "its lease"
        end = self._world.clock() + _STEADY
        while True:
            lease = self._world.lease()
            if lease is None or lease.holder != home or lease.serving != home or lease.run is not None:
                waiting = f"{home} holds the lease" if lease is None else f"{home} holds the lease, not {lease.holder}"
            elif missing := self._not_under_way(workload):
                waiting = f"writes are acknowledged by {', '.join(missing)}"
            else:
                ran = self._world.command("readiness", stack)
                if ran.code == 0:
                    return lease
                waiting = f"the standby is ready: {' '.join(ran.lines[-1:])}"
            if ended := workload.ended():
                raise DrillError("; ".join(ended))
            if self._world.clock() > end:
                raise DrillError(f"not so within {_STEADY:.0f} s: {waiting}")
            self._world.wait(_LOOK)

    def _not_under_way(self, workload: Workload) -> list[str]:
        counted = dict.fromkeys([*CLIENTS, *self._stores.labels.values()], 0)
        for each in workload.told():
            if each.write.known is Known.ACKNOWLEDGED:
                counted[each.write.store] += 1
                if each.write.store == self._stores.labels["database"]:
                    counted[each.write.client] += 1
        return [name for name, count in counted.items() if count < _ENOUGH]

    def _course(self, workload: Workload, mark: Mark, lease: LeaseRecord) -> Measured | None:
        """Have happen what must; what clients measured, where that is told by it alone."""
        match self._expect:
            case Expect.FAILOVER | Expect.DECLARED:
                self._failover(mark)
            case Expect.SWITCHOVER:
                ran = self._world.command("failover", self._subject.stack, "--graceful", "--yes", *_APPROVED)
                if ran.code != 0:
                    self._noted.happened = f"lifeboat failover --graceful exits with {ran.code}: {_last(ran.lines)}"
                self._note("the planned move has ended")
            case Expect.NOTHING:
                self._nothing(mark, lease)
            case Expect.REFUSED:
                self._refused(mark, lease)
            case Expect.RESTORE:
                return self._restore(workload, mark)
        return None

    def _failover(self, mark: Mark) -> None:
        self._tell("waiting for the wardens")
        told: set[str] = set()

        def ended() -> RunTime | None:
            for run in self._runs(mark):
                line = f"{run.name}: {run.result}{f': {run.why}' if run.why else ''}"
                if line not in told:
                    told.add(line)
                    self._tell(line)
                if run.mode is Mode.FAILOVER and run.result == DONE:
                    return run
            return None

        if self._until(ended, self._bound, "a failover ends well") is None:
            last = [run.told for run in self._runs(mark) if run.result != STOOD_BACK][-1:]
            self._noted.happened = f"no failover ended well in time; {''.join(last) or 'none began'}"

    def _nothing(self, mark: Mark, lease: LeaseRecord) -> None:
        seconds = self._pace.real(self._subject.scenario.watch)
        self._tell(f"watching for {seconds:.0f} s that nothing moves")
        moved = self._until(lambda: self._moved(mark, lease), seconds, None)
        if moved is not None:
            self._noted.happened = moved

    def _refused(self, mark: Mark, lease: LeaseRecord) -> None:
        self._tell("waiting for the refusal")
        refused = self._until(
            lambda: next((run for run in self._runs(mark) if run.result == REFUSED), None), self._bound, "a refusal"
        )
        if refused is None:
            self._noted.happened = "no failover was refused in time"
            return
        self._note(f"refused: {refused.why}")
        self._noted.happened = self._moved(mark, lease) or ""

    def _moved(self, mark: Mark, lease: LeaseRecord) -> str | None:
        """What moved, though it should not have; None when nothing did."""
        now = self._world.lease()
        if now is not None and (now.holder, now.epoch) != (lease.holder, lease.epoch):
            return f"{now.holder} holds epoch {now.epoch}, and {lease.holder} held {lease.epoch}"
        harmless: set[str] = set() if self._expect is Expect.NOTHING else {REFUSED, STOOD_BACK}
        begun = [run for run in self._runs(mark) if run.result not in harmless]
        return f"{begun[0].name} was begun: {begun[0].result}" if begun else None

    def _restore(self, workload: Workload, mark: Mark) -> Measured:
        self._tell("restoring to the moment before")
        label = self._stores.labels["database"]
        there: Mapping[str, frozenset[Order]] = {label: frozenset()}
        try:
            restored = self._world.restore(mark.wall)
        except DrillError as fault:
            self._noted.happened = str(fault)
        else:
            there = {label: restored.found}
            self._noted.restored = restored.seconds
            self._note("the restored database was read, and removed")
        writes = [each.write for each in workload.told() if each.write.answered <= mark.clock]
        return measure(writes, fault=mark.clock, found=there, store=label)

    def _afterwards(self, workload: Workload) -> None:
        noted, stack = self._noted, self._subject.stack
        for step in self._subject.afterwards:
            if step is Afterwards.HEAL:
                self._heal()
            elif self._expect in MOVES and not noted.happened and not noted.failures:
                self._tell(step.value)
                self._commanded(step.value, stack, "--yes", *_APPROVED)
                if step is Afterwards.FAILBACK and not noted.failures:
                    back = self._world.clock()
                    self._until(
                        lambda since=back: self._wrote_since(workload, since), self._bound, "clients follow home"
                    )

    def _commanded(self, word: str, *more: str) -> None:
        """Run a command; one that is refused is tried again for as long as what came back may take to be ready."""
        end = self._world.clock() + self._pace.real(_RETURN) + _SPARE
        while True:
            ran = self._world.command(word, *more)
            if ran.code != _REFUSED or self._world.clock() > end:
                break
            self._world.wait(1.0)
        self._note(f"{word} ended{'' if ran.code == 0 else f' with {ran.code}'}")
        if ran.code != 0:
            self._noted.failures.append(f"lifeboat {word} exits with {ran.code}: {_last(ran.lines)}")

    def _heal(self) -> None:
        noted = self._noted
        if not noted.standing:
            return
        self._tell("healing")
        noted.healed = noted.healed or self._world.wall()
        while noted.standing:
            try:
                self._world.heal(noted.standing.pop())
            except DrillError as fault:
                noted.failures.append(f"healing: {fault}")
        self._note("the fault is healed")

    def _collected(self, workload: Workload, mark: Mark, region: str) -> Measured:
        """Hold what was acknowledged by now against what a region has."""
        now = self._world.clock()
        label = self._stores.labels["database"]
        writes = [each.write for each in workload.told() if each.write.answered <= now]
        there: Mapping[str, frozenset[Order]] = {}
        try:
            there = self._world.found(region)
        except DrillError as fault:
            self._noted.failures.append(f"{region}: {fault}")
        return measure(writes, fault=mark.clock, found=there, store=label)

    def _wrote_since(self, workload: Workload, since: float, epoch: int = 0) -> bool | None:
        """Whether every client had an acknowledgement since then, in a later epoch."""
        label = self._stores.labels["database"]
        wrote = {
            each.write.client
            for each in workload.told()
            if each.write.store == label
            and each.write.known is Known.ACKNOWLEDGED
            and each.write.answered > since
            and (each.write.epoch or 0) > epoch
        }
        return True if wrote >= set(CLIENTS) else None

    def _runs(self, mark: Mark) -> tuple[RunTime, ...]:
        return runs(self._world.entries(), self._subject.physical, mark.wall)

    def _holder(self) -> str:
        lease = self._world.lease()
        return (lease.holder if lease is not None else None) or self._roles.home

    def _note(self, what: str) -> None:
        self._noted.moments.append((self._world.wall(), what))

    def _until(self, look: Callable[[], _T | None], seconds: float, what: str | None) -> _T | None:
        """Look until there is something to see; None when there is not in time, which is told unless `what` is None."""
        end = self._world.clock() + seconds
        while (found := look()) is None:
            if self._world.clock() > end:
                if what is not None:
                    self._tell(f"not so within {seconds:.0f} s: {what}")
                return None
            self._world.wait(_LOOK)
        return found


def _last(lines: tuple[str, ...]) -> str:
    return lines[-1] if lines else "it said nothing"
