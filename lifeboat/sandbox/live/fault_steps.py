"""What faults are made of: each step says how one thing of the sandbox is to be, for as long as the step stands.

Several faults may want something of the same thing. So a step is not undone; its *target* is settled: brought to what
the steps that still stand on it ask for together, and to health when none does. Settling twice changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, TypeAlias

import psycopg
from pydantic import BaseModel, ConfigDict, Field

from lifeboat.sandbox.gateway import conditions
from lifeboat.sandbox.live import file_limits
from lifeboat.sandbox.live.fault_world import Databases, Family, World, servers
from lifeboat.sandbox.live.links import Shape
from lifeboat.sandbox.live.page_damage import Damaged, damage, heal
from lifeboat.sandbox.live.standstill import stands_still
from lifeboat.sandbox.state import SandboxError, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RECOVERY: Final = 20.0
"""Seconds that a server may take until it takes connections again."""
_POLL: Final = 0.05
_IN_FORCE: Final = "SELECT name, setting FROM pg_settings WHERE sourcefile LIKE %s"
SETTINGS_FILE: Final = "faults.conf"
"""Beside a database's ``server.conf``, which reads it last; a copy of the data does not carry it."""


class _Step(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    @property
    def target(self) -> str:
        """What it changes: steps with the same target are settled together."""
        raise NotImplementedError

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Bring the target to what `standing`, all of this target, ask for; this step may be among them or not.

        Raises:
            SandboxError: when that cannot be done.
        """
        raise NotImplementedError


class Met(_Step):
    """A condition that API calls meet."""

    step: Literal["met"] = "met"
    id: str
    """Names the condition among all others."""
    condition: Annotated[conditions.Condition, Field(discriminator="effect")]

    @property
    def target(self) -> str:
        """What it changes."""
        return f"condition {self.id}"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Place it or lift it."""
        if standing:
            world.conditions.place(self.condition, self.id)
        else:
            world.conditions.lift(self.id)


class _OfServer(_Step):
    """What one server is like; what is asked of it as a whole is settled together.

    One that is down does not stand still, and one that stands still cannot start: it stays down until neither stands.
    """

    family: Family
    key: str

    @property
    def target(self) -> str:
        """What it changes."""
        return f"{self.family} {self.key}"


class Held(_OfServer):
    """A server that is down."""

    step: Literal["held"] = "held"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """End it, or start it again."""
        family = servers(world, self.family)
        if any(isinstance(step, Held) for step in standing):
            family.hold(self.key)
        elif not any(isinstance(step, Frozen) for step in standing):
            family.release(self.key)


class Frozen(_OfServer):
    """A server that stands still."""

    step: Literal["frozen"] = "frozen"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Stop it, or let it go on; start it when it was to start meanwhile."""
        if any(isinstance(step, Held) for step in standing):
            return
        family = servers(world, self.family)
        if any(isinstance(step, Frozen) for step in standing):
            family.freeze(self.key)
        else:
            family.thaw(self.key)
            family.release(self.key)


class Way(_Step):
    """One way between two regions."""

    step: Literal["way"] = "way"
    source_region: str
    target_region: str
    latency_s: float = 0.0
    bytes_per_s: float | None = None
    cut: bool = False
    reset: bool = False

    @property
    def target(self) -> str:
        """What it changes."""
        return f"way {self.source_region} {self.target_region}"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Add up the latencies, give it the smallest of the bandwidths, cut or reset it when one step wants that."""
        if world.links is None:
            raise SandboxError(f"{self.target}: this sandbox has no links")
        ways = [step for step in standing if isinstance(step, Way)]
        widths = [step.bytes_per_s for step in ways if step.bytes_per_s is not None]
        shape = Shape(
            latency_s=sum(step.latency_s for step in ways),
            bytes_per_s=min(widths, default=None),
            cut=any(step.cut for step in ways),
            reset=any(step.reset for step in ways),
        )
        world.links.shape(self.source_region, self.target_region, shape)


class Setting(_Step):
    """A setting of a database's, over whatever it has.

    It is written into a file and the server told to read it, rather than asked for over a connection: that works too
    while the server is frozen, down, or a replica, and it holds over a restart. One that runs has it when this is done.
    """

    step: Literal["setting"] = "setting"
    key: str
    name: str
    value: str
    """As ``pg_settings.setting`` shows it: a number in the setting's own unit."""

    @property
    def target(self) -> str:
        """What it changes."""
        # All settings of a server are in one file.
        return f"database {self.key} settings"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Write those that stand, of the same name the last one."""
        wanted = {step.name: step.value for step in standing if isinstance(step, Setting)}
        directory = world.databases.directory(self.key)
        path = directory / SETTINGS_FILE
        # PostgreSQL includes the file when it is there.
        write_private(path, "".join(f"{name} = '{value}'\n" for name, value in wanted.items()))
        owner = (directory / "server.conf").stat()
        os.chown(path, owner.st_uid, owner.st_gid)
        for pid in world.databases.pids(self.key)[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)
        self._await(world.databases, wanted)

    def _await(self, databases: Databases, wanted: Mapping[str, str]) -> None:
        """Wait until the server has them, and no others of this file; one that is down or frozen has them later."""
        end, pause, reason = time.monotonic() + _RECOVERY, threading.Event(), ""
        while (pids := databases.pids(self.key)) and not stands_still(pids[0]):
            try:
                with databases.connect(self.key, "postgres") as connection:
                    found = dict(connection.execute(_IN_FORCE, [f"%/{SETTINGS_FILE}"]).fetchall())
                if found == wanted:
                    return
                reason = f"it has {found}"
            except psycopg.OperationalError as fault:
                reason = str(fault).splitlines()[0]
            if time.monotonic() > end:
                raise SandboxError(f"{self.key} does not take {wanted} within {_RECOVERY:g} s: {reason}")
            pause.wait(_POLL)


class FileLimit(_OfServer):
    """A database whose files cannot grow beyond a size, however often it is started; see `file_limits`."""

    step: Literal["file-limit"] = "file-limit"
    family: Family = "database"
    bytes: int

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Limit them to the smallest size; without one, see that the server is up again if that had ended it."""
        sizes = [step.bytes for step in standing if isinstance(step, FileLimit)]
        size = min(sizes, default=None)
        # First what it starts with: one that is started in between has it already.
        file_limits.keep(world.databases.directory(self.key), size)
        limited = self._limit(world.databases, size)
        if sizes and not limited:
            raise SandboxError(f"{self.key} does not run, and so its disk cannot be full")
        if not sizes and not any(isinstance(step, Held | Frozen) for step in standing):
            self._await_up(world.databases)
            # It may have been about to start with the limit.
            self._limit(world.databases, None)

    def _limit(self, databases: Databases, size: int | None) -> bool:
        """Limit all processes of the server; whether it has any."""
        limited: set[int] = set()
        # The first process comes first: later ones inherit what it has. Those started in between are met again.
        while new := [pid for pid in databases.pids(self.key) if pid not in limited]:
            for pid in new:
                file_limits.limit_files(pid, size)
            limited.update(new)
        return bool(limited)

    def _await_up(self, databases: Databases) -> None:
        """A server that could not write its log ends, or recovers; neither is done at once."""
        end, pause = time.monotonic() + _RECOVERY, threading.Event()
        while True:
            if not databases.pids(self.key):
                databases.release(self.key)
            try:
                databases.connect(self.key, "postgres").close()
            except psycopg.OperationalError as fault:
                if time.monotonic() > end:
                    raise SandboxError(
                        f"{self.key} is not up after {_RECOVERY:g} s: {fault}".splitlines()[0]
                    ) from fault
                pause.wait(_POLL)
            else:
                return


class Damage(_Step):
    """A table some of whose pages on disk are not what was written."""

    step: Literal["damage"] = "damage"
    id: str
    """Names the place of the originals among all others."""
    key: str
    table: str
    pages: int
    seed: int

    @property
    def target(self) -> str:
        """What it changes."""
        return f"damage {self.id}"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Damage it, keeping the originals, or put them back."""
        kept = world.directory / "faults" / f"{self.id}.json"
        data = world.databases.directory(self.key) / "data"
        if standing and not kept.exists():
            damage(world.databases, self.key, Damaged(table=self.table, pages=self.pages, seed=self.seed), kept)
        elif not standing:
            heal(data, kept)


class Offset(_Step):
    """An agent's clock that is wrong."""

    step: Literal["offset"] = "offset"
    agent: str
    seconds: float

    @property
    def target(self) -> str:
        """What it changes."""
        return f"clock {self.agent}"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Set it wrong by the sum."""
        world.clocks.set(self.agent, sum(step.seconds for step in standing if isinstance(step, Offset)))


class SiteLimit(_Step):
    """A site that can answer so many requests a second."""

    step: Literal["site-limit"] = "site-limit"
    region: str
    per_second: float

    @property
    def target(self) -> str:
        """What it changes."""
        return f"site {self.region} limit"

    def settle(self, world: World, standing: Sequence[Step]) -> None:
        """Give it the smallest limit."""
        limits = [step.per_second for step in standing if isinstance(step, SiteLimit)]
        world.sites.limit(self.region, min(limits, default=None))


Step: TypeAlias = Met | Held | Frozen | Way | Setting | FileLimit | Damage | Offset | SiteLimit
