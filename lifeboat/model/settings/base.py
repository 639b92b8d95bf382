"""The building blocks of every setting: durations, names, regions, and the model they live in."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+[dhms])+")
_PART = re.compile(r"(\d+)([dhms])")


def parse_duration(value: object) -> object:
    """Seconds in a duration such as ``15m``, ``1h30m`` or ``7d``.

    An int passes through: it is seconds that were parsed before (a model built from another's dump).

    Raises:
        ValueError: for text that is no duration.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a duration such as 15m, 1h or 24h5m")
    if isinstance(value, int):
        return value
    if not _DURATION.fullmatch(value):
        raise ValueError("a duration such as 15m, 1h or 24h5m")
    return sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(value))


def format_duration(seconds: float) -> str:
    """A duration as people write it: ``24h05m``, ``15m``, ``90s``; whole seconds, rounded."""
    whole = round(seconds)
    if whole < 120 and whole % 60:
        return f"{whole}s"
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    if hours:
        return f"{hours}h" + (f"{minutes:02d}m" if minutes else "") + (f"{secs:02d}s" if secs else "")
    return f"{minutes}m" + (f"{secs:02d}s" if secs else "")


Seconds = Annotated[
    int,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+[dhms])+$", "examples": ["15m", "1h", "24h5m"]}),
]
"""A duration; seconds in Python, text such as ``15m`` in a stack's file."""

Name = Annotated[
    str,
    Field(pattern=r"^[a-z](-?[a-z0-9])*$", min_length=1, max_length=24),
]
"""A name that every service accepts once the stack's prefix and a region are added to it."""


class Model(BaseModel):
    """A part of a stack's settings: frozen, and with no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
