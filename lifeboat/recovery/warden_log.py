"""Log lines that machines read: one JSON object a line, on standard output."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


class JsonLines(logging.Formatter):
    """Formats a record as ``{"time", "level", "warden", "part", "message"}``.

    Args:
        warden: Whose lines they are.
    """

    def __init__(self, warden: str) -> None:
        super().__init__()
        self._warden = warden

    def format(self, record: logging.LogRecord) -> str:
        """One line; a fault's traceback is text in it."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "warden": self._warden,
            "part": record.name.rpartition(".")[2],
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["fault"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def log_to(warden: str, stream: TextIO = sys.stdout) -> None:
    """Have everything that this process logs written as JSON lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(warden))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("botocore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
