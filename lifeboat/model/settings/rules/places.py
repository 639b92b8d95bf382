"""Rules on the sites, their networks and the witness."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pydantic import TypeAdapter, ValidationError

from lifeboat.model import regions
from lifeboat.model.settings.faults import Fault, Path, absent, fault
from lifeboat.model.settings.sites import Cidr

if TYPE_CHECKING:
    from lifeboat.model.settings.draft import Draft

_CIDR: TypeAdapter[str] = TypeAdapter(Cidr)
_SITES = 2


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is known of one listed site, even when the rest of it has faults."""

    path: Path
    region: str | None
    cidr: ipaddress.IPv4Network | None


def places(draft: Draft) -> tuple[Place, ...]:
    """The listed sites, as far as each is understood."""
    listed = draft.raw.get("sites")
    if not isinstance(listed, list | tuple):
        return ()
    return tuple(_place(("sites", at), item) for at, item in enumerate(cast("Sequence[object]", listed)))


def site_regions(draft: Draft) -> tuple[str, ...] | None:
    """The sites' regions; None when one of them is not understood, so that nothing can be said to be missing."""
    found = tuple(place.region for place in places(draft))
    return tuple(region for region in found if region is not None) if found and all(found) else None


def faults(draft: Draft) -> Iterator[Fault]:
    """Two different regions, ranges apart, three zones each; home among them and the witness not."""
    found = places(draft)
    if (draft.whole("sites") and len(found) != _SITES) or len(found) > _SITES or ("sites" in draft.raw and not found):
        yield fault(
            ("sites",),
            [place.region for place in found],
            "a list of exactly two sites (a third region can be the witness)",
        )
    for at, place in enumerate(found):
        earlier = found[:at]
        if place.region is not None and place.region in {other.region for other in earlier}:
            yield fault((*place.path, "region"), place.region, "a region that no other site has")
        for other in earlier:
            if place.cidr is not None and other.cidr is not None and place.cidr.overlaps(other.cidr):
                accepted = f"a range that does not overlap {other.cidr} of {other.region or 'the other site'}"
                yield fault((*place.path, "cidr"), str(place.cidr), accepted)
        yield from _zones(draft, place)
    yield from _roles(draft)


def _place(path: Path, item: object) -> Place:
    entry = cast("Mapping[str, object]", item if isinstance(item, Mapping) else {})
    region = entry.get("region")
    try:
        cidr = ipaddress.IPv4Network(_CIDR.validate_python(entry.get("cidr")))
    except ValidationError:
        cidr = None
    return Place(path=path, region=region if isinstance(region, str) and regions.known(region) else None, cidr=cidr)


def _zones(draft: Draft, place: Place) -> Iterator[Fault]:
    site = next((listed.item for listed in draft.sites if listed.path == place.path), None)
    path = (*place.path, "zones")
    if site is None or place.region is None or not draft.whole(*path):
        return
    usual = regions.usual_zones(place.region)
    accepted = f"three different zones of {place.region}, such as {', '.join(usual)}"
    if not site.zones:
        if len(usual) < regions.ZONES_OF_A_SITE:
            yield absent(path, f"a region with three zones; {place.region} usually shows {len(usual)}")
    elif (
        len(site.zones) != regions.ZONES_OF_A_SITE
        or len(set(site.zones)) != len(site.zones)
        or any(zone[:-1] != place.region for zone in site.zones)
    ):
        yield fault(path, list(site.zones), accepted)


def _roles(draft: Draft) -> Iterator[Fault]:
    sites = site_regions(draft)
    home, witness = draft.texts.get("home"), draft.texts.get("witness")
    if sites is None:
        return
    if home is not None and home not in sites:
        yield fault(("home",), home, f"one of the sites {', '.join(sites)}")
    if witness is not None and witness in sites:
        yield fault(("witness",), witness, f"a third region, none of {', '.join(sites)}")
