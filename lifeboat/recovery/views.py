"""What each warden sees, what it tells the others, and when two of three agree.

A view is a text in the lease's store. It carries a number that counts up; whether a view is fresh, each reader measures
by its own clock from the moment at which it saw that number change. No time is ever read from a view.
"""

from __future__ import annotations

import json
import statistics
from collections import deque
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping

QUORUM: Final = 2
"""Of the three viewpoints: both sites and the witness."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One question to a site.

    Attributes:
        ready: Whether it said that it can serve.
        seconds: How long its answer took; real seconds.
        reason: Why it is not ready.
    """

    ready: bool
    seconds: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """How one warden sees one site.

    Attributes:
        lost: Whether it does not serve, or holds the lease without renewing it.
        grey: Whether it was past the declared limits over the declared time.
        reason: Why, for people.
    """

    lost: bool
    grey: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one warden says.

    Attributes:
        observer: Its region.
        process: Its process, another name each time that it starts.
        beat: Counts up each time.
        sights: How it sees each site, by region.
    """

    observer: str
    process: str
    beat: int
    sights: Mapping[str, Sight]

    def dump(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def load(cls, text: str) -> View:
        """Read what `dump` wrote.

        Raises:
            ValueError: when the text is anything else.
        """
        try:
            found = dict(cast("dict[str, Any]", json.loads(text)))
            found["sights"] = {region: Sight(**sight) for region, sight in found["sights"].items()}
            return cls(**found)
        except (TypeError, KeyError, AttributeError) as fault:
            raise ValueError(f"no view of a warden: {fault}") from None


class Fresh:
    """Tells views that still arrive from those that were left behind.

    Args:
        seconds: How long a view is fresh without a change, real seconds.
        clock: Monotonic seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._changed: dict[str, tuple[tuple[str, int], float]] = {}

    def of(self, texts: Mapping[str, str]) -> Mapping[str, View]:
        """The fresh ones, by observer; a text that is no view counts as none."""
        fresh: dict[str, View] = {}
        now = self._clock()
        for observer, text in texts.items():
            try:
                view = View.load(text)
            except ValueError:
                continue
            mark = (view.process, view.beat)
            known = self._changed.get(observer)
            if known is None or known[0] != mark:
                known = self._changed[observer] = (mark, now)
            if now - known[1] < self._seconds:
                fresh[observer] = view
        return fresh


class Confirmation:
    """Since when something is so, without a break.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[Hashable, float] = {}

    def update(self, holds: Collection[Hashable]) -> None:
        """Say what is so now; everything else begins anew."""
        now = self._clock()
        self._since = {each: self._since.get(each, now) for each in holds}

    def lasted(self, what: Hashable) -> float:
        """Seconds for which it has been so; negative when it is not."""
        since = self._since.get(what)
        return -1.0 if since is None else self._clock() - since


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a watch of the lease knows (`lifeboat.recovery.lease.LeaseWatch`), for another one on the same clock.

    Attributes:
        epoch: Of the lease that was seen last.
        holder: Its holder.
        beat: Its holder's renewals.
        aside: As `Versioned.aside`, of the last read that saw it; None before.
        since: When all of that was seen first, monotonic seconds.
    """

    epoch: int
    holder: str | None
    beat: int
    aside: str | None
    since: float

    @property
    def pulse(self) -> tuple[int, str | None, int]:
        """As `LeaseRecord.pulse`."""
        return self.epoch, self.holder, self.beat


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """That a site is lost, as a warden saw it confirmed: for a process of the same machine, which shares its clock.

    Attributes:
        site: Which one.
        observers: The viewpoints that agreed when this was written.
        seconds: For how long it had been so without a break; real seconds.
        at: When this was written, monotonic seconds.
        boot: The boot that this clock counts from.
        watched: What the warden knew of the lease by then, on that clock.
    """

    site: str
    observers: tuple[str, ...]
    seconds: float
    at: float
    boot: str
    watched: Watched | None = None

    def dump(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def load(cls, text: str) -> Confirmed:
        """Read what `dump` wrote.

        Raises:
            ValueError: when the text is anything else.
        """
        try:
            loaded = dict(cast("dict[str, Any]", json.loads(text)))
            known = loaded.pop("watched", None)
            watched = None if known is None else replace(Watched(**known), since=float(known["since"]))
            found = cls(**loaded, watched=watched)
            return replace(found, observers=tuple(found.observers), seconds=float(found.seconds), at=float(found.at))
        except (TypeError, ValueError, KeyError) as fault:
            raise ValueError(f"no confirmation of a warden: {fault}") from None

    def stands(self, site: str, *, seconds: float, fresh: float, now: float, boot: str) -> bool:
        """Whether it says that a site was lost for long enough, and not too long ago.

        Args:
            site: Which one.
            seconds: How long it must have been so.
            fresh: How old it may be, real seconds.
            now: Monotonic seconds.
            boot: This boot.
        """
        enough = self.seconds >= seconds and len(set(self.observers)) >= QUORUM
        return self.site == site and enough and self.boot == boot and 0 <= now - self.at < fresh


def agreed(views: Iterable[View], region: str) -> tuple[bool, bool]:
    """Whether enough viewpoints see a site as lost, and whether as grey."""
    sights = [view.sights[region] for view in views if region in view.sights]
    return sum(sight.lost for sight in sights) >= QUORUM, sum(sight.grey for sight in sights) >= QUORUM


@dataclass(frozen=True, kw_only=True)
class GreyRule:
    """When a site that answers counts as failed all the same: either limit.

    Attributes:
        errors: Share of probes that fail, 0 to 1; None: does not matter.
        latency: Median seconds of those that are answered; None: does not matter.
        sustained: Real seconds that are looked at.
    """

    errors: float | None
    latency: float | None
    sustained: float


class Window:
    """The probes of one site over the time that a rule looks at.

    Args:
        rule: Of what is grey; None: nothing is.
        clock: Monotonic seconds.
    """

    def __init__(self, rule: GreyRule | None, clock: Callable[[], float]) -> None:
        self._rule = rule
        self._clock = clock
        self._began = clock()
        self._probes: deque[tuple[float, Probe]] = deque()

    def add(self, probe: Probe) -> None:
        """One more probe, which ended now."""
        now = self._clock()
        self._probes.append((now, probe))
        reach = self._rule.sustained if self._rule else 0.0
        while len(self._probes) > 1 and self._probes[0][0] < now - reach:
            self._probes.popleft()

    @property
    def last(self) -> Probe | None:
        """The latest; None before the first."""
        return self._probes[-1][1] if self._probes else None

    @property
    def grey(self) -> str:
        """Why the site is past its limits over the whole time; empty when it is not."""
        rule = self._rule
        if rule is None or not self._probes or self._clock() - self._began < rule.sustained:
            return ""
        probes = [probe for _, probe in self._probes]
        failed = sum(not probe.ready for probe in probes) / len(probes)
        if rule.errors is not None and failed >= rule.errors:
            return f"{failed:.0%} of {len(probes)} probes failed: accepted is less than {rule.errors:.0%}"
        answered = [probe.seconds for probe in probes if probe.ready]
        if rule.latency is not None and answered and statistics.median(answered) >= rule.latency:
            median = statistics.median(answered)
            return f"half of {len(probes)} probes took {median:.3f} s or more: accepted is less than {rule.latency:g} s"
        return ""
