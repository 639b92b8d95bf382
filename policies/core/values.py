"""Property values as rules read them: plain Python, with what a preview cannot know marked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class Unknown:
    """A value that is known only after an update; one instance stands for all of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""Stands in a property bag where the engine has a marker."""


class UnknownPropertyError(Exception):
    """A rule read a value that is not known yet; the judge turns it into an undecided result.

    Attributes:
        path: Dotted path of the property.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def walk(bag: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    """The value at a dotted path, such as ``settings.backupConfiguration.enabled``; numbers index lists.

    Returns:
        The value, or None where any part of the path is absent.

    Raises:
        UnknownPropertyError: when the value, or anything above it, is unknown.
    """
    value = bag
    for segment in path.split(".") if path else ():
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(segment)
        elif isinstance(value, list) and segment.isdigit():
            items = cast("list[Any]", value)
            value = items[int(segment)] if int(segment) < len(items) else None
        else:
            return None
        if value is UNKNOWN:
            raise UnknownPropertyError(path)
    return value


def known(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    """The value itself.

    Raises:
        UnknownPropertyError: when it is unknown.
    """
    if value is UNKNOWN:
        raise UnknownPropertyError(path)
    return value


def is_true(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a flag is set; some providers spell flags as strings."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def is_false(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a flag is there and off."""
    return value is False or (isinstance(value, str) and value.lower() == "false")


def is_set(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether something was given: not absent, and no empty text, list or mapping."""
    return value is not None and value not in ("", [], {})


def number(value: Any) -> float | None:  # noqa: ANN401 - JSON
    """A finite number, also one spelled as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def at_least(least: float) -> Callable[[Any], bool]:
    """A predicate: a number that is not less than `least`."""
    return lambda value: (found := number(value)) is not None and found >= least


def at_most(most: float) -> Callable[[Any], bool]:
    """A predicate: a number that is not more than `most`."""
    return lambda value: (found := number(value)) is not None and found <= most


def texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    """The strings of a list, or the one string there is; whatever else is in it is left out."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Sequence):
        return tuple(item for item in cast("Sequence[Any]", value) if isinstance(item, str))
    return ()


def structured(value: Any) -> Any:  # noqa: ANN401 - JSON
    """What JSON text stands for, None where it is none; anything else as it is.

    Policies are text, and so are the structured settings of a provider.
    """
    return _parsed(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def document(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A policy or pattern that is JSON text or a mapping already; empty for anything else."""
    return mapping(structured(value))


def mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The mapping, or an empty one where the value is none."""
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else {}
