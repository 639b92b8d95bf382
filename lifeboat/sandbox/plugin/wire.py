"""Property values as the Pulumi protocol carries them, as Python holds them, and as a state file keeps them.

Python values are JSON-like, with two additions: :class:`Secret` around a value that must not be shown, and
``UNKNOWN`` for one that a preview cannot know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from google.protobuf import struct_pb2

from lifeboat.sandbox.provider.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The protocol marks special objects by a property with this name; its value says which kind.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's public marker, no credential
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

# An unknown value of any type travels as the string that the SDKs and the engine agreed on.
_UNKNOWN_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWN_WIRES = frozenset(
    (
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        _UNKNOWN_WIRE,  # string, and what this side sends for any type
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    )
)


@dataclass(frozen=True)
class Secret:
    """A value that outputs, logs and plain state must not show."""

    value: Any

    def __repr__(self) -> str:
        """Never the value: reprs end up in logs."""
        return "Secret(...)"


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The Python mapping that a protocol object carries; nulls are dropped at the top, as the SDKs do."""
    decoded = {key: _decode(value) for key, value in struct.fields.items()}
    return {key: value for key, value in decoded.items() if value is not None}


def _decode(value: struct_pb2.Value) -> Any:  # noqa: ANN401 - JSON-like
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWN_WIRES else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _decode_object(value.struct_value.fields)
    return None


def _decode_object(fields: Mapping[str, struct_pb2.Value]) -> Any:  # noqa: ANN401 - JSON-like
    signature = fields[SIGNATURE].string_value if SIGNATURE in fields else None
    if signature == SECRET:
        return Secret(_decode(fields["value"]))
    if signature == OUTPUT_VALUE:
        known = _decode(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(known) if "secret" in fields and fields["secret"].bool_value else known
    if signature == RESOURCE:
        # A resource that is passed where an ID is wanted: providers here accept no references.
        return _decode(fields["id"] if "id" in fields else fields["urn"]) or UNKNOWN
    return {key: _decode(item) for key, item in fields.items()}


def encode(values: Mapping[str, Any], *, secrets: bool = True) -> struct_pb2.Struct:
    """The protocol object for a mapping.

    Args:
        values: property name → value.
        secrets: whether the receiver accepts marked secrets; if not they travel plain, as the protocol has it.
    """
    struct = struct_pb2.Struct()
    for key, value in values.items():
        _encode(struct.fields[key], value, secrets)
    return struct


def _encode(target: struct_pb2.Value, value: Any, secrets: bool) -> None:  # noqa: ANN401 - JSON-like
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        target.string_value = _UNKNOWN_WIRE
    elif isinstance(value, Secret):
        if secrets:
            target.struct_value.fields[SIGNATURE].string_value = SECRET
            _encode(target.struct_value.fields["value"], value.value, secrets)
        else:
            _encode(target, value.value, secrets)
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, dict):
        # An empty object must still be an object.
        target.struct_value.SetInParent()
        for key, item in cast("dict[str, Any]", value).items():
            _encode(target.struct_value.fields[key], item, secrets)
    else:
        target.list_value.SetInParent()
        for item in value:
            _encode(target.list_value.values.add(), item, secrets)


def reveal(value: Any) -> Any:  # noqa: ANN401 - JSON-like
    """The same value without any :class:`Secret` around or inside it."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [reveal(item) for item in cast("list[Any]", value)]
    return value


def holds_secret(value: Any) -> bool:  # noqa: ANN401 - JSON-like
    """Whether a :class:`Secret` is at or below the value."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(holds_secret(item) for item in cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        return any(holds_secret(item) for item in cast("list[Any]", value))
    return False


def holds_unknown(value: Any) -> bool:  # noqa: ANN401 - JSON-like
    """Whether an unknown is at or below the value."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return holds_unknown(value.value)
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        return any(holds_unknown(item) for item in cast("list[Any]", value))
    return False


def to_state(value: Any, encrypt: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON-like
    """The value as a state file keeps it: secrets as marked ciphertext of their JSON.

    Args:
        value: a Python value.
        encrypt: plaintext → ciphertext.
    """
    if isinstance(value, Secret):
        text = json.dumps(reveal(value.value), separators=(",", ":"))
        return {SIGNATURE: SECRET, "ciphertext": encrypt(text)}
    if isinstance(value, dict):
        return {key: to_state(item, encrypt) for key, item in sorted(cast("dict[str, Any]", value).items())}
    if isinstance(value, list):
        return [to_state(item, encrypt) for item in cast("list[Any]", value)]
    return value
