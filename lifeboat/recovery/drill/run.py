"""Carries out a drill: in which order what is done to a world, and what is waited for.

Nothing here waits for a time to pass where something can be waited for, except where nothing may happen: that can only
be seen by looking for as long as was declared. What goes wrong after the fault is no error of the drill: it is noted,
the world is healed, and the evidence tells it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lifeboat.recovery.drill import inventory
from lifeboat.recovery.drill.compose import Course, Mark, compose
from lifeboat.recovery.drill.measure import Known, Measured, measure
from lifeboat.recovery.drill.measurements import record
from lifeboat.recovery.drill.notes import Notes
from lifeboat.recovery.drill.outcomes import APPROVED, Outcomes
from lifeboat.recovery.drill.scenario import Afterwards, Expect, Roles
from lifeboat.recovery.drill.timeline import RunTime, runs, unprotected
from lifeboat.recovery.drill.watch import LOOK, RETURN, SPARE, Watch
from lifeboat.recovery.drill.workload import CLIENTS, Load, Stores, unfit
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

MOVES: Final = {Expect.FAILOVER, Expect.SWITCHOVER}
STAYS: Final = {Expect.NOTHING, Expect.REFUSED}
_STEADY: Final = 180.0
"""Real seconds that a stack may take until it works as it should."""
_ENOUGH: Final = 5
"""Acknowledgements of each client that show that it is under way."""


class Drill:
    """One rehearsal of one scenario.

    Args:
        subject: What is rehearsed.
        world: What it is done to.
        directory: Takes histories.
        progress: Takes a line for people.

    Raises:
        DrillError: when clients could not use such a stack; nothing was started.
    """

    def __init__(self, subject: Subject, world: World, directory: Path, progress: Callable[[str], None]) -> None:
        if (why := unfit(subject.physical)) is not None:
            raise DrillError(why)
        self._subject = subject
        self._world = world
        self._directory = directory
        self._tell = progress
        self._pace = Pace(scale=subject.scale)
        self._roles = Roles.of(subject.physical.topology)
        self._stores = Stores.of(subject.physical.topology)
        self._expect = subject.scenario.expectation(subject.physical.settings)
        self._noted = Notes()
        self._watch = Watch(subject, world, progress)
        self._outcomes = Outcomes(subject, world, self._watch, self._noted, progress)
        self._recorded: tuple[RunTime, ...] = ()

    def run(self) -> Evidence:
        """Do all of it.

        Raises:
            DrillError: when it cannot be carried out; what was started is removed.
        """
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
                self._outcomes.note(f"the fault is injected: {', '.join(each['kind'] for each in scenario.faults)}")
            recovered = self._outcomes.bring_about(self._expect, workload, mark, lease)
            if recovered is None and self._expect in MOVES and not noted.happened:
                self._watch.until(
                    lambda: self._watch.wrote_since(workload, mark.clock, mark.epoch),
                    self._watch.bound,
                    "every client writes",
                )
                recovered = self._collected(workload, mark, self._roles.standby)
            self._afterwards(workload)
            self._heal(workload)
        finally:
            # Whatever became of it: no fault outlives its drill.
            self._heal()
        if recovered is None:
            since = self._world.clock()
            self._watch.until(
                lambda: self._watch.wrote_since(workload, since), self._watch.bound, "clients write again"
            )
            recovered = self._collected(workload, mark, self._holder())
        if self._expect in STAYS and not noted.happened:
            # Once more: what moves late moves while all comes back.
            noted.happened = self._watch.stayed(mark, lease)
        ended = workload.ended()
        workload.stop()
        if self._expect in MOVES and not self._subject.recovery_only:
            at_end = self._collected(workload, mark, self._holder())
        entries = self._watch.journal()
        self._recorded = runs(entries, self._subject.physical, mark.wall)
        after = inventory.difference(
            before,
            self._world.inventory(),
            physical=self._subject.physical,
            roles=self._roles,
            runs=self._recorded,
        )
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
                orphans=after.orphans,
                vanished=after.vanished,
                open=tuple(each.store for each in unprotected(entries, mark.wall) if each.until is None),
                ended=tuple(ended),
            ),
        )

    def _steady(self, workload: Workload) -> LeaseRecord:
        """Wait until home holds the lease, every store takes what clients write, and the standby is ready."""
        self._tell("waiting until all of it works as it should")
        stack, home = self._subject.stack, self._roles.home
        waiting, ready = "its lease", False
        end = self._world.clock() + _STEADY
        while True:
            lease = self._world.lease()
            if lease is None or lease.holder != home or lease.serving != home or lease.run is not None:
                waiting = f"{home} holds the lease" if lease is None else f"{home} holds the lease, not {lease.holder}"
            elif not ready:
                # Asked for while clients get under way: both take seconds.
                ran = self._world.command("readiness", stack)
                ready = ran.code == 0
                waiting = f"the standby is ready: {' '.join(ran.lines[-1:])}"
            elif missing := self._not_under_way(workload):
                waiting = f"writes are acknowledged by {', '.join(missing)}"
            else:
                return lease
            if ended := workload.ended():
                raise DrillError("; ".join(ended))
            if self._world.clock() > end:
                raise DrillError(f"not so within {_STEADY:.0f} s: {waiting}")
            self._world.wait(LOOK)

    def _not_under_way(self, workload: Workload) -> list[str]:
        counted = dict.fromkeys([*CLIENTS, *self._stores.labels.values()], 0)
        for each in workload.told():
            if each.write.known is Known.ACKNOWLEDGED:
                counted[each.write.store] += 1
                if each.write.store == self._stores.labels["database"]:
                    counted[each.write.client] += 1
        return [name for name, count in counted.items() if count < _ENOUGH]

    def _afterwards(self, workload: Workload) -> None:
        noted, stack = self._noted, self._subject.stack
        for step in self._subject.afterwards:
            if step is Afterwards.HEAL:
                self._heal(workload)
            elif self._expect in MOVES and not noted.happened and not noted.failures:
                self._tell(step.value)
                self._commanded(step.value, stack, "--yes", *APPROVED)
                if step is Afterwards.FAILBACK and not noted.failures:
                    back = self._world.clock()
                    self._watch.until(
                        lambda since=back: self._watch.wrote_since(workload, since),
                        self._watch.bound,
                        "clients follow home",
                    )

    def _commanded(self, word: str, *more: str) -> None:
        """Run a command; one that is refused is tried again for as long as what came back may take to be ready."""
        ran = self._outcomes.repeated(self._pace.real(RETURN) + SPARE, word, *more)
        self._outcomes.note(f"{word} ended{'' if ran.code == 0 else f' with {ran.code}'}")
        if ran.code != 0:
            self._noted.failures.append(f"lifeboat {word} exits with {ran.code}: {ran.last}")

    def _heal(self, workload: Workload | None = None) -> None:
        """Take everything back, the fault before the preparation.

        Args:
            workload: What was prepared stands until this works again: a scene that changes while the region comes back
                is another one. None: all of it at once.
        """
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
            if noted.standing and workload is not None:
                since = self._world.clock()
                self._watch.until(
                    lambda since=since: self._watch.wrote_since(workload, since), self._watch.bound, "clients write"
                )
        self._outcomes.note("the fault is healed")

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

    def _holder(self) -> str:
        lease = self._world.lease()
        return (lease.holder if lease is not None else None) or self._roles.home
