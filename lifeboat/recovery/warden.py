"""`python -m lifeboat.recovery.warden --config FILE`: one warden, until it is told to end.

Each of its loops has a thread: a store that does not answer holds up neither the fence nor the looks at the sites. A
fault in a loop is logged and the loop goes on; what a warden that is gone leaves behind is a gate that shuts by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.model.physical import Physical
from lifeboat.model.topology import resolve
from lifeboat.recovery.assembly import lease_store
from lifeboat.recovery.fence import DatabaseFence
from lifeboat.recovery.gatefile import GateBusyError, GateFile
from lifeboat.recovery.heartbeats import INTERVAL, Beats
from lifeboat.recovery.lease import HEARTBEAT, Identity, LeaseKeeper, LeaseWatch
from lifeboat.recovery.lease_store import DEADLINE
from lifeboat.recovery.switches import PERIOD, SwitchMetrics
from lifeboat.recovery.system_ports import Surroundings, SystemPorts
from lifeboat.recovery.viewpoint import probe
from lifeboat.recovery.views import GreyRule
from lifeboat.recovery.warden_config import ConfigError, WardenConfig
from lifeboat.recovery.warden_core import Parts, Rules, Warden
from lifeboat.recovery.warden_http import WardenServer
from lifeboat.recovery.warden_log import log_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lifeboat.recovery.ports import Pace, Ports
    from lifeboat.recovery.views import Confirmed

BAD_INPUT: Final = 2
_SENTINEL: Final = 1.0
"""Real seconds between looks at the clock at most; at the moment itself in any case."""
_LAST_WORDS: Final = 2 * DEADLINE
"""Real seconds that loops have to end."""
_PROMISE: Final = HEARTBEAT
"""Protocol seconds that a gateway may go by an answer of `/gate`, at most; a stop waits for the latest one's end."""
_LONGEST_SUBJECT: Final = 100
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Something that is done again and again.

    Attributes:
        name: Of its thread.
        act: What is done.
        pause: Real seconds until it is done again.
    """

    name: str
    act: Callable[[], object]
    pause: Callable[[], float]


class Command:
    """Begins runs as processes of their own: neither ends with the other, and the lease allows one.

    Args:
        command: What is run.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._running: subprocess.Popen[bytes] | None = None

    def __call__(self, target: str, reason: str, resume: str | None, confirmed: Confirmed | None) -> None:
        """Begin a run, unless one of this warden's is under way."""
        if self._running is not None and self._running.poll() is None:
            _log.warning("the run that process %d began is under way", self._running.pid)
            return
        if not self._command:
            _log.error("no failover to %s: failover_command is empty", target)
            return
        more = ["--resume", resume] if resume else []
        more += ["--confirmed", confirmed.dump()] if confirmed else []
        try:
            self._running = subprocess.Popen(  # noqa: S603 - from the configuration of who started this
                [*self._command, "--target", target, "--reason", reason, *more], stdin=subprocess.DEVNULL
            )
        except OSError as fault:
            _log.error("no failover to %s: %s", target, fault)

    def close(self) -> None:
        """Have a run stop where it can be gone on with."""
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.wait(_LAST_WORDS)


class People:
    """Those who are told.

    Args:
        ports: The outside.
        topics: ARNs by region, in the order in which they are tried; one is enough.
        prefix: The stack's.
    """

    def __init__(self, ports: Ports, topics: dict[str, str], prefix: str) -> None:
        self._ports = ports
        self._topics = topics
        self._prefix = prefix

    def tell(self, subject: str, text: str) -> bool:
        """Publish a message in the first region that takes it; whether one did."""
        for region, topic in self._topics.items():
            try:
                self._ports.client("sns", region, best_effort=True).publish(
                    TopicArn=topic, Subject=f"{self._prefix}: {subject}"[:_LONGEST_SUBJECT], Message=text
                )
            except (BotoCoreError, ClientError) as fault:
                _log.warning("nobody was told in %s: %s", region, fault)
            else:
                return True
        _log.error("nobody could be told: %s", text)
        return False


class WardenProcess:
    """A warden with everything around it.

    Args:
        config: Its file's.
        physical: The stack's names.
        ports: The outside.

    Raises:
        GateBusyError: when another process writes the site's gate.
        OSError: when it cannot listen where it should.
    """

    def __init__(self, config: WardenConfig, physical: Physical, ports: Ports) -> None:
        self._config = config
        self._physical = physical
        self._ports = ports
        self._stop = threading.Event()
        self._sites = tuple(site.region for site in physical.topology.sites)
        self._command = Command(config.failover_command)
        process = f"{config.region}-{uuid.uuid4().hex[:12]}"
        # Replicas of other regions are asked after one's own.
        store = lease_store(physical, ports, config.region)
        settings, topology = physical.settings, physical.topology
        client = ports.client("cloudwatch", topology.witness, best_effort=True)
        nearest = sorted((*self._sites, topology.witness), key=lambda region: region != config.region)
        people = People(ports, {region: physical.alerts(region) for region in nearest}, physical.prefix)
        # First: whoever is not the only one is refused before it does anything.
        promise = ports.pace.real(_PROMISE)
        self._gate = None if config.gate is None else GateFile(config.gate, ports.clock, promise=promise)
        self._keeper: LeaseKeeper | None = None
        databases = [database.name for database in settings.databases]
        self._beats = Beats(config.region, lambda name: ports.sql(config.region, name, best_effort=True), databases)
        if self._gate is not None:
            self._keeper = LeaseKeeper(
                identity=Identity(site=config.region, owner=process, home=config.region == settings.home),
                store=store,
                gate=self._gate,
                fencing=DatabaseFence(lambda name: ports.sql(config.region, name, best_effort=True), databases),
                ttl=settings.lease.ttl,
                pace=ports.pace,
                clock=ports.clock,
            )
        self.warden = Warden(
            region=config.region,
            process=process,
            rules=Rules(
                sites=(self._sites[0], self._sites[1]),
                confirm_for=settings.lease.confirm_for,
                approval=settings.approval,
                grey=_grey(physical, ports.pace),
            ),
            parts=Parts(
                store=store,
                views=store,
                watch=LeaseWatch(margin=settings.lease.clock_margin, pace=ports.pace, clock=ports.clock),
                probe=lambda site: probe(physical, ports, site),
                metrics=SwitchMetrics(client, physical.switch_namespace),
                notify=people.tell,
                failover=self._command,
                keeper_silent=lambda: self._keeper.silent_for if self._keeper is not None else 0.0,
            ),
            pace=ports.pace,
            clock=ports.clock,
        )
        self.server = WardenServer(config.address, config.port, {"/gate": self._say_gate, "/healthz": self._say_health})

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`. The gate stays as it is, and shuts by itself."""
        threads = [
            threading.Thread(target=self._repeat, args=(loop,), name=loop.name, daemon=True) for loop in self._loops()
        ]
        self.server.start()
        _log.info("the warden of %s answers on port %d", self._config.region, self.server.port)
        for thread in threads:
            thread.start()
        self._stop.wait()
        _log.info("the warden of %s ends", self._config.region)
        end = self._ports.clock() + _LAST_WORDS
        for thread in threads:
            thread.join(max(0.0, end - self._ports.clock()))
        self._command.close()
        self.server.close()
        if self._gate is not None:
            self._gate.close()

    def _loops(self) -> Iterator[Loop]:
        pace = self._ports.pace
        beat = pace.real(HEARTBEAT)
        keeper = self._keeper
        if keeper is not None:
            yield Loop(name="lease", act=keeper.beat, pause=lambda: keeper.pause)
            yield Loop(name="lift", act=keeper.lift, pause=lambda: min(beat, _SENTINEL))
            yield Loop(name="sentinel", act=keeper.check, pause=lambda: self._until_fence(keeper))
            yield Loop(name="heartbeat", act=self._heartbeat, pause=lambda: pace.real(INTERVAL))
        if self._physical.settings.dns is not None and self._physical.settings.dns.endpoints:
            for site in self._sites:
                yield Loop(name=f"probe-{site}", act=lambda site=site: self.warden.probe(site), pause=lambda: beat)
        yield Loop(name="look", act=self.warden.look, pause=lambda: beat)
        yield Loop(name="switches", act=self.warden.publish, pause=lambda: pace.real(PERIOD))
        yield Loop(
            name="life", act=self.warden.sign_of_life, pause=lambda: pace.real(PERIOD) if self.warden.is_well else beat
        )

    def _heartbeat(self) -> None:
        state = self._gate.state() if self._gate is not None else None
        if state is not None and state.open:
            self._beats.beat(state.epoch)

    def _until_fence(self, keeper: LeaseKeeper) -> float:
        until = keeper.until
        return _SENTINEL if until is None else min(_SENTINEL, max(0.0, until - self._ports.clock()))

    def _repeat(self, loop: Loop) -> None:
        while not self._stop.is_set():
            try:
                loop.act()
            except Exception as fault:  # noqa: BLE001 - a loop that ends in silence is a warden that only looks alive
                _log.warning("%s: %s", loop.name, fault, exc_info=not isinstance(fault, BotoCoreError | ClientError))
            self._ports.wait(self._stop, loop.pause())

    def _say_gate(self) -> tuple[HTTPStatus, dict[str, Any]]:
        """The gate; `seconds` is how long that holds, counted by who asked from when they asked."""
        if self._gate is None:
            return HTTPStatus.NOT_FOUND, {"reason": "the witness has no gate"}
        state, holds = self._gate.promise()
        return HTTPStatus.OK, {"open": state.open, "epoch": state.epoch, "reason": state.reason, "seconds": holds}

    def _say_health(self) -> tuple[HTTPStatus, dict[str, Any]]:
        lease = self.warden.lease
        said = {
            "region": self._config.region,
            "silent_seconds": round(self.warden.silent_for, 3),
            "epoch": lease.epoch if lease else None,
            "holder": lease.holder if lease else None,
        }
        return (HTTPStatus.OK if self.warden.is_well else HTTPStatus.SERVICE_UNAVAILABLE), said


def _grey(physical: Physical, pace: Pace) -> GreyRule | None:
    declared = physical.settings.grey_failure
    percent, latency = declared.error_percent, declared.latency_ms
    if percent is None and latency is None:
        return None
    return GreyRule(
        errors=None if percent is None else percent / 100,
        latency=None if latency is None else latency / 1000,
        sustained=pace.real(declared.sustained),
    )


def main(arguments: Sequence[str]) -> int:
    """Run the warden that a file describes; 2 when it cannot be used, 1 when the gate or the port is another's."""
    parser = argparse.ArgumentParser(prog="warden", description="Watches over a stack's sites.")
    parser.add_argument("--config", type=Path, required=True, help="file of the warden's configuration")
    given = parser.parse_args(arguments)
    try:
        config = WardenConfig.read(given.config)
        surroundings = Surroundings.of(os.environ)
    except (ConfigError, ValueError) as fault:
        print(fault, file=sys.stderr)  # noqa: T201 - for who started it, before there is a log
        return BAD_INPUT
    log_to(config.region)
    physical = Physical(settings=config.settings, topology=resolve(config.settings))
    try:
        process = WardenProcess(config, physical, SystemPorts(physical, surroundings, remember=True))
    except (GateBusyError, OSError) as fault:
        _log.error("%s", fault)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: process.stop())
    process.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
