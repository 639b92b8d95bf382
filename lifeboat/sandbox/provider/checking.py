"""Validating a program's inputs against the SDK's types."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lifeboat.sandbox.catalogue import sdk
from lifeboat.sandbox.provider.coverage import carried
from lifeboat.sandbox.provider.shapes import coerce
from lifeboat.sandbox.provider.values import UNKNOWN, Value, Values

if TYPE_CHECKING:
    from lifeboat.sandbox.catalogue import Entry
    from lifeboat.sandbox.catalogue.sdk import Kind


@dataclass(frozen=True)
class Failure:
    """A fault of one input.

    Attributes:
        property: Path of the input, wire names.
        reason: What is wrong and what is accepted.
    """

    property: str
    reason: str


def check(entry: Entry, olds: Values | None, news: Values, name: str | None) -> tuple[Values, list[Failure]]:
    """Validate inputs and fill in defaults.

    Args:
        entry: The type.
        olds: Checked inputs in the state, None for a new resource; a name given automatically is kept from them.
        news: Inputs of the program.
        name: The resource's logical name, from which it is named when the type is named automatically.

    Returns:
        The checked inputs, and every fault.
    """
    fields = sdk.resource_type(entry.token).inputs
    failures: list[Failure] = []
    inputs: Values = {}
    for prop, value in news.items():
        if prop.startswith("__") or value is None:
            continue
        if prop not in fields:
            failures.append(Failure(prop, f"{entry.token} has no input {prop!r}"))
            continue
        if prop not in carried(entry):
            failures.append(Failure(prop, f"{prop}: the sandbox does not run this input of {entry.token} yet"))
        inputs[prop] = _checked(fields[prop].kind, value, prop, failures)
    failures.extend(
        Failure(prop, f"missing required property {prop!r}")
        for prop, field in fields.items()
        if field.required and prop not in inputs
    )
    for prop, default in entry.running.defaults.items():
        inputs.setdefault(prop, cast("Value", default))
    _autoname(entry, olds, inputs, name)
    return inputs, failures


def _autoname(entry: Entry, olds: Values | None, inputs: Values, name: str | None) -> None:
    prop = entry.running.autoname
    if prop is None or name is None or prop in inputs:
        return
    prefix, kept = inputs.get(f"{prop}Prefix"), (olds or {}).get(prop)
    if prefix is UNKNOWN:
        return
    # Not random: the same program names the same things in a rebuilt sandbox.
    start = f"{name}-" if prefix is None else str(prefix)
    inputs[prop] = kept or start + hashlib.sha256(f"{entry.token}/{name}/{start}".encode()).hexdigest()[:7]


def _checked(kind: Kind, value: Value, path: str, failures: list[Failure]) -> Value:
    """A value as its kind wants it; what does not fit is reported and left as it is."""
    if value is UNKNOWN or value is None or kind.name == "any":
        return value
    if kind.name == "list" and isinstance(value, list) and kind.element is not None:
        return [_checked(kind.element, item, f"{path}[{i}]", failures) for i, item in enumerate(value)]
    if kind.name == "map" and isinstance(value, dict) and kind.element is not None:
        return {key: _checked(kind.element, item, f"{path}.{key}", failures) for key, item in value.items()}
    if kind.name == "object" and isinstance(value, dict):
        return _checked_object(kind, value, path, failures)
    if kind.name not in {"list", "map", "object"} and _fits(kind, value):
        return coerce(kind, value)
    failures.append(Failure(path, f"{path}: expected {kind.name}, got {_describe(value)}"))
    return value


def _checked_object(kind: Kind, value: Values, path: str, failures: list[Failure]) -> Values:
    checked: Values = {}
    for key, item in value.items():
        if item is None or key.startswith("__"):
            continue
        if key in kind.fields:
            checked[key] = _checked(kind.fields[key].kind, item, f"{path}.{key}", failures)
        else:
            failures.append(Failure(f"{path}.{key}", f"{path} has no property {key!r}"))
    missing = (key for key, field in kind.fields.items() if field.required and key not in checked)
    failures.extend(Failure(f"{path}.{key}", f"missing required property {path}.{key}") for key in missing)
    return checked


def _fits(kind: Kind, value: Value) -> bool:  # noqa: PLR0911 - one return a kind
    """Whether a scalar can stand for a kind: the provider reads numbers and booleans from texts, and the reverse."""
    match kind.name, value:
        case "string", str() | bool() | int() | float():
            return True
        case "boolean", bool():
            return True
        case "boolean", str():
            return value in {"true", "false"}
        case (("integer" | "number"), bool()):
            return False
        case "integer", int() | float():
            return float(value).is_integer()
        case "number", int() | float():
            return True
        case (("integer" | "number"), str()):
            return coerce(kind, value) is not None
        case _:
            return False


def _describe(value: Value) -> str:
    """A value's type: never the value, which may be a secret."""
    names = (("boolean", bool), ("integer", int), ("number", float), ("string", str), ("list", list))
    return next((name for name, kind in names if isinstance(value, kind)), "object")
