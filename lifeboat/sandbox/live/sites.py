"""The sites' services: one process a region, each behind a gate, and what may be done to them.

A gate and a limit are files that outlive the process and the sandbox: a site that starts anew finds its gate as it was.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lifeboat.sandbox.live.clocks import Clocks, agent_of
from lifeboat.sandbox.live.gate import FileGate, GateState, write_gate
from lifeboat.sandbox.live.network import DNS_PORT, HTTP_PORT
from lifeboat.sandbox.live.processes import Server, environment
from lifeboat.sandbox.live.site_bounds import KEEPALIVE_REQUESTS, KEEPALIVE_SECONDS, read_capacity, write_capacity
from lifeboat.sandbox.live.site_config import IDLE_LIMIT, ProcessConfig
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lifeboat.sandbox.live.network import Network
    from lifeboat.sandbox.live.processes import Processes
    from lifeboat.sandbox.live.site_store import Credentials


class Running(StrEnum):
    """What a site's process does."""

    RUNNING = "running"
    FROZEN = "frozen"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class SiteConfig:
    """What a site serves.

    Attributes:
        credentials: Its own database.
        hosts: Names of its endpoint that the name server answers with the site's address.
        request_timeout: Seconds that a request may take at the database.
        idle_limit: Seconds that a transaction may idle before the database ends it: part of the lease's margin.
        keepalive_seconds: How long a client's connection may live.
        keepalive_requests: How many answers it may carry.
        pool: Connections to the database for orders.
    """

    credentials: Credentials
    hosts: tuple[str, ...] = ()
    request_timeout: float = 2.0
    idle_limit: float = IDLE_LIMIT
    keepalive_seconds: float = KEEPALIVE_SECONDS
    keepalive_requests: int = KEEPALIVE_REQUESTS
    pool: int = 8


@dataclass(frozen=True, kw_only=True)
class SiteStatus:
    """How a site is.

    Attributes:
        process: What its process does.
        pid: The process; None when it is stopped.
        address: Where it listens.
        port: The same.
        hosts: Names of its endpoint.
        gate: Whether it may write.
        per_second: The limit of requests a second, None for none.
    """

    process: Running
    pid: int | None
    address: str
    port: int
    hosts: tuple[str, ...]
    gate: GateState
    per_second: float | None


class SiteGate(FileGate):
    """A site's gate, from the side that sets it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._written = path

    def open(self, epoch: int) -> None:
        """Let writes pass in an epoch of the lease."""
        write_gate(self._written, GateState(open=True, epoch=epoch))

    def shut(self, reason: str) -> None:
        """Let none pass, from the next look on; the epoch stays, as the one that was held last."""
        write_gate(self._written, GateState(open=False, epoch=self.state().epoch, reason=reason))


class Sites:
    """All sites of a sandbox.

    Args:
        directory: The sandbox's; each site has its files in ``data/site/<region>/``.
        network: Gives each its address.
        processes: Runs them.
    """

    def __init__(self, directory: Path, network: Network, processes: Processes) -> None:
        self._directory = directory
        self._network = network
        self._processes = processes
        self._clocks = Clocks(directory)
        self._configs: dict[str, SiteConfig] = {}
        self._frozen: set[str] = set()

    @property
    def regions(self) -> list[str]:
        """Regions whose site was started, whether it runs or not."""
        return sorted(self._configs)

    @property
    def names(self) -> Mapping[str, str]:
        """Addresses by the host names of the sites' endpoints."""
        return {host: self.address(region) for region, config in list(self._configs.items()) for host in config.hosts}

    def address(self, region: str) -> str:
        """Where a region's site listens, at the usual port for HTTP."""
        return self._network.address(f"site-{region}")

    def start(self, region: str, config: SiteConfig | None = None) -> None:
        """Start a region's site; it needs neither a database nor an open gate for that.

        Args:
            region: Where.
            config: What it serves; None for what it served before.

        Raises:
            SandboxError: when it runs already, never ran so that `config` is needed, or cannot be started.
        """
        config = config or self._configs.get(region)
        if config is None:
            raise SandboxError(f"the site in {region} was never started: start it with its configuration first")
        home = self._home(region)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        config.credentials.save(home / "credentials.json")
        ProcessConfig(
            site=region,
            address=self.address(region),
            port=HTTP_PORT,
            name_server=self._network.name_server,
            name_server_port=DNS_PORT,
            credentials=str(home / "credentials.json"),
            gate=str(self.gate_path(region)),
            capacity=str(self._capacity_path(region)),
            clock=str(self._clocks.path(agent_of(region))),
            request_timeout=config.request_timeout,
            idle_limit=config.idle_limit,
            keepalive_seconds=config.keepalive_seconds,
            keepalive_requests=config.keepalive_requests,
            pool=config.pool,
        ).save(home / "config.json")
        self._frozen.discard(region)
        self._processes.start(
            Server(
                name=_server(region),
                argv=[sys.executable, "-m", "lifeboat.sandbox.live.site", "--config", str(home / "config.json")],
                cwd=home,
                env=environment(),
            )
        )
        self._configs[region] = config

    def stop(self, region: str) -> None:
        """End a site; requests that run have two seconds to finish."""
        self._processes.stop(_server(region))
        self._frozen.discard(region)

    def forget(self, region: str) -> None:
        """Know nothing more of a site that was stopped; its files stay."""
        self._configs.pop(region, None)

    def kill(self, region: str) -> None:
        """End a site as a crash does."""
        self._processes.stop(_server(region), signal.SIGKILL)
        self._frozen.discard(region)

    def freeze(self, region: str) -> None:
        """Stop a site in its tracks: its connections stay and nothing answers."""
        self._processes.send(_server(region), signal.SIGSTOP)
        self._frozen.add(region)

    def thaw(self, region: str) -> None:
        """Let a frozen site go on where it was."""
        self._processes.send(_server(region), signal.SIGCONT)
        self._frozen.discard(region)

    def gate(self, region: str) -> SiteGate:
        """A site's gate; one that was never opened is shut."""
        self._home(region).mkdir(mode=0o700, parents=True, exist_ok=True)
        return SiteGate(self.gate_path(region))

    def gate_path(self, region: str) -> Path:
        """The file of a site's gate, which its warden writes where there is one."""
        return self._home(region) / "gate.json"

    def limit(self, region: str, per_second: float | None) -> None:
        """Let a site answer so many requests a second, and 503 beyond; None takes the limit away.

        Raises:
            SandboxError: when the number is negative.
        """
        if per_second is not None and per_second < 0:
            raise SandboxError(f"{per_second:g} requests a second: give 0 or more")
        self._home(region).mkdir(mode=0o700, parents=True, exist_ok=True)
        write_capacity(self._capacity_path(region), per_second)

    def status(self) -> dict[str, SiteStatus]:
        """How each site is, by region."""
        return {region: self._status(region) for region in self.regions}

    def _status(self, region: str) -> SiteStatus:
        pid = self._processes.pid(_server(region))
        alive = Running.FROZEN if region in self._frozen else Running.RUNNING
        return SiteStatus(
            process=Running.STOPPED if pid is None else alive,
            pid=pid,
            address=self.address(region),
            port=HTTP_PORT,
            hosts=self._configs[region].hosts,
            gate=self.gate(region).state(),
            per_second=read_capacity(self._capacity_path(region)),
        )

    def _home(self, region: str) -> Path:
        return self._directory / "data" / "site" / region

    def _capacity_path(self, region: str) -> Path:
        return self._home(region) / "capacity.json"


def _server(region: str) -> str:
    return f"site-{region}"
