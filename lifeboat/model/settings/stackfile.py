"""A ``Pulumi.<stack>.yaml`` as text: what it configures, read as Pulumi's engine would read it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any, cast

import yaml

from lifeboat.model.settings.faults import NAMESPACE, Fault, SettingsError

_PLAIN = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    "null": (r"~|null|Null|NULL|", "~nN"),
    "merge": (r"<<", "<"),
}
"""Forms of plain values that are not text, and the characters they begin with."""

_Resolvers = dict[str, list[tuple[str, re.Pattern[str]]]]


def _resolvers() -> _Resolvers:
    """PyYAML's table: by first character, the tags to try. Empty text has no first character."""
    table: _Resolvers = {"": [("tag:yaml.org,2002:null", re.compile(r"^$"))]}
    for tag, (form, first) in _PLAIN.items():
        for character in first:
            table.setdefault(character, []).append((f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{form})$")))
    return table


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain values (`on` is text, 1:30 is text, a day is text), and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = _resolvers()


def parse_stack_file(text: str) -> dict[str, object]:
    """Every configuration key of a stack's file, with its namespace: ``lifeboat:home``, ``aws:region``, ...

    A key without a namespace belongs to the project, as it does for Pulumi. Encrypted values stay as they are,
    mappings with the one key ``secure``.

    Raises:
        SettingsError: for text that is no such file, with the line and column.
    """
    try:
        # The loader derives from SafeLoader: plain data only.
        document: object = yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise SettingsError((_unreadable(error),)) from None
    config = cast("Mapping[str, object]", document).get("config") if isinstance(document, Mapping) else None
    if not isinstance(config, Mapping):
        accepted = f"a mapping of keys such as {NAMESPACE}:system"
        raise SettingsError((Fault(key="config", value="absent or no mapping", accepted=accepted),))
    entries = cast("Mapping[object, object]", config)
    return {
        key if ":" in key else f"{NAMESPACE}:{key}": value for key, value in ((str(k), v) for k, v in entries.items())
    }


def own_settings(config: Mapping[str, object]) -> dict[str, object]:
    """The project's own keys, without the namespace; other namespaces (``aws:``) are none of its business."""
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}


def _unreadable(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "the file"
    problem = str(getattr(error, "problem", None) or "not readable").splitlines()[0]
    return Fault(key=place, value=problem, accepted="YAML")
