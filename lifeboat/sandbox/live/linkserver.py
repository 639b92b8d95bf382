"""`python -m lifeboat.sandbox.live.linkserver SOCKET`: carries the bytes of every link between regions.

One process with one thread. Its owner sends it JSON lines over a unix socket (see `links`): ``{"apply": {"links":
[...], "shapes": [...]}}`` makes it so, whatever it was before; ``{"status": true}`` tells what flows. Each way between
two regions has one shape, which all connections of that way share.

What a connection meets: the handshake crosses there and back; then every portion of bytes waits for bandwidth, is held
for the latency, and is handed on in order. While its way is cut, bytes stay held and flow on when it is healed. Little
is held (`HELD` a connection and way), then its sender is no longer read, and waits as it would for a full window.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import resource
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

PORTION: Final = 65_536
"""Most bytes that travel together."""
HELD: Final = 8 << 20
"""Bytes that one connection has under way in one way at most; with 75 ms of latency that still is 100 MB/s."""
HANDSHAKE: Final = 127.0
"""Seconds after which a connection that could not be made is given up, as Linux does after six attempts."""
_SLICE: Final = 0.05
"""Seconds of bandwidth that may be saved up, or be taken at once."""
_STATE_LIMIT: Final = 1 << 20
_RESET: Final = struct.pack("ii", 1, 0)
"""Lingering for no time: closing resets the connection instead of ending it in order."""
_log = logging.getLogger("links")


class Way:
    """What bytes meet that flow from one region to another."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.rate: float | None = None
        self.cut = False
        self.reset = False
        self._free_at = -math.inf
        self._changed = asyncio.Event()

    def shape(self, *, latency_s: float, bytes_per_s: float | None, cut: bool, reset: bool) -> None:
        """Give it another shape, at once also for what is under way."""
        if (latency_s, bytes_per_s, cut, reset) == (self.latency, self.rate, self.cut, self.reset):
            return
        self.latency, self.rate, self.cut, self.reset = latency_s, bytes_per_s, cut, reset
        self._free_at = -math.inf
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    @property
    def portion(self) -> int:
        """Most bytes to transmit at once: little where bandwidth is little, so that connections take turns."""
        return PORTION if self.rate is None else max(1, min(PORTION, int(self.rate * _SLICE)))

    async def transmit(self, size: int) -> None:
        """Wait until the bandwidth has let `size` bytes in; a new shape lets them in at once."""
        if self.rate is None:
            return
        now = _now()
        self._free_at = max(self._free_at, now - _SLICE) + size / self.rate
        if self._free_at > now:
            await self._change(self._free_at - now)

    async def cross(self, entered: float) -> None:
        """Wait until what entered at a time of the loop's clock arrives."""
        while (left := math.inf if self.cut else entered + self.latency - _now()) > 0:
            await self._change(left)

    async def _change(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await self._changed.wait()


class Pipe:
    """One way of one connection.

    Args:
        way: What its bytes meet.
        sender: Socket that they are read from.
        receiver: Socket that they are handed on to.
    """

    def __init__(self, way: Way, sender: socket.socket, receiver: socket.socket) -> None:
        self._way = way
        self._sender = sender
        self._receiver = receiver
        # None is a reset, no bytes the end; each with when it entered.
        self._under_way: deque[tuple[float, bytes | None]] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self.held = 0
        self.passed = 0
        self.ended = asyncio.Event()

    async def take(self) -> None:
        """Read until the sender ends."""
        loop = asyncio.get_running_loop()
        while True:
            while self.held >= HELD:
                self._room.clear()
                await self._room.wait()
            try:
                received = await loop.sock_recv(self._sender, PORTION)
            except OSError:
                self.enter(None)
                return
            if not received:
                self.enter(received)
                return
            while received:
                portion, received = received[: self._way.portion], received[self._way.portion :]
                await self._way.transmit(len(portion))
                self.enter(portion)

    def enter(self, portion: bytes | None) -> None:
        """Send something on its way: bytes, the end (none), or a reset (None)."""
        self.held += len(portion or b"")
        self._under_way.append((_now(), portion))
        self._filled.set()

    async def hand_on(self, back: Pipe) -> None:
        """Give the receiver what arrives.

        Args:
            back: The other way, which tells the sender when the receiver is gone.

        Raises:
            ConnectionResetError: when the sender was reset.
        """
        loop = asyncio.get_running_loop()
        while True:
            while not self._under_way:
                self._filled.clear()
                await self._filled.wait()
            entered, portion = self._under_way[0]
            await self._way.cross(entered)
            self._under_way.popleft()
            if portion is None:
                raise ConnectionResetError
            try:
                if portion:
                    await loop.sock_sendall(self._receiver, portion)
                else:
                    self._receiver.shutdown(socket.SHUT_WR)
                    self.ended.set()
            except OSError:
                # The receiver is gone: what else arrives is lost, and the sender learns of it when this has crossed.
                back.enter(None)
            self.held -= len(portion)
            self.passed += len(portion)
            self._room.set()


@dataclass(frozen=True, kw_only=True)
class Route:
    """Listens on `address`:`port` in the target region, and reaches `host`:`port` in the source region."""

    name: str
    source_region: str
    target_region: str
    host: str
    port: int
    address: str


class Link:
    """One link: a listener and its connections.

    Args:
        route: Where it stands.
        outward: The way from the source region to the target region, such as a primary's log.
        inward: The way back.
    """

    def __init__(self, route: Route, outward: Way, inward: Way) -> None:
        self.route = route
        self._outward = outward
        self._inward = inward
        self._listening: tuple[asyncio.Task[None], socket.socket] | None = None
        self._connections: dict[asyncio.Task[None], tuple[Pipe, ...]] = {}
        self._passed = [0, 0]

    def settle(self) -> None:
        """Listen, or be deaf, as the ways have it.

        Raises:
            OSError: when it cannot listen on its address.
        """
        if self._outward.reset or self._inward.reset:
            self.close()
        elif self._listening is None:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.setblocking(False)
                listener.bind((self.route.address, self.route.port))
                listener.listen(128)
            except OSError:
                listener.close()
                raise
            self._listening = asyncio.create_task(self._listen(listener)), listener

    def close(self) -> None:
        """Refuse new connections and reset all that are open."""
        if self._listening is not None:
            task, listener = self._listening
            self._listening = None
            task.cancel()
            # Now, not when the task learns of it: another link may take the address at once.
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
        for connection in list(self._connections):
            connection.cancel()

    def status(self) -> dict[str, Any]:
        """Its open connections and what flowed, bytes."""
        pipes = [pipe for pair in self._connections.values() for pipe in pair]
        return {
            "name": self.route.name,
            "source_region": self.route.source_region,
            "target_region": self.route.target_region,
            "host": self.route.host,
            "port": self.route.port,
            "address": self.route.address,
            "listening": self._listening is not None,
            "connections": len(self._connections),
            "source_to_target_bytes": self._passed[0] + sum(pipe.passed for pipe in pipes[0::2]),
            "target_to_source_bytes": self._passed[1] + sum(pipe.passed for pipe in pipes[1::2]),
            "held_bytes": sum(pipe.held for pipe in pipes),
        }

    async def _listen(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except OSError as fault:
                # Out of descriptors, for instance; those who wait are taken when there are some again.
                _log.warning("%s: %s", self.route.name, fault.strerror)
                await asyncio.sleep(1)
                continue
            connection = asyncio.create_task(self._connect(client))
            self._connections[connection] = ()
            connection.add_done_callback(self._forget)

    def _forget(self, connection: asyncio.Task[None]) -> None:
        for index, pipe in enumerate(self._connections.pop(connection)):
            self._passed[index] += pipe.passed
        if not connection.cancelled() and (fault := connection.exception()) is not None:
            _log.error("%s: %r", self.route.name, fault)

    async def _connect(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        whole = False
        try:
            for end in (client, server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(HANDSHAKE):
                await self._inward.cross(_now())
                await asyncio.get_running_loop().sock_connect(server, (self.route.host, self.route.port))
                await self._outward.cross(_now())
            whole = await self._carry(client, server)
        except OSError:
            # Nobody listens there, or the handshake took too long: after the kernel took the connection, a reset is
            # the nearest to a refusal.
            return
        finally:
            for end in (client, server):
                if not whole:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.close()

    async def _carry(self, client: socket.socket, server: socket.socket) -> bool:
        """Carry both ways until both have ended; the answer is False when one was reset instead."""
        outward = Pipe(self._outward, server, client)
        inward = Pipe(self._inward, client, server)
        own = asyncio.current_task()
        if own is not None:
            self._connections[own] = (outward, inward)
        try:
            async with asyncio.TaskGroup() as group:
                works = [
                    group.create_task(work)
                    for work in (outward.take(), inward.take(), outward.hand_on(inward), inward.hand_on(outward))
                ]
                await outward.ended.wait()
                await inward.ended.wait()
                for work in works:
                    work.cancel()
        except* ConnectionResetError:
            whole = False
        else:
            whole = True
        return whole


class LinkServer:
    """All links, and the ways between regions."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._ways: dict[tuple[str, str], Way] = {}

    def apply(self, state: dict[str, Any]) -> dict[str, str]:
        """Make links and shapes what `state` says; what it does not name goes.

        Returns:
            What could not be done, by link.
        """
        shapes: dict[tuple[str, str], dict[str, Any]] = {
            (row["source_region"], row["target_region"]): row["shape"] for row in state["shapes"]
        }
        routes = {row["name"]: Route(**row) for row in state["links"]}
        for pair in {*shapes, *self._ways}:
            shape = shapes.get(pair, {"latency_s": 0.0, "bytes_per_s": None, "cut": False, "reset": False})
            self._way(*pair).shape(**shape)
        for name, link in list(self._links.items()):
            if routes.get(name) != link.route:
                link.close()
                del self._links[name]
        refused: dict[str, str] = {}
        for name, route in routes.items():
            if name not in self._links:
                self._links[name] = Link(
                    route,
                    self._way(route.source_region, route.target_region),
                    self._way(route.target_region, route.source_region),
                )
            try:
                self._links[name].settle()
            except OSError as fault:
                refused[name] = f"{route.address}:{route.port}: {fault.strerror}"
        return refused

    def status(self) -> list[dict[str, Any]]:
        """Every link's status, by name."""
        return [self._links[name].status() for name in sorted(self._links)]

    def _way(self, source_region: str, target_region: str) -> Way:
        return self._ways.setdefault((source_region, target_region), Way())

    async def serve(self, path: str) -> None:
        """Take commands on a unix socket that only its owner may use, until cancelled."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - a socket's address, left by a process that was killed
        os.umask(0o077)
        server = await asyncio.start_unix_server(self._converse, path, limit=_STATE_LIMIT)
        async with server:
            await server.serve_forever()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            if struct.unpack("3i", peer)[1] != os.geteuid():
                return
            while line := await reader.readline():
                request: dict[str, Any] = json.loads(line)
                answer = {"refused": self.apply(request["apply"])} if "apply" in request else {"links": self.status()}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            # Whoever asked has gone.
            return
        finally:
            writer.close()


def _now() -> float:
    return asyncio.get_running_loop().time()


def main(argv: list[str]) -> int:
    """Serve; the argument is the socket's path."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Each connection takes two descriptors.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(LinkServer().serve(argv[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
