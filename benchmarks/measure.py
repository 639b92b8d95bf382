"""Timing two things in turn, and saying so."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Series:
    """Seconds of one thing, a value a round."""

    name: str
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """The value to quote."""
        return statistics.median(self.seconds)

    def row(self) -> str:
        """``name  median s  (min-max)``."""
        return f"{self.name:<44} {self.median:8.3f} s  ({min(self.seconds):.3f}-{max(self.seconds):.3f})"


def timed(run: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def in_turn(things: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> list[Series]:
    """Time several things in turn, A B A B, after one round that does not count: a machine's speed drifts."""
    seconds: dict[str, list[float]] = {name: [] for name in things}
    for number in range(rounds + 1):
        for name, run in things.items():
            taken = timed(run)
            note(f"  {'warm-up' if number == 0 else f'round {number}'}: {name}: {taken:.2f} s")
            if number:
                seconds[name].append(taken)
    return [Series(name=name, seconds=taken) for name, taken in seconds.items()]


def note(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's own output


def report(title: str, series: Sequence[Series], ratio: str) -> None:
    """The rows of one comparison and their ratio, on standard output."""
    print(f"\n{title}", *(f"  {each.row()}" for each in series), f"  {ratio}", sep="\n", flush=True)  # noqa: T201 - a program's own output
