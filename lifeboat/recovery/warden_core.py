"""What a warden does, without its process: looks, agrees with the others, decides or asks, sets the switches.

One stands in every site and one in the witness. A decision needs two of three viewpoints for `confirm_for`, a declared
rule or a person, and a lease that nobody holds back; what then happens is a run's, and the lease refuses a second one.
A warden decides for the site that it stands in, and begins or resumes no run to another: only there it reaches the
stores. So the witness's looks, agrees and tells people, also of a target's warden that does nothing. Nobody decides
back: a site that was left is fenced until it rejoins.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.sites import Approval
from lifeboat.recovery.claim import SILENCE, command_of, silent_after
from lifeboat.recovery.gatefile import boot_id
from lifeboat.recovery.lease import HEARTBEAT
from lifeboat.recovery.lease_store import DEADLINE, StoreError
from lifeboat.recovery.switches import levels
from lifeboat.recovery.viewpoint import fresh_for
from lifeboat.recovery.views import Confirmation, Confirmed, Fresh, Sight, View, Window, agreed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from lifeboat.recovery.lease import LeaseWatch
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.lease_store import LeaseStore, ViewStore
    from lifeboat.recovery.ports import Pace
    from lifeboat.recovery.views import GreyRule, Probe

_SILENT: Final = 5 * HEARTBEAT
"""Protocol seconds without a look, or a turn of the keeper, after which a warden is ill; four calls come on top."""
_LONGEST_PAUSE: Final = 16
"""Times the confirmation, at most, between two attempts at the same failover."""
_IDLE: Final = SILENCE
"""Protocol seconds after which a target's warden that did nothing is as one that is silent; four calls come on top."""
_log: Final = logging.getLogger(__name__)


class Metrics(Protocol):
    """Where levels and signs of life are published."""

    def publish(self, of: Mapping[str, int]) -> None:
        """Publish levels by site."""
        ...

    def beat(self, warden: str) -> None:
        """Say that a region's warden lives."""
        ...


class StartFailover(Protocol):
    """Starts a run, and returns at once."""

    def __call__(self, target: str, reason: str, resume: str | None, confirmed: Confirmed | None) -> None:
        """Begin.

        Args:
            target: The site that shall be active.
            reason: Why, for people.
            resume: A run that is to be gone on with; None for a new one.
            confirmed: What a new run need not wait for again, if it is still so; None when the site is grey.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What was declared.

    Attributes:
        sites: Both regions.
        confirm_for: Protocol seconds for which a loss must be seen.
        approval: Who decides.
        grey: When a site that answers counts as failed; None: never.
    """

    sites: tuple[str, str]
    confirm_for: float
    approval: Approval
    grey: GreyRule | None = None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a warden works with.

    Attributes:
        store: The lease.
        views: What wardens tell each other.
        watch: Of the lease, this warden's own.
        probe: Asks a site by the name that never fails over; 5 s at most, never raises.
        metrics: Of the witness region; may raise anything that its SDK does.
        notify: Tells people: subject and text; whether anybody was told. Never raises.
        failover: Starts a run.
        keeper_silent: Real seconds since this site's keeper of the lease was through; 0 where there is none.
    """

    store: LeaseStore
    views: ViewStore
    watch: LeaseWatch
    probe: Callable[[str], Probe]
    metrics: Metrics
    notify: Callable[[str, str], bool]
    failover: StartFailover
    keeper_silent: Callable[[], float] = lambda: 0.0


class Warden:
    """One warden. Each of its methods may have a thread of its own.

    Args:
        region: Where it stands.
        process: Its name, another one each time that it starts.
        rules: What was declared.
        parts: What it works with.
        pace: Time scale.
        clock: Monotonic seconds.
    """

    def __init__(  # noqa: PLR0913 - its parts, each needed
        self,
        *,
        region: str,
        process: str,
        rules: Rules,
        parts: Parts,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self._region = region
        self._process = process
        self._rules = rules
        self._parts = parts
        self._pace = pace
        self._clock = clock
        self._beat = 0
        self._windows = {site: Window(rules.grey, clock) for site in rules.sites}
        self._fresh = Fresh(fresh_for(pace), clock)
        self._confirmed = Confirmation(clock)
        self._told: set[Hashable] = set()
        self._tries: dict[Hashable, tuple[int, float]] = {}
        self._looked: float | None = None

    @property
    def lease(self) -> LeaseRecord | None:
        """The lease as it was read last."""
        seen = self._parts.watch.seen
        return seen.record if seen else None

    @property
    def silent_for(self) -> float:
        """Real seconds since the last look, or the keeper's last turn, that ended; since ever when there was none."""
        return max(self._clock() - (self._looked or 0.0), self._parts.keeper_silent())

    @property
    def is_well(self) -> bool:
        """Whether what this warden is for goes on: looks, and in a site the lease."""
        return self.silent_for < self._pace.real(_SILENT) + 4 * DEADLINE

    def probe(self, site: str) -> None:
        """Ask a site once."""
        self._windows[site].add(self._parts.probe(site))

    def publish(self) -> None:
        """Set the switches' levels by the lease as it is now; nothing when it cannot be read."""
        try:
            record = self._parts.store.read().record
        except StoreError as fault:
            _log.warning("no switch is set: %s", fault)
            return
        self._parts.metrics.publish(levels(record, self._rules.sites))

    def sign_of_life(self) -> None:
        """Publish that this warden lives, if it does more than this."""
        if self.is_well:
            self._parts.metrics.beat(self._region)
        else:
            _log.warning("no sign of life: nothing was looked at, or the lease not kept, for %.0f s", self.silent_for)

    def look(self) -> None:
        """Read the lease, tell what is seen, hear the others, and decide."""
        try:
            record = self._parts.watch.look(self._parts.store).record
            views = self._exchange(record)
        except StoreError as fault:
            # Without the others nothing is confirmed, and without the lease nothing could be done.
            _log.warning("nothing can be agreed on: %s", fault)
            self._confirmed.update(())
            return
        finally:
            self._looked = self._clock()
        now: set[Hashable] = set()
        for site in self._rules.sites:
            lost, grey = agreed(views.values(), site)
            if lost:
                now.add(("lost", site))
            if grey:
                now.add(("grey", site))
        if record.run is not None:
            now.add(("run", record.run))
        self._confirmed.update(now)
        self._decide(record, views)

    def _exchange(self, record: LeaseRecord) -> Mapping[str, View]:
        """Publish this warden's view; every fresh one, by observer."""
        self._beat += 1
        sights = {site: self._sight(site, record) for site in self._rules.sites}
        own = View(observer=self._region, process=self._process, beat=self._beat, sights=sights)
        self._parts.views.publish(self._region, own.dump())
        return {**self._fresh.of(self._parts.views.views()), self._region: own}

    def _sight(self, site: str, record: LeaseRecord) -> Sight:
        window = self._windows[site]
        last, grey = window.last, window.grey
        if last is not None and not last.ready:
            return Sight(lost=True, grey=bool(grey), reason=last.reason or "does not serve")
        if record.holder == site and self._parts.watch.expired:
            return Sight(lost=True, grey=bool(grey), reason="holds the lease and does not renew it")
        return Sight(lost=False, grey=bool(grey), reason=grey)

    def _decide(self, record: LeaseRecord, views: Mapping[str, View]) -> None:
        if record.run is not None:
            self._look_after(record, views)
            # A run that is silent and that nobody goes on with must not hide a loss.
            silent = self._confirmed.lasted(("run", record.run)) >= silent_after(self._pace)
            if not silent or self._goes_on(record):
                return
        holder = record.holder
        if holder is None or holder not in self._rules.sites or self._region == holder:
            return
        confirm_for = self._pace.real(self._rules.confirm_for)
        lost = self._confirmed.lasted(("lost", holder))
        # Each saw that for the declared time before it said so: agreeing for a moment is enough.
        grey = self._confirmed.lasted(("grey", holder)) >= 0
        if lost < 0 and not grey and record.run is None:
            self._told.clear()
            self._tries.clear()
        if lost < confirm_for and not grey:
            return
        target = next(site for site in self._rules.sites if site != holder)
        reason = self._reason(holder, views)
        obstacle = self._obstacle(record, target)
        if obstacle is not None:
            self._tell(record, target, views, f"{reason}; no failover to {target}: {obstacle}")
        elif self._rules.approval is not Approval.AUTOMATIC:
            people = "one person decides" if self._rules.approval is Approval.ONE else "two people decide"
            self._tell(record, target, views, f"{reason}; {people}: `lifeboat failover` to {target}")
        elif self._region != target:
            waited = max(lost - confirm_for, self._confirmed.lasted(("grey", holder)))
            told = f"{reason}; the warden of {target} is silent or took nothing over: `lifeboat failover` to {target}"
            self._tell(record, target, self._without_idle(target, views, waited), told)
        elif (before := self._due(("lost", record.epoch))) is not None:
            _log.warning("failover to %s is decided: %s", target, reason)
            # Before anybody is told: that may take long where nobody answers.
            self._parts.failover(target, reason, None, self._handed(holder, views))
            tried = f" again: {before} before took nothing over, their logs say why" if before else ""
            self._tell(record, target, views, f"{reason}; failover to {target} begins{tried}")

    def _look_after(self, record: LeaseRecord, views: Mapping[str, View]) -> None:
        """A failover whose runner fell silent is gone on with; any other run is its operator's."""
        run = record.run
        silence = silent_after(self._pace)
        lasted = self._confirmed.lasted(("run", run))
        if run is None or lasted < silence:
            return
        told = f"run {run.id} ({run.kind} to {run.target}) has been silent for {SILENCE:g} s"
        # The name of its file is the project's; whose it is stands in the subject.
        command = f"lifeboat {command_of(run.kind)} STACK"
        own = self._goes_on(record)
        if run.aborting:
            # Somebody decided against it; only a person takes back the rest.
            self._tell(record, run.target, views, f"{told} while it was taken back: `{command} --abort {run.id}`")
        elif not own or self._region != run.target:
            left = self._without_idle(run.target, views, lasted - silence) if own else views
            self._tell(record, run.target, left, f"{told}: `{command} --resume {run.id}` or `--abort {run.id}`")
        elif self._due(("run", run.id)) is not None:
            _log.warning("%s and is gone on with", told)
            self._parts.failover(run.target, told, run.id, None)

    def _goes_on(self, record: LeaseRecord) -> bool:
        """Whether a warden goes on with the run that is under way, once its runner is silent."""
        run = record.run
        own = run is not None and run.kind == Mode.FAILOVER and not run.aborting
        return own and self._rules.approval is Approval.AUTOMATIC and record.hold is None

    def _handed(self, site: str, views: Mapping[str, View]) -> Confirmed | None:
        """What is confirmed of a site, for a run that begins now; None when it is not lost but grey."""
        lasted = self._confirmed.lasted(("lost", site))
        if lasted < self._pace.real(self._rules.confirm_for):
            return None
        seen = (observer for observer, view in views.items() if site in view.sights and view.sights[site].lost)
        return Confirmed(
            site=site,
            observers=tuple(sorted(seen)),
            seconds=lasted,
            at=self._clock(),
            boot=boot_id(),
            watched=self._parts.watch.watched,
        )

    def _reason(self, site: str, views: Mapping[str, View]) -> str:
        seen = {observer: view.sights[site] for observer, view in sorted(views.items()) if site in view.sights}
        said = (f"{observer} sees: {sight.reason}" for observer, sight in seen.items() if sight.lost or sight.grey)
        return f"{site} has failed ({'; '.join(said)})"

    def _obstacle(self, record: LeaseRecord, target: str) -> str | None:
        """What stands against a failover, whoever decides; None when nothing does that a warden knows of."""
        if record.hold is not None:
            return f"held by {record.hold.by}: {record.hold.reason} (`lifeboat release` ends that)"
        if record.run is not None:
            return f"run {record.run.id} is in the way: --resume or --abort it"
        if target in record.fenced:
            return "it is fenced until `lifeboat rejoin`"
        if self._confirmed.lasted(("lost", target)) >= 0:
            return "two of three viewpoints see it as lost too"
        return None

    def _due(self, what: Hashable) -> int | None:
        """How many times this warden began it before, if it does now; None when it does not."""
        now = self._clock()
        count, again = self._tries.get(what, (0, 0.0))
        if now < again:
            return None
        # What was refused or failed is not tried again at once, and ever less often: most reasons are not over soon.
        pause = self._pace.real(self._rules.confirm_for) * min(2**count, _LONGEST_PAUSE)
        self._tries[what] = (count + 1, now + pause)
        return count

    def _without_idle(self, target: str, views: Mapping[str, View], waited: float) -> Mapping[str, View]:
        """The views without the target's, when its warden had time enough to do what it should and did not."""
        if waited < self._pace.real(_IDLE) + 4 * DEADLINE:
            return views
        return {observer: view for observer, view in views.items() if observer != target}

    def _speaks(self, target: str, views: Mapping[str, View]) -> bool:
        """Whether people hear it from this warden: the target's is the first to tell, then the witness's."""
        return self._region == min(views, key=lambda each: (each != target, each in self._rules.sites))

    def _tell(self, record: LeaseRecord, target: str, views: Mapping[str, View], text: str) -> None:
        """Tell people, once an epoch and text, by one warden; again for as long as nobody hears it."""
        subject = f"{record.holder} in epoch {record.epoch}"
        key = (record.epoch, text.partition(" (")[0], text.rpartition(";")[2])
        if key not in self._told and self._speaks(target, views):
            _log.warning("people are told: %s", text)
            if self._parts.notify(subject, text):
                self._told.add(key)
