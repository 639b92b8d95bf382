"""A runner's claim on its stack: taken before the first step, kept while it runs, adopted when its owner is dead.

A run's name tells since when it is under way, and a runner's name which process it is: whoever is refused learns both.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import re
import secrets
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from lifeboat.model.plan.graph import Mode
from lifeboat.recovery.gatefile import boot_id
from lifeboat.recovery.lease_record import LeaseError, RunClaim, RunClaimedError
from lifeboat.recovery.lease_store import Absent, StoreError, change

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.lease_store import LeaseStore
    from lifeboat.recovery.ports import Pace, Ports

_T = TypeVar("_T")

BEAT: Final = 10.0
"""Seconds between two signs of life of a runner."""
SILENCE: Final = 60.0
"""Seconds of silence after which a runner is dead to others, and stops by itself a while before."""
_STOPS: Final = 45.0
"""Seconds without a sign of life written, by its own clock, after which a runner makes no more calls."""
_LEAST: Final = 6.0
"""Real seconds of it at least: calls to the lease are real, however fast the protocol's time passes."""
_LOOK: Final = 1.0
_PAUSES: Final = (0.5, 2.0)
"""Real seconds before the lease is asked again that did not answer: it is asked once more than that."""
_PROCESS: Final = re.compile(r"(?P<pid>\d+) started (?P<started>\d+) on (?P<here>\w+)")


def stops_after(pace: Pace) -> float:
    """Real seconds without a sign of life written, after which a runner makes no more calls."""
    return max(pace.real(_STOPS), _LEAST)


def silent_after(pace: Pace) -> float:
    """Real seconds of silence after which a runner is dead to others: `SILENCE`, or what it needs to stop before."""
    return stops_after(pace) + pace.real(SILENCE - _STOPS)


def persistent(ports: Ports, ask: Callable[[], _T]) -> _T:
    """What the lease answers: asked a few times, since one answer that is late or refused for load decides nothing.

    Args:
        ports: Waits between two attempts.
        ask: May be done twice.

    Raises:
        StoreError: when it does not answer; at once when there is no lease.
    """
    for pause in _PAUSES:
        try:
            return ask()
        except Absent:
            raise
        except StoreError:
            ports.wait(None, pause)
    return ask()


def user_name() -> str:
    """Who runs this process; their number where the system has no name for it, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def command_of(kind: str) -> str:
    """The command that goes on with a run, or takes it back: a planned move is `lifeboat failover`'s too.

    Args:
        kind: As `RunClaim.kind`.
    """
    return "failover" if kind == Mode.SWITCHOVER else kind


def runner_name() -> str:
    """This process: ``who@host pid 42 started 123 on 5d1f #9f3c``; another one each time."""
    who, number = user_name(), os.getpid()
    process = f"pid {number} started {_started(number)} on {here()}"
    return f"{who}@{socket.gethostname()} {process} #{secrets.token_hex(4)}"


def is_gone(runner: str) -> bool:
    """Whether a runner was a process of this machine that has ended; False when nobody here can know."""
    name, _, rest = runner.partition(" pid ")
    told = _PROCESS.match(rest)
    # Another machine, or container, may have the same name.
    if told is None or name.rpartition("@")[2] != socket.gethostname() or told["here"] != here():
        return False
    return str(_started(int(told["pid"]))) != told["started"]


def here() -> str:
    """Whose process numbers mean what they mean here: this boot and namespace; empty where the system does not say."""
    boot = boot_id()
    try:
        space = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - not a file, but what stands for the namespace
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:12] if boot else ""


class Claim:
    """One runner's claim.

    Args:
        run: The run's name.
        runner: This process, see `runner_name`.
        kind: What it does.
        target: The site that it makes the holder.
        store: The lease.
        ports: Clock and pace.
    """

    def __init__(  # noqa: PLR0913 - what a claim says, and where
        self, run: str, *, runner: str, kind: str, target: str, store: LeaseStore, ports: Ports
    ) -> None:
        self._run = run
        self._runner = runner
        self._kind = kind
        self._target = target
        self._store = store
        self._ports = ports
        self._good = ports.clock()
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether this runner may make no more calls: the claim is another's, or may be soon."""
        return self._lost or self._ports.clock() - self._good > stops_after(self._ports.pace)

    def take(self) -> None:
        """Claim the stack for this run.

        Raises:
            RunClaimedError: when another run is under way; it names who runs it and since when.
            StoreError: when the lease does not answer.
        """
        self.require_free()
        claim = RunClaim(id=self._run, runner=self._runner, kind=self._kind, target=self._target)
        self._make(lambda record: record.claim_run(claim))

    def require_free(self) -> None:
        """Only look whether `take` would be refused.

        Raises:
            RunClaimedError: when another run is under way; it names who runs it and since when.
            StoreError: when the lease does not answer.
        """
        found = persistent(self._ports, self._store.read).record.run
        if found is not None and (found.id, found.runner) != (self._run, self._runner):
            ways = f"go on with it once its runner is dead (--resume {found.id}), or take it back (--abort {found.id})"
            if found.aborting:
                ways = f"take back the rest of it once its runner is dead (--abort {found.id})"
            raise RunClaimedError(
                f"run {found.id} ({found.kind} to {found.target}) is under way since {since(found.id)}, "
                f"by {found.runner}: wait for it, or {ways}",
                by=found.id,
            )

    def adopt(
        self,
        tell: Callable[[str], None],
        *,
        aborting: bool = False,
        check: Callable[[LeaseRecord], None] | None = None,
    ) -> None:
        """Take over from a runner that is dead: ended on this machine, or silent for `SILENCE` of our own clock.

        Args:
            tell: Hears that a runner is watched.
            aborting: The run is taken back from now on.
            check: Raises when the lease, as it is when the run is taken over, does not allow it.

        Raises:
            RunClaimedError: when its run is not under way, its runner lives, or it is being taken back.
            StoreError: when the lease does not answer.
        """
        found = persistent(self._ports, self._store.read).record
        seen = found.run

        def adopted(record: LeaseRecord) -> LeaseRecord:
            made = record.adopt_run(self._run, self._runner, seen=seen, aborting=aborting)
            if check is not None:
                check(record)
            return made

        # What is refused anyhow is refused before anybody waits.
        adopted(found)
        if seen is not None and seen.runner != self._runner and not is_gone(seen.runner):
            tell(f"{seen.runner} may be alive: watched for {SILENCE:g} s")
            end = self._ports.clock() + silent_after(self._ports.pace)
            while self._ports.clock() < end:
                self._ports.wait(None, self._ports.pace.real(_LOOK))
                # A look that is not answered shows nothing; what changed meanwhile is found when it is taken over.
                with contextlib.suppress(StoreError):
                    adopted(self._store.read().record)
        self._make(adopted)

    @contextlib.contextmanager
    def kept(self) -> Generator[None]:
        """Give signs of life by a thread for as long as the block takes; `lost` tells when that ended."""
        over = threading.Event()

        def beat() -> None:
            while not self._ports.wait(over, self._ports.pace.real(BEAT) / 4):
                try:
                    self.keep()
                except LeaseError:
                    return

        thread = threading.Thread(target=beat, name=f"claim of {self._run}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def keep(self) -> None:
        """Give a sign of life when it is time.

        Raises:
            RunClaimedError: when the run is another runner's by now, or may be: this one must stop.
        """
        began = self._ports.clock()
        if began - self._good < self._ports.pace.real(BEAT):
            return
        try:
            change(self._store, lambda record: record.touch_run(self._run, self._runner))
            self._good = began
        except RunClaimedError:
            self._lost = True
            raise
        except StoreError:
            if self.lost:
                raise RunClaimedError(f"run {self._run}: the lease was out of reach for {_STOPS:g} s") from None

    def end(self) -> None:
        """The run is over. Ended already is as good.

        Raises:
            RunClaimedError: when it is another runner's.
            StoreError: when the lease does not answer.
        """

        def ended(record: LeaseRecord) -> LeaseRecord:
            over = record.run is None or record.run.id != self._run
            return record if over else record.end_run(self._run, self._runner)

        persistent(self._ports, lambda: change(self._store, ended))

    def give_up(self) -> tuple[str, ...]:
        """`end` for a run whose journal says that it is over: a line when that failed, which is no fault of the run."""
        try:
            self.end()
        except (LeaseError, StoreError) as fault:
            return (f"{self._run} may still have its claim on the stack ({fault}): --resume {self._run} gives it up",)
        return ()

    def _make(self, transition: Callable[[LeaseRecord], LeaseRecord]) -> None:
        """Make the claim this runner's: counted from the attempt that was answered."""

        def attempt() -> float:
            began = self._ports.clock()
            change(self._store, transition)
            return began

        self._good = persistent(self._ports, attempt)


def since(run: str) -> str:
    """When a run began, as its name tells: ``2027-01-31 12:00:00 UTC``."""
    stamp = next((part for part in run.split("-") if part.endswith("Z") and "T" in part), "")
    if not stamp:
        return "an unknown time"
    day, _, time = stamp.partition("T")
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}:{time[4:6]} UTC"


def _started(pid: int) -> int | None:
    """When a process of this machine started, in the system's ticks; None when there is none."""
    try:
        # The command's name may hold spaces and parentheses: fields count from the last one.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None
