"""Waiting for what nobody tells of, such as the end of a process that somebody else started."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL: Final = 0.02
"""Seconds between looks: what is waited for has no event, so that there is nothing better than to look again."""


def comes_true(condition: Callable[[], bool], deadline: float) -> bool:
    """Look until a condition holds; False: it did not within `deadline` seconds. It is looked at once at least."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            return False
        # What is waited for has no event, see `_POLL`.
        time.sleep(_POLL)
    return True
