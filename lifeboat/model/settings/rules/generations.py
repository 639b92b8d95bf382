"""Rules on the lineage of plain database instances."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lifeboat.model.settings.faults import Fault, Path, fault
from lifeboat.model.settings.rules.places import site_regions
from lifeboat.model.settings.stores import Database, DatabaseMechanism

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.settings.draft import Draft

GENERATION = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)-g(?P<number>[1-9]\d{0,2})", re.ASCII)
"""``us-east-1-g2``: the second instance in that region since the stack began."""

_LONE = 2


def parse(key: str) -> tuple[str, int] | None:
    """Region and number of a generation, None for text that names none."""
    found = GENERATION.fullmatch(key)
    return (found["region"], int(found["number"])) if found else None


def faults(draft: Draft) -> Iterator[Fault]:
    """A lineage alternates between the sites, counts up in each, and exists for plain replicas only."""
    sites = site_regions(draft)
    for listed in draft.databases:
        if listed.item.generations and draft.whole(*listed.path, "generations"):
            yield from _lineage(listed.item, (*listed.path, "generations"), sites)


def _lineage(database: Database, path: Path, sites: tuple[str, ...] | None) -> Iterator[Fault]:
    keys = database.generations
    if database.mechanism not in {None, DatabaseMechanism.REPLICA}:
        yield fault(path, list(keys), f"no generations: only plain replicas have them, not {database.mechanism}")
        return
    if len(keys) < _LONE:
        yield fault(path, list(keys), "two generations or more: a replica and what it replicates from")
    last: dict[str, int] = {}
    before: str | None = None
    for at, key in enumerate(keys):
        here = (*path, at)
        parsed = parse(key)
        if parsed is None:
            yield fault(here, key, f"REGION-gN such as {sites[0] if sites else 'us-east-1'}-g1")
            before = None
            continue
        region, number = parsed
        if key in keys[:at]:
            yield fault(here, key, "a generation that stands once in the list")
        elif sites is not None and region not in sites:
            yield fault(here, key, f"a generation in one of the sites {', '.join(sites)}")
        elif region == before:
            yield fault(here, key, f"a generation in the other site than {keys[at - 1]}, which it replicates from")
        elif region in last and number != last[region] + 1:
            yield fault(here, key, f"{region}-g{last[region] + 1}, the next after {region}-g{last[region]}")
        last[region] = number
        before = region
