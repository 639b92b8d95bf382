"""What a drill notes while it goes on: what it did when, and what did not go as it should."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Notes:
    """Of one drill.

    Attributes:
        happened: Why what had to happen did not; empty when it did.
        failures: What was done afterwards and failed, a line each.
        moments: What the drill did, with seconds since the epoch.
        restored: Seconds until a restored database could be read.
        broken: When the fault stood whole, seconds since the epoch.
        healed: When it was about to be healed, the same.
        standing: Injections that were not healed so far; the preparation comes first.
    """

    happened: str = ""
    failures: list[str] = field(default_factory=list[str])
    moments: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    restored: float | None = None
    broken: float | None = None
    healed: float | None = None
    standing: list[str] = field(default_factory=list[str])
