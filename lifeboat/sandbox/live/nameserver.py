"""`python -m lifeboat.sandbox.live.nameserver`: the sandbox's Route 53 data plane, a process of its own.

It fetches a snapshot from the gateway's control channel each second, probes endpoints, looks at metrics, answers
questions and posts what it found. When the gateway does not answer it goes on with what it has: resolution needs no
control plane. No region's loss reaches it.

The sandbox's token comes in the environment, never as an argument. SIGUSR1 makes it fetch at once.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import aiohttp
from pydantic import ValidationError

from lifeboat.sandbox.environment import TOKEN_VARIABLE
from lifeboat.sandbox.live.dnsserver import DnsServer
from lifeboat.sandbox.live.health import EVALUATION, Health
from lifeboat.sandbox.live.health_checks import Prober, Result
from lifeboat.sandbox.live.network import DNS_PORT, HTTP_PORT
from lifeboat.sandbox.live.routing_table import Answer, Rcode, RoutingTable
from lifeboat.sandbox.live.zone import Report, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

POLL: Final = 1.0
"""Seconds between two snapshots."""
PUBLISH: Final = 30.0
"""Seconds between two reports when nothing changes: two data points in each minute of the status metric."""
SNAPSHOT_PATH: Final = "/_lifeboat/routing"
REPORT_PATH: Final = "/_lifeboat/health-status"
_GATEWAY_DEADLINE: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the process is told.

    Attributes:
        address: Address to answer on.
        port: UDP and TCP port to answer on.
        gateway: The gateway's URL.
        site_port: The port that probes ask.
        probe_interval: Seconds between probes, None for each check's own.
        evaluation: Seconds between two looks at a metric.
        poll: Seconds between two snapshots.
        publish: Seconds between two reports when nothing changes.
    """

    address: str
    port: int
    gateway: str
    site_port: int
    probe_interval: float | None
    evaluation: float
    poll: float
    publish: float


class NameServer:
    """What the process does, on one event loop.

    Args:
        settings: What it is told.
        token: The sandbox's token.
    """

    def __init__(self, settings: Settings, token: str) -> None:
        self._settings = settings
        self._headers = {"Authorization": f"Bearer {token}"}
        self._health = Health(settings.evaluation)
        self._table: RoutingTable | None = None
        self._body = b""
        self._snapshot = Snapshot()
        self._posted: tuple[tuple[object, ...], ...] = ()
        self._posted_at = 0.0
        self._reachable = True
        self._wake = asyncio.Event()
        self._views: dict[str, DnsServer] = {}

    def answer(self, name: str, kind: str) -> Answer:
        """Answer a question; before the first snapshot nobody can."""
        table = self._table
        return Answer(Rcode.SERVFAIL) if table is None else table.resolve(name, kind, self._health.healthy)

    def answer_in(self, view: str, name: str, kind: str) -> Answer:
        """Answer a question of somebody in one region, who reaches another one by addresses of their own.

        Args:
            view: Where the question came to.
            name: What is asked for.
            kind: The record's type.
        """
        said = self.answer(name, kind)
        means = self._snapshot.views.get(view, {})
        rows = tuple(replace(row, value=means.get(row.value, row.value)) for row in said.rows)
        return replace(said, rows=rows)

    def wake(self) -> None:
        """Do the next round now."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        server = DnsServer(self.answer)
        await server.listen(self._settings.address, self._settings.port)
        prober = Prober(
            self._address, self._probed, port=self._settings.site_port, interval=self._settings.probe_interval
        )
        timeout = aiohttp.ClientTimeout(total=_GATEWAY_DEADLINE)
        try:
            async with aiohttp.ClientSession(
                self._settings.gateway, headers=self._headers, timeout=timeout, raise_for_status=True
            ) as gateway:
                while True:
                    self._wake.clear()
                    await self._round(gateway, prober)
                    await self._pause()
        finally:
            await prober.close()
            for each in (server, *self._views.values()):
                each.close()

    async def _round(self, gateway: aiohttp.ClientSession, prober: Prober) -> None:
        try:
            async with gateway.get(SNAPSHOT_PATH) as answer:
                self._take(await answer.read(), prober)
            await self._open_views()
            await self._post(gateway)
        except (aiohttp.ClientError, TimeoutError, ValidationError) as fault:
            if self._reachable:
                _say(f"the gateway does not answer ({type(fault).__name__}): going on with what is known")
            self._reachable = False
        else:
            if not self._reachable:
                _say("the gateway answers again")
            self._reachable = True

    def _take(self, body: bytes, prober: Prober) -> None:
        if self._table is None or body != self._body:
            self._snapshot = Snapshot.model_validate_json(body)
            self._health.learn(self._snapshot.checks, time.time())
            self._table, self._body = RoutingTable(self._snapshot), body
            prober.reconcile(self._snapshot.checks)
        else:
            # Time alone changes what a metric says.
            self._health.learn(self._snapshot.checks, time.time())

    async def _open_views(self) -> None:
        for view in self._snapshot.views.keys() - self._views.keys():
            server = DnsServer(functools.partial(self.answer_in, view))
            await server.listen(view, self._settings.port)
            self._views[view] = server

    async def _post(self, gateway: aiohttp.ClientSession) -> None:
        findings = tuple(self._health.findings())
        told = tuple((finding.id, finding.healthy, finding.reason) for finding in findings)
        now = time.monotonic()
        if told == self._posted and now - self._posted_at < self._settings.publish:
            return
        body = Report(findings=findings).model_dump_json()
        async with gateway.post(REPORT_PATH, data=body, headers={"Content-Type": "application/json"}):
            self._posted, self._posted_at = told, now

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll):
                await self._wake.wait()
        except TimeoutError:
            return

    def _address(self, name: str) -> str | None:
        return None if self._table is None else self._table.address(name, self._health.healthy)

    def _probed(self, check_id: str, result: Result) -> None:
        before = self._health.healthy(check_id)
        self._health.probed(check_id, passed=result.passed, reason=result.reason, now=time.time())
        if self._health.healthy(check_id) != before:
            _say(f"health check {check_id}: {'unhealthy' if before else 'healthy'}: {result.reason}")
            self.wake()


def _say(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


async def _serve(settings: Settings, token: str) -> None:
    server = NameServer(settings, token)
    task = asyncio.ensure_future(server.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    loop.add_signal_handler(signal.SIGUSR1, server.wake)
    try:
        await task
    except asyncio.CancelledError:
        return


def main(argv: Sequence[str] | None = None) -> int:
    """Serve names until told to stop; 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m lifeboat.sandbox.live.nameserver", description="Answer DNS.")
    parser.add_argument("--address", required=True, help="address to answer on")
    parser.add_argument("--port", type=int, default=DNS_PORT, help="UDP and TCP port (default: %(default)s)")
    parser.add_argument("--gateway", required=True, help="URL of the gateway")
    parser.add_argument(
        "--site-port", type=int, default=HTTP_PORT, help="port that health checks ask (default: %(default)s)"
    )
    parser.add_argument(
        "--probe-interval", type=float, help="seconds between probes (default: each health check's own)"
    )
    parser.add_argument(
        "--evaluation",
        type=float,
        default=EVALUATION,
        help="seconds between two looks at an alarm's metric (default: %(default)g)",
    )
    parser.add_argument(
        "--poll", type=float, default=POLL, help="seconds between two snapshots of the zones (default: %(default)g)"
    )
    parser.add_argument(
        "--publish", type=float, default=PUBLISH, help="seconds between two reports at most (default: %(default)g)"
    )
    arguments = parser.parse_args(argv)
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        sys.stderr.write(f"{TOKEN_VARIABLE} is not set: the gateway, which starts this, sets it\n")
        return 1
    try:
        asyncio.run(_serve(Settings(**vars(arguments)), token))
    except OSError as fault:
        sys.stderr.write(f"{arguments.address}:{arguments.port}: {fault.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
