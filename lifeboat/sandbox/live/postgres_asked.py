"""What a running PostgreSQL server tells when it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, LiteralString

import psycopg

from lifeboat.sandbox.live.postgres_setup import CONNECT_TIMEOUT, SUPERUSER
from lifeboat.sandbox.state import SandboxError
from lifeboat.sandbox.waiting import comes_true

if TYPE_CHECKING:
    from lifeboat.sandbox.live.postgres_setup import Place

_STATEMENT_TIMEOUT: Final = 10_000
"""Milliseconds."""
_ARCHIVE_DEADLINE: Final = 15.0


class Asked:
    """A server as it answers.

    Args:
        place: Where it is.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def connect(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:  # noqa: ANN401 - psycopg's own options
        """A connection of the superuser's, committing each statement; `options` go to psycopg.

        Raises:
            psycopg.OperationalError: when it does not answer.
        """
        arguments: dict[str, Any] = {
            "host": self.place.address,
            "port": self.place.port,
            "user": SUPERUSER,
            "password": self.place.passwords.superuser,
            "dbname": "postgres",
            "connect_timeout": CONNECT_TIMEOUT,
            "options": f"-c statement_timeout={_STATEMENT_TIMEOUT}",
            "application_name": "lifeboat",
            **options,
        }
        return psycopg.connect(autocommit=True, **arguments)

    def archive_now(self) -> None:
        """See that everything committed so far is in the archive; when this returns it is.

        Raises:
            psycopg.Error: when it cannot be asked.
            SandboxError: when the archive does not take it in time.
        """
        with self.connect() as connection:
            # A restore up to a moment wants to meet a commit after it.
            connection.execute("SELECT pg_current_xact_id()")
            ((segment,),) = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()
            done = "SELECT coalesce(last_archived_wal >= %s, false) FROM pg_stat_archiver"
            if not comes_true(lambda: connection.execute(done, [segment]).fetchone() == (True,), _ARCHIVE_DEADLINE):
                raise SandboxError(f"{self.place.name}: its log is not archived within {_ARCHIVE_DEADLINE:g} s")

    def received_all(self, until: str) -> bool:
        """Whether a replica has its source's log up to there.

        Raises:
            psycopg.Error: when it cannot be asked.
        """
        return self._value("SELECT coalesce(pg_last_wal_receive_lsn() >= %s::pg_lsn, false)", until)

    def written(self) -> str:
        """How far a primary has written its log.

        Raises:
            psycopg.Error: when it cannot be asked.
        """
        return self._value("SELECT pg_current_wal_flush_lsn()::text")

    def _value(self, query: LiteralString, *arguments: str) -> Any:  # noqa: ANN401 - of the column's type
        with self.connect() as connection:
            row = connection.execute(query, arguments).fetchone()
        return None if row is None else row[0]
