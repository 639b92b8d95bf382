"""Links between regions: the addresses where one region reaches another, and what the way there is like.

A link has a *source region*, where a server is, and a *target region*, where its clients are. A client in the target
region opens the TCP connection, to the link's own address; so the bytes that the server sends flow source → target, and
those that the client sends flow target → source. A replica is such a client: the log that it replicates flows source →
target, although the replica opened the connection; its acknowledgements flow target → source.

The bytes are carried by one process of its own (`linkserver`). Its state is kept here: when the process ends, by
whatever fault, it is started again and told everything anew; connections that were open are lost.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from lifeboat.sandbox.live.processes import Server, environment
from lifeboat.sandbox.state import SandboxError, SandboxInputError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from lifeboat.sandbox.live.network import Network
    from lifeboat.sandbox.live.processes import Processes

PROCESS: Final = "links"
"""The process's name, also its log's."""
ANSWER_DEADLINE: Final = 10.0
"""Seconds until the process must have answered, a restart included; a command takes milliseconds."""
_SOCKET: Final = "links.sock"
_POLL: Final = 0.02
_RETRY: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What bytes meet that flow one way between two regions; as it is by default, nothing.

    Attributes:
        latency_s: Seconds that they are under way.
        bytes_per_s: Bandwidth that all connections of this way share; None is unlimited.
        cut: Packets vanish: what is sent is held and flows on when healed, connections hang, and new ones hang too.
        reset: Connections end, and new ones are refused.
    """

    latency_s: float = 0.0
    bytes_per_s: float | None = None
    cut: bool = False
    reset: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.latency_s < math.inf:
            raise SandboxInputError(f"latency {self.latency_s}: seconds, zero or more")
        if self.bytes_per_s is not None and not 0 < self.bytes_per_s < math.inf:
            raise SandboxInputError(f"bandwidth {self.bytes_per_s}: bytes a second above zero, or none for no limit")


UNSHAPED: Final = Shape()


class Links:
    """All links of a sandbox; safe to use from several threads.

    Args:
        directory: The sandbox's own directory, closed to others; the process's control socket lies in it.
        network: Where links get their addresses.
        processes: What starts the process.
    """

    def __init__(self, directory: Path, network: Network, processes: Processes) -> None:
        self._directory = directory
        self._network = network
        self._processes = processes
        self._routes: dict[str, dict[str, Any]] = {}
        self._shapes: dict[tuple[str, str], Shape] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self) -> None:
        """Start the process, and start it again whenever it ends; returns when it answers.

        Raises:
            SandboxError: when it does not.
        """
        self._launch()
        with self._lock:
            self._apply()
        self._watcher = threading.Thread(target=self._watch, name=PROCESS, daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the process, and every connection with it."""
        self._stopped.set()
        self._processes.stop(PROCESS)
        if self._watcher is not None:
            self._watcher.join(ANSWER_DEADLINE)
        # It may just have been started again.
        self._processes.stop(PROCESS)

    def open(self, name: str, source_region: str, target_region: str, host: str, port: int) -> str:
        """Make a link, or move the one of that name; one that is the same already stays as it is.

        Args:
            name: Unique among links. It keeps its address for as long as the sandbox lives.
            source_region: Where the server is.
            target_region: Where its clients are.
            host: The server's address, ``127.x.y.z``.
            port: The server's port, and the link's.

        Returns:
            The address where the target region reaches the server. A link that was moved has lost its connections.

        Raises:
            SandboxError: when the address cannot be listened on, or the process does not answer.
        """
        with self._lock:
            address = self._network.address(f"link-{name}")
            former = self._routes.get(name)
            self._routes[name] = {
                "name": name,
                "source_region": source_region,
                "target_region": target_region,
                "host": host,
                "port": port,
                "address": address,
            }
            if self._routes[name] == former:
                return address
            try:
                if reason := self._apply().get(name):
                    raise SandboxError(f"link {name}: {reason}")
            except SandboxError:
                del self._routes[name]
                if former is not None:
                    self._routes[name] = former
                raise
            return address

    def close(self, name: str) -> None:
        """Remove a link and reset its connections; nothing happens when there is none.

        Raises:
            SandboxError: when the process does not answer.
        """
        with self._lock:
            if self._routes.pop(name, None) is not None:
                self._apply()

    def shape(self, source_region: str, target_region: str, shape: Shape) -> None:
        """Shape one way: whatever flows from `source_region` to `target_region`, on every link between the two.

        The opposite way keeps its own shape. On a link whose server is in `source_region` these are the server's bytes;
        on one whose server is in `target_region` they are the clients'. Cutting either way also keeps new connections
        from being made, since a handshake goes both ways; resetting either way resets and refuses them.

        Raises:
            SandboxError: when the process does not answer.
        """
        with self._lock:
            if shape == UNSHAPED:
                self._shapes.pop((source_region, target_region), None)
            else:
                self._shapes[source_region, target_region] = shape
            self._apply()

    def shapes(self) -> Mapping[tuple[str, str], Shape]:
        """The shape of every way, by (source region, target region), that has one."""
        with self._lock:
            return dict(self._shapes)

    def shape_of(self, source_region: str, target_region: str) -> Shape:
        """The shape of one way; `UNSHAPED` when it has none."""
        with self._lock:
            return self._shapes.get((source_region, target_region), UNSHAPED)

    def status(self) -> list[dict[str, Any]]:
        """What flows: one row a link, by name.

        Returns:
            Rows with ``name``, ``source_region``, ``target_region``, ``host``, ``port``, ``address``, ``listening``
            (false while reset), ``connections`` (open ones), ``source_to_target_bytes`` and ``target_to_source_bytes``
            (handed on since the process started) and ``held_bytes`` (under way now).

        Raises:
            SandboxError: when the process does not answer.
        """
        with self._lock:
            return cast("list[dict[str, Any]]", self._ask({"status": True})["links"])

    def _apply(self) -> dict[str, str]:
        return cast("dict[str, str]", self._ask(self._state())["refused"])

    def _state(self) -> dict[str, Any]:
        state = {
            "links": list(self._routes.values()),
            "shapes": [
                {"source_region": source, "target_region": target, "shape": asdict(shape)}
                for (source, target), shape in self._shapes.items()
            ],
        }
        return {"apply": state}

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one command; while the process is being started again, wait for it; without a keeper it never is."""
        end = time.monotonic() + ANSWER_DEADLINE
        while True:
            try:
                with self._connected() as connection:
                    return _exchange(connection, request)
            except OSError as fault:
                reason = fault.strerror or str(fault)
            if not self._processes.alive:
                raise SandboxError("links cannot be changed: the sandbox's servers are gone with their keeper")
            if time.monotonic() > end or self._stopped.wait(_POLL):
                raise SandboxError(f"links cannot be changed: {reason}: see {self._processes.log(PROCESS)}")

    @contextlib.contextmanager
    def _connected(self) -> Generator[socket.socket]:
        # By way of a descriptor: the address of a unix socket has 107 bytes, and a project may lie deeper.
        directory = os.open(self._directory, os.O_PATH | os.O_DIRECTORY)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(ANSWER_DEADLINE)
                connection.connect(f"/proc/self/fd/{directory}/{_SOCKET}")
                yield connection
        finally:
            os.close(directory)

    def _launch(self) -> None:
        """Start the process in place of one that may still be ending."""
        self._processes.stop(PROCESS, signal.SIGKILL)
        self._processes.start(
            Server(
                name=PROCESS,
                argv=[sys.executable, "-m", "lifeboat.sandbox.live.linkserver", _SOCKET],
                cwd=self._directory,
                env=environment(),
            )
        )

    def _watch(self) -> None:
        """Hold a connection that ends with the process; then start it again and tell it everything."""
        while not self._stopped.is_set():
            try:
                with self._connected() as connection:
                    with self._lock:
                        # Whatever was commanded before this connection stood may have gone to the process before.
                        refused: dict[str, str] = _exchange(connection, self._state())["refused"]
                    for name, reason in refused.items():
                        _log.warning("link %s: %s", name, reason)
                    connection.settimeout(None)
                    connection.recv(1)
            except OSError:
                # It does not listen yet, or ends right now.
                self._stopped.wait(_POLL)
            if self._processes.pid(PROCESS) is None and not self._stopped.is_set():
                self._restart()

    def _restart(self) -> None:
        try:
            self._launch()
        except SandboxError as fault:
            _log.warning("links: %s", fault)
            self._stopped.wait(_RETRY)


def _exchange(connection: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    """Send a command and read its answer.

    Raises:
        OSError: when the process goes, or does not answer in time.
    """
    connection.sendall(json.dumps(request).encode() + b"\n")
    with connection.makefile("rb") as answers:
        answer = answers.readline()
    if not answer:
        raise ConnectionResetError("it ended")
    return cast("dict[str, Any]", json.loads(answer))
