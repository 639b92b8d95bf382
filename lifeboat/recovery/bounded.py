"""A deadline for what knows none of its own."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


def within(ask: Callable[[], _T], seconds: float, what: str) -> _T:
    """The answer of something that may take its time.

    Args:
        ask: Runs in a thread of its own, and is left alone when its answer does not come in time.
        seconds: Real ones.
        what: Of the error.

    Raises:
        TimeoutError: when there is no answer in time; what `ask` raises is passed on.
    """
    box: queue.SimpleQueue[tuple[_T | None, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            box.put((ask(), None))
        except Exception as fault:  # noqa: BLE001 - raised where it is waited for
            box.put((None, fault))

    threading.Thread(target=work, daemon=True, name="bounded").start()
    try:
        answer, fault = box.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise TimeoutError(what) from None
    if fault is not None:
        raise fault
    return answer  # pyright: ignore[reportReturnType] - no fault, so this is the answer, which may be None
