"""Carrying values between the SDK's properties and the API's members.

Both name the same things in different case (``cidrBlock``, ``CidrBlock``), so they are matched with case and separators
left out; what differs otherwise stands in the catalogue's ``rename``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from lifeboat.sandbox.provider.errors import ProviderError
from lifeboat.sandbox.provider.values import Value, Values, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.sandbox.catalogue.sdk import Kind


def fold(name: str) -> str:
    """A name with case and separators left out."""
    return name.replace("_", "").replace("-", "").lower()


def member_name(members: Mapping[str, object], prop: str, path: str, rename: Mapping[str, str | None]) -> str | None:
    """The member of a shape or response that a property stands for; None when there is none."""
    renamed = rename.get(path, "")
    if renamed is None or renamed in members:
        return renamed
    wanted = fold(prop)
    return next((name for name in members if fold(name) == wanted), None)


def to_request(shape: Shape, value: Value, path: str, rename: Mapping[str, str | None]) -> Value:
    """Convert an input into what a shape takes.

    Args:
        shape: The API's shape.
        value: The input.
        path: Where it stands, list positions left out: ``rules.filter``.
        rename: The catalogue's renames by path; null drops a value.

    Raises:
        ProviderError: If a nested property has no member: the catalogue lacks a rename.
    """
    if isinstance(shape, ListShape):
        if isinstance(value, dict) and _is_pair(shape.member):
            return [{"Key": key, "Value": item} for key, item in value.items()]
        items = value if isinstance(value, list) else [value]
        return [to_request(shape.member, item, path, rename) for item in items]
    if isinstance(shape, MapShape):
        entries = value if isinstance(value, dict) else {}
        return {key: to_request(shape.value, item, path, rename) for key, item in entries.items() if item is not None}
    if isinstance(shape, StructureShape):
        if isinstance(value, list):
            value = value[0] if value else {}
        return _to_structure(shape, value if isinstance(value, dict) else {}, path, rename)
    return _to_scalar(shape.type_name, value)


def _is_pair(shape: Shape) -> bool:
    """Whether a shape is a tag: the SDK has maps where the API has lists of these."""
    return isinstance(shape, StructureShape) and set(shape.members) == {"Key", "Value"}


def _to_structure(shape: StructureShape, value: Values, path: str, rename: Mapping[str, str | None]) -> Values:
    members = cast("Mapping[str, Shape]", shape.members)
    request: Values = {}
    for prop, item in value.items():
        if item is None:
            continue
        inner = f"{path}.{prop}"
        name = member_name(members, prop, inner, rename)
        if name is not None:
            request[name] = to_request(members[name], item, inner, rename)
        elif inner not in rename:
            raise ProviderError(shape.name, "InvalidArguments", f"{inner}: the API has no such member")
    return request


def _to_scalar(type_name: str, value: Value) -> Value:
    if type_name == "string":
        return text(value)
    if type_name in {"integer", "long"} and isinstance(value, str | float):
        return int(float(value))
    if type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if type_name in {"float", "double"} and isinstance(value, str | int):
        return float(value)
    return value


def from_response(kind: Kind, value: Value, path: str, rename: Mapping[str, str | None]) -> Value:
    """Convert a part of a response into a property of a kind; None when it does not fit."""
    if value is None:
        return None
    if kind.name == "list" and kind.element is not None:
        items = value if isinstance(value, list) else [value]
        converted = [from_response(kind.element, item, path, rename) for item in items]
        return None if any(item is None for item in converted) else converted
    if kind.name == "object":
        return _from_structure(kind, value, path, rename)
    if kind.name == "map" and kind.element is not None:
        if isinstance(value, list):
            value = {str(item.get("Key")): item.get("Value") for item in value if isinstance(item, dict)}
        if not isinstance(value, dict):
            return None
        return {key: from_response(kind.element, item, path, rename) for key, item in value.items()}
    return value if kind.name == "any" else coerce(kind, value)


def _from_structure(kind: Kind, value: Value, path: str, rename: Mapping[str, str | None]) -> Value:
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return None
    converted: Values = {}
    for prop, field in kind.fields.items():
        inner = f"{path}.{prop}"
        name = member_name(value, prop, inner, rename)
        if name is not None and (item := from_response(field.kind, value[name], inner, rename)) is not None:
            converted[prop] = item
    return converted


def coerce(kind: Kind, value: Value) -> Value:  # noqa: PLR0911 - one return a kind
    """A scalar as its kind wants it; None when it cannot be."""
    if isinstance(value, list | dict):
        # Policies: the client decodes some of them.
        return json.dumps(value) if kind.name == "string" and value else None
    match kind.name:
        case "string":
            return text(value)
        case "boolean":
            return value.lower() in {"true", "enabled"} if isinstance(value, str) else bool(value)
        case "integer" | "number" if isinstance(value, str):
            try:
                return int(value) if kind.name == "integer" else float(value)
            except ValueError:
                return None
        case "integer" if isinstance(value, float):
            return int(value)
        case _:
            return value
