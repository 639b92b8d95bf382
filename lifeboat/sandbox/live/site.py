"""`python -m lifeboat.sandbox.live.site --config FILE`: one region's service, orders over HTTP from its own database.

| status | a write's outcome |
|---|---|
| 201, 200 | committed; 200 when the same client and number were there before |
| 503 | not written: shut gate, standby, database away or late, beyond capacity |
| 504 | unknown: the commit was sent; the same order may be posted again safely |
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import email.utils
import json
import logging
import re
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from aiohttp import web

from lifeboat.sandbox.live.clocks import AgentClock
from lifeboat.sandbox.live.gate import FileGate, GateShutError
from lifeboat.sandbox.live.resolver import Resolver
from lifeboat.sandbox.live.site_bounds import Capacity, Connections
from lifeboat.sandbox.live.site_config import EPOCH_HEADER, ORDERS, SITE_HEADER, ProcessConfig
from lifeboat.sandbox.live.site_store import (
    Credentials,
    InvalidOrderError,
    Order,
    Store,
    UnavailableError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from lifeboat.sandbox.live.gate import WriteGate

_CLIENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_LARGEST_NUMBER: Final = 2**63 - 1
_LARGEST_BODY: Final = 64 * 1024
_USUAL_LIMIT: Final = 100
_LARGEST_LIMIT: Final = 1000
_SWEEP: Final = 0.25
"""Seconds between looks for connections whose time is over."""
_LAST_WORDS: Final = 2.0
"""Seconds that requests have to finish when the site is ended."""
_RETRY_AFTER: Final = "1"
"""Seconds."""
_STATUS: Final[dict[type[Exception], int]] = {
    InvalidOrderError: 400,
    GateShutError: 503,
    UnavailableError: 503,
    UnknownOutcomeError: 504,
}
_log: Final = logging.getLogger(__name__)


class Site:
    """The service.

    Args:
        region: Its region.
        gate: Decides over writes.
        store: Its orders.
        connections: Bounds how long clients keep theirs.
        capacity: Bounds requests a second.
        clock: What time it is to the site, seconds since the epoch; orders have their database's.
    """

    def __init__(  # noqa: PLR0913 - its parts, each needed
        self,
        *,
        region: str,
        gate: WriteGate,
        store: Store,
        connections: Connections,
        capacity: Capacity,
        clock: Callable[[], float],
    ) -> None:
        self._region = region
        self._gate = gate
        self._store = store
        self._connections = connections
        self._capacity = capacity
        self._clock = clock
        self._server: web.Server | None = None

    def application(self) -> web.Application:
        """As aiohttp serves it."""
        application = web.Application(middlewares=[self._answer], client_max_size=_LARGEST_BODY)
        application.add_routes(
            [
                web.post(ORDERS, self._post),
                web.get(ORDERS, self._list),
                web.get(ORDERS + "/{client}/{number}", self._get),
                web.get("/health/live", self._live),
                web.get("/health/ready", self._health),
                web.get("/health", self._health),
            ]
        )
        return application

    async def watch(self, server: web.Server) -> None:
        """Bound the connections of a server until cancelled."""
        self._server = server
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweep(server))
            tasks.create_task(self._watch_gate(server))

    async def _sweep(self, server: web.Server) -> None:
        while True:
            self._connections.sweep(server.connections)
            await asyncio.sleep(_SWEEP)

    async def _watch_gate(self, server: web.Server) -> None:
        state = self._gate.state()
        while True:
            before, state = state, await self._gate.wait_change(state)
            _log.info("gate: %s, epoch %d %s", "open" if state.open else "shut", state.epoch, state.reason)
            if before.open and not state.open:
                # Clients that keep a connection would stay with a site that takes no more writes, whatever names say.
                self._connections.close_all(server.connections)

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self._connections.begin(request.protocol)
        try:
            response = await self._handled(request, handler)
        finally:
            last = self._connections.end(request.protocol)
        response.headers["Date"] = email.utils.formatdate(self._clock(), usegmt=True)
        response.headers[SITE_HEADER] = self._region
        response.headers[EPOCH_HEADER] = str(self._gate.state().epoch)
        if last:
            response.force_close()
        return response

    async def _handled(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            if request.path.startswith(ORDERS) and not self._capacity.admit():
                return _refusal("this site has no capacity left for more requests", 503)
            return await handler(request)
        except web.HTTPException as fault:
            refusal = _refusal(fault.reason, fault.status)
            refusal.headers.update({name: fault.headers[name] for name in ("Allow",) if name in fault.headers})
            return refusal
        except tuple(_STATUS) as fault:
            refusal = _refusal(str(fault), _STATUS[type(fault)])
            if isinstance(fault, GateShutError):
                # Another site may take this write: the client should ask the name anew.
                refusal.force_close()
            return refusal

    async def _post(self, request: web.Request) -> web.Response:
        client, number, payload = _order(await request.read())
        order, new = await self._store.put(client, number, payload)
        described = _describe(order)
        del described["payload"]
        return web.json_response(described, status=201 if new else 200)

    async def _get(self, request: web.Request) -> web.Response:
        number = _number(request.match_info["number"], "number")
        order = await self._store.get(request.match_info["client"], number)
        if order is None:
            return _refusal("no such order", 404)
        return web.json_response(_describe(order))

    async def _list(self, request: web.Request) -> web.Response:
        client = request.query.get("client")
        if client is None:
            raise InvalidOrderError("client: missing: list one client's orders, as ?client=c1")
        after = _number(request.query.get("after", "-1"), "after", least=-1)
        limit = _number(request.query.get("limit", str(_USUAL_LIMIT)), "limit")
        orders = await self._store.list(client, after, min(limit, _LARGEST_LIMIT))
        return web.json_response({"orders": [_describe(order) for order in orders]})

    async def _live(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"site": self._region})

    async def _health(self, request: web.Request) -> web.Response:
        """Ready means: it can serve reads."""
        del request
        gate = self._gate.state()
        health: dict[str, Any] = {
            "site": self._region,
            "clock": datetime.fromtimestamp(self._clock(), UTC).isoformat(),
            "gate": {"open": gate.open, "reason": gate.reason},
            "epoch": gate.epoch,
            "connections": {"clients": len(self._server.connections) if self._server else 0},
        }
        try:
            probe = await self._store.probe()
        except UnavailableError as fault:
            health |= {"role": None, "writable": False, "database": {"ok": False, "reason": str(fault)}}
        else:
            role = "reader" if probe.read_only or probe.in_recovery else "writer"
            health |= {"role": role, "writable": role == "writer" and gate.open}
            health["database"] = {"ok": True, "latency_seconds": round(probe.latency, 6)}
        health["connections"]["database"] = self._store.connections
        return web.json_response(health, status=200 if health["database"]["ok"] else 503)


def _refusal(reason: str, status: int) -> web.Response:
    response = web.json_response({"reason": reason}, status=status)
    if status == web.HTTPServiceUnavailable.status_code:
        response.headers["Retry-After"] = _RETRY_AFTER
    return response


def _describe(order: Order) -> dict[str, Any]:
    return {
        "client": order.client,
        "number": order.number,
        "payload": order.payload,
        "site": order.site,
        "epoch": order.epoch,
        "committed_at": order.committed_at.isoformat(),
    }


def _order(body: bytes) -> tuple[str, int, dict[str, Any]]:
    """Client, number and payload that were posted."""
    try:
        loaded: object = json.loads(body)
    except ValueError as fault:
        raise InvalidOrderError(f"the body is not JSON: {fault}") from None
    if not isinstance(loaded, dict):
        raise InvalidOrderError('the body is not an object, as {"client": "c1", "number": 7, "payload": {}}')
    found = cast("dict[str, Any]", loaded)
    client, number, payload = found.get("client"), found.get("number"), found.get("payload", {})
    if not isinstance(client, str) or not _CLIENT.fullmatch(client):
        raise InvalidOrderError("client: expected are 1 to 100 letters, digits, '.', '_', ':' or '-'")
    # A bool is an int to isinstance.
    if type(number) is not int or not 0 <= number <= _LARGEST_NUMBER:
        raise InvalidOrderError(f"number: expected is an integer from 0 to {_LARGEST_NUMBER}")
    if not isinstance(payload, dict):
        raise InvalidOrderError("payload: expected is an object")
    return client, number, cast("dict[str, Any]", payload)


def _number(text: str, name: str, least: int = 0) -> int:
    with contextlib.suppress(ValueError):
        if least <= int(text) <= _LARGEST_NUMBER:
            return int(text)
    raise InvalidOrderError(f"{name}: {text!r}: expected is an integer from {least} to {_LARGEST_NUMBER}")


async def serve(config: ProcessConfig) -> None:
    """Run a site until the process is told to end; requests that run then have two seconds to finish."""
    gate = FileGate(Path(config.gate))
    store = Store(
        config,
        credentials=Credentials.load(Path(config.credentials)),
        resolver=Resolver((config.name_server, config.name_server_port)),
        gate=gate,
    )
    site = Site(
        region=config.site,
        gate=gate,
        store=store,
        connections=Connections(seconds=config.keepalive_seconds, answers=config.keepalive_requests),
        capacity=Capacity(Path(config.capacity)),
        clock=AgentClock(Path(config.clock)),
    )
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner = web.AppRunner(
        site.application(),
        access_log=None,
        shutdown_timeout=_LAST_WORDS,
        keepalive_timeout=config.keepalive_seconds,
    )
    await runner.setup()
    await web.TCPSite(runner, config.address, config.port).start()
    _log.info("site %s listens on %s:%d", config.site, config.address, config.port)
    watching = asyncio.create_task(site.watch(cast("web.Server", runner.server)))
    await _first(ended.wait(), watching)
    _log.info("site %s ends", config.site)
    await runner.cleanup()
    watching.cancel()
    await store.close()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def _first(ended: Coroutine[Any, Any, object], watching: asyncio.Task[None]) -> None:
    """Wait for the end, or for a failure of what should run as long as the site does."""
    ending = asyncio.ensure_future(ended)
    await asyncio.wait({ending, watching}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()


def main(arguments: list[str]) -> int:
    """Run the site that a configuration's file describes."""
    parser = argparse.ArgumentParser(prog="site")
    parser.add_argument("--config", type=Path, required=True, help="file of the site's configuration")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = ProcessConfig.load(parser.parse_args(arguments).config)
        asyncio.run(serve(config))
    except (OSError, ValueError) as fault:
        _log.error("%s", fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
