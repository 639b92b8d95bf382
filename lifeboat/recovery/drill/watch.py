"""What a drill looks at while it waits: the lease, the journal, and what clients were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from lifeboat.recovery.drill.judge import Objectives
from lifeboat.recovery.drill.measure import Known
from lifeboat.recovery.drill.scenario import Expect
from lifeboat.recovery.drill.timeline import REFUSED, STOOD_BACK, RunTime, runs
from lifeboat.recovery.drill.workload import CLIENTS, Stores
from lifeboat.recovery.drill.world import DrillError
from lifeboat.recovery.ports import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lifeboat.recovery.drill.compose import Mark, Subject
    from lifeboat.recovery.drill.world import Workload, World
    from lifeboat.recovery.journal import Entry
    from lifeboat.recovery.lease_record import LeaseRecord

_T = TypeVar("_T")
LOOK: Final = 0.25
"""Real seconds between two looks at something."""
SPARE: Final = 120.0
"""Real seconds on top of a declared duration: servers and clients are not scaled."""
RETURN: Final = 1800.0
"""Declared seconds in which a site that was healed must be able to rejoin."""


class Watch:
    """Looks at a world on behalf of one drill.

    Args:
        subject: What is rehearsed.
        world: What is looked at.
        progress: Takes a line for people.
    """

    def __init__(self, subject: Subject, world: World, progress: Callable[[str], None]) -> None:
        self._subject = subject
        self._world = world
        self._tell = progress
        self._label = Stores.of(subject.physical.topology).labels["database"]
        settings, topology = subject.physical.settings, subject.physical.topology
        self._expect = subject.scenario.expectation(settings)
        demanded = Objectives.of(settings, topology, Expect.FAILOVER).rto or RETURN
        self.bound: Final = Pace(scale=subject.scale).real(2 * demanded) + SPARE
        """Real seconds after which what was to happen will not happen any more."""

    def until(self, look: Callable[[], _T | None], seconds: float, what: str | None) -> _T | None:
        """Look until there is something to see.

        Args:
            look: None while there is nothing.
            seconds: Real seconds in which there must be something.
            what: Told when there is not in time; None: nobody is told.

        Returns:
            What was seen; None when nothing was in time.
        """
        end = self._world.clock() + seconds
        while (found := look()) is None:
            if self._world.clock() > end:
                if what is not None:
                    self._tell(f"not so within {seconds:.0f} s: {what}")
                return None
            self._world.wait(LOOK)
        return found

    def runs(self, mark: Mark) -> tuple[RunTime, ...] | None:
        """Every run since a moment; None while the journal cannot be read."""
        try:
            entries = self._world.entries()
        except DrillError:
            return None
        return runs(entries, self._subject.physical, mark.wall)

    def journal(self) -> Sequence[Entry]:
        """Every entry, asked for until there is an answer.

        Raises:
            DrillError: when there is none in time; without the journal nothing can be judged.
        """
        said: list[str] = []

        def read() -> Sequence[Entry] | None:
            try:
                return self._world.entries()
            except DrillError as fault:
                said.append(str(fault))
                return None

        found = self.until(read, SPARE, None)
        if found is None:
            raise DrillError(said[-1])
        return found

    def moved(self, mark: Mark, lease: LeaseRecord) -> str | None:
        """What moved, though it should not have; None when nothing is seen to have moved."""
        now = self._world.lease()
        if now is not None and (now.holder, now.epoch) != (lease.holder, lease.epoch):
            return f"{now.holder} holds epoch {now.epoch}, and {lease.holder} held {lease.epoch}"
        harmless: set[str] = set() if self._expect is Expect.NOTHING else {REFUSED, STOOD_BACK}
        begun = [run for run in self.runs(mark) or () if run.result not in harmless]
        return f"{begun[0].name} was begun: {begun[0].result}" if begun else None

    def stayed(self, mark: Mark, lease: LeaseRecord) -> str:
        """Why it cannot be said that nothing moved; empty when it can: lease and journal were read, and say so."""
        for readable, what in (
            (lambda: None if self._world.lease() is None else True, "the lease"),
            (lambda: None if self.runs(mark) is None else True, "the journal"),
        ):
            if self.until(readable, self.bound, f"{what} can be read") is None:
                return f"{what} cannot be read, so nobody can say that nothing moved"
        return self.moved(mark, lease) or ""

    def wrote_since(self, workload: Workload, since: float, epoch: int = 0) -> bool | None:
        """True when every client had an acknowledgement since then, in a later epoch; None otherwise."""
        wrote = {
            each.write.client
            for each in workload.told()
            if each.write.store == self._label
            and each.write.known is Known.ACKNOWLEDGED
            and each.write.answered > since
            and (each.write.epoch or 0) > epoch
        }
        return True if wrote >= set(CLIENTS) else None
