"""The lease's two sides: its holder keeps it, everybody else watches it, each by a monotonic clock of its own.

Invariant 1: at most one site acknowledges writes to a store in one lease epoch, and none once another epoch has begun.

- The *keeper* counts from the moment at which it *started* its last good renewal: its right to write ends `ttl` later.
- The *watch* counts from the moment at which it had *seen* that renewal, which is later: the holder's time is over when
  a read that *began* `ttl` plus the margin later still showed the same pulse.

No two clocks are compared, so it does not matter what time any of them shows. What matters is how fast they run, and
the margin is for that, and for what a holder may do between its last look at the gate and its commit.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from lifeboat.recovery.fence import FenceError
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Absent, Conflict, StoreError
from lifeboat.recovery.views import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.recovery.fence import Fencing
    from lifeboat.recovery.gatefile import GateState
    from lifeboat.recovery.lease_store import HolderStore, LeaseStore, Versioned
    from lifeboat.recovery.ports import Pace

HEARTBEAT: Final = 10.0
"""Seconds between renewals, and between looks at the sites."""
_TRIES: Final = 3
"""Of one renewal, when others change the record at the same time."""
_log: Final = logging.getLogger(__name__)


class NotOverError(Exception):
    """The holder may still write: it neither stopped nor is its time over. Its text is one line."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds
        """How long it takes at least until that may be otherwise; real seconds."""


class Gate(Protocol):
    """What a site's writes have to pass."""

    def state(self) -> GateState:
        """What it says at this moment."""
        ...

    def open(self, epoch: int, until: float) -> None:
        """Let writes pass until that moment of the monotonic clock, whatever happens to who opened it."""
        ...

    def shut(self, epoch: int, reason: str, *, fenced: bool) -> None:
        """Let none pass."""
        ...

    @property
    def promised(self) -> float:
        """Until when somebody may still go by an answer that it was open, on the monotonic clock."""
        ...


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who keeps a lease.

    Attributes:
        site: The region.
        owner: This process: another name each time that it starts.
        home: Whether the stack's first lease is this site's.
    """

    site: str
    owner: str
    home: bool


class LeaseKeeper:
    """The holder's side, in each site: renews, opens the gate for as long as that is good for, and fences itself.

    A site that fenced itself stays fenced, through a start of its warden too, until the lease says otherwise: in a
    later epoch, without it among the fenced. `beat`, `check` and `lift` may be called by a thread each, so that a store
    which does not answer holds no fence up, and a database which does not answer holds no renewal up.

    Args:
        identity: Whose lease.
        store: Where it is kept.
        gate: The site's.
        fencing: The site's databases.
        ttl: Protocol seconds that a renewal is good for.
        pace: Time scale.
        clock: Monotonic seconds, the gate's.
    """

    def __init__(  # noqa: PLR0913 - its parts, each needed
        self,
        *,
        identity: Identity,
        store: HolderStore,
        gate: Gate,
        fencing: Fencing,
        ttl: float,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self._identity = identity
        self._site = identity.site
        self._store = store
        self._gate = gate
        self._fencing = fencing
        self._ttl = ttl
        self._pace = pace
        self._clock = clock
        # Guards the four below and the gate; never held during a call to a store or a database.
        self._state = threading.Lock()
        self._until: float | None = None
        self._epoch = 0
        self._fenced_in: int | None = None
        self._seen_any = False
        self._through = clock()
        self._stops_at: float | None = None
        # Held during calls to databases, so that a lift never follows the fence that it preceded.
        self._databases = threading.Lock()
        self._database_fenced = False
        self._lifted_in = 0
        before = gate.state()
        if before.fenced:
            self._fenced_in = self._epoch = before.epoch

    @property
    def until(self) -> float | None:
        """When the right to write ends, seconds of the monotonic clock; None when there is none."""
        with self._state:
            return self._until

    @property
    def silent_for(self) -> float:
        """Real seconds since the last `beat` that ended, whatever came of it."""
        return self._clock() - self._through

    @property
    def pause(self) -> float:
        """Real seconds until the next `beat`: less than a heartbeat when the site can say sooner that it stopped."""
        usual = self._pace.real(HEARTBEAT)
        return usual if self._stops_at is None else min(usual, max(0.0, self._stops_at - self._clock()))

    def beat(self) -> Versioned | None:
        """Renew once, or do what the lease says instead.

        Returns:
            The lease as it was left; None when the store did not answer, or others changed it each time.
        """
        try:
            self.check()
            for _ in range(_TRIES):
                try:
                    return self._follow(self._read())
                except Conflict:
                    continue
                except StoreError as fault:
                    _log.warning("the lease could not be renewed: %s", fault)
                    break
            self.check()
            return None
        finally:
            self._through = self._clock()

    def check(self) -> None:
        """Fence when the time is over; go on with a fence that some database did not take so far."""
        with self._state:
            if self._until is not None and self._clock() >= self._until:
                self._fence_now("the lease could not be renewed in time")
            fenced = self._fenced_in is not None
        if fenced:
            self._fence_databases()

    def lift(self) -> None:
        """Let the databases take writes in the epoch that the gate is open in, where they do not so far."""
        with self._databases:
            with self._state:
                epoch, holds = self._epoch, self._until is not None
            if not holds or self._lifted_in == epoch:
                return
            try:
                self._fencing.lift()
            except FenceError as fault:
                _log.warning("takes no writes so far: %s", fault)
            else:
                self._lifted_in, self._database_fenced = epoch, False

    def _read(self) -> Versioned:
        try:
            seen = self._store.read_to_renew(self._site)
        except Absent:
            # A lease that was there and is gone is nothing to be made anew: somebody else may hold it.
            if self._seen_any or not self._identity.home or self._fenced_in is not None:
                raise
            seen = self._store.create(LeaseRecord.first(self._site, self._ttl))
        self._seen_any = True
        return seen

    def _follow(self, seen: Versioned) -> Versioned:
        record = seen.record
        if record.may_write(self._site) and self._fenced_in != record.epoch:
            return self._renew(seen)
        self._stops_at = None
        fenced = self._site in record.fenced or (self._fenced_in is not None and record.holder == self._site)
        with self._state:
            self._until = None
            if fenced:
                self._fence_now(f"fenced in epoch {record.epoch}, until `lifeboat rejoin`", epoch=record.epoch)
            else:
                self._fenced_in = None
                self._shut(record.epoch, f"{record.holder or 'nobody'} holds the lease", fenced=False)
        if not fenced:
            return seen
        stopped = self._fence_databases()
        # By itself first: that it stopped asks more of the store than that it is fenced.
        seen = self._write(seen, record.fence(self._site))
        promised = self._gate.promised
        if stopped and self._clock() < promised:
            # Who was told that the gate is open lets writes pass until then, and a stop is acted on at once.
            self._stops_at = promised
        elif stopped:
            seen = self._write(seen, seen.record.stop(self._site))
        return seen

    def _write(self, seen: Versioned, wanted: LeaseRecord) -> Versioned:
        return seen if wanted == seen.record else self._store.replace(seen, wanted)

    def _renew(self, seen: Versioned) -> Versioned:
        epoch = seen.record.epoch
        # Before the call: nobody can have seen this renewal any earlier.
        start = self._clock()
        renewed = self._store.replace(
            seen, seen.record.renew(self._site, epoch, owner=self._identity.owner, ttl=self._ttl)
        )
        self.check()
        with self._state:
            if self._fenced_in == epoch:
                return renewed
            self._fenced_in, self._epoch = None, epoch
            self._until = start + self._pace.real(self._ttl)
            self._gate.open(epoch, self._until)
        self.check()
        return renewed

    def _fence_now(self, reason: str, epoch: int | None = None) -> None:
        """Shut the gate for good. The lock of the state is held."""
        if epoch is not None:
            self._epoch = epoch
        self._until = None
        if self._fenced_in is None:
            self._database_fenced = False
        self._fenced_in = self._epoch
        self._shut(self._epoch, reason, fenced=True)

    def _shut(self, epoch: int, reason: str, *, fenced: bool) -> None:
        state = self._gate.state()
        if (state.open, state.epoch, state.fenced) == (False, epoch, fenced):
            return
        _log.warning("the gate is shut in epoch %d: %s", epoch, reason)
        self._gate.shut(epoch, reason, fenced=fenced)

    def _fence_databases(self) -> bool:
        """Whether every database is fenced."""
        with self._databases:
            if not self._database_fenced and self._fenced_in is not None:
                try:
                    self._fencing.fence()
                except FenceError as fault:
                    _log.warning("not fenced so far: %s", fault)
                    return False
                self._database_fenced, self._lifted_in = True, 0
            return self._database_fenced


class LeaseWatch:
    """Everybody else's side: knows when the holder's time is over.

    A read that could not see what the holder renews elsewhere proves no silence, and no sign of life either.

    Args:
        margin: Protocol seconds beyond the holder's own.
        pace: Time scale.
        clock: Monotonic seconds.
        known: Of a watch before this one, on the same clock: where the first look shows the same, its silence goes on.
            By itself it proves none.
    """

    def __init__(self, *, margin: float, pace: Pace, clock: Callable[[], float], known: Watched | None = None) -> None:
        self._margin = margin
        self._pace = pace
        self._clock = clock
        self._seen: Versioned | None = None
        self._pulse = known.pulse if known else None
        self._aside = known.aside if known else None
        self._since = self._confirmed = known.since if known else 0.0

    @property
    def seen(self) -> Versioned | None:
        """The lease as it was read last; None before."""
        return self._seen

    @property
    def watched(self) -> Watched | None:
        """What another watch may go on from; None before the first read."""
        if self._seen is None:
            return None
        record = self._seen.record
        return Watched(epoch=record.epoch, holder=record.holder, beat=record.beat, aside=self._aside, since=self._since)

    def look(self, store: LeaseStore) -> Versioned:
        """Read the lease.

        Raises:
            StoreError: as the store's; what is known stays.
        """
        began = self._clock()
        seen = store.read()
        renewed = seen.record.pulse != self._pulse
        if seen.aside is not None:
            renewed = renewed or seen.aside != self._aside
            self._aside, self._confirmed = seen.aside, began
        if renewed:
            # Afterwards: the holder renewed before this, so its time is over before ours.
            self._since = self._clock()
        self._seen, self._pulse = seen, seen.record.pulse
        return seen

    @property
    def remaining(self) -> float:
        """Real seconds of silence that are missing until the holder's time is over; 0 when it is."""
        if self._seen is None:
            return self._pace.real(self._margin)
        over = self._pace.real(self._seen.record.ttl + self._margin)
        return max(0.0, over - max(0.0, self._confirmed - self._since))

    @property
    def expired(self) -> bool:
        """Whether the last read showed that the holder's time is over."""
        return self._seen is not None and self.remaining <= 0


def take(store: LeaseStore, watch: LeaseWatch, *, target: str, expected: int, owner: str) -> Versioned:
    """Make a site the holder, if nobody can write any more: the holder said so, or its time is over.

    Once it was made, the same call again finds it made: for who got no answer, or was ended before it came.

    Args:
        store: Where the lease is kept.
        watch: What has watched it so far.
        target: The new holder.
        expected: The epoch in which that was decided.
        owner: The process, or the run, that takes it.

    Raises:
        NotOverError: when the holder may still write.
        LeaseError: when the lease does not allow it.
        StoreError: as the store's; a conflict means that the holder lives.
    """
    seen = watch.look(store)
    record = seen.record
    if (record.epoch, record.holder) == (expected + 1, target):
        return seen
    wanted = record.take(target, expected, owner=owner)
    if not record.has_stopped and not watch.expired:
        raise NotOverError(
            f"{record.holder} may still write in epoch {record.epoch}: at least {watch.remaining:.1f} s to go",
            watch.remaining,
        )
    return store.replace(seen, wanted)
