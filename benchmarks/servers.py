"""The servers of the living stack by plain commands: no gateway, no keeper, no link, no names.

Settings of PostgreSQL are those that the sandbox gives its own, archive included: what differs is what is around them.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import psycopg
import redis
from psycopg import sql

from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.network import REDIS_PORT, Network
from lifeboat.sandbox.live.postgres_setup import (
    CONNECT_TIMEOUT,
    ENVIRONMENT,
    REPLICATION,
    SUPERUSER,
    Passwords,
    Place,
    Source,
    binary,
    own_directory,
    verifier,
)
from lifeboat.sandbox.live.redisserver import executable
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

Connection: TypeAlias = psycopg.Connection[Any]
_END: Final = 10.0
"""Seconds that a server has to end politely."""
_PAUSE: Final = 0.01
"""Seconds between two tries to write into what is being promoted."""
_ROWS: Final = "CREATE TABLE IF NOT EXISTS benchmark_promotion (number bigint PRIMARY KEY)"
_ROW: Final = "INSERT INTO benchmark_promotion SELECT coalesce(max(number), 0) + 1 FROM benchmark_promotion"
_REDIS: Final = (
    *("--protected-mode", "no", "--save", "", "--appendonly", "yes"),
    *("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"),
)


class Servers:
    """A PostgreSQL with a streaming replica and a Redis with one, as a user would start them by hand.

    Args:
        directory: Takes their data; any account may enter it.
        network: Gives them addresses.
    """

    def __init__(self, directory: Path, network: Network) -> None:
        self._directory = directory
        self._account = lent_account()
        self._passwords = Passwords(superuser=secrets.token_hex(24), replication=secrets.token_hex(24))
        self._places = {
            name: Place(
                name=name,
                directory=directory / name,
                address=network.address(name),
                archive=directory / f"{name}-archive",
                passwords=self._passwords,
                account=self._account,
            )
            for name in ("primary", "replica")
        }
        self._caches = {name: network.address(name) for name in ("cache", "cache-replica")}
        self._running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        self._databases: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all four; when this returns both pairs replicate."""
        self.start_databases()
        first, second = self._caches
        self._start_redis(first)
        self._start_redis(second, "--replicaof", self._caches[first], str(REDIS_PORT))
        until(lambda: self._follows(second))

    def start_databases(self) -> None:
        """Start PostgreSQL and its replica; when this returns they replicate."""
        primary, replica = self._places["primary"], self._places["replica"]
        self._initialize(primary)
        self._start_postgres(primary)
        until(lambda: self.database("primary").close() is None)
        with self.database("primary") as connection:
            stored = verifier(connection, REPLICATION, self._passwords.replication)
            statement = sql.SQL("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(REPLICATION), stored))
            connection.execute(_ROWS)
        self._follow(primary, replica)

    def promote(self) -> float:
        """End the primary as in a power cut, promote the replica, and write into it; the roles are swapped then.

        Returns:
            Seconds from the start of `pg_ctl promote` to the first row whose commit is acknowledged.
        """
        lost, taking = self._places["primary"], self._places["replica"]
        with self.database("replica") as connection:
            self._kill(lost)
            began = time.monotonic()
            command = self._open(taking.directory, (binary("pg_ctl"), "promote", f"--pgdata={taking.data}"))
            while True:
                try:
                    connection.execute(_ROW)
                    break
                except psycopg.errors.ReadOnlySqlTransaction:
                    threading.Event().wait(_PAUSE)
            seconds = time.monotonic() - began
        if command.wait():
            raise subprocess.CalledProcessError(command.returncode, command.args)
        self._places |= {"primary": taking, "replica": lost}
        return seconds

    def replace_lost(self) -> None:
        """Make what was lost anew, as the replica of what was promoted; when this returns it replicates."""
        primary, replica = self._places["primary"], self._places["replica"]
        for place in (replica.directory, replica.archive):
            if place is not None:
                shutil.rmtree(place)
        self._follow(primary, replica)

    def database(self, name: str) -> Connection:
        """A connection to ``primary`` or ``replica``."""
        place = self._places[name]
        return psycopg.connect(
            host=place.address,
            port=place.port,
            user=SUPERUSER,
            password=self._passwords.superuser,
            dbname="postgres",
            connect_timeout=CONNECT_TIMEOUT,
            autocommit=True,
        )

    def stop(self) -> None:
        """End all that was started, the last one first."""
        for process, polite in reversed(self._running):
            process.send_signal(polite)
            try:
                process.wait(_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _initialize(self, place: Place) -> None:
        place.prepare()
        password_file = place.directory / "superuser"
        place.write(password_file, self._passwords.superuser)
        self._command(
            place.directory,
            binary("initdb"),
            *(f"--pgdata={place.data}", f"--username={SUPERUSER}", f"--pwfile={password_file}"),
            *("--data-checksums", "--wal-segsize=1", "--auth=scram-sha-256"),
            *("--locale=C", "--encoding=UTF8", "--no-sync"),
        )
        place.configure()

    def _follow(self, primary: Place, replica: Place) -> None:
        self._copy(primary, replica)
        self._start_postgres(replica)
        until(self._streams)

    def _copy(self, primary: Place, replica: Place) -> None:
        source = Source(primary.address, primary.port)
        replica.prepare()
        self._command(
            replica.directory,
            binary("pg_basebackup"),
            *(f"--pgdata={replica.data}", f"--dbname={replica.conninfo(source, REPLICATION)}"),
            *("--checkpoint=fast", "--wal-method=stream", "--no-sync"),
        )
        replica.configure(source)
        replica.write(replica.data / "standby.signal", "")

    def _start_postgres(self, place: Place) -> None:
        command = (binary("postgres"), "-c", f"config_file={place.conf}")
        self._databases[place.name] = self._start(place.directory, signal.SIGINT, *command)

    def _kill(self, place: Place) -> None:
        """End a server at once, without a checkpoint: PostgreSQL's immediate shutdown."""
        process = self._databases.pop(place.name)
        self._running = [each for each in self._running if each[0] is not process]
        process.send_signal(signal.SIGQUIT)
        process.wait()

    def _start_redis(self, name: str, *options: str) -> None:
        directory = self._directory / name
        own_directory(directory, self._account)
        listen = ("--bind", self._caches[name], "--port", str(REDIS_PORT), "--dir", str(directory))
        self._start(directory, signal.SIGTERM, executable(), *listen, *_REDIS, *options)

    def _streams(self) -> bool:
        with self.database("replica") as connection:
            return connection.execute("SELECT status FROM pg_stat_wal_receiver").fetchone() == ("streaming",)

    def _follows(self, name: str) -> bool:
        with contextlib.suppress(redis.RedisError), redis.Redis(host=self._caches[name]) as client:
            # Its types leave open what a command answers, and whether that has to be awaited.
            told = cast("Any", client).execute_command("INFO", "replication")
            return told["master_link_status"] == "up"
        return False

    def _command(self, directory: Path, *command: str) -> None:
        process = self._open(directory, command)
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, command)

    def _start(self, directory: Path, polite: signal.Signals, *command: str) -> subprocess.Popen[bytes]:
        process = self._open(directory, command)
        self._running.append((process, polite))
        return process

    def _open(self, directory: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
        account = self._account
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the servers' own programs
                command,
                cwd=directory,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
            )


@contextlib.contextmanager
def servers() -> Generator[tuple[Servers, Path]]:
    """Servers that are not started yet and their directory; ended and forgotten in the end."""
    directory = Path(tempfile.mkdtemp(prefix="lifeboat-bare-"))
    # Root's servers run as somebody else, who has to get there.
    directory.chmod(0o711)
    network = Network.claim()
    made = Servers(directory, network)
    try:
        yield made, directory
    finally:
        made.stop()
        network.close()
        shutil.rmtree(directory)
