"""Where Google Cloud's resources are: a region, a zone of one, or a multi-region."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from policies.core.values import UNKNOWN, UnknownPropertyError, walk

if TYPE_CHECKING:
    from policies.core.resource import Resource

_REGION: Final = re.compile(r"[a-z]+-[a-z]+\d+")
_ZONE: Final = re.compile(rf"({_REGION.pattern})-[a-z0-9]+")
_PLACES: Final = ("region", "zone", "location", "locationId")
_PROVIDER_PLACES: Final = ("region", "zone")


def is_region(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a location is a region, such as ``europe-west1``: neither a zone nor a multi-region."""
    return isinstance(value, str) and _REGION.fullmatch(value.lower()) is not None


def region_of(place: str) -> str:
    """The region of a zone such as ``europe-west1-b``, also of its URL; any other location is itself."""
    last = place.rpartition("/")[2].lower()
    zone = _ZONE.fullmatch(last)
    return last if zone is None else zone[1]


def gcp_region(resource: Resource) -> str:
    """Where a resource is: its own place, else its provider's; empty where nobody says.

    Raises:
        UnknownPropertyError: when that is not known yet.
    """
    for property_ in _PLACES:
        own = resource.get(property_)
        if isinstance(own, str) and own:
            return region_of(own)
    for property_ in _PROVIDER_PLACES:
        answered = walk(resource.outputs, property_)
        if isinstance(answered, str) and answered:
            return region_of(answered)
        configured = resource.provider.inputs.get(property_) if resource.provider is not None else None
        if configured is UNKNOWN:
            raise UnknownPropertyError(property_)
        if isinstance(configured, str) and configured:
            return region_of(configured)
    return ""
