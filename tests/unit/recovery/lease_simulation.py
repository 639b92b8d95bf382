"""A deterministic world in one process: true time, threads that run one at a time, machines whose clocks are wrong.

The code under test blocks, so each of its loops is a thread; the world hands a baton from one to the next in the order
of true time, and draws every delay from one seeded source. The same seed gives the same history.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Ended(BaseException):
    """A machine's processes are no more; nothing may catch it."""


class World:
    """True time and what happens in it."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrets
        self.ended = False
        self.faults: list[BaseException] = []
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._baton = threading.Semaphore(0)
        self._tasks: set[Task] = set()

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Have something happen at a moment of true time."""
        heapq.heappush(self._events, (max(when, self.now), next(self._order), act))

    def run(self, until: float) -> None:
        """Let everything happen up to a moment, then end every task."""
        while self._events and self._events[0][0] <= until and not self.faults:
            self.now, _, act = heapq.heappop(self._events)
            act()
        self.ended = True
        for task in list(self._tasks):
            self.hand_to(task)
        if self.faults:
            raise self.faults[0]

    def hand_to(self, task: Task) -> None:
        """Let a task run until it waits."""
        if task in self._tasks:
            task.turn.release()
            self._baton.acquire()

    def begin(self, machine: Machine, work: Callable[[], None]) -> None:
        """Start a task on a machine."""
        task = Task(self, machine)
        self._tasks.add(task)

        def body() -> None:
            CURRENT.task = task
            task.turn.acquire()
            try:
                if not task.over:
                    work()
            except Ended:
                pass
            except BaseException as fault:  # noqa: BLE001 - shown by `run`
                self.faults.append(fault)
            finally:
                self._tasks.discard(task)
                self._baton.release()

        threading.Thread(target=body, daemon=True).start()
        self.at(self.now, lambda: self.hand_to(task))

    def give_back(self) -> None:
        """A task waits: the world goes on."""
        self._baton.release()


class _Current(threading.local):
    task: Task


CURRENT = _Current()


class Task:
    """One thread of a process on a machine."""

    def __init__(self, world: World, machine: Machine) -> None:
        self.world = world
        self.machine = machine
        self.life = machine.life
        self.turn = threading.Semaphore(0)

    @property
    def over(self) -> bool:
        return self.world.ended or self.life != self.machine.life

    def wait(self, seconds: float) -> None:
        """Let true time pass; longer while the machine stands still, for ever once it has crashed."""
        world = self.world
        world.at(world.now + max(0.0, seconds), lambda: world.hand_to(self))
        self.park()
        while self.machine.frozen_until > world.now:
            world.at(self.machine.frozen_until, lambda: world.hand_to(self))
            self.park()

    def park(self) -> None:
        """Wait until somebody hands over."""
        self.world.give_back()
        self.turn.acquire()
        if self.over:
            raise Ended


class Machine:
    """A computer with a clock of its own, which may stand still or start anew."""

    def __init__(self, world: World, *, offset: float, rate: float) -> None:
        self.world = world
        self.rate = rate
        self.life = 0
        self.frozen_until = 0.0
        self._offset = offset

    def clock(self) -> float:
        """Monotonic seconds as it counts them."""
        return self._offset + self.world.now * self.rate

    def wait(self, seconds: float) -> None:
        """Let seconds of its own clock pass, in the current task."""
        CURRENT.task.wait(seconds / self.rate)

    def stall(self) -> None:
        """A thread may lose its processor anywhere, and for long."""
        if self.world.random.random() < 0.004:
            CURRENT.task.wait(self.world.random.uniform(0, 120))

    def crash(self) -> None:
        """End every process; tasks find out when it is their turn."""
        self.life += 1


class SimLock:
    """A lock that lets true time pass while it is awaited."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: list[Task] = []

    def __enter__(self) -> None:
        while self._held:
            task = CURRENT.task
            self._waiting.append(task)
            task.park()
        self._held = True

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held = False
        if self._waiting:
            task = self._waiting.pop(0)
            task.world.at(task.world.now, lambda: task.world.hand_to(task))
