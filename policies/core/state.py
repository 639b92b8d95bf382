"""An index from a deployment, as ``pulumi stack export`` and the local cloud write it.

What the program only looks up (``external`` in the state) is not the program's to keep, and is not judged, as in a
preview. ``pulumi policy analyze --file`` judges it: the engine hands every resource of a state to a pack as declared,
and does not say which it only read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from policies.core.index import Index
from policies.core.resource import Provider, Resource, canonical
from policies.core.values import UNKNOWN, mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark, no secret
_VERSION: Final = 3


class StateError(ValueError):
    """The file is no deployment that can be read; one line for the user."""


class _Entry(BaseModel):
    """What is read of a resource; a state file has more."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    urn: str
    type: str
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    parent: str | None = None
    provider: str | None = None
    protect: bool = False
    external: bool = False
    delete: bool = False
    ignore_changes: list[str] | None = None
    dependencies: list[str] | None = None
    property_dependencies: dict[str, list[str] | None] | None = None


_ENTRIES: Final = TypeAdapter(list[_Entry])


def index_of_state(text: str) -> Index:
    """Read a state file.

    Encrypted values are unknown: what depends on one is undecided.

    Raises:
        StateError: when it is no deployment of version 3.
    """
    try:
        return _index(text)
    except RecursionError:
        raise StateError("nested too deeply") from None


def _index(text: str) -> Index:
    try:
        document = json.loads(text)
    except ValueError as fault:
        raise StateError(f"not JSON: {fault}") from None
    exported = mapping(document)
    if not isinstance(exported.get("deployment"), dict):
        raise StateError("a deployment as `pulumi stack export` writes it is expected")
    if exported.get("version") != _VERSION:
        raise StateError(f"version: {exported.get('version')}: {_VERSION} is expected")
    try:
        # A stack that nothing was deployed into has null here.
        found = _ENTRIES.validate_python(exported["deployment"].get("resources") or [])
    except ValidationError as fault:
        # One says enough, and without the value, which may be a property's.
        first = fault.errors(include_input=False)[0]
        key = ".".join(str(part) for part in ("deployment", "resources", *first["loc"]))
        raise StateError(f"{key}: {first['msg']}") from None
    entries = [each for each in found if not each.delete]
    providers = {
        each.urn: Provider(urn=each.urn, type=each.type, inputs=_opened(each.inputs or {}))
        for each in entries
        if each.type.startswith("pulumi:providers:")
    }
    return Index(_resource(each, providers) for each in entries)


def _resource(entry: _Entry, providers: Mapping[str, Provider]) -> Resource:
    return Resource(
        urn=entry.urn,
        type=canonical(entry.type),
        # What the program only looks up is not its to keep.
        inputs=None if entry.external else _opened(entry.inputs or {}),
        outputs=_opened(entry.outputs or {}),
        protect=entry.protect,
        ignore_changes=tuple(entry.ignore_changes or ()),
        parent=entry.parent or "",
        provider=providers.get((entry.provider or "").rpartition("::")[0]),
        dependencies=tuple(entry.dependencies or ()),
        property_dependencies={key: tuple(urns or ()) for key, urns in (entry.property_dependencies or {}).items()},
    )


def _opened(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        bag = cast("dict[str, Any]", value)
        if bag.get(_SIGNATURE) == _SECRET:
            return _plaintext(bag)
        return {key: _opened(item) for key, item in bag.items()}
    if isinstance(value, list):
        return [_opened(item) for item in cast("list[Any]", value)]
    return value


def _plaintext(secret: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if "plaintext" not in secret:
        return UNKNOWN
    try:
        return json.loads(secret["plaintext"])
    except (TypeError, ValueError):
        raise StateError("a secret's plaintext: JSON in a string is expected") from None
