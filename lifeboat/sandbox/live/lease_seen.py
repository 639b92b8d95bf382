"""The lease of the deployed stack, from inside: whether there is one, what it says, and what an earlier life left.

Nothing here asks an API: what is told of a sandbox does not depend on the faults that stand.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from lifeboat.model.design import LeaseStore
from lifeboat.recovery.lease_object import LEASE_KEY as OBJECT_KEY
from lifeboat.recovery.lease_record import LeaseError, LeaseRecord, load
from lifeboat.recovery.lease_table import LEASE_KEY as ITEM_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lifeboat.model.physical import Physical
    from lifeboat.sandbox.patches.base import Moto


def deployed(physical: Physical) -> bool:
    """Whether the stack's lease has its place."""
    return _place(physical) is not None


def seen(physical: Physical) -> LeaseRecord | None:
    """What the lease says; None before there is one, and while it cannot be read."""
    place = _place(physical)
    if place is None:
        return None
    try:
        if physical.topology.lease is LeaseStore.STRONG_TABLE:
            item = place.get_item(physical.lease_table, {"pk": {"S": ITEM_KEY}})
            return None if item is None else load(item.attrs["record"].value)
        found = place.keys.get(OBJECT_KEY)
        return None if found is None else load(json.loads(found.value)["record"])
    except (KeyError, ValueError, LeaseError):
        return None


def left_behind(gates: Mapping[str, Path], home: str, ttl: float) -> LeaseRecord | None:
    """The lease as sites' gates tell it after an earlier life, whose APIs are gone; None when there was none.

    Args:
        gates: Files by region.
        home: Who holds it when no gate was open: fenced, if it was.
        ttl: Protocol seconds.
    """
    found: dict[str, dict[str, Any]] = {}
    for region, path in gates.items():
        try:
            found[region] = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
    epochs = {region: gate["epoch"] for region, gate in found.items() if "until" in gate}
    latest = max(epochs.values(), default=0)
    if latest == 0:
        return None
    holder = next((region for region in epochs if found[region]["open"] and epochs[region] == latest), home)
    fenced = frozenset(region for region in epochs if found[region]["fenced"])
    return LeaseRecord(epoch=latest, holder=holder, owner="", ttl=ttl, serving=holder, fenced=fenced, stopped=fenced)


def _place(physical: Physical) -> Moto | None:
    """Moto's backend of the table, or its bucket."""
    account, topology = physical.settings.account, physical.topology
    if topology.lease is LeaseStore.STRONG_TABLE:
        for site in topology.sites:
            backend: Moto = dynamodb_backends[account][site.region]
            if physical.lease_table in backend.tables:
                return backend
        return None
    backend = s3_backends[account]["aws"]
    return backend.buckets.get(physical.lease_bucket)
