"""What a run did, entry by entry, kept where the lease is, so that any machine can go on where another was killed.

Invariants:
1. Before a call that changes something an entry with the intent is in the store, after it one with the outcome. A call
   that only reads changes nothing that a later run could need to know: its entries go to the mirror alone.
2. Entries of a run are numbered without a gap, and each number is written once: two runners cannot interleave, the
   second one fails at its first entry.
3. No entry has a secret: arguments of calls are noted by name, and with values only where they are identifiers.

The mirror, a file of JSON lines beside the operator, helps whoever reads; it is never read by a run.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

from lifeboat.recovery.errors import JournalLost

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

Detail = str | int | float | bool | None
"""What an entry's details are made of."""

_LONGEST: Final = 300
"""Characters of a detail that are kept."""


class Event(StrEnum):
    """What an entry tells."""

    OPENED = "opened"
    """A run began, or went on (`resumed`)."""
    REFUSED = "refused"
    """A safety check said no; the only entry of its run."""
    STARTED = "started"
    """A step began."""
    INTENT = "intent"
    """A call is about to be made."""
    OUTCOME = "outcome"
    """It was answered, or not."""
    DONE = "done"
    """A step ended well."""
    FAILED = "failed"
    """A step did not."""
    UNDONE = "undone"
    """A step was taken back."""
    STANDS = "stands"
    """A step of an aborted run that cannot be taken back."""
    ENDED = "ended"
    """The run is over: `result` is done, failed or aborted."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that a run did."""

    run: str
    """``failover-20270131T120000Z-1f3a``."""
    seq: int
    """From 1, without a gap; 0 in entries that only the mirror has."""
    wall: float
    """Seconds since the epoch, on the clock of whoever wrote it."""
    event: Event
    step: str | None = None
    """Key of the step."""
    detail: Mapping[str, Detail] = field(default_factory=dict[str, Detail])
    writer: str = ""
    """Who wrote it: a random word per process and run."""

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "run": self.run,
            "seq": self.seq,
            "wall": self.wall,
            "event": self.event.value,
            "step": self.step,
            "detail": dict(self.detail),
            "writer": self.writer,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Entry:
        """From what `document` made."""
        return cls(
            run=document["run"],
            seq=document["seq"],
            wall=document["wall"],
            event=Event(document["event"]),
            step=document["step"],
            detail=document["detail"],
            writer=document["writer"],
        )


@dataclass(frozen=True, kw_only=True)
class ExternalCall:
    """One call to the outside, as the journal notes it."""

    service: str
    """As `lifeboat.model.plan.graph.Call` names it."""
    operation: str
    region: str
    reads: bool
    """It changes nothing."""
    best_effort: bool = False
    step: str | None = None
    detail: Mapping[str, Detail] = field(default_factory=dict[str, Detail])
    """What it is about: identifiers, no secrets."""


class Listener(Protocol):
    """Hears of every call, whether it reads or not: progress, evidence, and tests that end a run there."""

    def before(self, call: ExternalCall) -> None:
        """It is about to be made; its intent is noted."""
        ...

    def after(self, call: ExternalCall, seconds: float, fault: str | None) -> None:
        """It was answered, or failed with `fault`; its outcome is not noted yet."""
        ...


class Taken(Exception):  # noqa: N818  (an answer: the number is somebody's)
    """An entry's number was written before; carries what stands there."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"{entry.run}: entry {entry.seq} was written by {entry.writer}")
        self.entry = entry


class JournalStore(Protocol):
    """Where entries are kept."""

    def append(self, entry: Entry) -> None:
        """Keep an entry.

        Raises:
            Taken: when its number is written.
            JournalLost: when the store does not answer.
        """
        ...

    def read(self, run: str) -> Sequence[Entry]:
        """Every entry of a run in order; empty for an unknown run.

        Raises:
            JournalLost: when the store does not answer.
        """
        ...

    def runs(self) -> Sequence[str]:
        """Every run, oldest first.

        Raises:
            JournalLost: when the store does not answer.
        """
        ...


class Mirror:
    """A file of JSON lines a run, for its owner's eyes only.

    Args:
        directory: Where; it is made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    def path(self, run: str) -> Path:
        """The file of a run."""
        return self._directory / f"{run}.jsonl"

    def write(self, entry: Entry) -> None:
        """Add a line.

        Raises:
            OSError: when it cannot be written.
        """
        line = json.dumps(entry.document()) + "\n"
        with self._lock:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path(entry.run), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(line)


class Journal:
    """One run's entries, written by one process.

    Args:
        run: Its name.
        store: Where they are kept.
        mirror: Where they are read by people; None for nowhere.
        wall: Seconds since the epoch.
        clock: Monotonic seconds.
        known: Entries that the run has.
        listeners: Hear of every call.
    """

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        run: str,
        store: JournalStore,
        *,
        mirror: Mirror | None,
        wall: Callable[[], float],
        clock: Callable[[], float],
        known: Sequence[Entry] = (),
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.run = run
        self._store = store
        self._mirror = mirror
        self._wall = wall
        self._clock = clock
        self._next = len(known) + 1
        self._listeners = tuple(listeners)
        self._writer = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._lost: JournalLost | None = None

    def note(self, event: Event, step: str | None = None, detail: Mapping[str, Detail] | None = None) -> Entry:
        """Keep an entry; it is in the store when this returns.

        An entry that was lost may be in the store all the same: no other one is kept after it, and whoever goes on with
        the run reads first what is there.

        Raises:
            JournalLost: when the store does not answer, or another process writes this run's journal; and ever after.
        """
        with self._lock:
            if self._lost is not None:
                raise JournalLost(*self._lost.lines)
            entry = self._entry(self._next, event, step, detail or {})
            try:
                self._append(entry)
            except JournalLost as lost:
                self._lost = lost
                raise
            self._next += 1
            self._reflect(entry)
        return entry

    def _append(self, entry: Entry) -> None:
        try:
            self._store.append(entry)
        except Taken as taken:
            # The same one stands there when its answer was lost and the client sent it again.
            if taken.entry != entry:
                raise JournalLost(
                    f"{self.run}: another process writes this run's journal (entry {entry.seq}); "
                    "this one stops here and did nothing since its last entry"
                ) from taken

    @contextlib.contextmanager
    def around(self, call: ExternalCall) -> Generator[None]:
        """Stand around a call: intent before, outcome after, whatever comes of it.

        Raises:
            JournalLost: when the store does not answer; the call is not made then.
        """
        told: dict[str, Detail] = {
            "service": call.service,
            "operation": call.operation,
            "region": call.region,
            "best_effort": call.best_effort,
            **call.detail,
        }
        self._call_entry(Event.INTENT, call, told)
        for listener in self._listeners:
            listener.before(call)
        began = self._clock()
        try:
            yield
        except Exception as raised:
            self._outcome(call, told, began, told_of(raised))
            raise
        # A process that is ended meanwhile gets to neither: what came of its call is unknown.
        self._outcome(call, told, began, None)

    def _outcome(self, call: ExternalCall, told: Mapping[str, Detail], began: float, fault: str | None) -> None:
        seconds = round(self._clock() - began, 3)
        for listener in self._listeners:
            listener.after(call, seconds, fault)
        self._call_entry(Event.OUTCOME, call, {**told, "seconds": seconds, "fault": fault})

    def _call_entry(self, event: Event, call: ExternalCall, detail: Mapping[str, Detail]) -> None:
        if not call.reads:
            self.note(event, call.step, detail)
            return
        with self._lock:
            self._reflect(self._entry(0, event, call.step, detail))

    def _entry(self, seq: int, event: Event, step: str | None, detail: Mapping[str, Detail]) -> Entry:
        return Entry(
            run=self.run,
            seq=seq,
            wall=self._wall(),
            event=event,
            step=step,
            detail={name: _short(value) for name, value in detail.items() if value is not None},
            writer=self._writer,
        )

    def _reflect(self, entry: Entry) -> None:
        if self._mirror is not None:
            # A full disk beside the operator must not stop a recovery.
            with contextlib.suppress(OSError):
                self._mirror.write(entry)


def told_of(fault: BaseException) -> str:
    """A fault in one line, without the arguments of what failed."""
    if isinstance(fault, ClientError):
        error = fault.response.get("Error", {})
        return f"{error.get('Code')}: {error.get('Message')}"
    return (str(fault).splitlines() or [""])[0] or type(fault).__name__


def _short(value: Detail) -> Detail:
    return value if not isinstance(value, str) or len(value) <= _LONGEST else f"{value[: _LONGEST - 3]}..."
