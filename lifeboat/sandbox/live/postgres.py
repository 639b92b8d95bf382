"""One real PostgreSQL server: made, cloned, followed, promoted, rewound, backed up, restored, frozen and killed.

Invariants:
1. `data/` is whole: a new one is built beside it and takes its place in one rename. While one is rewound `rewinding`
   is beside it: cut short it is of no use, and it would not show.
2. What belongs to this server alone (address, source, archive) is in `server.conf` beside `data/`, which a base backup
   would carry to another server.
3. Passwords are in files of mode 0600 and in memory; never in arguments, settings or logs.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import threading
import time
from typing import TYPE_CHECKING, Final

from psycopg import sql

from lifeboat.sandbox.live import file_limits, standstill
from lifeboat.sandbox.live.postgres_asked import Asked
from lifeboat.sandbox.live.postgres_setup import (
    ENVIRONMENT,
    REPLICATION,
    SUPERUSER,
    Owner,
    Place,
    Source,
    binary,
    own_directory,
    verifier,
)
from lifeboat.sandbox.live.processes import Processes, Server
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

_COMMAND_DEADLINE: Final = 120.0
_START_DEADLINE: Final = 15.0
_RECOVERY_DEADLINE: Final = 300.0
_POLL: Final = 0.02
"""Seconds between looks at the server's own status file, which is all that it offers to wait for."""
_PROMOTION_WAIT: Final = 30
_UNREACHED: Final = "recovery ended before configured recovery target was reached"
_PID_LINE, _STATUS_LINE = 0, 7


class Postgres(Asked):
    """One server; its methods are called by one thread at a time.

    Args:
        place: What it has, alone among servers; its directory is made when it is not there.
        processes: Starts it and its commands.
    """

    def __init__(self, place: Place, processes: Processes) -> None:
        super().__init__(place)
        self.name = place.name
        self.data = place.data
        self._processes = processes
        self._new = place.directory / "data.new"
        self._rewinding = place.directory / "rewinding"
        place.prepare()

    @property
    def made(self) -> bool:
        """Whether it has data."""
        return self.data.is_dir()

    @property
    def standby(self) -> bool:
        """Whether its data follow another server's."""
        return (self.data / "standby.signal").exists()

    @property
    def pid(self) -> int | None:
        """Its first process; None when it does not run."""
        return self._processes.pid(self.name)

    def source(self) -> Source:
        """Where another server of this machine reaches it."""
        return Source(self.place.address, self.place.port)

    def create(self, owner: Owner) -> None:
        """Make an empty server with the owner and the owner's database, and start it.

        Raises:
            SandboxError: when PostgreSQL cannot be set up or started.
        """
        shutil.rmtree(self._new, ignore_errors=True)
        password_file = self.place.directory / "superuser"
        self.place.write(password_file, self.place.passwords.superuser)
        try:
            # Segments of 1 MB: an idle server keeps some, and archives one each time that it is asked to.
            self._command(
                "initdb",
                [
                    *(f"--pgdata={self._new}", f"--username={SUPERUSER}", f"--pwfile={password_file}"),
                    *("--data-checksums", "--wal-segsize=1", "--auth=scram-sha-256"),
                    *("--locale=C", "--encoding=UTF8", "--no-sync"),
                ],
            )
        finally:
            password_file.unlink(missing_ok=True)
        self._take_new()
        self.place.configure()
        self.start()
        self.set_owner(owner)

    def set_owner(self, owner: Owner) -> None:
        """See that the owner and the owner's database exist, and that the password is the owner's.

        The role that replicas come with too, which a server lacks whose making was cut short.

        Raises:
            psycopg.Error: when the server does not take it.
        """
        with self.connect() as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [REPLICATION]).rowcount:
                stored = verifier(connection, REPLICATION, self.place.passwords.replication)
                statement = sql.SQL("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(REPLICATION), stored))
            user = sql.Identifier(owner.user)
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [owner.user]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE").format(user))
                connection.execute(sql.SQL("GRANT pg_monitor, pg_signal_backend TO {}").format(user))
            if owner.password is not None:
                stored = verifier(connection, owner.user, owner.password)
                connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(user, stored))
            database = owner.database or "postgres"
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).rowcount:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(statement.format(sql.Identifier(database), user))

    def start(self, deadline: float = _START_DEADLINE, *, recovered: bool = False) -> None:
        """Start it and wait until it takes connections, or at last writes when it is `recovered` that is asked for.

        Raises:
            SandboxError: when it ends instead, with its last line, or is not ready within `deadline` seconds.
        """
        log = self._processes.log(self.name)
        before = log.stat().st_size if log.exists() else 0
        self._processes.start(
            Server(
                name=self.name,
                argv=[binary("postgres"), "-c", f"config_file={self.place.conf}"],
                cwd=self.place.directory,
                env=ENVIRONMENT,
                account=self.place.account,
                # At once: a polite end would wait for replicas, which may be frozen or cut off.
                last_signal=signal.SIGQUIT,
                limits=file_limits.standing(self.place.directory),
            )
        )
        end, pause = time.monotonic() + deadline, threading.Event()
        while not self.ready(recovered=recovered):
            if self.pid is None:
                raise SandboxError(f"{self.name}: {_reason(log.read_bytes()[before:].decode(errors='replace'))}")
            if time.monotonic() > end:
                self.stop("immediate")
                raise SandboxError(f"{self.name}: not ready within {deadline:g} s: see {log}")
            pause.wait(_POLL)

    def ready(self, *, recovered: bool = False) -> bool:
        """Whether it takes connections, or writes if `recovered`, as its status file says."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        ours = len(lines) > _STATUS_LINE and lines[_PID_LINE] == str(self.pid)
        return ours and lines[_STATUS_LINE].strip() in ({"ready"} if recovered else {"ready", "standby"})

    def stop(self, mode: str = "fast", deadline: float = 5.0) -> None:
        """End it; when this returns it is gone.

        Args:
            mode: ``fast`` sends replicas all that they lack; ``immediate`` does not, and recovers at the next start.
            deadline: Seconds until it is ended by force.
        """
        number = signal.SIGINT if mode == "fast" else signal.SIGQUIT
        self._processes.stop(self.name, number, deadline)

    def kill(self) -> None:
        """End all of its processes as a crash would."""
        standstill.kill(self._processes, self.name)

    def freeze(self) -> None:
        """Stop all of its processes in their tracks, until `thaw`.

        Raises:
            SandboxError: when it does not run.
        """
        standstill.freeze(self._processes, self.name)

    def thaw(self) -> None:
        """Let it go on."""
        standstill.thaw(self._processes, self.name)

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return standstill.is_frozen(self._processes, self.name)

    def pids(self) -> list[int]:
        """All of its processes, the first one first."""
        return standstill.processes_of(self._processes, self.name)

    def clone_from(self, source: Source) -> None:
        """Become a copy of a running server that follows it; not started yet.

        Raises:
            SandboxError: when the source cannot be copied.
        """
        shutil.rmtree(self._new, ignore_errors=True)
        self._base_backup(source, self._new)
        # Before it is there: a copy that did not know that it follows would go its own way when it is started.
        self.place.write(self._new / "standby.signal", "")
        self._take_new()
        self.follow(source)

    def follow(self, source: Source) -> None:
        """Follow a server from now on, or from the next start on."""
        self.place.configure(source)
        self.place.write(self.data / "standby.signal", "")
        self._processes.send(self.name, signal.SIGHUP)

    def promote(self) -> None:
        """Take writes; when this returns it does.

        Raises:
            psycopg.Error: when it cannot be asked.
            SandboxError: when it has not become a primary in time.
        """
        with self.connect(options="-c statement_timeout=0") as connection:
            row = connection.execute("SELECT pg_promote(true, %s)", [_PROMOTION_WAIT]).fetchone()
        if row != (True,):
            raise SandboxError(f"{self.name}: not promoted within {_PROMOTION_WAIT} s")
        self.place.configure()

    def rewind_or_reclone(self, source: Source) -> str:
        """Follow a server that went another way than this one, which is stopped; not started yet.

        Returns:
            ``rewound`` when the common history sufficed, else ``cloned``, as when an earlier rewind was cut short.

        Raises:
            SandboxError: when neither works.
        """
        if self._rewinding.exists():
            self.clone_from(source)
            return "cloned"
        self.place.configure(source)
        self.place.write(self._rewinding, "")
        try:
            self._command(
                "pg_rewind",
                [
                    f"--target-pgdata={self.data}",
                    f"--source-server={self.place.conninfo(source, SUPERUSER)} dbname=postgres",
                    f"--config-file={self.place.conf}",
                    "--no-sync",
                ],
            )
        except SandboxError:
            self.clone_from(source)
            return "cloned"
        self.follow(source)
        self._rewinding.unlink()
        return "rewound"

    def backup(self, to: Path) -> None:
        """Copy it as it is now into a new directory.

        Raises:
            SandboxError: when it cannot be copied.
        """
        own_directory(to.parent, self.place.account)
        shutil.rmtree(to, ignore_errors=True)
        self._base_backup(self.source(), to)

    def restore(self, base: Path, wal: Path | None = None, until: datetime | None = None) -> None:
        """Become what a backup holds, and start.

        Args:
            base: A directory that `backup` made.
            wal: An archive to go on from there; None: the backup alone.
            until: Where to stop in the archive; None: at its end.

        Raises:
            SandboxError: when the backup cannot be read or recovered.
        """
        self.stop("immediate")
        shutil.rmtree(self._new, ignore_errors=True)
        self._run("copy", ["/bin/cp", "--archive", "--no-target-directory", str(base), str(self._new)])
        self._take_new()
        (self.data / "standby.signal").unlink(missing_ok=True)
        if wal is not None:
            self.place.write(self.data / "recovery.signal", "")
        self._recover(wal, until)
        self.place.configure()
        self._processes.send(self.name, signal.SIGHUP)

    def _recover(self, wal: Path | None, until: datetime | None) -> None:
        # Nobody may read what is only half restored.
        recovery = {"hot_standby": "off", "recovery_target_action": "promote"}
        if wal is not None:
            recovery["restore_command"] = f"cp {shlex.quote(str(wal))}/%f %p"
            if until is not None:
                recovery["recovery_target_time"] = until.isoformat()
        self.place.configure(recovery=recovery)
        try:
            self.start(_RECOVERY_DEADLINE, recovered=True)
        except SandboxError as refusal:
            # Nothing was committed after that moment, so that the archive's end is it.
            if until is None or _UNREACHED not in str(refusal):
                raise
            self._recover(wal, None)

    def ended_at(self) -> str | None:
        """How far a server had written its log when it ended; None: it did not end politely.

        Raises:
            SandboxError: when its data cannot be read.
        """
        self._run("pg_controldata", [binary("pg_controldata"), str(self.data)])
        # Of what it said in all its runs, the last counts.
        lines = self._processes.log(f"{self.name}-pg_controldata").read_text().splitlines()
        facts = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not facts["Database cluster state"].startswith("shut down"):
            return None
        high, low = facts["Latest checkpoint location"].split("/")
        # Where the last record begins; having everything means to have more.
        return f"{high}/{int(low, 16) + 1:X}"

    def remove(self) -> None:
        """End it and forget its data; its archive stays."""
        self.thaw()
        self.stop("immediate")
        shutil.rmtree(self.place.directory, ignore_errors=True)

    def _base_backup(self, source: Source, to: Path) -> None:
        connection = f"--dbname={self.place.conninfo(source, REPLICATION)}"
        self._command(
            "pg_basebackup", [f"--pgdata={to}", connection, "--checkpoint=fast", "--wal-method=stream", "--no-sync"]
        )

    def _command(self, program: str, arguments: Sequence[str]) -> None:
        self._run(program, [binary(program), *arguments])

    def _run(self, what: str, argv: Sequence[str]) -> None:
        name = f"{self.name}-{what}"
        server = Server(name=name, argv=argv, cwd=self.place.directory, env=ENVIRONMENT, account=self.place.account)
        self._processes.run(server, _COMMAND_DEADLINE)

    def _take_new(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self._new.rename(self.data)
        self._rewinding.unlink(missing_ok=True)


def _reason(log: str) -> str:
    """Why a server ended: its first fatal line; what follows tells that it shuts down."""
    lines = log.strip().splitlines() or ["it said nothing"]
    return next((line for line in lines if "FATAL:" in line or "PANIC:" in line), lines[-1])
