"""How far a replica is behind, by offsets: bytes of one history that the primary and the replica have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lifeboat.sandbox.live.redisserver import Position

_KEPT: Final = 1024
"""Positions that are remembered; beyond that, every other one is forgotten, and the first never."""


class Trail:
    """One replica's lag: the age of the oldest position of its primary's, among those noted, that it lacks.

    None when it cannot be told, because one of both does not answer: silence is not zero.
    """

    def __init__(self) -> None:
        self.lag: float | None = None
        """Seconds."""
        self._lacking: list[tuple[float, Position]] = []

    def note(self, now: float, primary: Position | None, replica: Position | None) -> float | None:
        """Take a look at both, the primary first.

        Args:
            now: Seconds of a clock that only goes forward, taken before either.
            primary: None when it does not answer.
            replica: None when it does not answer.

        Returns:
            The lag, seconds.
        """
        if primary is not None:
            self._lacking.append((now, primary))
        if primary is None or replica is None:
            self.lag = None
        else:
            self._lacking = [(time, past) for time, past in self._lacking if not _has(replica, past, primary)]
            self.lag = now - self._lacking[0][0] if self._lacking else 0.0
        if len(self._lacking) > _KEPT:
            self._lacking = self._lacking[::2]
        return self.lag


def _has(replica: Position, past: Position, primary: Position) -> bool:
    if replica.history == past.history:
        return replica.offset >= past.offset
    # It was given the primary's present history whole, and that began after the past one.
    return replica.history == primary.history
