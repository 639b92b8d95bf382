"""How the interpreter of our programs is set."""

from __future__ import annotations

import atexit
import gc
from typing import Final

_NEW: Final = 100_000
"""New objects after which the interpreter looks for cycles; Python's own number is 700."""


def collect_seldom() -> None:
    """Look for garbage less often: SDKs and their service models are millions of objects, and all of them stay.

    `lifeboat sandbox up reskflow` takes a fifth less time with it; nothing here makes cycles by the thousand. At the
    interpreter's end, when memory is given back whole, none are looked for: that took seconds more.
    """
    gc.set_threshold(_NEW)
    atexit.register(gc.freeze)
