"""When two values mean the same to the provider.

Absent, null, false, zero and empty are the same, as they are to the provider's schema library; numbers and booleans
equal their texts; lists are compared as sets unless the catalogue calls them ordered, texts of JSON by what they hold.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from lifeboat.sandbox.provider.values import UNKNOWN, Value, text

if TYPE_CHECKING:
    from collections.abc import Callable


def is_zero(value: Value) -> bool:
    """Whether a value is as good as absent."""
    if isinstance(value, dict):
        return all(is_zero(item) for item in value.values())
    return value is None or (value is not UNKNOWN and not value)


def same(left: Value, right: Value, *, ordered: bool = False) -> bool:
    """Whether two values are equal. An unknown equals nothing, since it may become anything."""
    if left is UNKNOWN or right is UNKNOWN:
        return False
    if is_zero(left) and is_zero(right):
        return True
    if isinstance(left, dict) and isinstance(right, dict):
        return all(same(left.get(key), right.get(key), ordered=ordered) for key in left.keys() | right.keys())
    if isinstance(left, list) and isinstance(right, list):
        return _match(left, right, ordered, lambda a, b: same(a, b, ordered=ordered)) is not None
    return _same_scalar(left, right)


def covers(wanted: Value, got: Value, *, ordered: bool = False) -> bool:
    """Whether what was read holds all that was written; what the vendor added beside it does not count."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return all(covers(item, got.get(key), ordered=ordered) for key, item in wanted.items())
    if isinstance(wanted, list) and isinstance(got, list):
        return _match(wanted, got, ordered, lambda a, b: covers(a, b, ordered=ordered)) is not None
    return same(wanted, got, ordered=ordered)


def settle(wanted: Value, got: Value, *, ordered: bool = False) -> Value:
    """What was read, written as it was wanted where both mean the same: order, JSON's layout and types are kept."""
    if not covers(wanted, got, ordered=ordered):
        return got
    if isinstance(wanted, dict) and isinstance(got, dict):
        extra = {key: item for key, item in got.items() if not is_zero(item)}
        return {**extra, **{key: settle(item, got.get(key), ordered=ordered) for key, item in wanted.items()}}
    if isinstance(wanted, list) and isinstance(got, list):
        pairs = _match(wanted, got, ordered, lambda a, b: covers(a, b, ordered=ordered)) or []
        return [settle(left, right, ordered=ordered) for left, right in pairs]
    return wanted


def _match(
    left: list[Value], right: list[Value], ordered: bool, equal: Callable[[Value, Value], bool]
) -> list[tuple[Value, Value]] | None:
    """Pair the items of two lists; None when they do not pair up."""
    if len(left) != len(right):
        return None
    if ordered:
        pairs = list(zip(left, right, strict=True))
        return pairs if all(equal(a, b) for a, b in pairs) else None
    pairs: list[tuple[Value, Value]] = []
    rest = list(right)
    for item in left:
        found = next((other for other in rest if equal(item, other)), None)
        if found is None and item is not None:
            return None
        rest.remove(found)
        pairs.append((item, found))
    return pairs


def _same_scalar(left: Value, right: Value) -> bool:
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return False
    if isinstance(left, str) and isinstance(right, str) and left != right:
        documents = _document(left), _document(right)
        return None not in documents and same(_unwrap(documents[0]), _unwrap(documents[1]))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return text(left) == text(right)


def _document(value: str) -> Value:
    """What a text holds when it is a JSON object or list; None otherwise."""
    if not value.lstrip().startswith(("{", "[")):
        return None
    try:
        return cast("Value", json.loads(value))
    except ValueError:
        return None


def _unwrap(value: Value) -> Value:
    """Policies write one item with or without a list around it."""
    if isinstance(value, dict):
        return {key: _unwrap(item) for key, item in value.items()}
    if isinstance(value, list):
        return _unwrap(value[0]) if len(value) == 1 else [_unwrap(item) for item in value]
    return value
