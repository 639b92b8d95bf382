"""The lease: who may write, in which epoch; and every change that it may take, as pure functions.

Invariant 1: at most one site acknowledges writes to a store in one lease epoch. What keeps it:
1. An epoch has one holder, and `take` is the only way to another: it raises the epoch.
2. Only the holder renews, only in its own epoch, and only while it is not fenced.
3. `take` is written after an observed fence (`has_stopped`) or after the holder's time is over by the taker's own clock
   (`lifeboat.recovery.lease`), on condition that nothing was written since the taker read.
4. A fenced site stays fenced until it rejoins; a holder that rejoins does so in a new epoch.

Durations are protocol seconds: a time scale (`Pace`) divides them where they are waited for, never here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from typing import Self

FIRST_EPOCH: Final = 1
_FORM: Final = 1
"""The form of the text; a reader refuses one that it does not know."""


class LeaseError(Exception):
    """The lease does not allow it; its text is one line for the user."""


class NotHolderError(LeaseError):
    """The site does not hold the lease in that epoch, or is fenced."""


class StaleEpochError(LeaseError):
    """Another epoch holds than the one that the caller decided by."""


class FencedError(LeaseError):
    """The site is fenced until it rejoins."""


class RunClaimedError(LeaseError):
    """Another run is under way, or the run is another runner's.

    Args:
        text: For people.
        by: The run that has the claim, where a new one was refused because of it.
    """

    def __init__(self, text: str, *, by: str | None = None) -> None:
        super().__init__(text)
        self.by = by


@dataclass(frozen=True, kw_only=True)
class Hold:
    """The kill switch: no warden decides while it stands. People still can.

    Attributes:
        by: Who asked for it.
        reason: Why.
    """

    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RunClaim:
    """A run that is under way; a second one is refused.

    Attributes:
        id: The run's.
        runner: The process that runs it, another name each time that it starts.
        kind: What it does, such as ``failover``.
        target: The site that it makes the holder.
        beat: Counts up for as long as the runner lives.
        aborting: It is being taken back, and gone on with in no other way.
    """

    id: str
    runner: str
    kind: str
    target: str
    beat: int = 0
    aborting: bool = False


@dataclass(frozen=True, kw_only=True)
class LeaseRecord:
    """What the store holds. A store adds a version, which each accepted change raises.

    Attributes:
        epoch: Counts holders, from 1; the fencing token of every write.
        holder: The region that may write; None when nobody may.
        owner: The holder's process that renewed last.
        ttl: Seconds that the last renewal is good for, by the holder's clock from the renewal's start.
        serving: The region that gets the traffic: the holder, once its stores take writes.
        fenced: Regions that may not write until they rejoin.
        stopped: Those of them that themselves said that their writes have stopped.
        hold: Stops wardens from deciding.
        run: The run that is under way.
        beat: Counts the holder's renewals in this epoch: what tells a living holder from a dead one.
    """

    epoch: int
    holder: str | None
    owner: str
    ttl: float
    serving: str | None
    fenced: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    hold: Hold | None = None
    run: RunClaim | None = None
    beat: int = 0

    @classmethod
    def first(cls, home: str, ttl: float) -> Self:
        """The lease of a new stack: held by its home, which gets the traffic.

        Args:
            home: Region.
            ttl: Seconds.
        """
        return cls(epoch=FIRST_EPOCH, holder=home, owner="", ttl=ttl, serving=home)

    @property
    def pulse(self) -> tuple[int, str | None, int]:
        """What changes when the holder renews or is replaced, and for no other reason."""
        return self.epoch, self.holder, self.beat

    @property
    def has_stopped(self) -> bool:
        """Whether nobody writes, as the holder itself said: it may be replaced at once."""
        return self.holder is None or self.holder in self.stopped

    def may_write(self, site: str) -> bool:
        """Whether a site may write as far as this record goes; the time that passes is its keeper's to watch."""
        return self.holder == site and site not in self.fenced

    def renew(self, site: str, epoch: int, *, owner: str, ttl: float) -> LeaseRecord:
        """Renewed by its holder.

        Args:
            site: Who renews.
            epoch: The epoch in which it thinks that it holds.
            owner: Its process.
            ttl: Seconds that it will go on without another renewal.

        Raises:
            NotHolderError: when it is not the holder in that epoch.
            FencedError: when it is fenced.
        """
        if self.holder != site or self.epoch != epoch:
            raise NotHolderError(f"{site} cannot renew epoch {epoch}: {self.holder or 'nobody'} holds {self.epoch}")
        if site in self.fenced:
            raise FencedError(f"{site} is fenced in epoch {self.epoch}, until `lifeboat rejoin`")
        return replace(self, owner=owner, ttl=ttl, beat=self.beat + 1)

    def take(self, target: str, expected: int, *, owner: str = "", ttl: float | None = None) -> LeaseRecord:
        """Held by another site, in the next epoch; the holder before is fenced.

        The caller has seen the holder stop, or its time be over; a record cannot know that.

        Args:
            target: The new holder.
            expected: The epoch in which the caller decided.
            owner: The process that took it.
            ttl: Seconds; those of the record when None.

        Raises:
            StaleEpochError: when another epoch holds by now.
            FencedError: when the target has to rejoin first.
            LeaseError: when the target is the holder.
        """
        if self.epoch != expected:
            raise StaleEpochError(f"{target} cannot take the lease after epoch {expected}: epoch {self.epoch} holds")
        if target in self.fenced:
            raise FencedError(f"{target} is fenced and cannot take the lease before `lifeboat rejoin`")
        if target == self.holder:
            raise LeaseError(f"{target} holds the lease already, in epoch {self.epoch}")
        before = frozenset[str]() if self.holder is None else frozenset((self.holder,))
        return replace(
            self,
            epoch=self.epoch + 1,
            holder=target,
            owner=owner,
            ttl=self.ttl if ttl is None else ttl,
            fenced=self.fenced | before,
            beat=0,
        )

    def serve(self, site: str) -> LeaseRecord:
        """Traffic goes to the holder, because its stores take writes.

        Raises:
            NotHolderError: when that site may not write: traffic never flips before.
        """
        if not self.may_write(site):
            raise NotHolderError(f"{site} cannot get the traffic: {self.holder or 'nobody'} holds epoch {self.epoch}")
        return replace(self, serving=site)

    def fence(self, site: str) -> LeaseRecord:
        """A site is told to stop its writes, and cannot renew from now on."""
        return replace(self, fenced=self.fenced | {site})

    def stop(self, site: str) -> LeaseRecord:
        """A site's own word that its writes have stopped; it is fenced from now on."""
        return replace(self, fenced=self.fenced | {site}, stopped=self.stopped | {site})

    def unfence(self, site: str) -> LeaseRecord:
        """A site rejoins. The holder itself, when nobody took over meanwhile, does so in a new epoch.

        Raises:
            LeaseError: when it is not fenced.
        """
        if site not in self.fenced:
            raise LeaseError(f"{site} is not fenced: there is nothing to rejoin from")
        freed = replace(self, fenced=self.fenced - {site}, stopped=self.stopped - {site})
        return replace(freed, epoch=self.epoch + 1, beat=0) if site == self.holder else freed

    def hold_by(self, by: str, reason: str) -> LeaseRecord:
        """No warden decides until it is released; the latest hold's reason stands."""
        return replace(self, hold=Hold(by=by, reason=reason))

    def release(self) -> LeaseRecord:
        """Wardens decide again."""
        return replace(self, hold=None)

    def claim_run(self, claim: RunClaim) -> LeaseRecord:
        """A run begins, or the runner that claimed it claims it again.

        Raises:
            RunClaimedError: when another run, or another runner, has claimed it.
        """
        if self.run is not None and (self.run.id, self.run.runner) != (claim.id, claim.runner):
            told = f"run {self.run.id} ({self.run.kind} to {self.run.target}) is under way"
            raise RunClaimedError(told, by=self.run.id)
        return replace(self, run=claim if self.run is None else self.run)

    def adopt_run(self, run: str, runner: str, *, seen: RunClaim | None, aborting: bool = False) -> LeaseRecord:
        """A run is gone on with by another runner, whose first one is dead: ended, or silent by the caller's watch.

        Args:
            run: The run.
            runner: Who goes on with it.
            seen: The claim that the caller found dead; one that changed since is alive.
            aborting: It is taken back from now on.

        Raises:
            RunClaimedError: when that run is not under way, its runner lives, or it is being taken back.
        """
        if self.run is None or self.run.id != run:
            raise RunClaimedError(f"run {run} is not under way: {self.run.id if self.run else 'none'} is")
        if self.run.aborting and not aborting:
            raise RunClaimedError(f"run {run} is being taken back: accepted is --abort {run}")
        if self.run.runner == runner:
            # Its own already, where it was not told so.
            return replace(self, run=replace(self.run, aborting=aborting))
        if seen is None or (self.run.runner, self.run.beat) != (seen.runner, seen.beat):
            raise RunClaimedError(f"run {run} is not yours to go on with: {self.run.runner} lives")
        return replace(self, run=replace(self.run, runner=runner, beat=self.run.beat + 1, aborting=aborting))

    def touch_run(self, run: str, runner: str) -> LeaseRecord:
        """The runner lives.

        Raises:
            RunClaimedError: when the run is not this runner's any more: it has to stop.
        """
        return replace(self, run=replace(self._own(run, runner), beat=self._own(run, runner).beat + 1))

    def end_run(self, run: str, runner: str) -> LeaseRecord:
        """The run is over.

        Raises:
            RunClaimedError: when the run is not this runner's any more.
        """
        self._own(run, runner)
        return replace(self, run=None)

    def _own(self, run: str, runner: str) -> RunClaim:
        if self.run is None or (self.run.id, self.run.runner) != (run, runner):
            claimed = f"{self.run.id} of runner {self.run.runner}" if self.run else "none"
            raise RunClaimedError(f"run {run} of runner {runner} has lost its claim: {claimed} is under way")
        return self.run


def dump(record: LeaseRecord) -> str:
    """A record as JSON text; the same record gives the same text."""
    fields = asdict(record) | {"fenced": sorted(record.fenced), "stopped": sorted(record.stopped), "form": _FORM}
    return json.dumps(fields, sort_keys=True)


def load(text: str) -> LeaseRecord:
    """Read what `dump` wrote.

    Raises:
        LeaseError: when the text is anything else.
    """
    try:
        loaded: object = json.loads(text)
        found: dict[str, Any] = dict(cast("dict[str, Any]", loaded))
        if found.pop("form") != _FORM:
            raise ValueError("another form")
        found["fenced"], found["stopped"] = frozenset(found["fenced"]), frozenset(found["stopped"])
        found["hold"] = None if found["hold"] is None else Hold(**found["hold"])
        found["run"] = None if found["run"] is None else RunClaim(**found["run"])
        record = LeaseRecord(**found)
    except (ValueError, TypeError, KeyError) as fault:
        raise LeaseError(f"the lease's record cannot be read ({fault}): expected is what a warden wrote") from None
    # A bool is an int to isinstance.
    if type(record.epoch) is not int or type(record.beat) is not int or not record.ttl > 0:
        raise LeaseError(f"the lease's record has epoch {record.epoch!r}, beat {record.beat!r}, ttl {record.ttl!r}")
    return record
