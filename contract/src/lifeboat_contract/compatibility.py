"""Whether a change of the contract may be released under the version that it carries.

The contract has two sides that are upgraded apart: platforms write documents, app teams read them. Within a major
version every reader must read every document, older and newer alike. So only two things may happen: a field is added
that may be absent (which takes a new minor version), and words change (titles, descriptions, examples). A field that is
removed, renamed, retyped, newly required, no longer required, or that accepts other values than before, breaks one
side, and takes a new major version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from lifeboat_contract.schema import VERSION_KEY

_WORDS: Final = frozenset({"title", "description", "examples", "$schema", "$defs", "$id", VERSION_KEY})
_WALKED: Final = frozenset({"properties", "required", "items", "additionalProperties", "anyOf", "$ref"})
Schema = Mapping[str, Any]


def faults(released: Schema, current: Schema) -> list[str]:
    """Why the current schema may not be released, given one that was; empty when it may.

    Args:
        released: the schema of a released version, with its `x-contract-version`.
        current: the schema to be released.

    Returns:
        One line per fault, each with the path of the field.
    """
    was, now = _version(released), _version(current)
    if now < was:
        return [f"version: {now[0]}.{now[1]} is older than the released {was[0]}.{was[1]}"]
    if now[0] > was[0]:
        return []
    breaking: list[str] = []
    added: list[str] = []
    for kind, line in _differences(released, released, current, current, "contract"):
        (added if kind == "added" else breaking).append(line)
    if breaking:
        return [f"{line}; that takes version {was[0] + 1}.0" for line in breaking]
    if now == was:
        return [f"{line}; that takes version {was[0]}.{was[1] + 1}" for line in added]
    return []


def _version(schema: Schema) -> tuple[int, int]:
    major, minor = str(schema[VERSION_KEY]).split(".")
    return int(major), int(minor)


def _resolved(node: Schema, root: Schema) -> Schema:
    """The node behind a reference into the schema's own definitions, with what stands beside the reference."""
    reference = node.get("$ref")
    if reference is None:
        return node
    target = root["$defs"][str(reference).removeprefix("#/$defs/")]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def _differences(old_root: Schema, old: Schema, new_root: Schema, new: Schema, path: str) -> Iterator[tuple[str, str]]:
    """Pairs of kind (``added`` or ``breaking``) and line. The contract's schema is a tree, so that this ends."""
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    for key in sorted((old.keys() | new.keys()) - _WORDS - _WALKED):
        if old.get(key) != new.get(key):
            yield "breaking", f"{path}: {key} was {old.get(key)!r} and is {new.get(key)!r}"
    yield from _properties(old_root, old, new_root, new, path)
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _differences(old_root, cast("Schema", before), new_root, cast("Schema", after), f"{path}{step}")
        elif before != after:
            yield "breaking", f"{path}{step}: was {before!r} and is {after!r}"
    choices, chosen = old.get("anyOf", ()), new.get("anyOf", ())
    if len(choices) != len(chosen):
        yield "breaking", f"{path}: had {len(choices) or 1} kinds of value and has {len(chosen) or 1}"
        return
    for before, after in zip(choices, chosen, strict=True):
        yield from _differences(old_root, before, new_root, after, path)


def _properties(old_root: Schema, old: Schema, new_root: Schema, new: Schema, path: str) -> Iterator[tuple[str, str]]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield "breaking", f"{path}.{name}: was removed"
    for name in sorted(after.keys() - before.keys()):
        if name in needs:
            yield "breaking", f"{path}.{name}: is new and required, so that documents of before cannot be read"
        else:
            yield "added", f"{path}.{name}: is new"
    for name in sorted(before.keys() & after.keys()):
        if (name in needed) != (name in needs):
            state = "is required now" if name in needs else "is not required any more"
            yield "breaking", f"{path}.{name}: {state}"
        yield from _differences(old_root, before[name], new_root, after[name], f"{path}.{name}")
