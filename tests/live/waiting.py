"""Await what another process or thread brings about, without guessing how long it takes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

DEADLINE: Final = 60.0
"""Seconds; far beyond what anything takes, so that only what never happens reaches it."""
_NOT_YET: Final = (OSError, psycopg.OperationalError)
_INTERVAL: Final = 0.02
_PAUSES: Final = 3
"""How many times longer than it took to ask is waited before it is asked again."""
_NEVER: Final = threading.Event()


def until(condition: Callable[[], Found], deadline: float = DEADLINE) -> Found:
    """The first true value of a condition, asked again and again.

    Args:
        condition: Asked; an ``OSError`` or a database that refuses counts as "not yet".
        deadline: Seconds after which it will not come true any more.

    Raises:
        AssertionError: when the deadline is over.
    """
    end = time.monotonic() + deadline
    failure: Exception | None = None
    while (asked := time.monotonic()) < end:
        try:
            found = condition()
        except _NOT_YET as fault:
            failure = fault
        else:
            if found:
                return found
        # Asking must not take the time of what is awaited.
        _NEVER.wait(max(_INTERVAL, _PAUSES * (time.monotonic() - asked)))
    raise AssertionError(f"not within {deadline:g} s: {condition}") from failure
