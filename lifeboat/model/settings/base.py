"""The building blocks of every setting: durations, names, choices, limits, and the model they live in.

Each limit is an annotation that does two things: it refuses a value and says what is accepted, and it tells editors the
same through the JSON Schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.json_schema import JsonSchemaValue

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:[0-9]{1,9}[dhms])+")
_PART = re.compile(r"([0-9]+)([dhms])")
_LONGEST = 10 * 365 * 86400
"""Ten years in seconds: more is a slip of the hand."""

_IN_SECONDS = 120
"""Below this, what is no whole minute is written in seconds."""

AUTO = "auto"
"""Written for a choice that the objectives take."""


def parse_duration(value: object) -> int:
    """Seconds in a duration such as ``15m``, ``1h30m`` or ``7d``.

    A bare number is refused: nobody can tell whether `5` means seconds or minutes.

    Raises:
        ValueError: for anything else; its text says what is accepted.
    """
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("a duration such as 15m, 1h or 24h5m")
    seconds = sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(value))
    if seconds > _LONGEST:
        raise ValueError("a duration of ten years or less, such as 15m, 1h or 24h5m")
    return seconds


def format_duration(seconds: float) -> str:
    """A duration as people write it: ``24h05m``, ``15m``, ``90s``; whole seconds, rounded."""
    whole = round(seconds)
    if (whole < _IN_SECONDS and whole % 60) or not whole:
        return f"{whole}s"
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    if hours:
        return f"{hours}h" + (f"{minutes:02d}m" if minutes or secs else "") + (f"{secs:02d}s" if secs else "")
    return f"{minutes}m" + (f"{secs:02d}s" if secs else "")


def _before(check: Callable[[Any], object], schema: CoreSchema) -> CoreSchema:
    return core_schema.no_info_before_validator_function(check, schema)


@dataclass(frozen=True)
class Matches:
    """Text of a certain form. `accepted` completes the sentence "accepted is ..."."""

    pattern: str
    accepted: str
    longest: int | None = None

    def check(self, value: object) -> object:
        """The value itself when it has the form, else ValueError."""
        fits = isinstance(value, str) and re.fullmatch(self.pattern, value, re.ASCII) is not None
        if not fits or (self.longest is not None and len(str(value)) > self.longest):
            raise ValueError(self.accepted)
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _before(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = {**handler(schema), "pattern": f"^(?:{self.pattern})$"}
        return described if self.longest is None else {**described, "maxLength": self.longest}


@dataclass(frozen=True)
class Between:
    """A number within limits, both included; a whole one unless `whole` is False."""

    low: float
    high: float
    unit: str = ""
    whole: bool = True

    @property
    def accepted(self) -> str:
        """What is accepted, in words."""
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}{self.unit and ' ' + self.unit}"

    def check(self, value: object) -> object:
        """The value itself when it is such a number, else ValueError. Text and booleans are no numbers."""
        types = int if self.whole else int | float
        if isinstance(value, bool) or not isinstance(value, types) or not self.low <= value <= self.high:
            raise ValueError(self.accepted)
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _before(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Lasting:
    """A duration within limits, both included; seconds here, text such as ``15m`` in a stack's file."""

    low: int = 0
    high: int = _LONGEST

    def check(self, value: object) -> int:
        """The seconds, or ValueError."""
        seconds = parse_duration(value)
        if not self.low <= seconds <= self.high:
            raise ValueError(f"a duration from {format_duration(self.low)} to {format_duration(self.high)}")
        return seconds

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        # As JSON it is text again, which a stack's file takes.
        written = core_schema.plain_serializer_function_ser_schema(format_duration, when_used="json")
        return core_schema.no_info_before_validator_function(self.check, handler(source), serialization=written)


_DURATION_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": r"^(\d{1,9}[dhms])+$", "examples": ["15m", "1h", "24h5m"]}
)

Seconds = Annotated[int, Lasting(), _DURATION_SCHEMA]
"""A duration; seconds in Python, text such as ``15m`` in a stack's file."""

SomeSeconds = Annotated[int, Lasting(low=1), _DURATION_SCHEMA]
"""A duration longer than nothing."""


def lasting(low: int, high: int) -> tuple[Lasting, WithJsonSchema]:
    """The annotations of a duration from `low` to `high` seconds."""
    return Lasting(low, high), _DURATION_SCHEMA


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
"""True or false, and nothing that merely looks like it."""

NAME_PATTERN = r"[a-z](-?[a-z0-9])*"
Name = Annotated[
    str,
    Matches(NAME_PATTERN, "1 to 24 of a-z, 0-9 and single dashes, beginning with a letter", longest=24),
]
"""A name that every service accepts; what it becomes with the stack's prefix and a region is checked as well."""


@dataclass(frozen=True)
class OrAuto:
    """A choice that may be left to the objectives: absent and ``auto`` mean the same."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _before(lambda value: None if value == AUTO else value, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        return {**described, "anyOf": [*described["anyOf"], {"const": AUTO}]}


class Model(BaseModel):
    """A part of a stack's settings: frozen, and with no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


Imports = Annotated[
    dict[
        str,
        Annotated[
            str, Matches(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}", "an identifier of 1 to 63 letters, digits, dots and dashes")
        ],
    ],
    Field(
        alias="import",
        description="Existing identifiers to adopt, per region; under `global` that of an Aurora global cluster or of "
        "a Global Datastore. They stay here as long as what they name is in the stack.",
    ),
]
"""What already exists and is taken over: identifier by region, or by `GLOBAL_IMPORT`. Nobody starts empty."""

GLOBAL_IMPORT = "global"
"""Key of `Imports` for what spans the regions."""
