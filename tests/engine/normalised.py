"""Deployments made comparable: generated identifiers give way to the URN and property of their owner."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from lifeboat.sandbox.inprocess.passphrase import Crypter
from lifeboat.sandbox.plugin.wire import SECRET, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_GENERATED = re.compile(
    r"""
        \b[a-z]+-[0-9a-f]{8,17}\b                                               # vpc-0123456789abcdef0
      | \b(?:[a-z]+-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b             # keys, providers, health checks
      | \b[0-9a-f]{32,64}\b                                                     # digests
      | \b(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{12,32}\b                             # hosted zones, roles, databases
      | (?<=/)[0-9a-f]{16}(?=$|/)                                               # load balancers, their groups
      | (?<=-)[0-9a-f]{8}(?=\.com\.amazonaws)                                   # endpoints' names
      | (?<=\.)[a-z0-9]{6}(?=\.[a-z0-9]+\.cache\.amazonaws\.com)               # caches' names
      | \bcluster-(?:ro-)?[a-z0-9]{12}(?=\.)                                   # Aurora clusters' names
      | \b(?:AIDA|AROA)[A-Z0-9]{12,17}\b                                         # roles, without a digit too
      | (?<=\bdb-)[A-Z0-9]{26}\b                                                # databases, without a digit too
      | ^\d{1,3}(?:\.\d{1,3}){3}$ | (?<=ec2-)\d{1,3}(?:\.\d{1,3}){3}           # addresses
      | ^[A-Za-z0-9+/]{6}==$                                                    # checksums
      | (?<=:secret:)\S+-[A-Za-z0-9]{6}(?=$|[:|])                               # secrets: six characters behind a name
    """,
    re.VERBOSE,
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d\d:?\d\d)?")
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
    # What several resources repeat belongs to the one whose identifier it is, else to the first by name.
    for resource in resources:
        identifier = resource.get("id")
        if identifier and not identifier.startswith("arn:") and _GENERATED.search(identifier):
            names.setdefault(identifier, f"<{resource['urn']}>")
    for resource in sorted(resources, key=lambda r: r["urn"]):
        _name_generated(resource, names)
    # Longer ones first: one identifier may be part of another.
    pattern = re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or "$^")
    return {
        resource["urn"]: _comparable(resource, lambda text: _renamed(text, pattern, names)) for resource in resources
    }


def _renamed(text: str, pattern: re.Pattern[str], names: dict[str, str]) -> str:
    return _TIME.sub("<time>", pattern.sub(lambda found: names[found[0]], text))


def _name_generated(resource: dict[str, Any], names: dict[str, str]) -> None:
    urn = resource["urn"]
    for path, text in _leaves(resource.get("outputs") or {}, ""):
        # A hosted zone's name may have no digit, and then looks like a word.
        for found in [text] if path.endswith("hostedZoneId") else _GENERATED.findall(text):
            names.setdefault(found, f"<{urn}{path}>")
    if resource["type"] == "random:index/randomPassword:RandomPassword":
        names[json.loads(resource["outputs"]["result"]["plaintext"])] = f"<{urn}.result>"


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        for key, item in sorted(cast("dict[str, Any]", value).items()):
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _leaves(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value


def _comparable(resource: dict[str, Any], rename: Callable[[str], str]) -> dict[str, Any]:
    kept = {key: _replaced(resource.get(key), rename) for key in _KEPT}
    if resource["type"] == "aws:rds/clusterInstance:ClusterInstance":
        # A cluster's writer is whichever instance was there first; they are created side by side.
        kept["outputs"].pop("writer")
    kept |= {key: sorted(resource.get(key) or []) for key in _SORTED}
    properties = cast("dict[str, list[str]]", resource.get("propertyDependencies") or {})
    kept["propertyDependencies"] = {key: sorted(urns or []) for key, urns in properties.items()}
    return kept


def _replaced(value: Any, rename: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if mapping.get(SIGNATURE) == SECRET:
            return {"secret": _replaced(json.loads(mapping["plaintext"]), rename)}
        return {key: _replaced(item, rename) for key, item in mapping.items()}
    if isinstance(value, list):
        return [_replaced(item, rename) for item in cast("list[Any]", value)]
    return rename(value) if isinstance(value, str) else value


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


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Every leaf in which two values differ, a line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        for key in sorted(left.keys() | right.keys()):
            yield from differences(left.get(key), right.get(key), f"{path}.{key}")
    elif (
        isinstance(one, list)
        and isinstance(other, list)
        and len(cast("list[Any]", one)) == len(cast("list[Any]", other))
    ):
        for index, pair in enumerate(zip(cast("list[Any]", one), cast("list[Any]", other), strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif one != other:
        yield f"{path}: {one!r} != {other!r}"
