"""An index from a deployment, as ``pulumi stack export`` and the local cloud write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.index import Index
from policies.core.resource import Provider, Resource, canonical
from policies.core.values import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark, no secret
_VERSION: Final = 3


class StateError(ValueError):
    """The file is no deployment that can be read; one line for the user."""


def index_of_state(text: str) -> Index:
    """Read a state file.

    Encrypted values stand as the text ``[secret]``, as the engine has them where it has no key.

    Raises:
        StateError: when it is no deployment of version 3.
    """
    try:
        document = json.loads(text)
    except ValueError as fault:
        raise StateError(f"not JSON: {fault}") from None
    exported = mapping(document)
    if not isinstance(exported.get("deployment"), dict):
        raise StateError("a deployment as `pulumi stack export` writes it is expected")
    if exported.get("version") != _VERSION:
        raise StateError(f"version: {exported.get('version')}: {_VERSION} is expected")
    entries = [each for each in exported["deployment"].get("resources") or () if not each.get("delete")]
    providers = {
        each["urn"]: Provider(urn=each["urn"], type=each["type"], inputs=_opened(each.get("inputs") or {}))
        for each in entries
        if each["type"].startswith("pulumi:providers:")
    }
    return Index(_resource(each, providers) for each in entries)


def _resource(entry: Mapping[str, Any], providers: Mapping[str, Provider]) -> Resource:
    dependencies = cast("dict[str, list[str] | None]", entry.get("propertyDependencies") or {})
    return Resource(
        urn=entry["urn"],
        type=canonical(entry["type"]),
        # What the program only looks up is not its to keep.
        inputs=None if entry.get("external") else _opened(entry.get("inputs") or {}),
        outputs=_opened(entry.get("outputs") or {}),
        protect=bool(entry.get("protect")),
        ignore_changes=tuple(entry.get("ignoreChanges") or ()),
        parent=entry.get("parent") or "",
        provider=providers.get((entry.get("provider") or "").rpartition("::")[0]),
        dependencies=tuple(entry.get("dependencies") or ()),
        property_dependencies={key: tuple(urns or ()) for key, urns in dependencies.items()},
    )


def _opened(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        bag = cast("dict[str, Any]", value)
        if bag.get(_SIGNATURE) == _SECRET:
            return json.loads(bag["plaintext"]) if "plaintext" in bag else "[secret]"
        return {key: _opened(item) for key, item in bag.items()}
    if isinstance(value, list):
        return [_opened(item) for item in cast("list[Any]", value)]
    return value
