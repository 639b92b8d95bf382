"""Probes endpoints as Route 53's health checkers do: over the network, at each check's interval.

Where the sandbox cannot be AWS, it maps:
- A check's host name is resolved by the sandbox's own name server, and its site answers on one port: that port is
  asked, whatever port the check names.
- The sandbox has no certificates: HTTPS is asked as plain HTTP.
- There is one checker, whose word counts, instead of many of which 18 % suffice.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp

from lifeboat.sandbox.live.health import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lifeboat.sandbox.live.zone import Check

_TCP_CONNECT: Final = 10.0
_HTTP_CONNECT: Final = 4.0
_HTTP_ANSWER: Final = 2.0
"""Seconds that Route 53 waits for a connection, and then for the answer and for its body, each."""
_SEARCHED: Final = 5120
"""Bytes of a body that are searched."""
_FAR: Final = 400
"""The first status that is no success."""


@dataclass(frozen=True)
class Result:
    """What one probe found."""

    passed: bool
    reason: str


async def probe(session: aiohttp.ClientSession, check: Check, address: str | None, port: int) -> Result:
    """Ask an endpoint once.

    Args:
        session: Makes the HTTP connections.
        check: A check of one of `ENDPOINTS`.
        address: Where its host name leads, None when nowhere.
        port: The port that is asked.
    """
    if address is None:
        return Result(passed=False, reason=f"Failure: DNS resolution of {check.fqdn or check.address} failed.")
    try:
        if check.type == "TCP":
            return await _probe_tcp(address, port)
        return await _probe_http(session, check, address, port)
    except (OSError, aiohttp.ClientError, TimeoutError) as fault:
        return Result(passed=False, reason=f"Failure: {type(fault).__name__}. Resolved IP: {address}.")


async def _probe_tcp(address: str, port: int) -> Result:
    async with asyncio.timeout(_TCP_CONNECT):
        _, writer = await asyncio.open_connection(address, port)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Result(passed=True, reason=f"Success: TCP connection. Resolved IP: {address}.")


async def _probe_http(session: aiohttp.ClientSession, check: Check, address: str, port: int) -> Result:
    timeout = aiohttp.ClientTimeout(sock_connect=_HTTP_CONNECT, sock_read=_HTTP_ANSWER)
    async with (
        asyncio.timeout(_HTTP_CONNECT + 2 * _HTTP_ANSWER),
        session.get(
            f"http://{address}:{port}{check.path}",
            headers={"Host": check.fqdn or address, "User-Agent": "Amazon-Route53-Health-Check-Service (sandbox)"},
            allow_redirects=False,
            timeout=timeout,
        ) as answer,
    ):
        said = f"HTTP Status Code: {answer.status}. Resolved IP: {address}."
        if answer.status >= _FAR:
            return Result(passed=False, reason=f"Failure: {said}")
        if check.search is not None and check.search.encode() not in await _beginning(answer):
            return Result(passed=False, reason=f"Failure: the search string is not in the body. {said}")
        return Result(passed=True, reason=f"Success: {said}")


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    while len(body) < _SEARCHED:
        chunk = await answer.content.read(_SEARCHED - len(body))
        if not chunk:
            break
        body += chunk
    return body


class Prober:
    """One task for each endpoint check.

    Args:
        address: Resolves a host name, to None when it does not exist.
        tell: Told the check's ID and every result.
        port: The port that every probe asks.
        interval: Seconds between probes in place of each check's own, for tests; Route 53's shortest is 10.
    """

    def __init__(
        self,
        address: Callable[[str], str | None],
        tell: Callable[[str, Result], None],
        *,
        port: int,
        interval: float | None = None,
    ) -> None:
        self._address = address
        self._tell = tell
        self._port = port
        self._interval = interval
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        # As Route 53 does, each probe connects anew.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0))

    def reconcile(self, checks: Iterable[Check]) -> None:
        """Probe these checks and no others; a check that was changed begins anew."""
        wanted = {
            (check.id, check.version): check for check in checks if check.type in ENDPOINTS and not check.disabled
        }
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
        for key in wanted.keys() - self._tasks.keys():
            self._tasks[key] = asyncio.create_task(self._watch(wanted[key]))

    async def close(self) -> None:
        """Probe nothing any more."""
        tasks = list(self._tasks.values())
        self.reconcile(())
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()

    async def _watch(self, check: Check) -> None:
        interval = check.interval if self._interval is None else self._interval
        while True:
            self._tell(check.id, await probe(self._session, check, self._where(check), self._port))
            await asyncio.sleep(interval)

    def _where(self, check: Check) -> str | None:
        """Where to connect; an address of the internet's is none of the sandbox's, and is not asked."""
        if check.address is None:
            return None if check.fqdn is None else self._address(check.fqdn)
        return check.address if ipaddress.ip_address(check.address).is_loopback else None
