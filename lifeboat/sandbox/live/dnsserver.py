"""DNS on the wire, over UDP and TCP: questions in, what `answer` says out.

It is authoritative and offers no recursion: what is not known here is refused. Everything happens on one event loop, so
that an answer and the health that it goes by cannot come between each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import dnslib  # pyright: ignore[reportMissingTypeStubs]  # it has none

from lifeboat.sandbox.live.routing_table import Answer, Rcode, Row

if TYPE_CHECKING:
    from collections.abc import Callable

Wire: TypeAlias = Any
"""An object of dnslib's, which has no static types."""

_DNS: Final = cast("Any", dnslib)
_PLAIN: Final = 512
"""Bytes of a UDP answer to a client that does not say how many it takes."""
_LARGEST: Final = 1232
"""Bytes of any UDP answer, so that none is fragmented."""
_LENGTH: Final = struct.Struct("!H")
"""What stands before each message over TCP."""
_IDLE: Final = 5.0
"""Seconds that a TCP client has for its next question."""


class DnsServer:
    """Both transports, on one address.

    Args:
        answer: Answers a name and a record type.
    """

    def __init__(self, answer: Callable[[str, str], Answer]) -> None:
        self._answer = answer
        self._datagrams: asyncio.DatagramTransport | None = None
        self._streams: asyncio.Server | None = None

    async def listen(self, address: str, port: int) -> None:
        """Begin to answer.

        Raises:
            OSError: when the port is taken.
        """
        self._streams = await asyncio.start_server(self._converse, address, port)
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(address, port))

    def close(self) -> None:
        """Answer no more."""
        if self._datagrams is not None:
            self._datagrams.close()
        if self._streams is not None:
            self._streams.close()

    def reply(self, data: bytes, *, whole: bool) -> bytes | None:
        """The reply to one message, None when there is none to give.

        Args:
            data: The message.
            whole: Whether a reply may have any size; otherwise it is truncated to what its client takes.
        """
        try:
            request: Wire = _DNS.DNSRecord.parse(data)
        except (_DNS.DNSError, ValueError):
            return None
        if request.header.qr or not request.questions:
            # Never answer an answer: two servers would keep each other busy.
            return None
        reply = self._compose(request)
        offers = [record for record in request.ar if record.rtype == _DNS.QTYPE.OPT]
        if offers:
            reply.add_ar(_DNS.EDNS0(udp_len=_LARGEST))
        packed = bytes(reply.pack())
        limit = min(_LARGEST, max(_PLAIN, offers[0].rclass)) if offers else _PLAIN
        if not whole and len(packed) > limit:
            reply.header.tc = 1
            reply.rr, reply.auth = [], []
            packed = bytes(reply.pack())
        return packed

    def _compose(self, request: Wire) -> Wire:
        if request.header.opcode != _DNS.OPCODE.QUERY:
            refusal: Wire = request.reply(ra=0, aa=0)
            refusal.header.rcode = _DNS.RCODE.NOTIMP
            return refusal
        answer = self._answer(str(request.q.qname), str(_DNS.QTYPE.get(request.q.qtype)))
        reply: Wire = request.reply(ra=0, aa=int(answer.authoritative and answer.rcode is not Rcode.REFUSED))
        reply.header.rcode = int(answer.rcode)
        try:
            reply.add_answer(*map(_record, answer.rows))
            reply.add_auth(*map(_record, answer.authority))
        except (_DNS.DNSError, LookupError, ValueError):
            # Route 53's API took a value that is none of its type.
            reply.rr, reply.auth = [], []
            reply.header.rcode = int(Rcode.SERVFAIL)
        return reply

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that goes away or says nothing ends the conversation.
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            while True:
                async with asyncio.timeout(_IDLE):
                    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                    reply = self.reply(await reader.readexactly(length), whole=True)
                    if reply is None:
                        break
                    writer.write(_LENGTH.pack(len(reply)) + reply)
                    await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        reply = self._server.reply(data, whole=False)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


def _record(row: Row) -> Wire:
    # dnslib takes a zone file's words one by one; only double quotes group them.
    words = shlex.shlex(row.value, posix=True)
    words.whitespace_split, words.quotes, words.commenters = True, '"', ""
    data: Wire = _DNS.RDMAP[row.type].fromZone(list(words))
    return _DNS.RR(_DNS.DNSLabel(row.name), getattr(_DNS.QTYPE, row.type), ttl=row.ttl, rdata=data)
