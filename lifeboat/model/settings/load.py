"""The door to a stack's settings: everything that is wrong, at once, or settings that hold together."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from pydantic import BaseModel, ValidationError

from lifeboat.model.settings import rules
from lifeboat.model.settings.draft import draft
from lifeboat.model.settings.faults import HIDDEN, Fault, Path, SettingsError, from_pydantic, key_path
from lifeboat.model.settings.root import Settings
from lifeboat.model.settings.stackfile import own_settings, parse_stack_file

__all__ = ["Fault", "SettingsError", "from_runtime", "from_stack_file", "load"]

_TEXTS = frozenset({"system", "environment", "account", "home", "witness", "strategy", "approval"})
"""Keys whose values are plain text; an engine hands every other one over as JSON."""


def load(config: Mapping[str, object]) -> Settings:
    """Settings from the project's own keys, without their namespace; values as a YAML file has them.

    Raises:
        SettingsError: with every fault, those of form and those across fields.
    """
    understood, form = draft(config)
    encrypted = tuple(key_path(path) for path in _encrypted(config, ()))
    plain = "plain text: no setting is a secret, Lifeboat generates its own"
    found = [Fault(key=key, value=HIDDEN, accepted=plain) for key in encrypted]
    found += (fault for fault in (*form, *rules.faults(understood)) if not _under(fault.key, encrypted))
    if found:
        raise SettingsError(tuple(dict.fromkeys(found)))
    given = {key: value for key, value in config.items() if not (key == "dns" and value == {})}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError([from_pydantic(detail, Settings) for detail in error.errors(include_url=False)]) from None


def from_stack_file(text: str, file: str = "Pulumi.STACK.yaml") -> Settings:
    """Settings from the text of a ``Pulumi.<stack>.yaml``; `file` is its name.

    Raises:
        SettingsError: with every fault, or with the place where the text is not YAML.
    """
    return load(own_settings(parse_stack_file(text, file)))


def from_runtime(config: Mapping[str, str], secret_keys: Collection[str] = ()) -> Settings:
    """Settings as an engine hands them to a program: every namespace, all values text, lists and mappings as JSON.

    Args:
        config: Values by key with namespace, such as ``lifeboat:sites``.
        secret_keys: Keys (with namespace) that were encrypted; their values are never shown.

    Raises:
        SettingsError: with every fault.
    """
    values = {key: _decoded(key, str(text)) for key, text in own_settings(config).items()}
    hidden = tuple(secret_keys)
    try:
        return load(values)
    except SettingsError as error:
        if not hidden:
            raise
        faults = [replace(fault, value=HIDDEN) if _under(fault.key, hidden) else fault for fault in error.faults]
        raise SettingsError(faults) from None


def _decoded(key: str, text: str) -> object:
    if key in _TEXTS or key not in Settings.model_fields:
        return text
    try:
        return json.loads(text)
    except ValueError:
        # Text where a list or mapping belongs: its own fault, reported with the others.
        return text


def _under(key: str, tops: tuple[str, ...]) -> bool:
    return any(key == top or key.startswith((f"{top}.", f"{top}[")) for top in tops)


def _encrypted(value: object, path: Path) -> Iterator[Path]:
    """Where Pulumi's encrypted values, ``{secure: ...}``, stand."""
    if isinstance(value, BaseModel):
        return
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value)
        if path and set(items) == {"secure"}:
            yield path
        else:
            for key, item in items.items():
                yield from _encrypted(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for at, item in enumerate(cast("Sequence[object]", value)):
            yield from _encrypted(item, (*path, at))
