"""Pages of a table on disk that are not what PostgreSQL wrote, as a fault of storage leaves them.

The database must have data checksums: whoever reads such a page gets an error, never its content.
"""

from __future__ import annotations

import base64
import json
import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from lifeboat.sandbox.state import SandboxError, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.sandbox.live.fault_world import Databases

_PAGE: Final = 8192
_FROM_END: Final = 64
"""Bytes at a page's end, which rows fill from there, that are turned over."""


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """What to damage.

    Attributes:
        table: Its name, with its schema or found on the search path.
        pages: How many of its pages; fewer when it has fewer.
        seed: Decides which.
    """

    table: str
    pages: int
    seed: int


def damage(databases: Databases, key: str, what: Damaged, kept: Path) -> None:
    """Damage a table, and keep what was there.

    The server is ended and started again: it would not look at the disk for pages that it has in memory.

    Args:
        databases: Has the server.
        key: The server.
        what: What to damage.
        kept: Takes the originals, before they are overwritten.

    Raises:
        SandboxError: when there is no such table, it is empty, or the server does not answer.
    """
    file = ""
    try:
        dbname = _database_of(databases, key, what.table)
        with databases.connect(key, dbname) as holder, databases.connect(key, dbname) as connection:
            standby = connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
            with holder.transaction():
                if not standby:
                    # Whoever touched the table now would have it written anew by the recovery after the restart.
                    table = sql.Identifier(*what.table.split("."))
                    holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
                connection.execute("CHECKPOINT")
                row = connection.execute("SELECT pg_relation_filepath(%s::regclass)", [what.table]).fetchone()
                file = str(row[0]) if row else ""
                databases.hold(key)
    except psycopg.OperationalError as fault:
        # Once the file is known, it is the server's end that ends the connection.
        if not file:
            raise SandboxError(f"{key} does not answer: {fault}".splitlines()[0]) from fault
    except psycopg.Error as fault:
        raise SandboxError(f"{key}: table {what.table}: {fault}".splitlines()[0]) from fault
    try:
        _overwrite(databases.directory(key) / "data", file, what, kept)
    finally:
        databases.release(key)


def heal(data: Path, kept: Path) -> None:
    """Put the originals back where the damage still is; what was not damaged, or is healed, stays.

    Args:
        data: The server's data.
        kept: The originals; removed.
    """
    try:
        memory: dict[str, Any] = json.loads(kept.read_text())
    except FileNotFoundError:
        return
    path = data / memory["file"]
    # A table that was dropped or rewritten meanwhile has another file.
    if path.exists():
        with path.open("r+b", buffering=0) as file:
            for block, encoded in memory["pages"].items():
                original = base64.b64decode(encoded)
                if _read(file.fileno(), int(block)) == _spoiled(original):
                    os.pwrite(file.fileno(), original, int(block) * _PAGE)
            os.fsync(file.fileno())
    kept.unlink()


def _database_of(databases: Databases, key: str, table: str) -> str:
    with databases.connect(key, "postgres") as connection:
        statement = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
        found = connection.execute(statement).fetchall()
    for (name,) in found:
        with databases.connect(key, name) as connection:
            if connection.execute("SELECT to_regclass(%s)::text", [table]).fetchone() != (None,):
                return str(name)
    raise SandboxError(f"{key}: no database of it has a table {table}")


def _overwrite(data: Path, name: str, what: Damaged, kept: Path) -> None:
    with (data / name).open("r+b", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        # Pages that are all zeros carry no checksum.
        blocks = [block for block in range(size // _PAGE) if any(_read(file.fileno(), block))]
        if not blocks:
            raise SandboxError(f"table {what.table} is empty: there is nothing to damage")
        generator = random.Random(what.seed)  # noqa: S311 - no secret
        chosen = sorted(generator.sample(blocks, min(what.pages, len(blocks))))
        pages = {block: _read(file.fileno(), block) for block in chosen}
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        encoded = {block: base64.b64encode(page).decode() for block, page in pages.items()}
        write_private(kept, json.dumps({"file": name, "pages": encoded}))
        for block, page in pages.items():
            os.pwrite(file.fileno(), _spoiled(page), block * _PAGE)
        os.fsync(file.fileno())


def _read(descriptor: int, block: int) -> bytes:
    return os.pread(descriptor, _PAGE, block * _PAGE)


def _spoiled(page: bytes) -> bytes:
    return page[:-_FROM_END] + bytes(byte ^ 0xFF for byte in page[-_FROM_END:])
