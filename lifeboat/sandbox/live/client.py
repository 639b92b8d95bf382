"""`python -m lifeboat.sandbox.live.client`: a synthetic client: posts numbered orders at a rate, notes each outcome.

It finds sites by name alone, as any client does. An open loop: orders are due at their times whatever became of those
before, so that an outage is not hidden by a client that waits. Two kinds:
- `ttl` asks the name server as often as the TTL demands and opens a connection for each order;
- `keepalive` keeps its connection until that breaks, and sends an order again of which it knows nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import signal
import socket
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from lifeboat.sandbox.live.client_history import Attempt, History, Outcome, count, read_history
from lifeboat.sandbox.live.resolver import ResolutionError, Resolver
from lifeboat.sandbox.live.site_config import EPOCH_HEADER, ORDERS, SITE_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_LANES: Final = 256
"""Orders on their way at once, at most, of a client that opens a connection for each."""
_PAUSES: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds before an order is sent again; the last one holds for all further times."""
_LONG: Final = 86_400.0
_ACKNOWLEDGED: Final = (200, 201)
_UNKNOWN: Final = (500, 502, 504)
"""Statuses after which an order may be there or not; any other one but success says that it is not."""


class Mode(StrEnum):
    """How a client treats names and connections."""

    TTL = "ttl"
    KEEPALIVE = "keepalive"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a client sends.

    Attributes:
        name: The client's, which its orders carry.
        url: Where to, such as ``http://shop.example.com:8080``.
        mode: How it treats names and connections.
        rate: Orders per second.
        first: Number of the first order.
        count: How many orders; None to go on until it is stopped.
        timeout: Seconds that an order may take.
        seed: Shifts each order's time at random, within its share of a second; None for an even rate.
        connections: How many a client that keeps them has; each carries one order at a time.
    """

    name: str
    url: str
    mode: Mode
    rate: float
    first: int = 1
    count: int | None = None
    timeout: float = 5.0
    seed: int | None = None
    connections: int = 1


@dataclass(frozen=True, kw_only=True)
class _Due:
    number: int
    at: float
    """Monotonic seconds."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    outcome: Outcome
    reason: str = ""
    site: str | None = None
    epoch: int | None = None
    status: int | None = None


class _NameServer(AbstractResolver):
    """Our resolver, as aiohttp asks one; its own cache is off, so that each connection asks."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        try:
            address = await self._resolver.address(host)
        except ResolutionError as fault:
            raise socket.gaierror(socket.EAI_NONAME, str(fault)) from fault
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """It holds nothing."""


class RateClient:
    """One client.

    Args:
        load: What it sends.
        resolver: Finds the host's address.
        history: Takes each attempt.
    """

    def __init__(self, load: Load, *, resolver: Resolver, history: History) -> None:
        self._load = load
        self._resolver = resolver
        self._history = history
        self._stopped = asyncio.Event()
        # Wall and monotonic time, read together once: a clock that is set meanwhile must not disorder the history.
        self._wall = time.time() - time.monotonic()

    def stop(self) -> None:
        """Send nothing new; orders on their way are waited for, but not sent again."""
        self._stopped.set()

    async def run(self) -> None:
        """Send the orders; ends when all have an outcome, or after `stop`."""
        keep = self._load.mode is Mode.KEEPALIVE
        lanes = asyncio.Semaphore(self._load.connections if keep else _LANES)
        names = _NameServer(self._resolver)
        connector = (
            aiohttp.TCPConnector(resolver=names, use_dns_cache=False, keepalive_timeout=_LONG)
            if keep
            else aiohttp.TCPConnector(resolver=names, use_dns_cache=False, force_close=True)
        )
        timeout = aiohttp.ClientTimeout(total=self._load.timeout)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            asyncio.TaskGroup() as orders,
        ):
            async for due in self._schedule():
                orders.create_task(self._settle(session, lanes, due))

    async def _schedule(self) -> AsyncGenerator[_Due]:
        """Each order at its time."""
        load = self._load
        # Repeatable, and no secret.
        chance = None if load.seed is None else random.Random(load.seed)  # noqa: S311
        start = time.monotonic()
        for position in itertools.count() if load.count is None else range(load.count):
            shift = chance.random() if chance else 0.0
            at = start + (position + shift) / load.rate
            await self._pause(at - time.monotonic())
            if self._stopped.is_set():
                return
            yield _Due(number=load.first + position, at=at)

    async def _settle(self, session: aiohttp.ClientSession, lanes: asyncio.Semaphore, due: _Due) -> None:
        """Send an order when there is a lane for it, and again as long as a client of this kind does."""
        async with lanes:
            for attempt in itertools.count(1):
                if self._stopped.is_set():
                    return
                sent = time.monotonic()
                answer = await self._send(session, due.number)
                self._note(due, attempt, sent, answer)
                if answer.outcome is not Outcome.UNKNOWN or self._load.mode is not Mode.KEEPALIVE:
                    return
                await self._pause(_PAUSES[min(attempt, len(_PAUSES)) - 1])

    async def _send(self, session: aiohttp.ClientSession, number: int) -> _Answer:
        order = {"client": self._load.name, "number": number, "payload": {"text": f"order {number}"}}
        try:
            async with session.post(self._load.url + ORDERS, json=order) as response:
                return await _read(response)
        except aiohttp.ClientConnectorError as fault:
            return _Answer(outcome=Outcome.REFUSED, reason=f"not sent: {fault}")
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as fault:
            # It may have left, or the answer is not a site's.
            return _Answer(outcome=Outcome.UNKNOWN, reason=str(fault) or type(fault).__name__)

    def _note(self, due: _Due, attempt: int, sent: float, answer: _Answer) -> None:
        answered = time.monotonic()
        self._history.add(
            Attempt(
                client=self._load.name,
                number=due.number,
                attempt=attempt,
                due_at=self._wall + due.at,
                sent_at=self._wall + sent,
                answered_at=self._wall + answered,
                sent_monotonic=sent,
                answered_monotonic=answered,
                outcome=answer.outcome,
                site=answer.site,
                epoch=answer.epoch,
                status=answer.status,
                reason=answer.reason,
            )
        )

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)


async def _read(response: aiohttp.ClientResponse) -> _Answer:
    said: Any = await response.json()
    site, epoch, status = response.headers.get(SITE_HEADER), response.headers.get(EPOCH_HEADER), response.status
    if status in _ACKNOWLEDGED:
        return _Answer(outcome=Outcome.ACKNOWLEDGED, site=site, epoch=said["epoch"], status=status)
    return _Answer(
        outcome=Outcome.UNKNOWN if status in _UNKNOWN else Outcome.REFUSED,
        reason=said["reason"],
        site=site,
        epoch=None if epoch is None else int(epoch),
        status=status,
    )


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="client", description="Post numbered orders at a rate; note each outcome.")
    parser.add_argument("--name", required=True, help="the client's name, which its orders carry")
    parser.add_argument("--url", required=True, help="where to, such as http://shop.example.com:8080")
    parser.add_argument("--name-server", required=True, metavar="ADDRESS:PORT", help="where the host is looked up")
    parser.add_argument("--history", type=Path, required=True, help="file that takes each attempt, a line of JSON each")
    parser.add_argument("--mode", type=Mode, default=Mode.TTL, choices=list(Mode), help="default: %(default)s")
    parser.add_argument("--rate", type=float, default=10.0, help="orders per second; default: %(default)s")
    parser.add_argument("--first", type=int, default=1, help="number of the first order; default: %(default)s")
    parser.add_argument("--count", type=int, help="how many orders; default: until it is ended")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds an order may take; default: %(default)s")
    parser.add_argument("--seed", type=int, help="shifts each order's time at random; default: an even rate")
    parser.add_argument("--connections", type=int, default=1, help="how many a keepalive client has; default: 1")
    return parser.parse_args(arguments)


async def _run(load: Load, resolver: Resolver, history: History) -> None:
    client = RateClient(load, resolver=resolver, history=history)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, client.stop)
    await client.run()


def main(arguments: list[str]) -> int:
    """Run a client to its end and say how many orders have each outcome."""
    options = vars(_arguments(arguments))
    path: Path = options.pop("history")
    address, _, port = str(options.pop("name_server")).rpartition(":")
    history = History(path)
    try:
        asyncio.run(_run(Load(**options), Resolver((address, int(port))), history))
    finally:
        history.close()
    sys.stdout.write(json.dumps(count(read_history(path))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
