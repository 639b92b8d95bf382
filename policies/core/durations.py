"""How objectives are written: times such as ``5m``, ``1h30m`` or ``PT5M``, and tiers such as ``tier-1``."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from policies.core.values import number

_PLAIN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*")
_PART: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)
_NUMBER: Final = r"(\d+(?:\.\d+)?)"
_ISO: Final = re.compile(
    rf"\s*P(?=[\dT])(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?\s*",
    re.IGNORECASE,
)
_ISO_UNITS: Final = (7 * 86400, 86400, 3600, 60, 1)
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
_TIER: Final = re.compile(r"^(?:tier)?[\s_-]*(\d{1,9})$", re.IGNORECASE)
_TIER_NAMES: Final = {"critical": 1, "mission-critical": 1, "high": 1, "medium": 2, "low": 3}


def duration(value: Any) -> float | None:  # noqa: ANN401 - JSON
    """Seconds of ``300``, ``5m``, ``15min``, ``1h30m``, ``1d``, ``PT5M``; None for what is none."""
    if isinstance(value, str):
        found = _seconds(value)
        return found if found is not None and math.isfinite(found) else None
    found = number(value)
    return found if found is not None and found >= 0 else None


def _seconds(text: str) -> float | None:
    if plain := _PLAIN.fullmatch(text):
        return float(plain[1])
    if iso := _ISO.fullmatch(text):
        return sum(float(part) * unit for part, unit in zip(iso.groups(), _ISO_UNITS, strict=True) if part)
    total, end = 0.0, 0
    while part := _PART.match(text, end):
        unit = _UNITS.get(part[2].lower())
        if unit is None:
            return None
        total, end = total + float(part[1]) * unit, part.end()
    return total if end and not text[end:].strip() else None


def days(value: Any) -> float | None:  # noqa: ANN401 - JSON
    """Days of retention; None for what is none, as less than one is."""
    found = number(value)
    return found if found is not None and found >= 1 else None


def tier(value: Any) -> int | None:  # noqa: ANN401 - JSON
    """The number of ``1``, ``tier-1``, ``tier1`` or ``critical``; None for what is none."""
    if isinstance(value, str):
        match = _TIER.match(value.strip())
        return int(match[1]) if match else _TIER_NAMES.get(value.strip().lower())
    found = number(value)
    return int(found) if found is not None else None
