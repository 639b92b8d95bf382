"""The faults of a sandbox: injected, scheduled, healed, and remembered over a restart.

Invariants:
1. What is written down is what stands: each step is in the state file before it is made, and stays there until it is
   healed.
2. A part that cannot be injected whole is healed at once, and so is what was injected with it.
3. Healing goes on when one step of it fails; what failed is kept, told, and tried again by the next clear.
4. Clearing what is not there does nothing.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lifeboat.sandbox.live.fault_documents import parse
from lifeboat.sandbox.live.fault_kinds import ClockSkew, Fault
from lifeboat.sandbox.live.fault_steps import Step
from lifeboat.sandbox.live.fault_world import agents
from lifeboat.sandbox.state import SandboxError, SandboxInputError, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lifeboat.sandbox.live.fault_world import World

STATE_FILE: Final = "faults.json"
_log = logging.getLogger(__name__)


class Part(BaseModel):
    """One fault of an injection.

    Attributes:
        fault: What it is.
        state: ``scheduled``, ``active``, ``over``, or ``failed`` when it could not begin or not be healed.
        begins: Seconds since the epoch.
        ends: The same; None: until it is cleared.
        steps: What stands of it.
        failure: Why it failed.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    fault: Annotated[Fault, Field(discriminator="kind")]
    state: Literal["scheduled", "active", "over", "failed"] = "scheduled"
    begins: float
    ends: float | None
    steps: list[Annotated[Step, Field(discriminator="step")]] = []
    failure: str = ""


class Injection(BaseModel):
    """What was injected together.

    Attributes:
        id: Names it, such as ``f3``.
        since: Seconds since the epoch.
        parts: Its faults.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    since: float
    parts: list[Part]


class _Remembered(BaseModel):
    number: int = 0
    injections: list[Injection] = []


_REMEMBERED: Final = TypeAdapter(_Remembered)


class Faults:
    """The faults of one sandbox; safe to use from several threads.

    Args:
        world: What they break.
        clock: The time, seconds since the epoch.
    """

    def __init__(self, world: World, clock: Callable[[], float] = time.time) -> None:
        self._world = world
        self._clock = clock
        self._path = world.directory / STATE_FILE
        self._state = _load(self._path)
        # Held while the sandbox is changed, which may take seconds.
        self._working = threading.RLock()
        self._changed = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bring back what an earlier life of the sandbox left standing, and begin to keep to the schedule."""
        with self._working:
            for injection in self._state.injections:
                for part in injection.parts:
                    self._resume(part)
        self._thread = threading.Thread(target=self._keep_schedule, name="faults", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Keep to the schedule no longer; faults stay as they are."""
        self._stopped = True
        self._changed.set()
        if self._thread is not None:
            self._thread.join()

    def inject(self, document: object) -> str:
        """Inject a fault or several, at once or as they are scheduled.

        Args:
            document: As `fault_documents.parse` reads it.

        Returns:
            The injection's ID.

        Raises:
            SandboxInputError: when the document, or a region or an agent of it, is wrong; nothing was done.
            SandboxError: when a fault that begins at once cannot be injected; all of it was healed again.
        """
        faults = parse(document)
        self._require_known(faults)
        with self._working:
            now = self._clock()
            self._state.number += 1
            parts = [_scheduled(fault, now) for fault in faults]
            injection = Injection(id=f"f{self._state.number}", since=now, parts=parts)
            self._state.injections = [*self._state.injections, injection]
            self._save()
            try:
                for number, part in enumerate(parts):
                    if part.begins <= now:
                        self._begin(part, f"{injection.id}-{number}")
            except SandboxError:
                self._clear(injection)
                raise
        self._changed.set()
        return injection.id

    def clear(self, identifier: str | None = None) -> list[str]:
        """Heal an injection, or None: all of them, the newest first.

        Returns:
            The IDs of those that are healed.

        Raises:
            SandboxError: when something could not be healed; the rest is, and another clear tries again.
        """
        with self._working:
            wanted = [each for each in self._state.injections if identifier in {None, each.id}]
            healed = [each.id for each in reversed(wanted) if self._clear(each)]
            left = [part.failure for each in wanted if each.id not in healed for part in each.parts if part.failure]
        self._changed.set()
        if left:
            raise SandboxError(f"not all is healed: {'; '.join(left)}")
        return healed

    def list(self) -> list[dict[str, Any]]:
        """What stands or is to come, oldest first.

        Returns:
            A row for each fault with ``id`` (of its injection), ``kind``, ``state``, ``since`` (its beginning,
            seconds since the epoch), ``until`` (the same; None: until cleared), ``parameters`` and ``failure``.
        """
        return [
            {
                "id": injection.id,
                "kind": part.fault.kind,
                "state": part.state,
                "since": part.begins,
                "until": part.ends,
                "parameters": part.fault.model_dump(mode="json", exclude_defaults=True, exclude={"kind"}),
                "failure": part.failure,
            }
            for injection in self._state.injections
            for part in injection.parts
            if part.state != "over"
        ]

    def tick(self) -> float | None:
        """Do what is due, in the order in which it was.

        Returns:
            Seconds until something is due again; None when nothing is.
        """
        with self._working:
            while due := self._due():
                at, injection, part = due[0]
                if at > self._clock():
                    return at - self._clock()
                self._move_on(injection, part)
        return None

    def _keep_schedule(self) -> None:
        while not self._stopped:
            self._changed.clear()
            try:
                pause = self.tick()
            # The schedule of other faults must not end with one that nobody thought of.
            except Exception:  # noqa: BLE001 - see above
                _log.exception("faults")
                pause = None
            self._changed.wait(pause)

    def _due(self) -> list[tuple[float, Injection, Part]]:
        found: list[tuple[float, Injection, Part]] = []
        for injection in self._state.injections:
            for part in injection.parts:
                if part.state == "scheduled":
                    found.append((part.begins, injection, part))
                elif part.state == "active" and part.ends is not None:
                    found.append((part.ends, injection, part))
        return sorted(found, key=lambda each: each[0])

    def _move_on(self, injection: Injection, part: Part) -> None:
        if part.state == "scheduled":
            try:
                self._begin(part, f"{injection.id}-{injection.parts.index(part)}")
            except SandboxError as fault:
                _log.warning("%s: %s: %s", injection.id, part.fault.kind, fault)
        else:
            self._end(part)
        self._forget(injection)

    def _begin(self, part: Part, name: str) -> None:
        """Make the steps of a fault.

        Raises:
            SandboxError: when one cannot be made; those before it are healed.
        """
        try:
            for step in part.fault.steps(self._world, name):
                part.steps = [*part.steps, step]
                self._save()
                self._settle(step)
        except SandboxError as fault:
            self._end(part)
            part.state, part.failure = "failed", str(fault)
            self._save()
            raise
        part.state = "active"
        self._save()

    def _end(self, part: Part) -> None:
        """Heal a fault's steps in reverse order; those that cannot be healed stay."""
        part.failure = ""
        steps = part.steps
        left: list[Step] = []
        for step in reversed(steps):
            part.steps = [each for each in part.steps if each is not step]
            try:
                self._settle(step)
            except SandboxError as fault:
                _log.warning("%s: not healed: %s", part.fault.kind, fault)
                left.insert(0, step)
                part.failure = str(fault)
        part.steps = left
        part.state = "failed" if left else "over"
        self._save()

    def _clear(self, injection: Injection) -> bool:
        for part in reversed(injection.parts):
            self._end(part)
        self._forget(injection)
        return injection not in self._state.injections

    def _forget(self, injection: Injection) -> None:
        if all(part.state == "over" for part in injection.parts):
            self._state.injections = [each for each in self._state.injections if each is not injection]
        self._save()

    def _resume(self, part: Part) -> None:
        for step in part.steps:
            try:
                self._settle(step)
            except SandboxError as fault:
                part.failure = str(fault)
                _log.warning("%s: not brought back: %s", part.fault.kind, fault)

    def _settle(self, step: Step) -> None:
        standing = [
            each
            for injection in self._state.injections
            for part in injection.parts
            for each in part.steps
            if each.target == step.target
        ]
        try:
            step.settle(self._world, standing)
        except OSError as fault:
            raise SandboxError(f"{step.target}: {fault}") from fault

    def _require_known(self, faults: Sequence[Fault]) -> None:
        known, clocked = self._world.regions, agents(self._world)
        for fault in faults:
            if isinstance(fault, ClockSkew) and fault.agent not in clocked:
                there = ", ".join(clocked) or "none"
                raise SandboxInputError(f"{fault.agent} is no agent of this sandbox: there are {there}")
            for region in fault.regions:
                if region not in known:
                    raise SandboxInputError(f"{region} is no region of this stack: there are {', '.join(known)}")

    def _save(self) -> None:
        write_private(self._path, self._state.model_dump_json(indent=1) + "\n")


def _scheduled(fault: Fault, now: float) -> Part:
    begins = now + fault.after_s
    return Part(fault=fault, begins=begins, ends=None if fault.for_s is None else begins + fault.for_s)


def _load(path: Path) -> _Remembered:
    try:
        return _REMEMBERED.validate_python(json.loads(path.read_text()))
    except FileNotFoundError:
        return _Remembered()
    except (ValueError, ValidationError) as fault:
        raise SandboxError(f"{path}: cannot be read: remove it, and faults that still stand stay") from fault
