"""The page behind `lifeboat contract`: what a stack promises, site by site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifeboat.model.settings import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat_contract import Contract, Promise, Site
    from rich.console import RenderableType


def promises(contract: Contract) -> RenderableType:
    """The whole page, for a terminal."""
    heading = f"{contract.system} {contract.environment}, contract {contract.version} of stack {contract.stack}"
    parts: list[RenderableType] = [
        Text(heading, style="bold"),
        Text(f"home {contract.home}, witness {contract.witness}; who is active is not in it: ask DNS"),
        Text(),
        _objectives(contract),
    ]
    for site in contract.sites.values():
        parts += [Text(), Text(site.region, style="bold"), _site(site)]
    if contract.dns is not None:
        parts += [Text(), Text(contract.dns.zone, style="bold")]
        parts += [Text(f"  {name}  {fqdn}") for name, fqdn in contract.dns.names.items()]
    return Group(*parts)


def _objectives(contract: Contract) -> Table:
    table = Table.grid(padding=(0, 2))
    for scope, objectives in contract.objectives.items():
        availability = "" if objectives.availability is None else f"{objectives.availability:g} %"
        table.add_row(scope, _promise("RTO", objectives.rto), _promise("RPO", objectives.rpo), availability)
    return table


def _promise(quantity: str, promise: Promise | None) -> str:
    if promise is None:
        return ""
    bound, wanted = format_duration(promise.bound_seconds), format_duration(promise.objective_seconds)
    return f"{quantity} {wanted}: {bound} {promise.bound_class}"


def _site(site: Site) -> Table:
    table = Table.grid(padding=(0, 2))
    for kind, name, value in _lines(site):
        table.add_row(f"  {kind}", name, Text(value, overflow="fold"))
    return table


def _lines(site: Site) -> Iterator[tuple[str, str, str]]:
    yield "network", site.network.vpc_id, f"{site.network.cidr} in {', '.join(site.network.availability_zones)}"
    if site.gate_url is not None:
        yield "gate", "warden", site.gate_url
    for name, database in site.databases.items():
        yield "database", name, f"{database.writer_endpoint}:{database.port}/{database.database}"
        if database.reader_endpoint is not None:
            yield "", "", f"{database.reader_endpoint}:{database.port} to read"
    for name, cache in site.caches.items():
        yield "cache", name, f"{cache.primary_endpoint}:{cache.port}{' TLS' if cache.tls else ''}"
    for name, bucket in site.buckets.items():
        yield "bucket", name, bucket.bucket
    for name, arn in site.secrets.items():
        yield "secret", name, arn
    for purpose, arn in site.keys.items():
        yield "key", purpose, arn
