"""Deployments made comparable: generated identifiers give way to the URN and property of their owner."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from lifeboat.sandbox.inprocess.passphrase import Crypter
from lifeboat.sandbox.plugin.wire import SECRET, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GENERATED = re.compile(
    r"""\b(?:
        [a-z]+-[0-9a-f]{8,17}                                    # vpc-0123456789abcdef0
      | (?:[a-z]+-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}  # keys, providers
      | [0-9a-f]{32,64}                                          # digests, host names
      | Z[A-Z0-9]{10,31}                                         # hosted zones
      | (?:AIDA|AROA)[A-Z0-9]{12,17}                             # roles
      | \d{4}-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d\d:?\d\d)?  # times
    )\b""",
    re.VERBOSE,
)
# Secrets Manager appends six characters to a name.
_SECRET_ARN = re.compile(r"(?<=:secret:)\S+(?=-[A-Za-z0-9]{6}\b)-[A-Za-z0-9]{6}")
_KEPT = (
    "type",
    "custom",
    "parent",
    "provider",
    "protect",
    "external",
    "importID",
    "ignoreChanges",
    "inputs",
    "outputs",
)
_SORTED = ("dependencies", "additionalSecretOutputs")


def normalise(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """URN → what both doors must agree on.

    Args:
        resources: of a deployment with its secrets in plain text (``--show-secrets``).
    """
    names: dict[str, str] = {}
    for resource in resources:
        _name_generated(resource, names)
    # Longer ones first: one identifier may be part of another.
    ordered = sorted(names.items(), key=lambda pair: -len(pair[0]))
    return {resource["urn"]: _comparable(resource, ordered) for resource in resources}


def _name_generated(resource: dict[str, Any], names: dict[str, str]) -> None:
    urn = resource["urn"]
    identifier = resource.get("id")
    if identifier and _looks_generated(identifier):
        names.setdefault(identifier, f"<{urn}>")
    for path, text in _leaves(resource.get("outputs") or {}, ""):
        for found in (*_GENERATED.findall(text), *_SECRET_ARN.findall(text)):
            names.setdefault(found, f"<{urn}{path}>")
    if resource["type"] == "random:index/randomPassword:RandomPassword":
        names[json.loads(resource["outputs"]["result"]["plaintext"])] = f"<{urn}.result>"


def _looks_generated(identifier: str) -> bool:
    return bool(_GENERATED.search(identifier)) and not identifier.startswith("arn:")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        for key, item in sorted(cast("dict[str, Any]", value).items()):
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _leaves(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value


def _comparable(resource: dict[str, Any], names: list[tuple[str, str]]) -> dict[str, Any]:
    kept = {key: _replaced(resource.get(key), names) for key in _KEPT}
    kept |= {key: sorted(resource.get(key) or []) for key in _SORTED}
    properties = cast("dict[str, list[str]]", resource.get("propertyDependencies") or {})
    kept["propertyDependencies"] = {key: sorted(urns or []) for key, urns in properties.items()}
    return kept


def _replaced(value: Any, names: list[tuple[str, str]]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if mapping.get(SIGNATURE) == SECRET:
            return {"secret": _replaced(json.loads(mapping["plaintext"]), names)}
        return {key: _replaced(item, names) for key, item in mapping.items()}
    if isinstance(value, list):
        return [_replaced(item, names) for item in cast("list[Any]", value)]
    if isinstance(value, str):
        for generated, name in names:
            value = value.replace(generated, name)
    return value


def opened(state: Path, passphrase: str) -> list[dict[str, Any]]:
    """Resources of an in-process state file, as ``stack export --show-secrets`` would give them."""
    document = json.loads(state.read_text())["deployment"]
    crypter = Crypter.from_salt(passphrase, document["secrets_providers"]["state"]["salt"])
    return _opened(document["resources"], crypter)


def _opened(value: Any, crypter: Crypter) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if mapping.get(SIGNATURE) == SECRET:
            return {SIGNATURE: SECRET, "plaintext": crypter.decrypt(mapping["ciphertext"])}
        return {key: _opened(item, crypter) for key, item in mapping.items()}
    if isinstance(value, list):
        return [_opened(item, crypter) for item in cast("list[Any]", value)]
    return value
