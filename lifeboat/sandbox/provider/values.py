"""Plain values, the unknown value, and the catalogue's templates."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, TypeAlias, cast

import jmespath
from jmespath.exceptions import JMESPathError

from lifeboat.sandbox.provider.errors import ProviderError
from lifeboat.sandbox.provider.functions import OPTIONS


class Unknown(Enum):
    """The type of ``UNKNOWN``; an enumeration so that checkers can tell it apart."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that only exists after an update; doors translate it to and from their own sentinel."""

Value: TypeAlias = "bool | int | float | str | Unknown | list[Value] | dict[str, Value] | None"
Values: TypeAlias = "dict[str, Value]"

_TEMPLATE = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")


def plain(response: object) -> Value:  # noqa: PLR0911 - one return a type
    """Turn a client's response into plain values: times to ISO 8601 in UTC, bytes to base64, decimals to numbers."""
    match response:
        case Mapping():
            items = cast("Mapping[object, object]", response).items()
            return {str(key): plain(item) for key, item in items if key != "ResponseMetadata"}
        case list() | tuple() | set():
            return [plain(item) for item in cast("list[object]", response)]
        case dt.datetime():
            return response.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case bytes():
            return base64.b64encode(response).decode()
        case Decimal():
            return float(response)
        case None | bool() | int() | float() | str() | Unknown():
            return response
        case _ if hasattr(response, "read"):
            return plain(cast("Any", response).read())
        case _:
            return str(response)


def has_unknown(value: Value) -> bool:
    """Whether any part of a value is unknown."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def evaluate(expression: str, context: Values) -> Value:
    """Evaluate a JMESPath expression; a name that is not there is null.

    Raises:
        ProviderError: If the expression does not fit what it meets: the catalogue is at fault.
    """
    try:
        return cast("Value", _compiled(expression).search(context, OPTIONS))
    except JMESPathError as error:
        raise ProviderError("evaluate", "CatalogueFault", f"{expression}: {type(error).__name__}") from None


def render(template: object, context: Values) -> Value:
    """Fill a template: see ``lifeboat.sandbox.catalogue.schema``.

    Returns:
        The value with null members of objects and null items of lists left out; None when a text lacks a part.
    """
    if isinstance(template, dict):
        filled = {key: render(item, context) for key, item in cast("dict[str, object]", template).items()}
        return {key: item for key, item in filled.items() if item is not None}
    if isinstance(template, list):
        items = [render(item, context) for item in cast("list[object]", template)]
        return [item for item in items if item is not None]
    if isinstance(template, str):
        return _render_text(template, context)
    return cast("Value", template)


def _render_text(template: str, context: Values) -> Value:
    parts = list(_TEMPLATE.finditer(template))
    if not parts:
        return template
    if len(parts) == 1 and parts[0].span() == (0, len(template)):
        return evaluate(parts[0][1], context)
    values = [evaluate(part[1], context) for part in parts]
    if any(value is None for value in values):
        return None
    filled = iter(values)
    return _TEMPLATE.sub(lambda _: text(next(filled)), template)


def text(value: Value) -> str:
    """A value as the provider writes it inside texts: booleans in lower case, whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, list | dict) else str(value)


@cache
def _compiled(expression: str) -> Any:  # noqa: ANN401 - jmespath has no types
    return jmespath.compile(expression)
