"""How far apart the runs of a schedule are: AWS's ``cron(...)`` and ``rate(...)``, and the cron of everybody else.

Time zones are left out: where clocks change, one interval a year is an hour longer.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from croniter import CroniterBadDateError, CroniterError, croniter

DAY: Final = 86400.0
_LONGEST: Final = 200
"""Characters; no schedule is as long, and what is longer is not worth the parser's time."""
_UNITS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "h": 3600,
    "minute": 60,
    "minutes": 60,
    "hour": 3600,
    "hours": 3600,
    "day": DAY,
    "days": DAY,
}
_AWS: Final = re.compile(r"(rate|cron)\((.*)\)", re.IGNORECASE)
_RATE: Final = re.compile(r"([1-9]\d*)\s+(minutes?|hours?|days?)", re.IGNORECASE)
_EVERY: Final = re.compile(r"@every\s+((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_TIMEZONE: Final = re.compile(r"(?:CRON_)?TZ=\S+\s+")
_NAMED: Final = {
    **dict.fromkeys(("@yearly", "@annually"), "0 0 1 1 *"),
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    **dict.fromkeys(("@daily", "@midnight"), "0 0 * * *"),
    "@hourly": "0 * * * *",
}
_FIELD: Final = re.compile(r"[0-9A-Z*,/#-]+")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_CRON_FIELDS: Final = 5
_AWS_FIELDS: Final = 6
_FIRST: Final = datetime(2024, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2029, 1, 1, tzinfo=UTC)
"""Two leap days lie between both, so that even a schedule for 29 February runs twice."""


def longest_interval(expression: Any) -> float | None:  # noqa: ANN401 - JSON
    """The longest time between two runs.

    Args:
        expression: ``cron(0 5 ? * * *)``, ``rate(12 hours)``, a cron of five fields with or without a time zone
            before it, ``@daily``, ``@every 6h``.

    Returns:
        Seconds; infinite for what never runs, or only in some years; None for what is no schedule.
    """
    if not isinstance(expression, str) or len(expression) > _LONGEST:
        return None
    return _longest(expression.strip())


@lru_cache(maxsize=4096)
def _longest(expression: str) -> float | None:
    if (aws := _AWS.fullmatch(expression)) is not None:
        return _rate(aws[2]) if aws[1].lower() == "rate" else _aws_cron(aws[2])
    if (every := _EVERY.fullmatch(expression)) is not None:
        return sum(float(count) * _UNITS[unit] for count, unit in _DURATION.findall(every[1])) or None
    plain = _TIMEZONE.sub("", expression, count=1)
    return _cron(_NAMED.get(plain.lower(), plain).split())


def _rate(text: str) -> float | None:
    match = _RATE.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2].lower()] if match is not None else None


def _aws_cron(text: str) -> float | None:
    fields = text.upper().split()
    if len(fields) != _AWS_FIELDS:
        return None
    *first, weekday, year = fields
    found = _cron([*first, ",".join(_weekday(part) for part in weekday.split(","))])
    # What is limited to some years has a last run, after which nothing comes.
    return found if found is None or year == "*" else math.inf


def _weekday(part: str) -> str:
    """One part of AWS's day-of-week field, whose days are 1 to 7 from Sunday on, as cron has them: 0 to 6."""
    if part == "L":
        return "SAT"
    days, slash, step = part.partition("/")
    days, hash_, nth = days.partition("#")
    counted = re.sub(r"\b[1-7]", lambda match: _WEEKDAYS[int(match[0]) - 1], days)
    for position, name in enumerate(_WEEKDAYS):
        # AWS writes the last Friday of a month as `6L`, cron as `L5`.
        counted = counted.replace(name, str(position)).replace(f"{position}L", f"L{position}")
    return f"{counted}{hash_}{nth}{slash}{step}"


def _cron(fields: list[str]) -> float | None:
    fields = ["*" if field == "?" else field.upper() for field in fields]
    # The parser also takes random and hashed fields, which say nothing about intervals.
    if len(fields) != _CRON_FIELDS or not all(_FIELD.fullmatch(field) for field in fields):
        return None
    if any(field[0] in "RH" for field in fields):
        return None
    try:
        minutes, hours = (_expanded(" ".join(fields), position) for position in (0, 1))
        days = _longest_days(*fields[2:])
    except CroniterBadDateError:
        return math.inf
    except (CroniterError, ValueError, LookupError, TypeError, AttributeError):
        # The parser does not wrap every one of its faults.
        return None
    times = [hour * 60 + minute for hour in hours for minute in minutes]
    overnight = days * 24 * 60 - (times[-1] - times[0])
    return 60.0 * max([overnight, *(later - sooner for sooner, later in pairwise(times))])


def _expanded(expression: str, position: int) -> list[int]:
    every = 24 if position == 1 else 60
    values = croniter.expand(expression)[0][position]
    return list(range(every)) if "*" in values else sorted({int(value) for value in values})


@lru_cache(maxsize=4096)
def _longest_days(day: str, month: str, weekday: str) -> int:
    """The most days from one on which there are runs to the next."""
    if day == month == weekday == "*":
        return 1
    runs = croniter(f"0 0 {day} {month} {weekday}", _FIRST, ret_type=datetime)
    longest, last = 0, runs.get_next()
    while last < _LAST:
        following = runs.get_next()
        longest, last = max(longest, (following - last).days), following
    return longest
