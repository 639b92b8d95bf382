"""What a site bounds: how long it keeps a client's connection, and how many requests a second it can take."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from aiohttp.web import RequestHandler

KEEPALIVE_SECONDS: Final = 60.0
"""A load balancer's default of an hour would keep clients at a lost site long after names lead to another."""
KEEPALIVE_REQUESTS: Final = 1000


@dataclass
class _Connection:
    opened: float
    answers: int = 0
    busy: bool = False
    last: bool = False


class Connections:
    """The clients' connections to a site, each closed after so many seconds or answers.

    Args:
        seconds: How long one may live.
        answers: How many answers one may carry.
        clock: Monotonic seconds.
    """

    def __init__(self, *, seconds: float, answers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._answers = answers
        self._clock = clock
        self._known: dict[RequestHandler, _Connection] = {}

    def begin(self, handler: RequestHandler) -> None:
        """Note that a connection waits for an answer."""
        self._known.setdefault(handler, _Connection(self._clock())).busy = True

    def end(self, handler: RequestHandler) -> bool:
        """Count its answer; tell whether that is the connection's last, so that its client is told."""
        connection = self._known.setdefault(handler, _Connection(self._clock()))
        connection.busy = False
        connection.answers += 1
        return connection.last or connection.answers >= self._answers or self._expired(connection)

    def sweep(self, handlers: Iterable[RequestHandler]) -> None:
        """Close those whose time is over, and learn of new ones.

        Args:
            handlers: All connections of the server.
        """
        now = self._clock()
        self._known = {handler: self._known.get(handler, _Connection(now)) for handler in handlers}
        for handler, connection in self._known.items():
            if self._expired(connection):
                _close(handler, connection)

    def close_all(self, handlers: Iterable[RequestHandler]) -> None:
        """Close each: at once when it idles, else with the answer that it waits for."""
        self.sweep(handlers)
        for handler, connection in self._known.items():
            _close(handler, connection)

    def _expired(self, connection: _Connection) -> bool:
        return self._clock() - connection.opened >= self._seconds


def _close(handler: RequestHandler, connection: _Connection) -> None:
    if connection.busy:
        connection.last = True
    else:
        # Not `close`, which stops serving an idle connection and leaves it open.
        handler.force_close()


class Capacity:
    """How many requests a second a site can take, from a file that says so: a fault that may be set at any time.

    Args:
        path: JSON, ``{"per_second": 20}``; without it there is no limit.
        clock: Monotonic seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._rate: float | None = None
        self._left = 0.0
        self._counted = clock()

    def admit(self) -> bool:
        """Whether one more request fits in; a second's worth may come at once."""
        rate, now = read_capacity(self._path), self._clock()
        if rate != self._rate:
            self._rate, self._left = rate, rate or 0.0
        if rate is None:
            return True
        self._left = min(rate, self._left + (now - self._counted) * rate)
        self._counted = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def read_capacity(path: Path) -> float | None:
    """The requests per second that a file allows, None for any number."""
    try:
        loaded: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return float(cast("dict[str, Any]", loaded)["per_second"])


def write_capacity(path: Path, per_second: float | None) -> None:
    """Set the limit, or take it away with None."""
    if per_second is None:
        path.unlink(missing_ok=True)
    else:
        write_private(path, json.dumps({"per_second": per_second}) + "\n")
