"""What follows from the settings without a decision: which site is which, and who replicates from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model import regions
from lifeboat.model.design import Instance, LeaseStore, SiteDesign
from lifeboat.model.settings.rules.generations import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifeboat.model.settings import Settings


def sites(settings: Settings) -> tuple[SiteDesign, SiteDesign]:
    """Home first."""
    first, second = (
        SiteDesign(
            region=site.region,
            cidr=site.cidr,
            zones=site.zones or regions.usual_zones(site.region),
            home=site.region == settings.home,
        )
        for site in settings.sites
    )
    return (first, second) if first.home else (second, first)


def lineage(keys: Sequence[str]) -> tuple[Instance, ...]:
    """Each generation replicates from the one before it."""
    sources = (None, *keys)
    return tuple(
        Instance(key=key, region=parsed[0], source=source)
        for key, source in zip(keys, sources, strict=False)
        if (parsed := parse(key)) is not None
    )


def lease_store(settings: Settings) -> LeaseStore:
    """A strongly consistent table where one spans sites and witness, else an object in the witness."""
    together = frozenset({*(site.region for site in settings.sites), settings.witness})
    return LeaseStore.STRONG_TABLE if regions.strongly_consistent(together) else LeaseStore.WITNESS_OBJECT
