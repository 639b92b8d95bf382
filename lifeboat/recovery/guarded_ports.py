"""Ports with a guard around every call: the journal, a deadline, and for a dry run a refusal of whatever changes.

A step gets these and no others, so that it cannot forget any of the three.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from botocore.client import BaseClient

from lifeboat.recovery.journal import Detail, ExternalCall

if TYPE_CHECKING:
    import contextlib
    import threading
    from collections.abc import Callable, Mapping

    from lifeboat.recovery.ports import CacheClient, Client, HttpAnswer, Pace, Ports, SqlConnection

Answer: TypeAlias = Any
"""Whatever a call gives."""
Argument: TypeAlias = Any
"""Whatever a call takes."""

_READS: Final = re.compile(r"(Describe|Get|List|Head|BatchGet)[A-Z]|(Query|Scan)$")
_SQL_READS: Final = re.compile(
    r"\s*(select|show|table|values)\b(?!.*\b(insert|update|delete|pg_terminate|nextval)\b)", re.I | re.S
)
_REDIS_READS: Final = {"ping", "info", "get", "exists", "dbsize", "role"}
_TOLD: Final = re.compile(r"(Identifier|Id|Name|Arn|ARN|Bucket|Key|Region|Namespace|State)$")
"""Arguments whose values are identifiers; of all others the journal keeps the name only."""
_HIDDEN: Final = re.compile(r"password|secret|token|credential", re.IGNORECASE)


class Guard:
    """What stands around each call of one step.

    Args:
        around: `lifeboat.recovery.journal.Journal.around`, or another one that notes calls.
        check: Raises when the step may make no more calls: its deadline has passed, its run is stopped.
        refuse: Raises for a call that changes something, where none may.
        step: Key of the step, for the journal.
    """

    def __init__(
        self,
        *,
        around: Callable[[ExternalCall], contextlib.AbstractContextManager[None]],
        check: Callable[[], None],
        refuse: Callable[[ExternalCall], None] | None = None,
        step: str | None = None,
    ) -> None:
        self._around = around
        self._check = check
        self._refuse = refuse
        self._step = step

    def call(  # noqa: PLR0913 - what a call is
        self,
        service: str,
        operation: str,
        region: str,
        action: Callable[[], Answer],
        *,
        reads: bool,
        best_effort: bool = False,
        detail: Mapping[str, Detail] | None = None,
    ) -> Answer:
        """Make a call under guard and return its answer."""
        call = ExternalCall(
            service=service,
            operation=operation,
            region=region,
            reads=reads,
            best_effort=best_effort,
            step=self._step,
            detail=detail or {},
        )
        self._check()
        if self._refuse is not None and not reads:
            self._refuse(call)
        with self._around(call):
            # The journal may have taken its time to note the intent: another runner may act by now.
            self._check()
            answer = action()
        # An answer that comes after the deadline is noted, and leads to nothing more.
        self._check()
        return answer


class GuardedPorts:
    """`lifeboat.recovery.ports.Ports` under guard.

    Args:
        ports: What is guarded.
        guard: Stands around each call.
    """

    def __init__(self, ports: Ports, guard: Guard) -> None:
        self._ports = ports
        self._guard = guard

    @property
    def pace(self) -> Pace:
        """How much faster than declared the protocol runs."""
        return self._ports.pace

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
        """A boto3 client, its waiters and paginators included; what changes something is asked for as such."""
        short = best_effort or once

        def make(to_change: bool) -> Client:
            return self._ports.client(
                service, region, best_effort=best_effort, once=once, changes=to_change and not short, endpoint=endpoint
            )

        return _Client(make(changes), make, self._guard, service, region, best_effort=best_effort)

    def sql(self, region: str, database: str, *, reader: bool = False, best_effort: bool = False) -> SqlConnection:
        """A connection whose `execute` is guarded."""
        connection = self._guard.call(
            "postgresql",
            "connect",
            region,
            lambda: self._ports.sql(region, database, reader=reader, best_effort=best_effort),
            reads=True,
            best_effort=best_effort,
            detail={"database": database},
        )
        return _Connection(connection, self._guard, region, database, best_effort=best_effort)

    def redis(self, region: str, cache: str, *, best_effort: bool = False) -> CacheClient:
        """A client whose `execute_command` is guarded."""
        client = self._guard.call(
            "redis",
            "connect",
            region,
            lambda: self._ports.redis(region, cache, best_effort=best_effort),
            reads=True,
            best_effort=best_effort,
            detail={"cache": cache},
        )
        return _Redis(client, self._guard, region, cache, best_effort=best_effort)

    def http(  # noqa: PLR0913 - what a request is
        self,
        url: str,
        *,
        timeout: float,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        address: str | None = None,
    ) -> HttpAnswer:
        """One request."""
        answer: HttpAnswer = self._guard.call(
            "http",
            method,
            "",
            lambda: self._ports.http(url, timeout=timeout, method=method, body=body, headers=headers, address=address),
            reads=method in {"GET", "HEAD"},
            detail={"url": url},
        )
        return answer

    def site_url(self, host: str, port: int) -> str:
        """Where a site's gateway answers."""
        return self._ports.site_url(host, port)

    def resolve(self, host: str) -> tuple[str, ...]:
        """Addresses of a host now."""
        found: tuple[str, ...] = self._guard.call(
            "dns", "resolve", "", lambda: self._ports.resolve(host), reads=True, detail={"host": host}
        )
        return found

    def clock(self) -> float:
        """Monotonic seconds."""
        return self._ports.clock()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._ports.wall()

    def wait(self, event: threading.Event | None, seconds: float) -> bool:
        """Wait for real seconds."""
        return self._ports.wait(event, seconds)


class _Client:
    """A boto3 client, every operation of it under guard."""

    def __init__(  # noqa: PLR0913 - what a client is, twice
        self,
        client: Client,
        make: Callable[[bool], Client],
        guard: Guard,
        service: str,
        region: str,
        *,
        best_effort: bool,
    ) -> None:
        self._client = client
        self._make = make
        self._guard = guard
        self._service = service
        self._region = region
        self._best_effort = best_effort

    def __getattr__(self, name: str) -> Answer:
        operation: str | None = self._client.meta.method_to_api_mapping.get(name)
        if operation is None:
            return getattr(self._client, name)

        reads = _READS.match(operation) is not None

        def ask(**arguments: Argument) -> Answer:
            client = self._client if reads else self._make(True)
            return self._guard.call(
                self._service,
                operation,
                self._region,
                lambda: getattr(client, name)(**arguments),
                reads=reads,
                best_effort=self._best_effort,
                detail=_told(arguments),
            )

        return ask

    def get_waiter(self, waiter_name: str) -> Answer:
        """The SDK's waiter; each look of it is a call of this client."""
        return BaseClient.get_waiter(cast("Any", self), waiter_name)

    def get_paginator(self, operation_name: str) -> Answer:
        """The SDK's paginator; each page of it is a call of this client."""
        return BaseClient.get_paginator(cast("Any", self), cast("Any", operation_name))


class _Connection:
    """A psycopg connection, every statement of it under guard."""

    def __init__(
        self, connection: SqlConnection, guard: Guard, region: str, database: str, *, best_effort: bool
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._region = region
        self._database = database
        self._best_effort = best_effort

    def __getattr__(self, name: str) -> Answer:
        return getattr(self._connection, name)

    def __enter__(self) -> _Connection:
        self._connection.__enter__()
        return self

    def __exit__(self, *fault: Argument) -> Answer:
        return self._connection.__exit__(*fault)

    def execute(self, query: Argument, *arguments: Argument, **options: Argument) -> Answer:
        text = query if isinstance(query, str) else query.as_string(None)
        verb = (text.split(maxsplit=1) or [""])[0].upper()
        return self._guard.call(
            "postgresql",
            verb,
            self._region,
            lambda: self._connection.execute(query, *arguments, **options),
            reads=_SQL_READS.match(text) is not None,
            best_effort=self._best_effort,
            detail={"database": self._database},
        )


class _Redis:
    """A redis client, every command of it under guard."""

    def __init__(self, client: CacheClient, guard: Guard, region: str, cache: str, *, best_effort: bool) -> None:
        self._client = client
        self._guard = guard
        self._region = region
        self._cache = cache
        self._best_effort = best_effort

    def __enter__(self) -> _Redis:
        return self

    def __exit__(self, *fault: object) -> None:
        self._client.close()

    def __getattr__(self, name: str) -> Answer:
        attribute = getattr(self._client, name)
        if not callable(attribute) or name == "close":
            return attribute

        def ask(*arguments: Argument, **options: Argument) -> Answer:
            return self._guard.call(
                "redis",
                name.upper(),
                self._region,
                lambda: attribute(*arguments, **options),
                reads=name in _REDIS_READS,
                best_effort=self._best_effort,
                detail={"cache": self._cache},
            )

        return ask


def _told(arguments: Mapping[str, Argument]) -> dict[str, Detail]:
    return {
        name: value if isinstance(value, str) and _TOLD.search(name) and not _HIDDEN.search(name) else "..."
        for name, value in arguments.items()
    }
