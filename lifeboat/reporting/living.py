"""A living sandbox in lines: how to reach what it serves, and how its servers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifeboat.reporting.faults import active

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

_HEADINGS = ("server", "region", "role", "address", "pid", "state", "lag")


def reach(live: Mapping[str, Any], contract: Mapping[str, Any], lifeboat: str) -> RenderableType:
    """Commands that use what a sandbox serves, with stock tools.

    Args:
        live: As the gateway tells it, see `lifeboat.sandbox.live.world_status`.
        contract: The stack's.
        lifeboat: How the command is called here.
    """
    server = live["name_server"]
    lines = [f"# Names, over UDP and TCP, at {server['address']} port {server['port']}"]
    name = next(iter(live["names"]), None)
    front = live["fronts"].get(live["active"])
    if name is not None and front is not None:
        port = next(row["port"] for row in live["processes"] if row["kind"] == "site")
        lines += [
            f"dig @{server['address']} -p {server['port']} {name}",
            "# An order, at the address that this name has now",
            f"curl --noproxy '*' --resolve {name}:{port}:{front} \\",
            f"""  http://{name}:{port}/orders -d '{{"client": "me", "number": 1}}'""",
        ]
    databases = [row for row in live["processes"] if row["kind"] == "database"]
    secrets = _secrets(contract)
    if databases and secrets:
        lines += [
            "# The database in each region, and the password",
            f"{lifeboat} sandbox exec -- aws secretsmanager get-secret-value \\",
            f"  --query SecretString --output text --secret-id {secrets[0]}",
        ]
    lines += [
        f"psql -h {row['address']} -p {row['port']} -U {row['user']} {row['database'] or 'postgres'}{_where(row)}"
        for row in databases
    ]
    styled = [Text(f"  {line}", style="dim" if line.startswith("#") else "") for line in lines]
    return Group(Text(), Text("It lives", style="bold"), *styled)


def state(live: Mapping[str, Any]) -> RenderableType:
    """How the servers of a sandbox are, and which faults stand."""
    server = live["name_server"]
    head = (
        f"names     {server['address']}:{server['port']} in {live['network']}",
        f"effects   time scale {live['time_scale']}, seed {live['seed']}",
        f"detection {live['detection_scale']:g} times as fast as declared",
        f"writes    {live['active'] or 'nowhere so far'}",
        *_lease(live["lease"]),
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in _HEADINGS:
        # A long name is folded, so that addresses stay whole, to be copied.
        table.add_column(heading, overflow="fold", no_wrap=heading != "server")
    for row in live["processes"]:
        table.add_row(*_cells(row))
    parts: list[RenderableType] = [*map(Text, head), Text(), table]
    parts += [
        Text(f"{row['name']}: {row['problem']}: see {row['log']}", style="red")
        for row in live["processes"]
        if row["problem"]
    ]
    parts += [
        Text(f"{row['name']}: {row['lag_at_last_contact_seconds']:.1f} s behind when its source last answered")
        for row in live["processes"]
        if _lost_contact(row)
    ]
    parts += [
        Text(f"{row['key']} to {row['target_region']}: {row['pending']} pending, {row['failed']} failed")
        for row in live["buckets"]
        if row["pending"] or row["failed"]
    ]
    return Group(*parts, Text(), active(live["faults"]) if live["faults"] else Text("no faults"))


def _lease(lease: Mapping[str, Any] | None) -> Sequence[str]:
    """Who may write by the lease, and what stands in the wardens' way; nothing without one."""
    if lease is None:
        return ()
    lines = [f"lease     {lease['holder'] or 'nobody'} holds epoch {lease['epoch']}, {lease['serving']} serves"]
    if lease["fenced"]:
        lines.append(f"fenced    {', '.join(lease['fenced'])}, until `lifeboat rejoin`")
    if lease["hold"] is not None:
        lines.append(f"held      by {lease['hold']['by']}: {lease['hold']['reason']}")
    if lease["run"] is not None:
        lines.append(f"run       {lease['run']}")
    return lines


def _cells(row: Mapping[str, Any]) -> Sequence[str]:
    lag = row["lag_seconds"]
    return (
        row["name"],
        row["region"] or "",
        row["role"],
        f"{row['address']}:{row['port']}" if row["address"] else "",
        "" if row["pid"] is None else str(row["pid"]),
        row["state"],
        "" if lag is None else f"{lag:.1f} s",
    )


def _lost_contact(row: Mapping[str, Any]) -> bool:
    """Whether a replica's lag is not what it was when its source last answered: a failover loses no more than that."""
    now, before = row["lag_seconds"], row.get("lag_at_last_contact_seconds")
    return before is not None and (now is None or now > before)


def _secrets(contract: Mapping[str, Any]) -> list[str]:
    """Names of the databases' passwords at home; an ARN has six characters more."""
    databases: Mapping[str, Any] = contract["sites"][contract["home"]]["databases"]
    arns = [database["secret_arn"] for database in databases.values() if database["secret_arn"]]
    return [arn.rpartition(":")[2].rpartition("-")[0] for arn in arns]


def _where(row: Mapping[str, Any]) -> str:
    return f"  # {row['region']}, {row['role']}"
