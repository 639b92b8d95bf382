"""Ctrl-C, held back while a step runs that must not be left half done, or given to a task instead of its loop."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator


@contextlib.contextmanager
def interrupts_held() -> Generator[None]:
    """Let SIGINT wait until the block is done; then it does what it would have done.

    A block that fails tells its own fault instead. Other threads than the main one are never interrupted.
    """
    held: list[int] = []
    with _handled_by(held.append):
        yield
    if held:
        signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def interrupts_cancel(task: asyncio.Task[Any]) -> Generator[None]:
    """Let SIGINT cancel a task while the block runs its loop; the block then ends with KeyboardInterrupt.

    Raised in the middle of the loop instead, it may hit between a callback's turn and its call: that task is never
    called again, and whoever waits for it waits for ever.
    """
    pressed: list[int] = []

    def cancel(number: int) -> None:
        pressed.append(number)
        task.get_loop().call_soon_threadsafe(task.cancel)

    try:
        with _handled_by(cancel):
            yield
    finally:
        if pressed:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _handled_by(act: Callable[[int], None]) -> Generator[None]:
    """Have SIGINT do this, told its number, while the block runs; nothing where the main thread is another one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, _: act(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
