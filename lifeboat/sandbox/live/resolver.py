"""Names to addresses by one name server, as a client that honours TTL does; no process of ours asks the system's."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from typing import TYPE_CHECKING, Any, Final

import dnslib  # pyright: ignore[reportMissingTypeStubs]  # it has none

if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES: Final = 3
_TRY: Final = 0.5
"""Seconds that one question may take."""
_LENGTH: Final = 2
"""Bytes of a message's length over TCP."""
_NUMBER: Final = slice(0, 2)
"""Where a message carries its number."""
_dns: Any = dnslib


class ResolutionError(Exception):
    """A name has no address, or its name server does not answer; its text is one line."""


class _Questioner(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        del addr
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


class Resolver:
    """IPv4 addresses by name, kept as long as their TTL says.

    Args:
        server: The name server's address and port.
        clock: Monotonic seconds.
    """

    def __init__(self, server: tuple[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    async def address(self, host: str) -> str:
        """An address of a host; a literal address is its own.

        Raises:
            ResolutionError: when there is none, or nobody answers in time.
        """
        if _literal(host):
            return host
        kept = self._kept.get(host)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        asked = self._clock()
        # What is over is forgotten before the question: an answer that is missing must not bring it back.
        self._kept.pop(host, None)
        address, ttl = _read(host, await self._ask(host))
        if ttl > 0:
            self._kept[host] = (asked + ttl, address)
        return address

    async def _ask(self, host: str) -> bytes:
        try:
            packet: bytes = _dns.DNSRecord.question(host, "A").pack()
        except (ValueError, _dns.DNSError) as fault:
            raise ResolutionError(f"{host}: no host's name: {fault}") from None
        problem = ""
        for _ in range(_TRIES):
            try:
                async with asyncio.timeout(_TRY):
                    reply = await self._exchange(packet)
                    if _dns.DNSHeader.parse(_dns.DNSBuffer(reply)).tc:
                        reply = await self._exchange_whole(packet)
            except (OSError, TimeoutError, _dns.DNSError, asyncio.IncompleteReadError) as fault:
                problem = str(fault) or f"nothing within {_TRY:g} s"
                continue
            if reply[_NUMBER] == packet[_NUMBER]:
                return reply
            problem = "it answered another question"
        server = f"{self._server[0]}:{self._server[1]}"
        raise ResolutionError(f"{host}: no answer from the name server {server}: {problem}")

    async def _exchange(self, packet: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(_Questioner, remote_addr=self._server)
        try:
            transport.sendto(packet)
            return await protocol.answer
        finally:
            transport.close()

    async def _exchange_whole(self, packet: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._server)
        try:
            writer.write(len(packet).to_bytes(_LENGTH) + packet)
            return await reader.readexactly(int.from_bytes(await reader.readexactly(_LENGTH)))
        finally:
            writer.close()


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _read(host: str, packet: bytes) -> tuple[str, int]:
    """The first address of an answer, and for how many seconds it holds: the least of the chain that leads to it."""
    try:
        reply = _dns.DNSRecord.parse(packet)
    except _dns.DNSError as fault:
        raise ResolutionError(f"{host}: the name server's answer cannot be read: {fault}") from fault
    records = list(reply.rr)
    addresses = [str(record.rdata) for record in records if record.rtype == _dns.QTYPE.A]
    if not addresses:
        refusal = _dns.RCODE.get(reply.header.rcode)
        raise ResolutionError(f"{host}: no address: {'no record of type A' if refusal == 'NOERROR' else refusal}")
    return addresses[0], min(int(record.ttl) for record in records)
