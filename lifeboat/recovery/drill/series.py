"""Throughput and latency through the fault, in equal slices of time."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifeboat.recovery.drill.measure import Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lifeboat.recovery.drill.measure import Write

SLICES = 120
"""As many as a page can show side by side."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One slice.

    Attributes:
        at: Its beginning, seconds since the fault.
        acknowledged: Writes acknowledged in it, by the region that did.
        refused: Writes that were refused in it.
        unknown: Writes of which the client gave up to learn in it.
        p50: Median latency of the acknowledged, seconds; None without any.
        p95: 95th percentile of them, the same.
    """

    at: float
    acknowledged: Mapping[str, int]
    refused: int
    unknown: int
    p50: float | None
    p95: float | None


def slices(writes: Iterable[Write], *, fault: float, store: str, most: int = SLICES) -> tuple[float, tuple[Slice, ...]]:
    """One store's writes over time.

    Args:
        writes: Every attempt.
        fault: Monotonic seconds.
        store: Whose.
        most: How many slices.

    Returns:
        The width of a slice in seconds, and the slices from the first to the last answer, empty ones too.
    """
    own = [write for write in writes if write.store == store]
    if not own:
        return 1.0, ()
    first, last = min(write.answered for write in own), max(write.answered for write in own)
    width = max(0.25, math.ceil((last - first) / most * 4) / 4)
    begin = fault - math.ceil((fault - first) / width) * width
    by_slice: dict[int, list[Write]] = defaultdict(list)
    for write in own:
        by_slice[int((write.answered - begin) // width)].append(write)
    count = int((last - begin) // width) + 1
    return width, tuple(_slice(begin - fault + at * width, by_slice.get(at, [])) for at in range(count))


def _slice(at: float, writes: Sequence[Write]) -> Slice:
    durable = [write for write in writes if write.known is Known.ACKNOWLEDGED]
    latencies = sorted(write.answered - write.sent for write in durable)
    return Slice(
        at=round(at, 3),
        acknowledged=dict(sorted(Counter(write.site or "" for write in durable).items())),
        refused=sum(write.known is Known.REFUSED for write in writes),
        unknown=sum(write.known is Known.UNKNOWN for write in writes),
        p50=_percentile(latencies, 0.5),
        p95=_percentile(latencies, 0.95),
    )


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    return round(ordered[math.ceil(share * len(ordered)) - 1], 4) if ordered else None
