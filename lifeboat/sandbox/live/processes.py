"""The gateway's side of the keeper: servers by name, started, watched and ended."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lifeboat.sandbox.live.account import Account

ANSWER_DEADLINE: Final = 10.0
"""Seconds until the keeper must have answered; a start takes milliseconds."""
LOG_BYTES: Final = 8 * 1024 * 1024
"""What a log may have before its beginning is put aside, in place of what was put aside before: twice that in all."""
_ASIDE: Final = ".1"
_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ")
"""What a program needs of its user's environment: neither credentials, nor settings of clients."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """What to start.

    Attributes:
        name: Unique among those that run; also the log's name.
        argv: Program and arguments.
        cwd: Working directory.
        env: Its whole environment.
        account: Whom it runs as; None for the gateway's own user.
        last_signal: What ends it for sure when the gateway, or the keeper, is gone.
        limits: Soft limits that it begins with, by their names in `resource`, such as ``RLIMIT_FSIZE`` [bytes].
    """

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    account: Account | None = None
    last_signal: signal.Signals = signal.SIGKILL
    limits: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass
class _Running:
    pid: int
    ended: threading.Event
    code: int | None = None


class Processes:
    """Servers of one sandbox; safe to use from several threads.

    Args:
        directory: Takes the keeper's lock, and logs in ``logs/``.
        on_end: Told the name and exit code (negative: a signal) of every server that ends, on a thread of this class.
    """

    def __init__(self, directory: Path, on_end: Callable[[str, int], None] = lambda _name, _code: None) -> None:
        self._logs = directory / "logs"
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._on_end = on_end
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._last: dict[str, _Running] = {}
        self._answers: dict[int, dict[str, Any]] = {}
        self._answered = threading.Condition(self._lock)
        self._numbers = itertools.count(1)
        self._gone = False
        self._keeper = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "lifeboat.sandbox.live.keeper", str(lock_path(directory))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            close_fds=True,
            env=environment(),
        )
        self._listener = threading.Thread(target=self._listen, name="keeper", daemon=True)
        self._listener.start()

    @property
    def keeper_pid(self) -> int:
        """The keeper's process."""
        return self._keeper.pid

    @property
    def alive(self) -> bool:
        """Whether the keeper lives; without it every server is gone, and none can be started."""
        return not self._gone

    def start(self, server: Server) -> int:
        """Start a server; the answer is its process.

        Raises:
            SandboxError: when one of its name runs, it cannot be started, or the keeper is gone.
        """
        account = server.account
        pid: int = self._ask(
            {
                "start": {
                    "name": server.name,
                    "argv": list(server.argv),
                    "cwd": str(server.cwd),
                    "env": dict(server.env),
                    "account": None if account is None else [account.uid, account.gid],
                    "last_signal": int(server.last_signal),
                    "limits": dict(server.limits),
                    "log": str(self.log(server.name)),
                }
            }
        )["pid"]
        return pid

    def run(self, server: Server, deadline: float) -> None:
        """Run a command to its end, such as ``initdb``.

        Raises:
            SandboxError: when it fails, with the last line that it said, or takes more than `deadline` seconds.
        """
        self.start(server)
        with self._lock:
            running = self._running.get(server.name) or self._last.get(server.name)
        if running is not None and not running.ended.wait(deadline):
            self.stop(server.name, signal.SIGKILL)
            raise SandboxError(f"{server.name}: not done within {deadline:g} s: see {self.log(server.name)}")
        if running is None or running.code != 0:
            raise SandboxError(f"{server.name}: {self.last_line(server.name)}: see {self.log(server.name)}")

    def last_line(self, name: str) -> str:
        """The last thing that a server said."""
        lines = self.log(name).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def log(self, name: str) -> Path:
        """Where a server's output goes."""
        return self._logs / f"{name}.log"

    def bound_logs(self) -> None:
        """Put the beginning of each log aside that has grown too long, also of one that is being written.

        What is written between the copy and the cut is lost.
        """
        for log in self._logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                shutil.copy2(log, log.with_name(log.name + _ASIDE))
                # Whoever writes it appends, and so goes on at its new end.
                os.truncate(log, 0)

    def pid(self, name: str) -> int | None:
        """The process of a server, None when it does not run."""
        with self._lock:
            running = self._running.get(name)
            return None if running is None else running.pid

    def names(self) -> list[str]:
        """The servers that run."""
        with self._lock:
            return sorted(self._running)

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a server a signal; nothing happens when it does not run."""
        with self._lock:
            if name not in self._running:
                return
        with contextlib.suppress(SandboxError):
            self._ask({"signal": {"name": name, "number": int(number)}})

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM, deadline: float = 5.0) -> None:
        """End a server, at last by force. When this returns it is gone."""
        with self._lock:
            running = self._running.get(name)
        if running is None:
            return
        self.send(name, number)
        # One that is stopped would not notice.
        self.send(name, signal.SIGCONT)
        if not running.ended.wait(deadline):
            self.send(name, signal.SIGKILL)
            running.ended.wait(deadline)

    def close(self, deadline: float = 10.0) -> None:
        """End every server and the keeper."""
        if self._keeper.stdin is not None:
            # While nobody writes: the descriptor's number may be another file's at once.
            with self._writing, contextlib.suppress(OSError):
                self._keeper.stdin.close()
        try:
            self._keeper.wait(deadline)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._listener.join()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        line = json.dumps({"id": number, **request}).encode() + b"\n"
        with self._writing:
            try:
                os.write(self._keeper.stdin.fileno() if self._keeper.stdin else -1, line)
            # A value is wrong when the pipe was closed meanwhile.
            except (OSError, ValueError) as fault:
                raise SandboxError("the sandbox's servers cannot be reached: their keeper is gone") from fault
        with self._answered:
            if not self._answered.wait_for(lambda: number in self._answers or self._gone, ANSWER_DEADLINE):
                raise SandboxError(f"the keeper did not answer within {ANSWER_DEADLINE:g} s")
            answer = self._answers.pop(number, {"error": "the sandbox's servers are gone: their keeper was ended"})
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer

    def _listen(self) -> None:
        for line in self._keeper.stdout or ():
            event: dict[str, Any] = json.loads(line)
            if "ended" in event:
                self._note_end(event["ended"], event["code"])
            else:
                self._note_answer(event)
        with self._answered:
            self._gone = True
            self._answered.notify_all()
            left = list(self._running)
        for name in left:
            self._note_end(name, -signal.SIGKILL)

    def _note_answer(self, event: dict[str, Any]) -> None:
        with self._answered:
            if "started" in event:
                self._running[event["started"]] = _Running(event["pid"], threading.Event())
            self._answers[event["id"]] = event
            self._answered.notify_all()

    def _note_end(self, name: str, code: int) -> None:
        with self._lock:
            running = self._running.pop(name, None)
            if running is not None:
                self._last[name] = running
        if running is not None:
            running.code = code
            running.ended.set()
            self._on_end(name, code)


def environment() -> dict[str, str]:
    """What a process of ours inherits of its starter's environment."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def lock_path(directory: Path) -> Path:
    """The keeper's lock: held while any server of the directory lives."""
    return directory / "keeper.lock"


def servers_live(directory: Path) -> bool:
    """Whether servers of an earlier or present life are there."""
    path = lock_path(directory)
    if not path.exists():
        return False
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
