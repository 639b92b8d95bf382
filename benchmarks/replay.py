"""The API calls of one `up`, recorded and made again with nothing around them.

Generated identifiers differ from run to run. They are learned from the answers: wherever a recorded answer and a new
one differ in a string, later arguments take the new one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lifeboat.sandbox.provider.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.sandbox.provider.values import Values

Call: TypeAlias = tuple[str, str, str, Any, Any]
"""Service, region, operation, arguments, answer."""

_SHORTEST_ID = 6
"""Shorter differing strings are counts or flags, not identifiers."""


class Recorder(Clients):
    """Clients that keep what they were asked and answered."""

    calls: list[Call]

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.calls = []

    def call(self, service: str, region: str, operation: str, arguments: Values) -> Values:
        """As `Clients.call`."""
        answer = super().call(service, region, operation, arguments)
        self.calls.append((service, region, operation, arguments, answer))
        return answer


def replay(calls: list[Call], endpoint: str) -> None:
    """Make the calls in their order."""
    clients = Clients(endpoint)
    renamed: dict[str, str] = {}
    sent: set[str] = set()
    for service, region, operation, arguments, recorded in calls:
        # What was an argument before was known before: it differs only because a list came in another order.
        sent.update(_texts(arguments))
        answer = clients.call(service, region, operation, _substitute(arguments, renamed))
        for old, new in _differences(recorded, answer):
            if old not in sent:
                renamed.setdefault(old, new)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for each in cast("dict[str, object]", value).values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _differences(recorded: object, answer: object) -> Iterator[tuple[str, str]]:
    if isinstance(recorded, dict) and isinstance(answer, dict):
        known, new = cast("dict[str, object]", recorded), cast("dict[str, object]", answer)
        for key in known.keys() & new.keys():
            yield from _differences(known[key], new[key])
    elif isinstance(recorded, list) and isinstance(answer, list):
        for one, other in zip(cast("list[object]", recorded), cast("list[object]", answer), strict=False):
            yield from _differences(one, other)
    elif isinstance(recorded, str) and isinstance(answer, str) and recorded != answer and len(recorded) >= _SHORTEST_ID:
        yield recorded, answer
        # What an ARN or a path ends in is an argument by itself elsewhere.
        for one, other in zip(re.split("[/:]", recorded), re.split("[/:]", answer), strict=False):
            if one != other and len(one) >= _SHORTEST_ID:
                yield one, other


def _substitute(value: Any, renamed: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _substitute(each, renamed) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_substitute(each, renamed) for each in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    if value in renamed:
        return renamed[value]
    for old, new in renamed.items():
        if old in value:
            value = value.replace(old, new)
    return value
