"""A small declaration that holds together, and ways to spoil it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lifeboat.model.design import Decision, Topology

SOUND: dict[str, Any] = {
    "system": "shop",
    "environment": "test",
    "account": "123456789012",
    "objectives": {
        "stack": {"rto": "1h", "rpo": "15m"},
        "services": [{"name": "orders", "rto": "1h"}, {"name": "pages", "rto": "2h"}],
    },
    "home": "eu-west-1",
    "sites": [
        {"region": "eu-west-1", "cidr": "10.1.0.0/16"},
        {"region": "eu-central-1", "cidr": "10.2.0.0/16"},
    ],
    "witness": "eu-west-2",
    "approval": "automatic",
    "databases": [{"name": "ledger", "services": ["orders"]}],
    "caches": [{"name": "baskets", "services": ["pages"]}],
    "object_stores": [{"name": "files"}],
    "secrets": [{"name": "token"}],
    "dns": {"zone": "shop.example.com", "endpoints": [{"name": "www"}, {"name": "api"}]},
}


def sound() -> dict[str, Any]:
    """A copy that may be changed."""
    return copy.deepcopy(SOUND)


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The sound declaration with values put at paths such as ``databases.0.rpo``; ``DROP`` removes."""
    config = sound()
    for path, value in changes:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = config
        for part in way:
            place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
        if value is DROP:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return config


DROP = object()
"""Removes the key it is put at."""


class Bad(NamedTuple):
    """One bad declaration: what is changed, the one key at fault, its value as shown, part of what is accepted."""

    name: str
    changes: tuple[tuple[str, Any], ...]
    key: str
    value: str
    accepted: str


def decision(topology: Topology, capability: str) -> Decision:
    """The one decision on a capability."""
    (found,) = (decision for decision in topology.decisions if decision.capability == capability)
    return found
