"""Faults in a stack's settings: each one line, in the terms of the file that its author wrote."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NAMESPACE = "lifeboat"
ABSENT = "absent"
HIDDEN = "[hidden]"
_SHOWN = 60
"""Characters of a value that are shown."""
_SECRETIVE = re.compile(r"passw|secret|token|credential|private|api_?key", re.IGNORECASE)
_SECRETS = "secrets"
"""The setting that describes secrets and holds none."""
_KINDS = {
    "string_type": "text, in quotes where it looks like a number",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "float_type": "a number",
}

Path = tuple[str | int, ...]
"""Where something stands: keys and list positions."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong."""

    key: str
    """Path in the stack's file, such as ``lifeboat:databases[0].rpo``."""
    value: str
    """The value found, as text; ``absent`` or ``[hidden]`` where there is none to show."""
    accepted: str
    """Completes "accepted is ..."."""

    def __str__(self) -> str:
        return f"{self.key}: {self.value}: accepted is {self.accepted}"


class SettingsError(ValueError):
    """A stack's settings cannot be used; carries every fault, and prints one line each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def key_path(path: Path) -> str:
    """``lifeboat:databases[0].rpo`` for ``("databases", 0, "rpo")``."""
    text = ""
    for part in path:
        # A key that does not print is shown as JSON writes it: a fault is one line.
        name = str(part) if isinstance(part, int) or part.isprintable() else json.dumps(part)
        text += f"[{name}]" if isinstance(part, int) else f".{name}" if text else name
    return f"{NAMESPACE}:{text}"


def shown(value: object, path: Path = ()) -> str:
    """A value as one short line of JSON; hidden when it is encrypted, or its key speaks of a secret."""
    if any(_SECRETIVE.search(part) for part in path if isinstance(part, str) and part != _SECRETS) or _has_secret(
        value
    ):
        return HIDDEN
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _has_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        return "secure" in items or any(
            (isinstance(key, str) and _SECRETIVE.search(key)) or _has_secret(item) for key, item in items.items()
        )
    return isinstance(value, list | tuple) and any(map(_has_secret, cast("Sequence[object]", value)))


def fault(path: Path, value: object, accepted: str) -> Fault:
    """A fault of the value at `path`."""
    return Fault(key=key_path(path), value=shown(value, path), accepted=accepted)


def absent(path: Path, accepted: str) -> Fault:
    """A fault of a value that is not there."""
    return Fault(key=key_path(path), value=ABSENT, accepted=accepted)


def from_pydantic(error: ErrorDetails, root: type[BaseModel], prefix: Path = ()) -> Fault:
    """The fault behind one of pydantic's errors; `prefix` is where `root` stands in the settings."""
    path: Path = (*prefix, *(part for part in error["loc"] if part != "[key]"))
    model = _model_at(root, error["loc"])
    match error["type"]:
        case "missing":
            return absent(path, _described(model, str(error["loc"][-1])))
        case "extra_forbidden":
            return _unknown_key(path, error["input"], model)
        case "value_error":
            accepted = str(error.get("ctx", {}).get("error", error["msg"]))
        case "enum":
            accepted = f"{error.get('ctx', {}).get('expected', '')}".replace("'", "")
            accepted = f"one of {accepted}"
        case "model_type" | "model_attributes_type":
            inner = _model_at(root, (*error["loc"], ""))
            accepted = f"a mapping with the keys {_keys(inner)}"
        case kind:
            accepted = _KINDS.get(kind, error["msg"])
    return fault(path, error["input"], accepted)


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(field.alias or name for name, field in model.model_fields.items())


def _unknown_key(path: Path, value: object, model: type[BaseModel]) -> Fault:
    key = str(path[-1])
    names = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(key, names, n=1)
    accepted = f"the key {near[0]}; there is no key {key}" if near else f"one of the keys {', '.join(names)}"
    return fault(path, value, accepted)


def _described(model: type[BaseModel], key: str) -> str:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return required(field.description)
    return required(None)


def required(description: str | None) -> str:
    """What an absent key that must be there accepts."""
    said = (description or "").split(". ")[0].rstrip(".")
    # An abbreviation stays as it is.
    first = said[:1] if said[1:2].isupper() else said[:1].lower()
    return f"a value, the key is required{said and ': '}{first}{said[1:]}"


def _model_at(root: type[BaseModel], loc: Path) -> type[BaseModel]:
    """The innermost model on the way to `loc`, the last step of which is a key of it."""
    model = root
    for part in loc[:-1]:
        if isinstance(part, str):
            model = _model_of(model, part) or model
    return model


def _model_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model that `key` holds, itself or as the items of a list."""
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return _model_in(field.annotation)
    return None


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for found in map(_model_in, get_args(annotation)) if found is not None), None)
