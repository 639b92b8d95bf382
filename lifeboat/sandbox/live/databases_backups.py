"""Snapshots and archives of the sandbox's databases: real base backups, and the logs to go on from them."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lifeboat.sandbox.live.databases_model import AVAILABLE, ENGINES, backends, key_of
from lifeboat.sandbox.live.postgres_setup import own_directory
from lifeboat.sandbox.patches.rds_backups import replicated
from lifeboat.sandbox.patches.rds_live import Origin, backup_name, copied, resource_of
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.sandbox.live.account import Account
    from lifeboat.sandbox.live.postgres import Postgres
    from lifeboat.sandbox.patches.base import Moto

AUTOMATED = "automated"
PRUNED_EACH: Final = 60.0
"""Seconds between looks at what of the logs no backup needs any more."""
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_PLACE: Final = slice(8, 24)
"""Of a segment's name: where it is in the log, whatever its timeline."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A snapshot of moto's.

    Attributes:
        name: Its `backup_name`.
        key: The database's.
        resource: The database's `resource_of`.
        copy_of: Name of the snapshot that it is a copy of.
        entity: moto's object.
    """

    name: str
    key: str
    resource: str
    copy_of: str | None
    entity: Moto

    @property
    def manual(self) -> bool:
        """Whether somebody asked for it, and may wait for it."""
        return self.entity.snapshot_type != AUTOMATED


@dataclass(frozen=True, kw_only=True)
class _Backup:
    path: Path
    key: str
    resource: str
    finished: datetime
    first: str
    """The first segment of the log that it needs to go on from."""


class Backups:
    """Base backups by name, and where each database's log is kept.

    Args:
        directory: Takes both.
        account: Whom servers run as.
    """

    def __init__(self, directory: Path, account: Account | None) -> None:
        self._directory = directory
        self._account = account
        self._taken: dict[str, _Backup] = {}
        self._pruned = time.monotonic()

    def archive(self, key: str, resource: str) -> Path:
        """Where a database's log goes; a later one of its name has another."""
        return self._directory / "wal" / key / resource

    def has(self, name: str) -> bool:
        """Whether a backup is there."""
        return name in self._taken

    def take(self, wish: Wish, server: Postgres) -> None:
        """Copy a server as it is.

        Raises:
            SandboxError: when it cannot be copied.
        """
        path = self._directory / "base" / wish.name
        server.backup(path)
        self._note(wish, path, datetime.now(UTC))

    def copy(self, wish: Wish, name: str) -> None:
        """Make a backup of a backup, which may go."""
        path = self._directory / "base" / wish.name
        own_directory(path.parent, self._account)
        original = self._taken[name]
        shutil.copytree(original.path, path, symlinks=True)
        if self._account is not None:
            for entry in (path, *path.rglob("*")):
                shutil.chown(entry, self._account.uid, self._account.gid)
        self._note(wish, path, original.finished)

    def tidy(self, kept: set[str]) -> None:
        """Remove backups that are not among those named, and now and then what of the logs none needs any more."""
        for name in self._taken.keys() - kept:
            shutil.rmtree(self._taken.pop(name).path, ignore_errors=True)
        if time.monotonic() >= self._pruned + PRUNED_EACH:
            self._pruned = time.monotonic()
            self.prune()

    def prune(self) -> None:
        """Remove of each database's log what is older than its oldest backup, and all where it has none.

        To be called while no backup is taken: the next one needs what is logged from its own beginning on.
        """
        needed: dict[Path, str] = {}
        for backup in self._taken.values():
            archive = self.archive(backup.key, backup.resource)
            needed[archive] = min(needed.get(archive, backup.first), backup.first)
        # The directories between are the parts of a key, and a resource.
        for archive in (self._directory / "wal").glob("*/*/*/*"):
            for segment in archive.iterdir():
                # Timelines' histories are needed by all that is later.
                named = _SEGMENT.match(segment.name)
                if named and (archive not in needed or segment.name[_PLACE] < needed[archive]):
                    segment.unlink()

    def forget_archive(self, key: str, resource: str) -> None:
        """Remove a database's log."""
        shutil.rmtree(self.archive(key, resource), ignore_errors=True)

    def restore(self, server: Postgres, origin: Origin) -> bool:
        """Make and start a server from what it is to be restored from; False: that is not there so far.

        Raises:
            SandboxError: when it cannot be recovered.
        """
        if origin.backup is not None:
            found = self._taken.get(origin.backup)
            if found is not None:
                server.restore(found.path)
            return found is not None
        key, until = key_of(origin.database), origin.until or datetime.now(UTC)
        until = until.replace(tzinfo=until.tzinfo or UTC)
        mine = [backup for backup in self._taken.values() if (backup.key, backup.resource) == (key, origin.resource)]
        earlier = [backup for backup in mine if backup.finished <= until]
        if not earlier:
            if mine:
                raise SandboxError(f"{key}: nothing to restore at {until:%Y-%m-%d %H:%M:%S}: its backups began later")
            return False
        latest = max(earlier, key=lambda backup: backup.finished)
        server.restore(latest.path, self.archive(key, origin.resource), until)
        return True

    def _note(self, wish: Wish, path: Path, finished: datetime) -> None:
        self._taken[wish.name] = _Backup(
            path=path, key=wish.key, resource=wish.resource, finished=finished, first=_first(path)
        )


def _first(backup: Path) -> str:
    found = _SEGMENT.search((backup / "backup_label").read_text().splitlines()[0])
    if found is None:
        raise SandboxError(f"{backup}: it does not say where it begins")
    return found[0][_PLACE]


def wishes() -> list[Wish]:
    """Every snapshot that moto has of databases that have a server."""
    every = backends()
    # An Aurora instance has none of its own.
    instances = [snapshot for backend in every for snapshot in list(backend.database_snapshots.values())]
    clusters = [snapshot for backend in every for snapshot in list(backend.cluster_snapshots.values())]
    pairs = [(found, found.database) for found in instances if not hasattr(found.database, "cluster")]
    pairs += [(found, found.cluster) for found in clusters]
    return [_wish(snapshot, database) for snapshot, database in pairs if database.engine in ENGINES]


def _wish(snapshot: Moto, database: Moto) -> Wish:
    return Wish(
        name=backup_name(snapshot),
        key=key_of(database.arn),
        resource=resource_of(database),
        copy_of=copied(snapshot),
        entity=snapshot,
    )


def retained(key: str, resource: str) -> bool:
    """Whether a deleted database's past must stay restorable: by its automated snapshots, or in another region."""
    if any((wish.key, wish.resource) == (key, resource) and not wish.manual for wish in wishes()):
        return True
    held: Any = [backup for backend in backends() for backup in replicated(backend).values()]
    return any((key_of(backup.source.arn), resource_of(backup.source)) == (key, resource) for backup in held)


def save_automated(database: Moto) -> None:
    """Let moto have an automated snapshot of a database, as RDS takes one after a promotion."""
    # moto's own names last a minute, within which a drill may promote twice.
    name = f"rds:{database.resource_id}-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S%f}"
    if hasattr(database, "db_cluster_resource_id"):
        database.backend.create_auto_cluster_snapshot(database.resource_id, name)
    else:
        database.backend.create_auto_snapshot(database.resource_id, name)


def show_progress(wish: Wish, *, done: bool) -> None:
    """Show whether a snapshot is being taken."""
    wish.entity.status = AVAILABLE if done else "creating"
    wish.entity.percent_progress = 100 if done else 0
