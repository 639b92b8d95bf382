"""The stack's wardens: one process a site and one in the witness, the same program as in production.

Each has the environment of `lifeboat sandbox exec`, says of its calls which region it is in, and asks a name server of
that region: its ways to other regions are links, which a partition cuts, and a region that is lost takes it along.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lifeboat.recovery.system_ports import CLOCK_VARIABLE
from lifeboat.sandbox.environment import place_variables, variables
from lifeboat.sandbox.live.clocks import Clocks, warden_of
from lifeboat.sandbox.live.processes import Server
from lifeboat.sandbox.live.processes import environment as inherited
from lifeboat.sandbox.live.sites import Running
from lifeboat.sandbox.live.standstill import freeze, is_frozen, kill, thaw
from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lifeboat.model.physical import Physical
    from lifeboat.sandbox.live.processes import Processes
    from lifeboat.sandbox.state import Directory, Record

CALLER_VARIABLE: Final = "AWS_SDK_UA_APP_ID"
"""What every SDK tells of itself with each call: here the region that it is in, see `gateway.calls.Caller`."""
_FAILOVER: Final = (
    *(sys.executable, "-m", "lifeboat.sandbox.live.tied"),
    *(sys.executable, "-m", "lifeboat.recovery.unattended"),
)


@dataclass(frozen=True, kw_only=True)
class WardenStatus:
    """How a warden is.

    Attributes:
        process: What its process does.
        held: Whether nobody may start it.
    """

    process: Running
    held: bool


class Wardens:
    """All wardens of a sandbox; the region is the key. Safe to use from several threads.

    Args:
        directory: The sandbox's.
        processes: Runs them.
        gate: Tells the path of a site's gate.
        name_server: Tells the address of a region's own name server.
    """

    def __init__(
        self,
        directory: Directory,
        processes: Processes,
        *,
        gate: Callable[[str], Path],
        name_server: Callable[[str], str],
    ) -> None:
        self._directory = directory
        self._processes = processes
        self._gate = gate
        self._name_server = name_server
        self._clocks = Clocks(directory.path)
        self._changing = threading.Lock()
        self._regions: tuple[str, ...] = ()
        self._held: set[str] = set()
        self._frozen: set[str] = set()

    @property
    def regions(self) -> Sequence[str]:
        """Where wardens stand; none without a lease."""
        return self._regions

    def open(self, physical: Physical, record: Record) -> None:
        """Start the wardens of a stack.

        Args:
            physical: The stack's names and settings.
            record: The running sandbox.

        Raises:
            SandboxError: when one cannot be started.
        """
        topology = physical.topology
        sites = [site.region for site in topology.sites]
        settings: dict[str, Any] = json.loads(physical.settings.document())
        for region in (*sites, topology.witness):
            home = self._home(region)
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            gate = str(self._gate(region)) if region in sites else None
            config = home / "config.json"
            command = [*_FAILOVER, "--config", str(config)]
            told: dict[str, Any] = {"region": region, "settings": settings, "gate": gate}
            if region in sites:
                told["failover_command"] = command
            write_private(config, json.dumps(told, indent=1) + "\n")
            write_private(home / "environment.json", json.dumps(self._environment(region, record)) + "\n")
        with self._changing:
            self._regions = (*sites, topology.witness)
        for region in self._regions:
            self.release(region)

    def close(self) -> None:
        """End all of them, with the runs that they began; their gates shut by themselves."""
        with self._changing:
            regions, self._regions = self._regions, ()
            self._held.clear()
            self._frozen.clear()
            for region in regions:
                thaw(self._processes, name_of(region))
                kill(self._processes, name_of(region))

    def tend(self) -> None:
        """Start those again that ended: as a container service would."""
        with self._changing:
            for region in self._regions:
                if region not in self._held | self._frozen:
                    self._start(region)

    def keys(self, region: str) -> Sequence[str]:
        """The region, when it has a warden."""
        return [region] if region in self._regions else []

    def hold(self, key: str) -> None:
        """End a warden as a crash does, with the run that it began, and let nobody start it again."""
        with self._changing:
            self._held.add(key)
            thaw(self._processes, name_of(key))
            kill(self._processes, name_of(key))

    def release(self, key: str) -> None:
        """Start a warden that does not run."""
        with self._changing:
            self._held.discard(key)
            if key in self._regions and key not in self._frozen:
                self._start(key)

    def freeze(self, key: str) -> None:
        """Stop a warden in its tracks, with the run that it began."""
        with self._changing:
            self._frozen.add(key)
            if self._processes.pid(name_of(key)) is not None:
                freeze(self._processes, name_of(key))

    def thaw(self, key: str) -> None:
        """Let a frozen warden go on."""
        with self._changing:
            self._frozen.discard(key)
            thaw(self._processes, name_of(key))

    def status(self) -> Mapping[str, WardenStatus]:
        """How each is, by region."""
        return {region: self._status(region) for region in self._regions}

    def _status(self, region: str) -> WardenStatus:
        name = name_of(region)
        if self._processes.pid(name) is None:
            process = Running.STOPPED
        else:
            process = Running.FROZEN if is_frozen(self._processes, name) else Running.RUNNING
        return WardenStatus(process=process, held=region in self._held)

    def _start(self, region: str) -> None:
        if self._processes.pid(name_of(region)) is not None:
            return
        home = self._home(region)
        self._processes.start(
            Server(
                name=name_of(region),
                argv=[sys.executable, "-m", "lifeboat.recovery.warden", "--config", str(home / "config.json")],
                cwd=home,
                env=json.loads((home / "environment.json").read_text()),
            )
        )

    def _environment(self, region: str, record: Record) -> dict[str, str]:
        """As little as a warden needs, all of it the sandbox's."""
        before = inherited()
        return {
            **before,
            **variables(self._directory, record, before),
            **place_variables(self._name_server(region), record.detection_scale),
            CALLER_VARIABLE: region,
            CLOCK_VARIABLE: str(self._clocks.path(warden_of(region))),
        }

    def _home(self, region: str) -> Path:
        return self._directory.data / "warden" / region


def name_of(region: str) -> str:
    """The process of a region's warden."""
    return f"warden-{region}"
