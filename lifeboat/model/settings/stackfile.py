"""A ``Pulumi.<stack>.yaml`` as text: what it configures, read as Pulumi's engine would read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import yaml

from lifeboat.model.settings.faults import NAMESPACE, Fault, SettingsError
from lifeboat.model.settings.yaml12 import load_yaml


def parse_stack_file(text: str, file: str = "Pulumi.STACK.yaml") -> dict[str, object]:
    """Every configuration key of a stack's file, with its namespace: ``lifeboat:home``, ``aws:region``, ...

    A key without a namespace belongs to the project, as it does for Pulumi. Encrypted values stay as they are,
    mappings with the one key ``secure``.

    Args:
        text: The file's text.
        file: The file's name, for faults of the text as a whole.

    Raises:
        SettingsError: for text that is no such file, with its name, the line and the column.
    """
    try:
        document = load_yaml(text)
    except yaml.YAMLError as error:
        raise SettingsError((_unreadable(error, file),)) from None
    config = cast("Mapping[str, object]", document).get("config") if isinstance(document, Mapping) else None
    if not isinstance(config, Mapping):
        accepted = f"a mapping of keys such as {NAMESPACE}:system"
        raise SettingsError((Fault(key=f"{file}: config", value="absent or no mapping", accepted=accepted),))
    entries = cast("Mapping[object, object]", config)
    return {
        key if ":" in key else f"{NAMESPACE}:{key}": value for key, value in ((str(k), v) for k, v in entries.items())
    }


def own_settings(config: Mapping[str, object]) -> dict[str, object]:
    """The project's own keys, without the namespace; other namespaces (``aws:``) are none of its business."""
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}


def _unreadable(error: yaml.YAMLError, file: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    place = f"{file}: line {mark.line + 1}, column {mark.column + 1}" if mark is not None else file
    problem = str(getattr(error, "problem", None) or "not readable").splitlines()[0]
    return Fault(key=place, value=problem, accepted="YAML")
