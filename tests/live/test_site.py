"""A site's parts: its gate, its names, and its bounds."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.sandbox.live.gate import FileGate, GateShutError, GateState, require_open, write_gate
from lifeboat.sandbox.live.network import Network
from lifeboat.sandbox.live.resolver import ResolutionError, Resolver
from lifeboat.sandbox.live.site_bounds import Capacity, Connections, write_capacity
from tests.live.names import Zone, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPEN = GateState(open=True, epoch=3)


# --- The gate ---


def test_a_gate_that_nobody_opened_is_shut(tmp_path: Path) -> None:
    state = FileGate(tmp_path / "gate.json").state()
    assert (state.open, state.epoch) == (False, 0)
    assert state.reason


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"open": 1, "epoch": 1}',
        '{"open": true}',
        '{"open": true, "epoch": true}',
        '{"open": true, "epoch": "1"}',
    ],
)
def test_what_is_not_a_gate_is_shut(tmp_path: Path, content: str) -> None:
    path = tmp_path / "gate.json"
    path.write_text(content)
    assert not FileGate(path).state().open


def test_a_gate_has_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    gate = FileGate(path)
    # Written many times within a tick of the kernel's clock, each of the same length.
    for epoch in range(1, 10):
        for opened in (True, False):
            state = GateState(open=opened, epoch=epoch, reason="" if opened else "x")
            write_gate(path, state)
            assert gate.state() == state


def test_a_gate_passes_only_the_epoch_that_a_write_began_in(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    write_gate(path, OPEN)
    gate = FileGate(path)
    assert require_open(gate) == 3
    assert require_open(gate, 3) == 3
    with pytest.raises(GateShutError, match="epoch 2, and epoch 3"):
        require_open(gate, 2)
    write_gate(path, GateState(open=False, epoch=3, reason="drill"))
    with pytest.raises(GateShutError, match="drill"):
        require_open(gate, 3)


def test_a_change_of_the_gate_can_be_awaited(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"

    async def change() -> GateState:
        gate = FileGate(path)
        waiting = asyncio.create_task(gate.wait_change(gate.state()))
        await asyncio.sleep(0)
        write_gate(path, OPEN)
        return await asyncio.wait_for(waiting, 20)

    assert asyncio.run(change()) == OPEN


# --- Names ---


@pytest.fixture
def zone() -> Zone:
    return Zone()


@pytest.fixture
def name_server(zone: Zone) -> Iterator[tuple[str, int]]:
    with contextlib.closing(Network.claim()) as network, serve(zone, network.name_server) as where:
        yield where


def test_a_name_is_asked_again_when_its_ttl_is_over_and_not_before(zone: Zone, name_server: tuple[str, int]) -> None:
    zone.text = "db.example. 30 IN CNAME writer.example.\nwriter.example. 5 IN A 127.0.0.10"
    now = [100.0]

    async def ask() -> list[str]:
        resolver = Resolver(name_server, clock=lambda: now[0])
        found = [await resolver.address("db.example")]
        zone.text = "db.example. 30 IN A 127.0.0.11"
        for moment in (104.9, 105.0, 134.9):
            now[0] = moment
            found.append(await resolver.address("db.example"))
        return found

    # The chain's shortest TTL counts first, then that of the only record.
    assert asyncio.run(ask()) == ["127.0.0.10", "127.0.0.10", "127.0.0.11", "127.0.0.11"]
    assert len(zone.asked) == 2


def test_a_ttl_of_zero_is_not_kept(zone: Zone, name_server: tuple[str, int]) -> None:
    zone.text = "db.example. 0 IN A 127.0.0.10"

    async def ask() -> None:
        resolver = Resolver(name_server, clock=lambda: 0.0)
        await resolver.address("db.example")
        await resolver.address("db.example")

    asyncio.run(ask())
    assert len(zone.asked) == 2


def test_a_long_answer_is_fetched_whole(zone: Zone, name_server: tuple[str, int]) -> None:
    zone.text = "\n".join(f"db.example. 5 IN A 127.0.1.{last}" for last in range(1, 101))
    assert asyncio.run(Resolver(name_server).address("db.example")).startswith("127.0.1.")
    assert [protocol for _, protocol in zone.asked] == ["udp", "tcp"]


def test_an_address_is_its_own() -> None:
    assert asyncio.run(Resolver(("127.0.0.1", 1)).address("127.0.0.9")) == "127.0.0.9"


def test_a_name_without_address_is_said(zone: Zone, name_server: tuple[str, int]) -> None:
    zone.text = "other.example. 5 IN A 127.0.0.10"
    with pytest.raises(ResolutionError, match=r"db\.example: no address: NXDOMAIN"):
        asyncio.run(Resolver(name_server).address("db.example"))


def test_a_name_server_that_is_away_is_said() -> None:
    with pytest.raises(ResolutionError, match=r"no answer from the name server 127\.0\.0\.1:1:"):
        asyncio.run(Resolver(("127.0.0.1", 1)).address("db.example"))


# --- Bounds ---


class Handler:
    """Stands for a connection of the server's."""

    def __init__(self) -> None:
        self.closed = False

    def force_close(self) -> None:
        self.closed = True


def test_a_connection_ends_with_its_last_answer_or_second() -> None:
    now = [0.0]
    connections = Connections(seconds=60, answers=3, clock=lambda: now[0])
    used: Any = Handler()
    idle: Any = Handler()
    busy: Any = Handler()
    connections.sweep([used, idle, busy])
    assert [connections.end(used) for _ in range(3)] == [False, False, True]
    connections.begin(busy)
    now[0] = 59.9
    connections.sweep([idle, busy])
    assert not idle.closed
    now[0] = 60.0
    connections.sweep([idle, busy])
    # An answer that somebody waits for goes out first.
    assert (idle.closed, busy.closed) == (True, False)
    assert connections.end(busy)


def test_all_connections_can_be_ended_at_once() -> None:
    connections = Connections(seconds=60, answers=3, clock=lambda: 0.0)
    idle: Any = Handler()
    busy: Any = Handler()
    connections.begin(busy)
    connections.close_all([idle, busy])
    assert (idle.closed, busy.closed) == (True, False)
    assert connections.end(busy)


def test_a_limit_admits_a_seconds_worth_and_refills(tmp_path: Path) -> None:
    now = [0.0]
    path = tmp_path / "capacity.json"
    capacity = Capacity(path, clock=lambda: now[0])
    assert all(capacity.admit() for _ in range(100))
    write_capacity(path, 4)
    assert [capacity.admit() for _ in range(5)] == [True, True, True, True, False]
    now[0] = 0.5
    assert [capacity.admit() for _ in range(3)] == [True, True, False]
    write_capacity(path, None)
    assert capacity.admit()
    write_capacity(path, 0)
    assert not capacity.admit()
