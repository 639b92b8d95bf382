"""Which outputs are secret: what came from a secret input, what the catalogue declares, and what repeats a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lifeboat.sandbox.plugin.wire import Secret, holds_secret, reveal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A shorter text is likelier to be a coincidence ("app" as user and as password) than a leak.
_TELLING_LENGTH = 8


def mark(outputs: Mapping[str, Any], inputs: Mapping[str, Any], declared: Iterable[str] = ()) -> dict[str, Any]:
    """Outputs with their secrets marked.

    Args:
        outputs: Plain values by property.
        inputs: Inputs with marked secrets. What they mark stays marked under the same name, and any output text that
            equals a secret text is a secret too, under whatever name.
        declared: Outputs that are secret whatever their inputs were.
    """
    texts = frozenset(_texts(dict(inputs)))
    always = frozenset(declared)
    marked: dict[str, Any] = {}
    for key, value in outputs.items():
        whole = key in always and value is not None
        marked[key] = Secret(value) if whole else _hide(_like(value, inputs.get(key)), texts)
    return marked


def _like(value: Any, pattern: Any) -> Any:  # noqa: ANN401 - JSON-like
    """The value, secret where the pattern is: by key inside objects, else as a whole."""
    if isinstance(value, dict) and isinstance(pattern, dict):
        known = cast("dict[str, Any]", pattern)
        return {key: _like(item, known.get(key)) for key, item in cast("dict[str, Any]", value).items()}
    return Secret(value) if holds_secret(pattern) else cast("Any", value)


def _hide(value: Any, texts: frozenset[str]) -> Any:  # noqa: ANN401 - JSON-like
    if isinstance(value, str):
        return Secret(value) if value in texts else value
    if isinstance(value, dict):
        return {key: _hide(item, texts) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_hide(item, texts) for item in cast("list[Any]", value)]
    return value


def _texts(value: Any) -> Iterable[str]:  # noqa: ANN401 - JSON-like
    """Every telling text inside a secret."""
    if isinstance(value, Secret):
        yield from _leaves(reveal(value))
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _texts(item)


def _leaves(value: Any) -> Iterable[str]:  # noqa: ANN401 - JSON-like
    if isinstance(value, str) and len(value) >= _TELLING_LENGTH:
        yield value
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaves(item)
