"""Amazon Resource Names: ``arn:partition:service:region:account:resource``."""

from __future__ import annotations

from typing import Any

_PARTS = 6


def _part(value: Any, position: int) -> str:  # noqa: ANN401 - JSON
    parts = value.split(":", _PARTS - 1) if isinstance(value, str) else []
    return parts[position] if len(parts) == _PARTS and parts[0] == "arn" else ""


def arn_region(value: Any) -> str:  # noqa: ANN401 - JSON
    """The region of an ARN; empty for one without a region, or for what is none."""
    return _part(value, 3)


def arn_account(value: Any) -> str:  # noqa: ANN401 - JSON
    """The account of an ARN; empty for one without an account, or for what is none."""
    return _part(value, 4)


def arn_resource(value: Any) -> str:  # noqa: ANN401 - JSON
    """The last part of an ARN, such as ``key/mrk-1234``; empty for what is none."""
    return _part(value, 5)
