"""The living sandbox as a drill's world: started for it, broken, read, and removed.

Whoever watches has an access key of its own, so that the gateway's ledger tells its calls from recovery's.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
import psycopg
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.recovery.assembly import lease_store
from lifeboat.recovery.drill import inventory, readers
from lifeboat.recovery.drill.calls import OWN_KEYS
from lifeboat.recovery.drill.restore import Isolated
from lifeboat.recovery.drill.workload import Processes, Stores, Target
from lifeboat.recovery.drill.world import DrillError, Ran
from lifeboat.recovery.errors import JournalLost
from lifeboat.recovery.journal import Entry, told_of
from lifeboat.recovery.journal_stores import store_of
from lifeboat.recovery.lease_record import LeaseError
from lifeboat.recovery.lease_store import StoreError
from lifeboat.recovery.system_ports import NAME_SERVER_VARIABLE, Surroundings, SystemPorts
from lifeboat.sandbox import supervisor
from lifeboat.sandbox.environment import SECRET_KEY, exec_environment
from lifeboat.sandbox.state import Directory, Record, SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.drill.measure import Order
    from lifeboat.recovery.drill.workload import Load
    from lifeboat.recovery.drill.world import Restored
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.ports import Client

_COMMAND: Final = (sys.executable, "-c", "from lifeboat.cli.main import main; main()")
_FAULT_SECONDS: Final = 120.0
_RESTORE_SECONDS: Final = 7200.0
"""Declared seconds that a restore may take."""
_SPARE: Final = 60.0
"""Real seconds on top of that."""
_LAST_WORDS: Final = 60.0
"""Real seconds that a command has to end in order once it is interrupted."""
_KEPT_LINES: Final = 20
_SHORT: Final = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
_USUAL: Final = Config(connect_timeout=4, read_timeout=15, retries={"total_max_attempts": 8, "mode": "standard"})
_UNREAD: Final = (psycopg.Error, redis.RedisError, BotoCoreError, ClientError, OSError, LookupError)


class WatcherPorts(SystemPorts):
    """The outside, for whoever watches a drill: asks one sandbox, whatever this process's environment says.

    Args:
        physical: Names in the stack's account.
        surroundings: What is different in the sandbox.
        directory: The sandbox's.
        endpoint: Its API.
        key: The access key to be known by.
    """

    def __init__(
        self, physical: Physical, surroundings: Surroundings, *, directory: Directory, endpoint: str, key: str
    ) -> None:
        super().__init__(physical, surroundings)
        session = botocore.session.Session()
        # A user's own profile has no business here.
        session.set_config_variable("config_file", str(directory.aws_config))
        session.set_config_variable("credentials_file", str(directory.aws_credentials))
        session.set_config_variable("profile", "default")
        session.set_credentials(key, SECRET_KEY)
        self._watching: Any = boto3.session.Session(botocore_session=session)
        self._made: dict[tuple[str, str, bool], Any] = {}
        self._one = threading.Lock()
        self._endpoint = endpoint

    def client(  # noqa: PLR0913 - how it is asked
        self,
        service: str,
        region: str,
        *,
        best_effort: bool = False,
        once: bool = False,
        changes: bool = False,
        endpoint: str | None = None,
    ) -> Client:
        """A boto3 client of the sandbox's."""
        # Whoever watches has no claim that could be lost.
        del changes
        short = best_effort or once
        with self._one:
            key = (service, region, short)
            if key not in self._made:
                self._made[key] = self._watching.client(
                    service,
                    region_name=region,
                    endpoint_url=endpoint or self._endpoint,
                    config=_SHORT if short else _USUAL,
                )
            return self._made[key]


@dataclass(frozen=True, kw_only=True)
class How:
    """How a sandbox is started for a drill.

    Attributes:
        stack: Which stack.
        root: The project's directory.
        seed: Same seed, same durations.
        scale: How many times faster protocol and control plane are.
        keep: Whether it is left running.
    """

    stack: str
    root: Path
    seed: int
    scale: float
    keep: bool


@dataclass(frozen=True, kw_only=True)
class _Running:
    record: Record
    live: Mapping[str, Any]
    ports: WatcherPorts


class SandboxWorld:
    """One living sandbox.

    Args:
        how: How it is started.
        physical: The stack.
        progress: Takes a line for people.
    """

    def __init__(self, how: How, physical: Physical, progress: Callable[[str], None]) -> None:
        self._how = how
        self._physical = physical
        self._tell = progress
        self._directory = Directory.of_project(how.root)
        self._stores = Stores.of(physical.topology)
        self._begun = False
        self._found: _Running | None = None

    def start(self) -> None:
        """Start a sandbox with the stack and its wardens.

        Raises:
            DrillError: when one runs already, or this one does not come up.
        """
        if self._directory.running() is not None:
            raise DrillError("a sandbox runs here, and a drill starts its own: lifeboat sandbox down ends it")
        scale = f"{self._how.scale:g}"
        told = ("--time-scale", scale, "--detection-scale", scale, "--seed", str(self._how.seed))
        # From here on there may be something to remove, whatever becomes of this.
        self._begun = True
        ran = self.command("sandbox", "up", self._how.stack, *told)
        record = self._directory.running()
        if ran.code != 0 or record is None:
            raise DrillError(f"the sandbox does not come up: {' '.join(ran.lines[-1:])}")
        live = self._asked(record, "GET", "live")
        surroundings = Surroundings.of(exec_environment(self._directory, record))
        ports = WatcherPorts(
            self._physical, surroundings, directory=self._directory, endpoint=record.endpoint, key=_key()
        )
        self._found = _Running(record=record, live=live, ports=ports)

    def stop(self) -> None:
        """Remove the sandbox that was started, or half of one; a whole one stays when it is to be kept."""
        if not self._begun:
            return
        if self._how.keep and self._found is not None:
            self._tell("the sandbox still runs: lifeboat sandbox down ends it")
            return
        ran = self.command("sandbox", "down")
        if ran.code != 0:
            self._tell(f"the sandbox may still run: lifeboat sandbox down exits with {ran.code}: {ran.last}")
        self._begun, self._found = False, None

    def clock(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        threading.Event().wait(seconds)

    def lease(self) -> LeaseRecord | None:
        """The lease now."""
        try:
            return lease_store(self._physical, self._here.ports, self._near).read().record
        except (StoreError, LeaseError):
            return None

    def entries(self) -> Sequence[Entry]:
        """Every run's journal, and of the mirrors on this machine the calls that only read."""
        store = store_of(self._physical, self._here.ports, self._near)
        try:
            kept = [entry for run in store.runs() for entry in store.read(run)]
        except JournalLost as fault:
            raise DrillError(f"the journal cannot be read: {' '.join(fault.lines)}") from fault
        runs = {entry.run for entry in kept}
        return [*kept, *(entry for entry in self._mirrored() if entry.seq == 0 and entry.run in runs)]

    def inject(self, documents: Sequence[Mapping[str, Any]]) -> str:
        """Inject faults."""
        return str(self._asked(self._here.record, "POST", "faults", list(documents))["id"])

    def heal(self, identifier: str) -> None:
        """Heal them."""
        self._asked(self._here.record, "DELETE", f"faults?id={identifier}")

    def workload(self, directory: Path, load: Load) -> Processes:
        """Start clients, which reach the stack by the first of its names that fail over."""
        live, environment = self._here.live, self._environment()
        port = next(row["port"] for row in live["processes"] if row["kind"] == "site")
        processes = Processes(
            directory,
            stores=self._stores,
            load=load,
            target=Target(
                url=self._here.ports.site_url(live["names"][0], port),
                name_server=environment[NAME_SERVER_VARIABLE],
                stack_file=self._how.root / f"Pulumi.{self._how.stack}.yaml",
                environment={**environment, "AWS_ACCESS_KEY_ID": _key()},
            ),
        )
        processes.start()
        return processes

    def command(self, *words: str) -> Ran:
        """Run a command; what it tells is progress."""
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as results,
            subprocess.Popen(  # noqa: S603 - our own command
                [*_COMMAND, *words],
                cwd=self._how.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=results,
                stderr=subprocess.PIPE,
                text=True,
                # Ctrl-C is the drill's, which ends what it began in order.
                start_new_session=True,
            ) as process,
        ):
            lines: list[str] = []
            try:
                for line in process.stderr or ():
                    lines = [*lines, line.rstrip()][-_KEPT_LINES:]
                    self._tell(line.rstrip())
                process.wait()
            except BaseException:
                _interrupted(process)
                raise
            results.seek(0)
            lines = [*(line.rstrip() for line in results), *lines][-_KEPT_LINES:]
        return Ran(code=process.returncode, lines=tuple(lines))

    def found(self, region: str) -> Mapping[str, frozenset[Order]]:
        """What a region's stores have."""
        try:
            return readers.found(self._here.ports, self._physical, self._stores, region)
        except _UNREAD as fault:
            raise DrillError(f"its stores cannot be read: {told_of(fault)}") from fault

    def restore(self, until: float) -> Restored:
        """Restore the home's database beside itself."""
        copy = Isolated(
            ports=self._here.ports,
            physical=self._physical,
            database=self._stores.database or "",
            region=self._physical.topology.home.region,
            deadline=self._here.ports.pace.real(_RESTORE_SECONDS) + _SPARE,
        )
        return copy.restore(until)

    def calls(self) -> Sequence[Mapping[str, Any]]:
        """The gateway's ledger, with the part that was put aside."""
        found: list[Mapping[str, Any]] = []
        for path in (self._directory.calls.with_suffix(".1.jsonl"), self._directory.calls):
            if path.is_file():
                found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return found

    def inventory(self) -> frozenset[str]:
        """Databases, their snapshots, and caches in both sites."""
        try:
            return frozenset(
                each
                for site in self._physical.topology.sites
                for each in inventory.found(self._here.ports, site.region)
            )
        except (BotoCoreError, ClientError) as fault:
            raise DrillError(f"what there is cannot be told: {told_of(fault)}") from fault

    @property
    def _here(self) -> _Running:
        if self._found is None:
            raise DrillError("the sandbox is not started")
        return self._found

    @property
    def _near(self) -> str:
        """Where to ask first: home is what drills break."""
        return self._physical.topology.standby.region

    def _environment(self) -> dict[str, str]:
        if self._found is None:
            return dict(os.environ)
        return exec_environment(self._directory, self._found.record)

    def _mirrored(self) -> Iterator[Entry]:
        for place in (self._how.root / ".lifeboat", self._directory.path):
            for path in sorted(place.rglob("journal/*.jsonl")):
                whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
                yield from (Entry.of(json.loads(line)) for line in whole.splitlines())

    def _asked(self, record: Record, method: str, name: str, document: object = None) -> Any:  # noqa: ANN401 - JSON
        try:
            return supervisor.control(record, method, name, document, deadline=_FAULT_SECONDS)
        except (OSError, SandboxError) as fault:
            raise DrillError(str(fault)) from fault


def _key() -> str:
    (key,) = OWN_KEYS
    return key


def _interrupted(process: subprocess.Popen[str]) -> None:
    """Have a command end in order, as Ctrl-C does; what has not ended in time is killed, with its own session."""
    process.send_signal(signal.SIGINT)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            # What it still says is read away: nobody who waits for a full pipe ends.
            process.communicate(timeout=_LAST_WORDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
