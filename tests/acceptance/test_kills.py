"""Kill -9 at random moments: no process stays, the next start works, and what was acknowledged is still there.

Each round finds a sandbox that serves orders, and leaves one: with clients at work, in the middle of a switchover, with
a fault that stands, or while it starts. ``LIFEBOAT_KILLS`` (50) is how many, ``LIFEBOAT_KILLS_SEED`` (0) the seed.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from lifeboat.sandbox.state import process_identity
from tests.live.interrupting import nothing_runs, started
from tests.live.living import HOME, STANDBY, Sandbox, processes_in, project
from tests.live.waiting import until
from tests.moving import fail_over_cache, switch_database_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROUNDS = int(os.environ.get("LIFEBOAT_KILLS", "50"))
SEED = int(os.environ.get("LIFEBOAT_KILLS_SEED", "0"))
CLIENT = "killed"
HALF = 0.5
HEALED = 60.0
"""Seconds; servers that were down start again one after the other."""


@dataclass
class Orders:
    """A client that posts numbered orders to whichever site takes them, one after the other.

    Attributes:
        fronts: Where the sites are reached.
        acknowledged: Numbers that were answered with success.
    """

    fronts: list[str] = field(default_factory=list[str])
    acknowledged: set[int] = field(default_factory=set[int])
    _number: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def posted(self, sandbox: Sandbox) -> Iterator[None]:
        """Post them meanwhile; in the beginning one was acknowledged."""
        self.fronts = [front for _, front in sorted(sandbox.live["fronts"].items())]
        self._ending.clear()
        before = len(self.acknowledged)
        thread = threading.Thread(target=self._post, args=[sandbox])
        thread.start()
        try:
            until(lambda: len(self.acknowledged) > before, HEALED)
            yield
        finally:
            self._ending.set()
            thread.join()

    def _post(self, sandbox: Sandbox) -> None:
        while not self._ending.is_set():
            self._number += 1
            for front in self.fronts:
                # A site that is killed, or may not write, is not worth a word.
                with contextlib.suppress(OSError, http.client.HTTPException):
                    if sandbox.post(front, CLIENT, self._number)[0] == 201:
                        self.acknowledged.add(self._number)
                        break


@dataclass
class Stage:
    """What the rounds share."""

    sandbox: Sandbox
    orders: Orders = field(default_factory=Orders)


@pytest.fixture(scope="module")
def shared() -> Iterator[Stage]:
    with project() as made:
        made.up()
        yield Stage(made)


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """With a sandbox that serves, whatever became of the round before."""
    if shared.sandbox.directory.running() is None or not shared.sandbox.live["fronts"]:
        shared.sandbox.up("--resume")
    return shared


def family(sandbox: Sandbox) -> dict[int, str]:
    """Identities by pid of all that the sandbox has started, and of what these have."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {*processes_in(sandbox.directory.path)}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return {pid: identity for pid in found if (identity := process_identity(pid)) is not None}


def ended(identities: dict[int, str]) -> bool:
    return not any(process_identity(pid) == identity for pid, identity in identities.items())


def kill(sandbox: Sandbox, victim: str) -> dict[int, str]:
    """Kill the gateway, the keeper, or all that there is at once; the identities of what had to end."""
    module = {"gateway": "lifeboat.sandbox.gateway", "keeper": "lifeboat.sandbox.live.keeper", "all": ""}[victim]

    def victims() -> list[int]:
        return [pid for pid, command in processes_in(sandbox.directory.path).items() if module in command]

    # Before there is one of them, its moment has not come.
    until(victims, HEALED)
    known = family(sandbox)
    for pid in victims():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return known


def wait(seconds: float) -> None:
    """Let a moment pass that was drawn by chance."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, seconds + 1)


def under_load(stage: Stage, chance: random.Random, victim: str) -> dict[int, str]:
    with stage.orders.posted(stage.sandbox):
        wait(chance.uniform(0, 2))
        return kill(stage.sandbox, victim)


def while_the_writer_moves(stage: Stage, chance: random.Random, victim: str) -> dict[int, str]:
    sandbox = stage.sandbox
    target = STANDBY if sandbox.live["active"] == HOME else HOME
    with stage.orders.posted(sandbox):
        switch_database_over(sandbox.client, target)
        with contextlib.suppress(ClientError):
            # It leads there already, when an earlier round ended between the two.
            fail_over_cache(sandbox.client, target)
        wait(chance.uniform(0, 1))
        return kill(sandbox, victim)


def faults(sandbox: Sandbox) -> Sequence[Sequence[str]]:
    """Some of the kinds, with the sites as the rounds before left them."""
    active = sandbox.live["active"]
    standby = STANDBY if active == HOME else HOME
    return (
        ("region-blackout", "--region", standby),
        ("region-partition", "--region", standby),
        ("process-killed", "--region", standby, "--param", "process=database"),
        ("replication-lag", "--region", standby, "--param", "seconds=30"),
        ("full-disk", "--region", active),
        ("api-errors", "--region", active),
    )


def with_a_fault(stage: Stage, chance: random.Random, victim: str) -> dict[int, str]:
    sandbox = stage.sandbox
    with stage.orders.posted(sandbox):
        sandbox.ask("fault", "inject", *chance.choice(faults(sandbox)))
        wait(chance.uniform(0, 2))
        return kill(sandbox, victim)


def while_it_starts(stage: Stage, chance: random.Random, victim: str) -> dict[int, str]:
    sandbox = stage.sandbox
    with stage.orders.posted(sandbox):
        wait(chance.uniform(0, 1))
        kill(sandbox, "all")
    starting = started(sandbox, "--resume")
    # Once there is something to kill, a moment of its first seconds.
    until(lambda: sandbox.directory.holder() is not None, HEALED)
    wait(chance.uniform(0, 8))
    identities = kill(sandbox, victim)
    if chance.random() < HALF:
        starting.kill()
    said = starting.communicate()[1]
    assert "Traceback" not in said
    return identities


SCENES: tuple[Callable[[Stage, random.Random, str], dict[int, str]], ...] = (
    while_the_writer_moves,
    with_a_fault,
    while_it_starts,
    under_load,
)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_after_a_kill_nothing_runs_and_the_next_start_has_everything(stage: Stage, number: int) -> None:
    sandbox, orders = stage.sandbox, stage.orders
    chance = random.Random(f"{SEED} {number}")  # noqa: S311 - no secret
    identities = SCENES[number % len(SCENES)](stage, chance, chance.choice(["gateway", "keeper", "all"]))
    assert orders.acknowledged
    if chance.random() < HALF:
        until(lambda: ended(identities))
        until(lambda: nothing_runs(sandbox))
    # Else at once, as somebody would who does not know that servers still end.
    sandbox.up("--resume")
    assert ended(identities)
    if sandbox.live["faults"]:
        sandbox.ask("fault", "clear")
    until(lambda: orders.acknowledged <= set(sandbox.numbers(sandbox.live["active"], CLIENT)), HEALED)
    until(lambda: all(part["ready"] for part in sandbox.parts), HEALED)
