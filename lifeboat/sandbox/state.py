"""The `.sandbox/` directory: where a running sandbox is recorded and everything of it lives.

It stands beside `Pulumi.yaml`. Directories are readable by their owner only (0700), files too (0600): the record
carries the sandbox's one-time token.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

DIRECTORY_NAME = ".sandbox"
PROJECT_FILE = "Pulumi.yaml"
_RESUMED = ("data", "database-passwords.json", "cache-secret", "network.json", "faults.json", "faults", "clocks")
"""What the data of an earlier life are of no use without."""


class SandboxError(Exception):
    """The sandbox cannot do what was asked; its text is one line for the user."""


class SandboxInputError(SandboxError):
    """What the user gave cannot be used; nothing was done."""


class NoProjectError(SandboxInputError):
    """No `Pulumi.yaml` from the current directory upward."""


def project_root(start: Path | None = None) -> Path:
    """The directory that holds `Pulumi.yaml`, from `start` (the current directory) upward.

    Raises:
        NoProjectError: when there is none.
    """
    origin = (start or Path.cwd()).resolve()
    for candidate in (origin, *origin.parents):
        if (candidate / PROJECT_FILE).is_file():
            return candidate
    raise NoProjectError(f"no {PROJECT_FILE} in {origin} or above it: run this inside a checkout")


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A gateway's process, as the lock that it holds says it."""

    pid: int
    identity: str
    """When the process started, as `process_identity` tells it: a recycled pid has another."""
    stack: str

    @property
    def alive(self) -> bool:
        """Whether this process, and not a later one with its pid, still runs."""
        return process_identity(self.pid) == self.identity

    @classmethod
    def load(cls, text: str) -> Self:
        """Read what `dump` wrote.

        Raises:
            ValueError: when the text is anything else.
        """
        loaded: object = json.loads(text)
        # Annotations are text here, and name the kinds that JSON gives back.
        expected = {part.name: part.type for part in fields(cls)}
        found = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
        if {name: type(value).__name__ for name, value in found.items()} != expected:
            raise ValueError(f"expected are exactly the keys {', '.join(sorted(expected))}, each of its kind")
        return cls(**found)

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"


@dataclass(frozen=True, kw_only=True)
class Record(Gateway):
    """A running sandbox, as `sandbox.json` says it."""

    port: int
    token: str = field(repr=False)
    """One-time secret of this run; control calls and plugins must present it."""
    account: str
    """12 digits."""
    home: str
    """The stack's home region: clients that name none ask there."""
    started: float
    """Seconds since the epoch."""
    name_server: str = ""
    """Address of the name server; empty in a sandbox of APIs alone."""
    detection_scale: float = 1.0
    """How many times faster than declared a loss is found."""

    @property
    def endpoint(self) -> str:
        """The URL that AWS clients are pointed at."""
        return f"http://127.0.0.1:{self.port}"


class Directory:
    """Paths below one `.sandbox/`, made with closed modes."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @classmethod
    def of_project(cls, start: Path | None = None) -> Directory:
        """The directory of the project that `start` lies in; it need not exist yet."""
        return cls(project_root(start) / DIRECTORY_NAME)

    @property
    def record_path(self) -> Path:
        """`sandbox.json`."""
        return self.path / "sandbox.json"

    @property
    def lock_path(self) -> Path:
        """Held by the gateway for as long as it lives."""
        return self.path / "gateway.lock"

    @property
    def keeper_lock_path(self) -> Path:
        """Held by the keeper for as long as a server lives."""
        return self.path / "keeper.lock"

    @property
    def logs(self) -> Path:
        """Directory of logs."""
        return self.path / "logs"

    @property
    def gateway_log(self) -> Path:
        """What the gateway prints."""
        return self.logs / "gateway.log"

    @property
    def calls(self) -> Path:
        """Every AWS call, a JSON line each."""
        return self.path / "calls.jsonl"

    @property
    def data(self) -> Path:
        """Directory of the servers' data."""
        return self.path / "data"

    @property
    def bin(self) -> Path:
        """Directory of the plugin executables, on PATH inside `sandbox exec` only."""
        return self.path / "bin"

    @property
    def backend(self) -> Path:
        """Directory of the Pulumi state backend."""
        return self.path / "state"

    @property
    def aws_config(self) -> Path:
        """Stands in for `~/.aws/config`."""
        return self.path / "aws-config"

    @property
    def aws_credentials(self) -> Path:
        """Stands in for `~/.aws/credentials`."""
        return self.path / "aws-credentials"

    def deployment(self, stack: str) -> Path:
        """The deployment that an in-process `up` writes, `<stack>.json`."""
        return self.path / f"{stack}.json"

    def create(self) -> None:
        """Make the directory and its parts, each for its owner only."""
        for part in (self.path, self.logs, self.bin, self.backend):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.chmod(0o700)
        # A checkout without our .gitignore must not commit a token.
        write_private(self.path / ".gitignore", "*\n")

    def clean(self, *, keep_data: bool = False) -> None:
        """Remove what a run left, logs and locks excepted: the next one starts from nothing.

        Args:
            keep_data: Keep what a run that resumes needs: servers' data, their passwords, addresses and faults.

        Raises:
            SandboxError: when something cannot be removed.
        """
        kept = {self.logs, self.lock_path, self.keeper_lock_path}
        if keep_data:
            kept |= {self.path / name for name in _RESUMED}
        for entry in self.path.iterdir() if self.path.is_dir() else ():
            if entry in kept:
                continue
            try:
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
            except OSError as fault:
                raise SandboxError(f"{fault.filename or entry}: cannot be removed: {fault.strerror}") from fault

    def write_record(self, record: Record) -> None:
        """Write the record, whole or not at all."""
        write_private(self.record_path, record.dump())

    def read_record(self) -> Record | None:
        """The record, or None when there is none or a crash left half of one."""
        try:
            return Record.load(self.record_path.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def running(self) -> Record | None:
        """The record, when the process that it names still runs."""
        record = self.read_record()
        return record if record and record.alive else None

    def holder(self) -> Gateway | None:
        """The gateway that holds the lock, whatever the record says; None when none does, or it did not sign yet."""
        if not locked(self):
            return None
        try:
            holder = Gateway.load(self.lock_path.read_text())
        except ValueError:
            return None
        return holder if holder.alive else None


class Lock:
    """The gateway's exclusive hold of a directory; the system releases it when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> bool:
        """Take the lock if nobody has it; tell whether that worked."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def sign(self, gateway: Gateway) -> None:
        """Write into the lock who holds it: a record can be lost, the lock cannot while it is held."""
        text = gateway.dump().encode()
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)


def locked(directory: Directory) -> bool:
    """Whether a gateway of this directory lives, recorded or not."""
    if not directory.lock_path.exists():
        return False
    lock = Lock(directory.lock_path)
    try:
        return not lock.acquire()
    finally:
        lock.close()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, replacing an older one in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def process_identity(pid: int) -> str | None:
    """A text that no other process ever has with this pid: its start time and its boot. None when it is gone.

    A zombie counts as gone.
    """
    if sys.platform == "linux":
        try:
            # The command's name may hold spaces and parentheses: fields count from the last one.
            _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        parts = rest.split()
        return None if parts[0] == "Z" else f"{boot}:{parts[19]}"
    # A fixed program with a number as its argument; other systems have no /proc.
    answer = subprocess.run(  # noqa: S603  # the only variable argument is an int
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=cast("Mapping[str, str]", {"LC_ALL": "C"}),
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
