"""A name server whose zone a test writes, and that notes what it is asked."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import dnslib
import dnslib.server

from lifeboat.sandbox.live.network import DNS_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGED_NOT = "-request,-reply,-truncated,-error,-recv,-send,-data"


class Zone(dnslib.server.BaseResolver):
    """Answers from a zone file's text."""

    def __init__(self) -> None:
        self.text = ""
        self.asked: list[tuple[str, str]] = []
        """Name and protocol of each question."""

    def resolve(self, request: dnslib.DNSRecord, handler: dnslib.server.DNSHandler) -> dnslib.DNSRecord:
        self.asked.append((str(request.q.qname), handler.protocol))
        reply = request.reply()
        records = dnslib.RR.fromZone(self.text)
        names, grew = {request.q.qname}, True
        while grew:
            aliases = [record for record in records if record.rtype == dnslib.QTYPE.CNAME and record.rname in names]
            found = {record.rdata.label for record in aliases}
            grew = not found <= names
            names |= found
        reply.add_answer(*[record for record in records if record.rname in names])
        if not reply.rr:
            reply.header.rcode = dnslib.RCODE.NXDOMAIN
        return reply


class _Handler(dnslib.server.DNSHandler):
    udplen = 512


@contextlib.contextmanager
def serve(zone: Zone, address: str) -> Iterator[tuple[str, int]]:
    """Serve a zone over UDP and TCP at an address of the test's own; the value is where."""
    quiet = dnslib.server.DNSLogger(_LOGGED_NOT)
    with contextlib.ExitStack() as stack:
        for tcp in (False, True):
            server = dnslib.server.DNSServer(
                zone, address=address, port=DNS_PORT, tcp=tcp, logger=quiet, handler=_Handler
            )
            # Not dnslib's own thread, whose end takes half a second to be noticed.
            stack.callback(server.server.server_close)
            server.start_thread()
            stack.callback(server.stop)
        yield address, DNS_PORT
