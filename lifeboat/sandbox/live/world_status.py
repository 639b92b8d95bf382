"""How a living sandbox is, over the gateway's control channel.

GET    live     how it is, see `document`: what is known, without asking any server
GET    parts    whether all of it is ready, see `parts`: each server is asked
POST   stack    {"contract": {...}, "settings": {...}}: the stack is deployed, and its sites may serve; where it has a
                lease and its settings are told, its wardens watch: {"sites": [regions]}
POST   ready    all of it is ready: faults may begin, those of the life that is resumed first: {"status": "ok"}
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

import dnslib  # pyright: ignore[reportMissingTypeStubs]  # it has none
import psycopg
from lifeboat_contract import Contract
from pydantic import ValidationError

from lifeboat.model.settings.load import SettingsError, load
from lifeboat.sandbox.gateway.control import Refused, lines
from lifeboat.sandbox.gateway.control import document as read_document
from lifeboat.sandbox.live import links as links_process
from lifeboat.sandbox.live.effects import INSTANT
from lifeboat.sandbox.live.names import SERVER
from lifeboat.sandbox.live.sites import Running
from lifeboat.sandbox.live.wardens import name_of
from lifeboat.sandbox.live.world_config import plan_of
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from wsgiref.types import WSGIEnvironment

    from lifeboat.sandbox.gateway.control import Control
    from lifeboat.sandbox.live.databases_units import Unit
    from lifeboat.sandbox.live.world import World

_DNS: Final = cast("Any", dnslib)
_PATIENCE: Final = 1.0
_SHOWN: Final = ("key", "region", "role", "address", "port", "state", "problem")
_STREAMING: Final = "SELECT status FROM pg_stat_wal_receiver"


def serve(control: Control, world: World) -> None:
    """Have the control channel answer for the world."""

    def show(_: WSGIEnvironment) -> dict[str, Any]:
        return document(world)

    def probe(_: WSGIEnvironment) -> list[dict[str, Any]]:
        return parts(world)

    def take(environ: WSGIEnvironment) -> dict[str, Any]:
        given: Any = read_document(environ)
        try:
            contract = Contract.model_validate(given["contract"] if isinstance(given, dict) else given)
            settings = load(cast("dict[str, object]", given["settings"])) if "settings" in given else None
        except ValidationError as fault:
            raise Refused(HTTPStatus.BAD_REQUEST, f"stack: {'; '.join(lines(fault))}") from fault
        except KeyError as fault:
            raise Refused(HTTPStatus.BAD_REQUEST, "stack: contract: missing") from fault
        except SettingsError as fault:
            raise Refused(HTTPStatus.BAD_REQUEST, f"stack: settings: {'; '.join(str(fault).splitlines())}") from fault
        plan = plan_of(contract)
        try:
            world.open(plan, settings)
        except SandboxError as refusal:
            raise Refused(HTTPStatus.CONFLICT, str(refusal)) from refusal
        return {"sites": list(plan.regions)}

    def ready(_: WSGIEnvironment) -> dict[str, str]:
        world.make_ready()
        return {"status": "ok"}

    control.route("GET", "live", show)
    control.route("GET", "parts", probe)
    control.route("POST", "ready", ready)
    control.route("POST", "stack", take)


def document(world: World) -> dict[str, Any]:
    """How the world is now.

    Returns:
        - ``network``: its block; ``name_server``: ``address`` and ``port``; ``seed``; ``time_scale``: a number or
          ``instant``;
        - ``detection_scale``: how many times faster than declared a loss is found;
        - ``active``: the region whose site may write, None before there is one; ``names``: host names that fail over;
        - ``lease``: ``holder``, ``epoch``, ``serving``, ``fenced``, ``hold`` (who and why, or None) and ``run`` (which
          one is under way, or None); None: the stack has none;
        - ``processes``: rows with ``kind``, ``name``, ``region``, ``role``, ``address``, ``port``, ``pid`` (None: it
          does not run), ``state``, ``lag_seconds`` (None: it replicates nothing, or that cannot be told), ``problem``
          (one line, or empty) and ``log``; those of databases and caches also with ``lag_at_last_contact_seconds``,
          the lag when source and replica both answered last: it bounds what a failover loses;
        - ``buckets``: see `Objects.status`; ``links``: see `Links.status`, and ``ways``, those that are shaped;
        - ``faults``: see `Faults.list`.
    """
    address, port = world.names.address
    plan = world.traffic.plan
    return {
        "network": str(world.network.block),
        "name_server": {"address": address, "port": port},
        "seed": world.live.seed,
        "time_scale": INSTANT if world.live.time_scale is None else world.live.time_scale,
        "detection_scale": world.live.detection_scale,
        "active": world.traffic.active,
        "lease": _lease(world),
        "names": [] if plan is None else list(plan.names),
        "fronts": dict(world.traffic.fronts),
        "processes": [*_servers(world), *_sites(world), *_wardens(world), *_services(world)],
        "buckets": world.objects.status(),
        "links": _links(world),
        "ways": [
            {
                "source_region": source,
                "target_region": target,
                "latency_s": shape.latency_s,
                "bytes_per_s": shape.bytes_per_s,
                "cut": shape.cut,
                "reset": shape.reset,
            }
            for (source, target), shape in sorted(world.links.shapes().items())
        ],
        "faults": world.faults.list(),
    }


def parts(world: World) -> list[dict[str, Any]]:
    """What an `up` waits for: rows with ``part``, ``ready``, ``detail`` and ``log``."""
    return [_part(world, *found) for found in _parts(world)]


def _servers(world: World) -> Iterator[dict[str, Any]]:
    lags = {lag.key: lag for lag in world.metrics.lags()}
    for key, unit in sorted(world.databases.servers.items()):
        place, lag = unit.server.place, lags.get(key)
        user, database = _login(world, unit)
        yield _row(
            world,
            kind="database",
            name=unit.server.name,
            key=key,
            region=unit.wanted.region,
            role=unit.role,
            address=place.address,
            port=place.port,
            state=unit.state,
            lag_seconds=None if lag is None else lag.seconds,
            lag_at_last_contact_seconds=None if lag is None else lag.at_last_contact,
            problem=unit.problem,
            user=user,
            database=database,
        )
    for row in world.caches.status():
        lag = lags.get(row["key"])
        yield _row(
            world,
            kind="cache",
            name=_process_of(row),
            lag_seconds=row["lag_seconds"] if lag is None else lag.seconds,
            lag_at_last_contact_seconds=None if lag is None else lag.at_last_contact,
            **{name: row[name] for name in _SHOWN},
        )


def _process_of(cache: Mapping[str, Any]) -> str:
    return f"cache-{cache['region']}-{cache['key'].rpartition('/')[2]}"


def _login(world: World, unit: Unit) -> tuple[str, str | None]:
    """User and database that a client of a database has: a replica's are its primary's."""
    servers = world.databases.servers
    source = servers.get(unit.wanted.source or "", unit)
    return source.wanted.owner.user, source.wanted.owner.database


def _sites(world: World) -> Iterator[dict[str, Any]]:
    for region, site in world.traffic.status().items():
        yield _row(
            world,
            kind="site",
            name=f"site-{region}",
            key=region,
            region=region,
            role="active" if site.gate.open else "standby",
            address=world.traffic.fronts.get(region, site.address),
            port=site.port,
            state="held" if region in world.sites.held else site.process.value,
            lag_seconds=None,
            problem="",
        )


def _wardens(world: World) -> Iterator[dict[str, Any]]:
    record = world.recovery.record
    for region, warden in world.wardens.status().items():
        yield _row(
            world,
            kind="warden",
            name=name_of(region),
            key=region,
            region=region,
            role="holder" if record is not None and record.may_write(region) else "",
            address=None,
            port=None,
            state="held" if warden.held else warden.process.value,
            lag_seconds=None,
            problem="",
        )


def _lease(world: World) -> dict[str, Any] | None:
    record = world.recovery.record
    if record is None:
        return None
    return {
        "holder": record.holder,
        "epoch": record.epoch,
        "serving": record.serving,
        "fenced": sorted(record.fenced),
        "hold": None if record.hold is None else {"by": record.hold.by, "reason": record.hold.reason},
        "run": None if record.run is None else record.run.id,
    }


def _services(world: World) -> Iterator[dict[str, Any]]:
    address, port = world.names.address
    for kind, name, where in (
        ("name server", SERVER, (address, port)),
        ("links", links_process.PROCESS, (None, None)),
    ):
        running = world.processes.pid(name) is not None
        yield _row(
            world,
            kind=kind,
            name=name,
            key=name,
            region=None,
            role="",
            address=where[0],
            port=where[1],
            state="running" if running else "starting",
            lag_seconds=None,
            problem="",
        )


def _row(world: World, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON has them
    name: str = facts["name"]
    return {**facts, "pid": world.processes.pid(name), "log": str(world.processes.log(name))}


def _links(world: World) -> list[dict[str, Any]]:
    try:
        return world.links.status()
    except SandboxError:
        # They are being started again; that shows among the processes.
        return []


def _part(world: World, part: str, name: str, found: str) -> dict[str, Any]:
    """A row of what has to be ready; `found` begins with ``!`` when it is not."""
    return {
        "part": part,
        "ready": not found.startswith("!"),
        "detail": found.removeprefix("!"),
        "log": str(world.processes.log(name)),
    }


def _parts(world: World) -> Iterator[tuple[str, str, str]]:
    for key, unit in sorted(world.databases.servers.items()):
        yield f"database {key}", unit.server.name, _database(unit)
    for row in world.caches.status():
        waits = row["role"] == "replica" and row["lag_seconds"] is None
        found = f"!{row['problem'] or 'does not follow so far'}" if row["problem"] or waits else row["role"]
        ready = row["state"] == "running"
        yield f"cache {row['key']}", _process_of(row), found if ready else f"!{row['state']}"
    for region in world.traffic.fronts:
        yield f"site {region}", f"site-{region}", world.traffic.ready(region)
    for region, warden in world.wardens.status().items():
        yield (
            f"warden {region}",
            name_of(region),
            warden.process.value if warden.process is Running.RUNNING else f"!{warden.process.value}",
        )
    yield "name server", SERVER, _names(world)


def _database(unit: Unit) -> str:
    if not unit.settled:
        return f"!{unit.problem or unit.state}"
    if unit.role == "primary":
        return "takes writes"
    try:
        with unit.server.connect() as connection:
            row = connection.execute(_STREAMING).fetchone()
    except psycopg.Error as fault:
        return f"!{str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__}"
    return "replicates" if row == ("streaming",) else "!does not follow its source so far"


def _names(world: World) -> str:
    plan = world.traffic.plan
    if plan is None or not plan.names or not plan.sites:
        return "answers" if world.names.answers() else "!does not answer"
    name = plan.names[0]
    try:
        packet = _DNS.DNSRecord.question(name).send(*world.names.address, timeout=_PATIENCE)
        records = list(_DNS.DNSRecord.parse(packet).rr)
    except (OSError, _DNS.DNSError):
        return "!does not answer"
    addresses = [str(record.rdata) for record in records if record.rtype == _DNS.QTYPE.A]
    return f"{name} is {addresses[0]}" if addresses else f"!{name} has no address so far"
