"""Which inputs of a type the catalogue carries to the API, and what the catalogue as a whole holds."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from botocore.model import StructureShape

from lifeboat.sandbox.catalogue import sdk
from lifeboat.sandbox.provider.clients import operation_model
from lifeboat.sandbox.provider.shapes import member_name

if TYPE_CHECKING:
    from lifeboat.sandbox.catalogue import Catalogue, Entry
    from lifeboat.sandbox.catalogue.schema import Call

_ALWAYS = frozenset({"region", "tags", "tagsAll"})
_REFERENCE = re.compile(r"\b(?:in|out)\.(\w+)")


@dataclass(frozen=True)
class Coverage:
    """What the catalogue holds, in numbers.

    Attributes:
        types: Types that can be run.
        real: Of these, those that call the local cloud's APIs, or make a value by themselves.
        recorded: Of these, those that are in the state only.
        properties: Described properties.
        by_change: Properties by what a change of them does.
        unproven: Properties whose change kind nobody has shown.
        drifting: Properties that read back differently after a promotion.
        carried: Inputs of the SDK that a call carries; the others are refused by ``check``.
        inputs: Inputs of the SDK's types.
    """

    types: int
    real: int
    recorded: int
    properties: int
    by_change: dict[str, int]
    unproven: int
    drifting: int
    carried: int
    inputs: int


def coverage(catalogue: Catalogue) -> Coverage:
    """Count what the catalogue holds."""
    entries = list(catalogue)
    properties = [known for entry in entries for known in entry.meaning.properties.values()]
    recorded = sum(entry.running.recorded for entry in entries)
    return Coverage(
        types=len(entries),
        real=len(entries) - recorded,
        recorded=recorded,
        properties=len(properties),
        by_change=dict(sorted(Counter(known.change for known in properties).items())),
        unproven=sum(known.source == "unproven" for known in properties),
        drifting=sum(known.drift is not None for known in properties),
        carried=sum(len(carried(entry)) for entry in entries),
        inputs=sum(len(sdk.resource_type(entry.token).inputs) for entry in entries),
    )


def carried(entry: Entry) -> frozenset[str]:
    """Inputs that the catalogue does something with; any other would be lost unseen, so ``check`` refuses it."""
    return _carried(_Key(entry))


class _Key:
    """An entry as a cache key: models that hold dictionaries do not hash."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def __hash__(self) -> int:
        return hash(self.entry.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.entry is self.entry


@cache
def _carried(key: _Key) -> frozenset[str]:
    running = key.entry.running
    inputs = frozenset(sdk.resource_type(key.entry.token).inputs)
    if not running.calls_apis:
        return inputs
    found = {*_ALWAYS, f"{running.autoname}Prefix", *running.local, *_REFERENCE.findall(running.id or "")}
    for call in (*running.create, *running.update, *running.delete):
        found.update(call.triggers, _REFERENCE.findall(json.dumps(call.model_dump(mode="json"))))
    for call in running.create:
        found.update(_sent(key.entry, call, inputs))
    return inputs & found


def _sent(entry: Entry, call: Call, inputs: frozenset[str]) -> set[str]:
    """Inputs that a call takes by name."""
    if call.send == "none":
        return set()
    shape = operation_model(call.service or entry.running.service or "", call.op).input_shape
    if call.wrap is not None and isinstance(shape, StructureShape):
        shape = shape.members[call.wrap]
    members = shape.members if isinstance(shape, StructureShape) else {}
    rename = entry.running.rename
    return {prop for prop in inputs - set(call.skip) if member_name(members, prop, prop, rename) is not None}
