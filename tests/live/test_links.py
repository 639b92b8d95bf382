"""Links between regions, seen from both of their ends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import signal
import socket
import stat
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.sandbox.live import links
from lifeboat.sandbox.live.links import PROCESS, UNSHAPED, Links, Shape
from lifeboat.sandbox.live.linkserver import HELD, PORTION
from lifeboat.sandbox.live.network import Network
from lifeboat.sandbox.live.processes import Processes
from lifeboat.sandbox.state import SandboxError, SandboxInputError
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

EAST, WEST = "us-east-1", "us-west-2"
PORT = 5432
NAME = "orders"
CUT = Shape(cut=True)
SLOW = Shape(latency_s=3600)


class Site:
    """A server in the source region, whose connections a test takes one by one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.listener = socket.create_server((address, PORT))
        self.listener.settimeout(20)

    def accept(self) -> socket.socket:
        connection, _ = self.listener.accept()
        connection.settimeout(20)
        return connection

    def nobody_came(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            return not selector.select(0)


class World:
    """A server in one region, a link from the other, and what both ends see."""

    def __init__(self, directory: Path) -> None:
        self.network = Network.claim()
        self.processes = Processes(directory)
        self.links = Links(directory, self.network, self.processes)
        self.links.start()
        self.site = Site(self.network.address("server"))
        self.address = self.links.open(NAME, EAST, WEST, self.site.address, PORT)
        self._opened = contextlib.ExitStack()

    def dial(self) -> socket.socket:
        return self._opened.enter_context(socket.create_connection((self.address, PORT), timeout=20))

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """The client's end and the server's."""
        return self.dial(), self._opened.enter_context(self.site.accept())

    def row(self, name: str = NAME) -> Mapping[str, Any]:
        return {row["name"]: row for row in self.links.status()}[name]

    def close(self) -> None:
        self._opened.close()
        self.links.stop()
        self.processes.close()
        self.site.listener.close()
        self.network.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def read(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size and (part := connection.recv(size - len(received))):
        received += part
    return bytes(received)


def silent(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        connection.settimeout(20)


def test_bytes_flow_both_ways_and_are_counted_by_the_way_they_took(world: World) -> None:
    client, server = world.connect()
    client.sendall(b"start")
    assert read(server, 5) == b"start"
    server.sendall(b"log record")
    assert read(client, 10) == b"log record"
    row = until(lambda: world.row() if world.row()["source_to_target_bytes"] else None)
    assert (row["connections"], row["source_to_target_bytes"], row["target_to_source_bytes"]) == (1, 10, 5)
    assert (row["source_region"], row["target_region"], row["address"]) == (EAST, WEST, world.address)


def test_opening_the_same_link_again_changes_nothing(world: World) -> None:
    client, server = world.connect()
    assert world.links.open(NAME, EAST, WEST, world.site.address, PORT) == world.address
    server.sendall(b"x")
    assert read(client, 1) == b"x"


def test_an_end_passes_one_way_and_the_other_way_stays_open(world: World) -> None:
    client, server = world.connect()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    assert read(server, 100) == b"question"
    server.sendall(b"answer")
    server.close()
    assert read(client, 100) == b"answer"
    until(lambda: world.row()["connections"] == 0)
    assert world.row()["source_to_target_bytes"] == 6


def test_a_cut_holds_one_way_while_the_other_flows_and_healing_delivers_in_order(world: World) -> None:
    client, server = world.connect()
    world.links.shape(EAST, WEST, CUT)
    server.sendall(b"held, ")
    server.sendall(b"then more")
    until(lambda: world.row()["held_bytes"] == 15)
    client.sendall(b"through")
    assert read(server, 7) == b"through"
    assert silent(client)
    world.links.shape(EAST, WEST, UNSHAPED)
    assert read(client, 15) == b"held, then more"


@pytest.mark.parametrize("way", [(EAST, WEST), (WEST, EAST)])
def test_new_connections_hang_while_either_way_is_cut(world: World, way: tuple[str, str]) -> None:
    world.links.shape(*way, CUT)
    client = world.dial()
    client.sendall(b"x")
    until(lambda: world.row()["connections"] == 1)
    if way == (WEST, EAST):
        assert world.site.nobody_came()
    assert silent(client)
    world.links.shape(*way, UNSHAPED)
    with world.site.accept() as server:
        assert read(server, 1) == b"x"


@pytest.mark.parametrize("way", [(EAST, WEST), (WEST, EAST)])
def test_a_reset_ends_connections_and_refuses_new_ones_until_healed(world: World, way: tuple[str, str]) -> None:
    client, server = world.connect()
    world.links.shape(*way, Shape(reset=True))
    for end in (client, server):
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with pytest.raises(ConnectionRefusedError):
        world.dial()
    assert not world.row()["listening"]
    world.links.shape(*way, UNSHAPED)
    client, server = world.connect()
    client.sendall(b"again")
    assert read(server, 5) == b"again"


def test_shapes_of_other_regions_do_not_matter(world: World) -> None:
    world.links.shape(EAST, "eu-west-1", CUT)
    client, server = world.connect()
    server.sendall(b"x")
    assert read(client, 1) == b"x"


def test_latency_holds_many_portions_at_once_and_keeps_their_order(world: World) -> None:
    client, server = world.connect()
    world.links.shape(EAST, WEST, SLOW)
    payload = os.urandom(HELD // 2)
    assert len(payload) > 10 * PORTION
    sender = threading.Thread(target=server.sendall, args=(payload,))
    sender.start()
    until(lambda: world.row()["held_bytes"] == len(payload))
    assert silent(client)
    world.links.shape(EAST, WEST, Shape(latency_s=0.01))
    assert read(client, len(payload)) == payload
    sender.join()


def test_what_is_held_is_bounded_and_nothing_is_lost(world: World) -> None:
    client, server = world.connect()
    world.links.shape(EAST, WEST, CUT)
    payload = os.urandom(4 * HELD)
    sender = threading.Thread(target=server.sendall, args=(payload,))
    sender.start()
    until(lambda: world.row()["held_bytes"] >= HELD)
    # The link still takes the other way's bytes, so that it is past the point where it stopped reading this one.
    client.sendall(b"x")
    assert read(server, 1) == b"x"
    assert world.row()["held_bytes"] <= HELD + PORTION
    assert sender.is_alive()
    world.links.shape(EAST, WEST, UNSHAPED)
    assert hashlib.sha256(read(client, len(payload))).digest() == hashlib.sha256(payload).digest()
    sender.join()


def test_the_sender_learns_that_its_receiver_is_gone(world: World) -> None:
    client, server = world.connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(1)
    until(lambda: world.row()["connections"] == 0)


def test_a_sender_that_goes_on_after_its_receiver_ended_is_reset(world: World) -> None:
    client, server = world.connect()
    client.shutdown(socket.SHUT_WR)
    assert read(server, 1) == b""
    client.close()

    def refused() -> bool:
        try:
            server.sendall(bytes(PORTION))
        except ConnectionError:
            return True
        return False

    until(refused)
    until(lambda: world.row()["connections"] == 0)


def test_a_server_that_is_down_resets_its_clients(world: World) -> None:
    world.site.listener.close()
    with pytest.raises(ConnectionResetError):
        world.dial().recv(1)


def test_a_closed_link_resets_its_connections_and_is_gone(world: World) -> None:
    client, _ = world.connect()
    world.links.close(NAME)
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert world.links.status() == []
    with pytest.raises(ConnectionRefusedError):
        world.dial()


def test_a_link_that_moves_keeps_its_address_and_leads_elsewhere(world: World) -> None:
    client, _ = world.connect()
    other = Site(world.network.address("other server"))
    with contextlib.closing(other.listener):
        assert world.links.open(NAME, WEST, EAST, other.address, PORT) == world.address
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        world.dial().sendall(b"x")
        with other.accept() as server:
            assert read(server, 1) == b"x"


def test_an_address_that_is_taken_is_refused_with_its_name(world: World) -> None:
    taken = world.network.address("link-second")
    with (
        socket.create_server((taken, PORT)),
        pytest.raises(SandboxError, match=f"link second: {taken}:{PORT}: Address already in use"),
    ):
        world.links.open("second", EAST, WEST, world.site.address, PORT)
    assert world.links.open("second", EAST, WEST, world.site.address, PORT) == taken
    assert world.row("second")["listening"]


def test_links_and_shapes_survive_the_end_of_their_process(world: World) -> None:
    world.links.shape(EAST, WEST, CUT)
    before = world.processes.pid(PROCESS)
    world.processes.send(PROCESS, signal.SIGKILL)
    until(lambda: world.processes.pid(PROCESS) not in {None, before})
    # A command right after the end waits for the restart, and finds the shape restored.
    world.links.open("second", WEST, EAST, world.site.address, PORT)
    client = until(world.dial)
    client.sendall(b"x")
    until(lambda: world.row()["connections"] == 1)
    with world.site.accept() as server:
        server.sendall(b"y")
        # The handshake never came back, so that the client is not heard either.
        assert silent(client)
        assert silent(server)
        world.links.shape(EAST, WEST, UNSHAPED)
        assert read(server, 1) == b"x"
        assert read(client, 1) == b"y"


def test_without_a_keeper_it_is_given_up_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever waits as long as for a restart never comes to an end.
    monkeypatch.setattr(links, "ANSWER_DEADLINE", 3600.0)
    os.kill(world.processes.keeper_pid, signal.SIGKILL)
    until(lambda: not world.processes.alive)
    refusals: list[str] = []

    def change() -> None:
        try:
            world.links.close(NAME)
        except SandboxError as refusal:
            refusals.append(str(refusal))

    threading.Thread(target=change, daemon=True).start()
    assert until(lambda: refusals) == ["links cannot be changed: the sandbox's servers are gone with their keeper"]


def test_only_the_owner_may_command_it(world: World, tmp_path: Path) -> None:
    assert world.row()["listening"]
    assert stat.S_IMODE((tmp_path / "links.sock").stat().st_mode) & 0o077 == 0


def test_a_directory_deeper_than_a_socket_address_will_do(tmp_path: Path) -> None:
    directory = tmp_path / ("deep" * 30)
    directory.mkdir()
    world = World(directory)
    try:
        client, server = world.connect()
        client.sendall(b"x")
        assert read(server, 1) == b"x"
    finally:
        world.close()


def test_what_has_a_shape_is_listed_and_healing_unlists_it(world: World) -> None:
    world.links.shape(EAST, WEST, CUT)
    assert world.links.shapes() == {(EAST, WEST): CUT}
    assert (world.links.shape_of(EAST, WEST), world.links.shape_of(WEST, EAST)) == (CUT, UNSHAPED)
    world.links.shape(EAST, WEST, UNSHAPED)
    assert world.links.shapes() == {}


@pytest.mark.parametrize("values", [{"latency_s": -1.0}, {"latency_s": float("inf")}, {"bytes_per_s": 0.0}])
def test_impossible_shapes_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(SandboxInputError, match=r"latency -1\.0|latency inf|bandwidth 0\.0"):
        Shape(**values)  # pyright: ignore[reportArgumentType]
