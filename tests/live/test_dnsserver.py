"""Messages in, messages out, without a network; dnspython reads what is said."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifeboat.sandbox.live.dnsserver import DnsServer
from lifeboat.sandbox.live.routing_table import Answer, Rcode, Row

NAME = "www.example.com"


def said(answer: Answer, question: dns.message.Message, *, whole: bool = True) -> dns.message.Message:
    reply = DnsServer(lambda _name, _kind: answer).reply(question.to_wire(), whole=whole)
    assert reply is not None
    return dns.message.from_wire(reply)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "192.0.2.1"),
        ("AAAA", "2001:db8::1"),
        ("CNAME", "other.example.com."),
        ("NS", "ns.example.com."),
        ("MX", "10 mail.example.com."),
        ("SRV", "1 2 443 www.example.com."),
        ("TXT", '"v=spf1 -all; it\'s" "second"'),
        ("CAA", '0 issue "amazon.com"'),
        ("SOA", "ns.example.com. host.example.com. 1 7200 900 1209600 86400"),
    ],
)
def test_every_type_that_is_used(kind: str, value: str) -> None:
    reply = said(Answer(Rcode.NOERROR, (Row(NAME, kind, 60, value),)), dns.message.make_query(NAME, kind))
    (rows,) = reply.answer
    assert (rows.name.to_text(), rows.ttl, [row.to_text() for row in rows]) == (f"{NAME}.", 60, [value])
    assert reply.flags & dns.flags.AA
    assert not reply.flags & dns.flags.RA


@pytest.mark.parametrize(
    ("kind", "value"),
    [("A", "nowhere"), ("A", "300.0.0.1"), ("CNAME", "a" * 70), ("MX", "mail"), ("TXT", '"open'), ("SPF", '"x"')],
)
def test_a_value_that_is_none_of_its_type(kind: str, value: str) -> None:
    reply = said(Answer(Rcode.NOERROR, (Row(NAME, kind, 60, value),)), dns.message.make_query(NAME, kind))
    assert (reply.rcode(), reply.answer) == (dns.rcode.SERVFAIL, [])


@pytest.mark.parametrize(
    ("payload", "cut"),
    [(None, True), (512, True), (1232, False), (4096, False)],
)
def test_a_client_gets_as_much_as_it_takes(payload: int | None, cut: bool) -> None:
    answer = Answer(Rcode.NOERROR, tuple(Row(NAME, "A", 60, f"192.0.2.{last}") for last in range(40)))
    question = dns.message.make_query(NAME, "A", use_edns=payload is not None, payload=payload or 0)
    reply = said(answer, question, whole=False)
    assert (bool(reply.flags & dns.flags.TC), len(reply.answer)) == (cut, 0 if cut else 1)
    assert reply.question == question.question
    assert (reply.edns >= 0) is (payload is not None)


def test_only_questions_are_answered() -> None:
    server = DnsServer(lambda _name, _kind: Answer(Rcode.NOERROR))
    question = dns.message.make_query(NAME, "A")
    assert server.reply(dns.message.make_response(question).to_wire(), whole=True) is None
    update = dns.message.make_query(NAME, "A")
    update.set_opcode(dns.opcode.STATUS)
    assert said(Answer(Rcode.NOERROR), update).rcode() == dns.rcode.NOTIMP


@given(junk=st.binary(max_size=80), whole=st.booleans())
@example(junk=dns.message.make_query(NAME, "A").to_wire() + b"\xc0", whole=False)
@example(junk=dns.message.make_query(NAME, "A", use_edns=True).to_wire()[:-3], whole=False)
def test_junk_is_survived(junk: bytes, whole: bool) -> None:
    DnsServer(lambda _name, _kind: Answer(Rcode.REFUSED)).reply(junk, whole=whole)


@given(position=st.integers(0, 60), byte=st.integers(0, 255))
def test_a_flipped_byte_is_survived(position: int, byte: int) -> None:
    message = bytearray(dns.message.make_query(NAME, "A", use_edns=True).to_wire())
    message[position % len(message)] = byte
    DnsServer(lambda _name, _kind: Answer(Rcode.REFUSED)).reply(bytes(message), whole=False)
