"""Every call that the gateway got, counted and in order, for later proof of who asked what of which region.

A line tells who called what, how it was answered and after how long. No line has anything of a body, a header or a
query: a secret can be in neither.
"""

from __future__ import annotations

import json
import logging
import os
from collections import Counter, deque
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.sandbox.gateway.calls import Call, Caller

KEPT: Final = 20_000
"""Calls that can be asked for by number; the file has more."""
PAGE: Final = 1000
"""Calls that one answer carries at most."""
FILE_BYTES: Final = 32 * 1024 * 1024
"""Size at which the file is put aside as ``calls.1.jsonl``, in place of the one before."""
_LAST_LINE: Final = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call that has ended.

    Attributes:
        number: Counts from 1 in the order in which calls ended; never given twice.
        time: When it came, seconds since the epoch.
        service: The SDK's name of the service.
        operation: Such as ``DescribeDBInstances``.
        region: The region whose plane had to answer.
        plane: ``control`` or ``data``.
        principal: The role session's name, or the access key's ID; empty when it was not signed.
        caller: The region that the caller says it is in; empty when it says none.
        answer: The HTTP status, or ``lost`` when the connection ended without one.
        seconds: From its arrival to its answer.
        conditions: IDs of the conditions that changed its fate, such as ``slow-3``.
    """

    number: int
    time: float
    service: str
    operation: str
    region: str
    plane: str
    principal: str
    caller: str
    answer: str
    seconds: float
    conditions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a call ended; attributes as `Entry` has them."""

    answer: str
    time: float
    seconds: float
    conditions: tuple[str, ...] = ()


class Ledger:
    """The calls of one gateway; several threads write it.

    Args:
        path: Takes a JSON line a call, after those of an earlier life; None: calls are kept in memory only.
        file_bytes: Size at which the file is put aside.
    """

    def __init__(self, path: Path | None = None, file_bytes: int = FILE_BYTES) -> None:
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._lock = Lock()
        self._path = path
        self._file_bytes = file_bytes
        self._number = 0 if path is None else _last_number(path)

    def add(self, call: Call, caller: Caller, outcome: Outcome) -> None:
        """Note one call that has ended."""
        with self._lock:
            self._counts[call.service, call.operation, call.region, outcome.answer] += 1
            self._number += 1
            entry = Entry(
                number=self._number,
                time=round(outcome.time, 6),
                service=call.service,
                operation=call.operation,
                region=call.region,
                plane=call.plane,
                principal=caller.principal,
                caller=caller.region,
                answer=outcome.answer,
                seconds=round(outcome.seconds, 6),
                conditions=outcome.conditions,
            )
            self._entries.append(entry)
            self._write(entry)

    def rows(self) -> list[dict[str, Any]]:
        """Every count, as `service`, `operation`, `region`, `answer`, `count`; sorted."""
        with self._lock:
            counted = sorted(self._counts.items())
        return [
            {"service": service, "operation": operation, "region": region, "answer": answer, "count": count}
            for (service, operation, region, answer), count in counted
        ]

    def page(self, since: int) -> dict[str, Any]:
        """Calls after a number, at most `PAGE`.

        Args:
            since: The number of the last one that is known; 0 for none.

        Returns:
            ``calls`` in order, as `Entry`; ``next``, the `since` of the next page; ``last``, the newest number;
            ``forgotten``, how many in between are in the file only.
        """
        with self._lock:
            oldest = self._entries[0].number if self._entries else self._number + 1
            # Numbers are dense: the one wanted first is this far into what is kept.
            first = max(0, since + 1 - oldest)
            found = [self._entries[at] for at in range(first, min(first + PAGE, len(self._entries)))]
            last = self._number
        return {
            "calls": [asdict(entry) for entry in found],
            "next": found[-1].number if found else max(since, last),
            "last": last,
            "forgotten": max(0, oldest - since - 1),
        }

    def clear(self) -> None:
        """Forget what was counted; numbers go on, and the file stays."""
        with self._lock:
            self._counts.clear()
            self._entries.clear()

    def _write(self, entry: Entry) -> None:
        if self._path is None:
            return
        line = (json.dumps(asdict(entry), separators=(",", ":")) + "\n").encode()
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line)
                full = os.fstat(descriptor).st_size >= self._file_bytes
            finally:
                os.close(descriptor)
            if full:
                self._path.replace(self._path.with_suffix(".1.jsonl"))
        except OSError as fault:
            # The call itself was answered; a full disk must not turn it into a failure.
            _log.warning("%s: %s: call %d is not written", self._path, fault.strerror, entry.number)


def _last_number(path: Path) -> int:
    """The number of the last whole line, of the file or of the one put aside; 0 when there is none."""
    for candidate in (path, path.with_suffix(".1.jsonl")):
        try:
            with candidate.open("rb") as file:
                file.seek(max(0, candidate.stat().st_size - _LAST_LINE))
                lines = file.read().splitlines()
        except OSError:
            continue
        for line in reversed(lines):
            try:
                return int(json.loads(line)["number"])
            except (ValueError, KeyError, TypeError):
                # A crash left half of it.
                continue
    return 0
