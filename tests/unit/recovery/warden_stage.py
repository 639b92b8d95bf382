"""Three wardens around one lease; what each of them sees is set by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lifeboat.model.settings.sites import Approval
from lifeboat.recovery.lease import LeaseWatch
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import change
from lifeboat.recovery.ports import Pace
from lifeboat.recovery.views import Confirmed, GreyRule, Probe
from lifeboat.recovery.warden_core import Parts, Rules, Warden
from tests.unit.recovery.test_lease_keeper import Clock, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
SITES = (EAST, WEST)
PERIOD = 10.0
PACE = Pace()


class Shared(Store):
    """The lease and the wardens' views."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.create(LeaseRecord.first(EAST, 60))

    def publish(self, region: str, text: str) -> None:
        self._reach()
        self.texts[region] = text

    def views(self) -> Mapping[str, str]:
        self._reach()
        return dict(self.texts)


class Metrics:
    """What was published."""

    def __init__(self) -> None:
        self.levels: list[Mapping[str, int]] = []
        self.beats: list[str] = []

    def publish(self, of: Mapping[str, int]) -> None:
        self.levels.append(of)

    def beat(self, warden: str) -> None:
        self.beats.append(warden)


@dataclass
class Stage:
    """Three wardens; what each of them sees is set by hand."""

    approval: Approval = Approval.AUTOMATIC
    grey: GreyRule | None = None
    clock: Clock = field(default_factory=Clock)
    store: Shared = field(default_factory=Shared)
    metrics: Metrics = field(default_factory=Metrics)
    told: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    begun: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])
    dead: set[str] = field(default_factory=set[str])
    """Regions whose warden is no more."""
    silent: bool = False
    """Whether the holder renews no more."""
    heard: bool = True
    """Whether people can be told."""
    handed: list[Confirmed | None] = field(default_factory=list["Confirmed | None"])
    """What the runs were given that began."""
    keeper_silent: float = 0.0

    def __post_init__(self) -> None:
        self.seen: dict[tuple[str, str], Probe] = {}
        self.wardens = {region: self.warden(region) for region in (EAST, WEST, WITNESS)}

    def warden(self, region: str) -> Warden:
        return Warden(
            region=region,
            process=f"{region}-1",
            rules=Rules(sites=SITES, confirm_for=60, approval=self.approval, grey=self.grey),
            parts=Parts(
                store=self.store,
                views=self.store,
                watch=LeaseWatch(margin=5, pace=PACE, clock=self.clock),
                probe=lambda site: self.seen.get((region, site), Probe(ready=True, seconds=0.1)),
                metrics=self.metrics,
                notify=lambda subject, text: self._tell(region, subject, text),
                failover=lambda target, _reason, resume, confirmed: self._begin(region, target, resume, confirmed),
                keeper_silent=lambda: self.keeper_silent,
            ),
            pace=PACE,
            clock=self.clock,
        )

    def _tell(self, region: str, subject: str, text: str) -> bool:
        if self.heard:
            self.told.append((region, subject, text))
        return self.heard

    def _begin(self, region: str, target: str, resume: str | None, confirmed: Confirmed | None) -> None:
        self.begun.append((region, target, resume))
        self.handed.append(confirmed)

    def lose(self, site: str, *observers: str) -> None:
        for observer in observers:
            self.seen[observer, site] = Probe(ready=False, seconds=5.0, reason="no answer")

    def go(self, seconds: float) -> None:
        for _ in range(round(seconds / PERIOD)):
            self.clock.now += PERIOD
            record = self.store.record
            if not self.silent and record.holder and record.may_write(record.holder):
                change(self.store, lambda now: now.renew(now.holder or "", now.epoch, owner="w", ttl=60))
            for region, warden in self.wardens.items():
                if region not in self.dead:
                    for site in SITES:
                        warden.probe(site)
                    warden.look()
