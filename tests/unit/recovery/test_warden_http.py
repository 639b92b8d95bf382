"""The warden's server: a site's gateways ask it, and none of them can take its memory."""

from __future__ import annotations

import http.client
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.recovery.warden_http import AT_ONCE, WardenServer
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
PATIENCE = 30


class Slow:
    """Answers once it is let to."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.let = threading.Event()

    def __call__(self) -> tuple[HTTPStatus, dict[str, Any]]:
        """See the class."""
        self.arrived.release()
        assert self.let.wait(PATIENCE)
        return HTTPStatus.OK, {"open": True}


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def server(slow: Slow) -> Iterator[WardenServer]:
    server = WardenServer(HOST, 0, {"/gate": slow})
    server.start()
    yield server
    slow.let.set()
    server.close()


def ask(server: WardenServer) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)
    connection.request("GET", "/gate")
    return connection


def answered(server: WardenServer) -> int | None:
    """The answer's status; None when the server hung up."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)
    try:
        connection.request("GET", "/gate")
        return connection.getresponse().status
    except ConnectionError:
        return None
    finally:
        connection.close()


def test_clients_beyond_what_is_served_at_once_are_hung_up_on_until_others_are_answered(
    server: WardenServer, slow: Slow
) -> None:
    waiting = [ask(server) for _ in range(AT_ONCE)]
    for _ in waiting:
        assert slow.arrived.acquire(timeout=PATIENCE)
    assert answered(server) is None
    assert not slow.arrived.acquire(blocking=False)
    slow.let.set()
    for connection in waiting:
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (HTTPStatus.OK, b'{"open": true}\n')
        connection.close()
    # A place is free once its thread is over, which is after its client has its answer.
    until(lambda: answered(server) == HTTPStatus.OK)
