"""YAML as Pulumi's engine reads it, which is not as PyYAML does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Hashable

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


def load_yaml(text: str) -> object:
    """The plain data in a YAML text.

    Raises:
        yaml.YAMLError: for text that is not YAML, or a mapping with a key twice.
    """
    # The loader derives from SafeLoader: plain data only.
    return yaml.load(text, Loader=_Loader)  # noqa: S506
