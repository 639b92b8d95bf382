"""What a client was told, order by order: JSON lines that a drill is judged by."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Self


class Outcome(StrEnum):
    """What a client knows of an order."""

    ACKNOWLEDGED = "acknowledged"
    """It is committed, as a site said."""
    REFUSED = "refused"
    """It was not written: it never left, or a site said so."""
    UNKNOWN = "unknown"
    """It left, and no answer says what became of it."""


_WEIGHTS: Final = (Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKNOWLEDGED)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One time that an order was sent.

    Attributes:
        client: Who.
        number: Which.
        attempt: 1, and one more for each time that the same order was sent again.
        due_at: When it should have been sent by the client's rate, in seconds since the epoch.
        sent_at: When it was sent, in seconds since the epoch.
        answered_at: When its outcome was known, in seconds since the epoch.
        sent_monotonic: The same as `sent_at`, in monotonic seconds of the client's machine.
        answered_monotonic: The same as `answered_at`, in monotonic seconds of the client's machine.
        outcome: What the client knows.
        site: The region that answered; None when none did.
        epoch: The epoch that the order was committed in; of one that is not acknowledged, the epoch of the site that
            answered.
        status: HTTP status; None without an answer.
        reason: Why it was not acknowledged.
    """

    client: str
    number: int
    attempt: int
    due_at: float
    sent_at: float
    answered_at: float
    sent_monotonic: float
    answered_monotonic: float
    outcome: Outcome
    site: str | None
    epoch: int | None
    status: int | None
    reason: str

    @classmethod
    def load(cls, line: str) -> Self:
        """Read one line.

        Raises:
            ValueError: when it is no attempt.
        """
        loaded: dict[str, Any] = json.loads(line)
        try:
            loaded["outcome"] = Outcome(loaded["outcome"])
            return cls(**loaded)
        except (TypeError, KeyError):
            raise ValueError(f"no line of a client's history: {line[:80]!r}") from None


class History:
    """Appends attempts to a file, each one in it before the next is made.

    Args:
        path: Made when it is not there; an older history goes on.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def add(self, attempt: Attempt) -> None:
        """Note an attempt."""
        self._file.write(json.dumps(asdict(attempt)) + "\n")

    def close(self) -> None:
        """End it."""
        self._file.close()


def read_history(path: Path) -> list[Attempt]:
    """All attempts of a file, in the order in which their outcomes became known; half a last line does not count.

    Raises:
        ValueError: when the file is no history.
    """
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [Attempt.load(line) for line in whole.splitlines()]


def outcomes(attempts: Iterable[Attempt]) -> dict[tuple[str, int], Outcome]:
    """What is known of each order at last, by client and number.

    An acknowledgement outweighs all, and an attempt of which nothing is known outweighs a refusal of the same order
    before or after: the refusal does not say what became of the other.
    """
    known: dict[tuple[str, int], Outcome] = {}
    for attempt in attempts:
        key = (attempt.client, attempt.number)
        known[key] = max(known.get(key, attempt.outcome), attempt.outcome, key=_WEIGHTS.index)
    return known


def count(attempts: Iterable[Attempt]) -> dict[str, int]:
    """How many orders have each outcome, with every outcome named."""
    counted = Counter(outcomes(attempts).values())
    return {str(outcome): counted[outcome] for outcome in Outcome}
