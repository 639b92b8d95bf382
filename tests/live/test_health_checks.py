"""Probes against servers that answer in every way."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp
import pytest

from lifeboat.sandbox.live import health_checks
from lifeboat.sandbox.live.health_checks import Prober, Result, probe
from lifeboat.sandbox.live.zone import Check

LOOPBACK = "127.0.0.1"
LATE = b"x" * 5120 + b"ready"


def check(kind: str, **more: Any) -> Check:  # noqa: ANN401  # any of a check's attributes
    return Check(id="check", version=1, type=kind, fqdn="orders.example.com", **more)


def response(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def asked(said: bytes | None, wanted: Check, requests: list[bytes] | None = None) -> Result:
    """Probe a server that answers `said`; None: it says nothing."""
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n") if wanted.type != "TCP" else b""
        if requests is not None:
            requests.append(request)
        if said is not None:
            writer.write(said)
        else:
            await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        served.set()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    async with server, aiohttp.ClientSession() as session:
        result = await probe(session, wanted, LOOPBACK, server.sockets[0].getsockname()[1])
        await served.wait()
    return result


@pytest.mark.parametrize(
    ("said", "wanted", "passed"),
    [
        (response(200), check("HTTP"), True),
        (response(204), check("HTTPS"), True),
        (response(302, b"", "Location: http://127.0.0.1:1/"), check("HTTP"), True),
        (response(404), check("HTTP"), False),
        (response(503), check("HTTPS"), False),
        (b"no HTTP at all\r\n\r\n", check("HTTP"), False),
        (b"", check("HTTP"), False),
        (response(200, b"all ready"), check("HTTP_STR_MATCH", search="ready"), True),
        (response(200, b"all down"), check("HTTP_STR_MATCH", search="ready"), False),
        (response(200, LATE), check("HTTPS_STR_MATCH", search="ready"), False),
        (response(200, LATE[5:]), check("HTTPS_STR_MATCH", search="ready"), True),
        (b"", check("TCP"), True),
    ],
)
def test_what_counts_as_an_answer(said: bytes, wanted: Check, passed: bool) -> None:
    result = asyncio.run(asked(said, wanted))
    assert (result.passed, result.reason.startswith("Success: ")) == (passed, passed), result.reason


def test_a_server_that_says_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_checks, "_HTTP_ANSWER", 0.05)
    assert not asyncio.run(asked(None, check("HTTP"))).passed


def test_the_check_asks_for_its_host_and_path() -> None:
    requests = list[bytes]()
    asyncio.run(asked(response(200), check("HTTPS", path="/health/ready?deep=1"), requests))
    (request,) = requests
    assert request.startswith(b"GET /health/ready?deep=1 HTTP/1.1\r\n")
    assert b"\r\nHost: orders.example.com\r\n" in request


@pytest.mark.parametrize("kind", ["HTTP", "TCP"])
def test_nobody_there(kind: str) -> None:
    async def run() -> Result:
        server = await asyncio.start_server(lambda _reader, _writer: None, LOOPBACK, 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        async with aiohttp.ClientSession() as session:
            return await probe(session, check(kind), LOOPBACK, port)

    assert not asyncio.run(run()).passed


@pytest.mark.parametrize(
    "wanted",
    [check("HTTP"), check("HTTP", address="192.0.2.1")],
    ids=["a name that does not exist", "an address of the internet's"],
)
def test_nowhere_to_go(wanted: Check) -> None:
    async def run() -> Result:
        told: asyncio.Queue[Result] = asyncio.Queue()
        prober = Prober(lambda _name: None, lambda _check, result: told.put_nowait(result), port=1, interval=60)
        try:
            prober.reconcile([wanted])
            return await told.get()
        finally:
            await prober.close()

    result = asyncio.run(run())
    assert not result.passed
    assert "DNS resolution" in result.reason


def test_checks_come_change_and_go() -> None:
    async def run() -> list[str]:
        told: asyncio.Queue[str] = asyncio.Queue()
        prober = Prober(lambda _name: None, lambda _check, result: told.put_nowait(result.reason), port=1, interval=60)
        heard = list[str]()
        try:
            for version, host in ((1, "before"), (1, "unseen"), (2, "after")):
                changed = check("HTTP").model_copy(update={"version": version, "fqdn": host})
                prober.reconcile([changed, check("CALCULATED"), check("HTTP", disabled=True)])
                if host != "unseen":
                    heard.append(await told.get())
            prober.reconcile([])
        finally:
            await prober.close()
        assert told.empty()
        return heard

    before, after = asyncio.run(run())
    assert "of before failed" in before
    assert "of after failed" in after
