"""How long a commit takes to be visible on the replica, as one client sees both on its own clock.

A value is the time from the moment that the primary's acknowledgement arrived to the moment that an answer of the
replica's which contains the row arrived; 0 when the replica was faster than the acknowledgement. The replica is asked
again and again, so that no value is finer than one question, and every side pays the same.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

Connect: TypeAlias = "Callable[[], psycopg.Connection[Any]]"
_PER_WRITER: Final = 100
"""Writes per second and connection: a slow commit must not keep the rate from being reached."""
_PAUSE: Final = 0.0005
"""Seconds between two questions."""
_PATIENCE: Final = 30.0
"""Seconds after the last commit."""
_PAYLOAD: Final = "x" * 200
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS benchmark_lag "
    "(run bigint, writer int, number int, payload text, PRIMARY KEY (run, writer, number))"
)
_INSERT: Final = "INSERT INTO benchmark_lag VALUES (%s, %s, %s, %s)"
_SEEN: Final = (
    "SELECT (SELECT coalesce(max(number), -1) FROM benchmark_lag WHERE run = %s AND writer = each) "
    "FROM generate_series(0, %s - 1) AS each ORDER BY each"
)
_NEVER: Final = threading.Event()


@dataclass(frozen=True, kw_only=True)
class Pair:
    """How a client reaches a primary and its replica."""

    name: str
    primary: Connect
    replica: Connect


@dataclass(frozen=True, kw_only=True)
class Lag:
    """What one run found; seconds, and writes per second that were reached."""

    p50: float
    p99: float
    rate: float


def measure(pair: Pair, rate: int, seconds: float) -> Lag:
    """Write at a rate for some seconds, and look at the replica meanwhile.

    Args:
        pair: Where.
        rate: Writes per second, each a transaction.
        seconds: How long.

    Raises:
        AssertionError: when the replica lacks a write at last.
    """
    run, writers = time.time_ns(), max(1, rate // _PER_WRITER)
    count = round(rate * seconds / writers)
    with contextlib.ExitStack() as stack:
        primaries = [stack.enter_context(pair.primary()) for _ in range(writers)]
        replica = stack.enter_context(pair.replica())
        primaries[0].execute(_TABLE)
        until(lambda: replica.execute("SELECT to_regclass('benchmark_lag')").fetchone() != (None,))
        started = time.perf_counter()
        pool = stack.enter_context(ThreadPoolExecutor(writers))
        written = [
            pool.submit(
                _write, connection, run, writer, [started + (i * writers + writer) / rate for i in range(count)]
            )
            for writer, connection in enumerate(primaries)
        ]
        visible = _watch(replica, run, writers, count, started + seconds + _PATIENCE)
        committed = [future.result() for future in written]
    lags = [
        max(0.0, seen - done)
        for dones, seens in zip(committed, visible, strict=True)
        for done, seen in zip(dones, seens, strict=True)
    ]
    cuts = statistics.quantiles(lags, n=100)
    return Lag(p50=cuts[49], p99=cuts[98], rate=len(lags) / (max(map(max, committed)) - started))


def _write(connection: psycopg.Connection[Any], run: int, writer: int, moments: Sequence[float]) -> list[float]:
    """When each commit was acknowledged."""
    committed: list[float] = []
    for number, moment in enumerate(moments):
        _NEVER.wait(max(0.0, moment - time.perf_counter()))
        connection.execute(_INSERT, [run, writer, number, _PAYLOAD])
        committed.append(time.perf_counter())
    return committed


def _watch(
    connection: psycopg.Connection[Any], run: int, writers: int, count: int, deadline: float
) -> list[list[float]]:
    """When each row was in an answer for the first time, by writer."""
    visible: list[list[float]] = [[] for _ in range(writers)]
    while any(len(seen) < count for seen in visible):
        rows = connection.execute(_SEEN, [run, writers]).fetchall()
        now = time.perf_counter()
        for seen, (last,) in zip(visible, rows, strict=True):
            seen.extend([now] * (last + 1 - len(seen)))
        if now > deadline:
            missing = writers * count - sum(map(len, visible))
            raise AssertionError(f"the replica lacks {missing} of {writers * count} writes")
        _NEVER.wait(_PAUSE)
    return visible
