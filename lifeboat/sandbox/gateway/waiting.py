"""Calls that wait inside the gateway, each on a thread of the server's: how many may, and until when."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

WAITING: Final = 256
"""Calls that may wait at once; each takes a thread, and other calls need some too."""
_LOOK: Final = 0.1
"""Seconds between looks at whether the client is still there."""


class Patience:
    """Lets calls wait, but not more than `limit` at a time."""

    def __init__(self, limit: int = WAITING) -> None:
        self._places = threading.BoundedSemaphore(limit)

    def wait(self, environ: WSGIEnvironment, lifted: threading.Event, seconds: float | None = None) -> bool:
        """Wait until `lifted` is set, or for so many seconds.

        Returns:
            False when the call needs no answer: its client gave up, or too many wait already.
        """
        if not self._places.acquire(blocking=False):
            return False
        try:
            end = None if seconds is None else time.monotonic() + seconds
            while True:
                left = _LOOK if end is None else min(_LOOK, end - time.monotonic())
                if left <= 0 or lifted.wait(left):
                    return True
                if _gone(environ):
                    return False
        finally:
            self._places.release()


def _gone(environ: WSGIEnvironment) -> bool:
    """Whether the client has closed its connection."""
    connection: object = environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        return False
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True
