"""Two sites, a witness, their wardens, clients and a store in a simulated world, and somebody who breaks things.

The wardens, the keepers, the watches and the lease's transitions are the product's. Played are the store (a register
behind a network), databases, sites, the runner's few steps, an operator, and time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lifeboat.model.settings.sites import Approval
from lifeboat.recovery.claim import SILENCE
from lifeboat.recovery.drill.history import Acknowledgement
from lifeboat.recovery.lease import HEARTBEAT, Identity, LeaseKeeper, LeaseWatch, NotOverError, take
from lifeboat.recovery.lease_object import Bucket, ObjectStore
from lifeboat.recovery.lease_record import LeaseError, LeaseRecord, RunClaim
from lifeboat.recovery.lease_store import DEADLINE, StoreError, Versioned, change
from lifeboat.recovery.views import Probe
from lifeboat.recovery.warden_core import Parts, Rules, Warden
from tests.unit.recovery.lease_simulation import CURRENT, Machine, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

from tests.unit.recovery.lease_parts import (
    CONFIRM_FOR,
    DRIFT,
    EAST,
    MARGIN,
    PACE,
    REGIONS,
    RESIDUAL,
    SITES,
    STORE,
    TTL,
    WITNESS,
    Network,
    SimGate,
    SimS3,
    SimStore,
    Site,
)


@dataclass
class Tally:
    """What happened, so that a history in which nothing did is noticed."""

    acknowledged: list[Acknowledgement] = field(default_factory=list[Acknowledgement])
    late: list[str] = field(default_factory=list[str])
    """Commits in an epoch that was over: what only somebody who sees everything can know."""
    fenced: int = 0
    lapsed: int = 0
    runs: int = 0


class City:
    """Everything."""

    def __init__(
        self,
        seed: int,
        *,
        watch: type[LeaseWatch] = LeaseWatch,
        gate: type[SimGate] = SimGate,
        objects: bool = False,
    ) -> None:
        self.world = World(seed)
        self.network = Network(self.world)
        self.kept: Versioned | None = None
        self.views: dict[str, str] = {}
        self.takes: list[tuple[float, LeaseRecord]] = []
        self.tally = Tally()
        self.objects: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.keeps = WITNESS if objects else STORE
        """Where the lease is kept."""
        self._watch = watch
        self._runs = 0
        chance = self.world.random
        self.machines: dict[str, Machine] = {}
        self.sites: dict[str, Site] = {}
        for region in REGIONS:
            offset, rate = chance.uniform(-1e5, 1e6), 1 + chance.uniform(-DRIFT, DRIFT)
            self.machines[region] = Machine(self.world, offset=offset, rate=rate)
            if region in SITES:
                host = Machine(self.world, offset=offset, rate=rate)
                self.sites[region] = Site(
                    region=region,
                    machine=self.machines[region],
                    host=host,
                    gate=gate(self.machines[region]),
                    writable=region == EAST,
                )
        self.desk = Machine(self.world, offset=0.0, rate=1 + DRIFT)
        for region in REGIONS:
            self.start_warden(region)
        for region in SITES:
            for number in range(2):
                self._client(region, number)
        self.world.begin(self.desk, self._operate)

    def store(self, region: str) -> SimStore | ObjectStore:
        """The lease's store as a region reaches it."""
        if self.keeps == STORE:
            return SimStore(self, region)
        made = {each: Bucket(region=each, name=each) for each in REGIONS}
        return ObjectStore(
            lambda there: SimS3(self, region, there),
            witness=made[WITNESS],
            sites=[made[site] for site in SITES],
            viewers=REGIONS,
        )

    def note(self, kept: Versioned) -> Versioned:
        """What the lease is from now on."""
        if self.kept is not None and self.kept.record.epoch != kept.record.epoch:
            self.takes.append((self.world.now, kept.record))
        self.kept = kept
        return kept

    def start_warden(self, region: str) -> None:
        """A new process, which knows nothing of the one before but what the gate's file says."""
        machine, store = self.machines[region], self.store(region)
        process = f"{region}-{machine.life}"
        warden = Warden(
            region=region,
            process=process,
            rules=Rules(sites=SITES, confirm_for=CONFIRM_FOR, approval=Approval.AUTOMATIC),
            parts=Parts(
                store=store,
                views=store,
                watch=self._watch(margin=MARGIN, pace=PACE, clock=machine.clock),
                probe=lambda site: self._probe(region, site),
                metrics=self,
                notify=lambda _subject, _text: True,
                failover=lambda target, _reason, resume, _confirmed: self.world.begin(
                    machine, lambda: self.run_failover(region, target, resume)
                ),
            ),
            pace=PACE,
            clock=machine.clock,
        )
        self._every(machine, HEARTBEAT, warden.look)
        for site in SITES:
            self._every(machine, HEARTBEAT, lambda site=site: warden.probe(site))
        if region in self.sites:
            site = self.sites[region]
            keeper = LeaseKeeper(
                identity=Identity(site=region, owner=process, home=region == EAST),
                store=store,
                gate=site.gate,
                fencing=site,
                ttl=TTL,
                pace=PACE,
                clock=machine.clock,
            )
            self._every(machine, HEARTBEAT, keeper.beat)
            self._every(machine, 1.0, keeper.lift)
            self.world.begin(machine, lambda: self._sentinel(machine, keeper))

    def publish(self, of: Mapping[str, int]) -> None:
        """Levels matter to nobody here."""

    def beat(self, warden: str) -> None:
        """Nor do signs of life."""

    def _every(self, machine: Machine, seconds: float, act: Callable[[], object]) -> None:
        def loop() -> None:
            machine.wait(self.world.random.uniform(0, seconds))
            while True:
                act()
                machine.wait(seconds)

        self.world.begin(machine, loop)

    def _sentinel(self, machine: Machine, keeper: LeaseKeeper) -> None:
        while True:
            until = keeper.until
            machine.wait(2.0 if until is None else min(HEARTBEAT, max(0.1, until - machine.clock())))
            keeper.check()

    def _probe(self, source: str, site: str) -> Probe:
        delay = self.network.delay() + self.network.delay()
        there = self.sites[site]
        CURRENT.task.wait(min(delay, DEADLINE))
        served = there.up and there.host.frozen_until <= self.world.now and self.network.reaches(source, site)
        if not served:
            CURRENT.task.wait(DEADLINE)
        return Probe(ready=served and delay < DEADLINE, seconds=delay)

    def run_failover(self, region: str, target: str, resume: str | None, *, patience: float = 400.0) -> None:
        """What a runner does with the lease: claim, fence, take, promote, serve, end."""
        store, machine = self.store(region), CURRENT.task.machine
        watch = self._watch(margin=MARGIN, pace=PACE, clock=machine.clock)
        self._runs += 1
        name, runner = resume or f"run-{self._runs}", f"runner-{self._runs}"
        give_up = machine.clock() + patience
        claim = RunClaim(id=name, runner=runner, kind="failover", target=target)
        claimed, expected = False, 0
        while machine.clock() < give_up:
            try:
                if not claimed:
                    if resume is not None:
                        change(store, lambda record: record.adopt_run(name, runner, seen=record.run))
                    else:
                        change(store, lambda record: record.claim_run(claim))
                    claimed = True
                    record = store.read().record
                    expected = record.epoch - (record.holder == target)
                change(store, lambda record: record.touch_run(name, runner))
                if store.read().record.holder != target:
                    change(store, lambda record: record.fence(next(site for site in SITES if site != target)))
                take(store, watch, target=target, expected=expected, owner=runner)
                self._promote(region, target, machine)
                change(store, lambda record: record.serve(target))
                change(store, lambda record: record.end_run(name, runner))
                self.tally.runs += 1
                return
            except NotOverError as fault:
                machine.wait(min(5.0, fault.seconds + 0.2))
            except LeaseError:
                break
            except StoreError:
                machine.wait(2.0)
        if claimed:
            for _ in range(20):
                try:
                    change(store, lambda record: record.end_run(name, runner))
                    return
                except LeaseError:
                    return
                except StoreError:
                    machine.wait(5.0)

    def _promote(self, region: str, target: str, machine: Machine) -> None:
        site = self.sites[target]
        while not (site.up and self.network.reaches(region, target)):
            machine.wait(1.0)
        machine.wait(self.world.random.uniform(0.2, 3.0))
        site.writable = True

    def _operate(self) -> None:
        """People: rejoin what was fenced once it is well again; now and then a failover for a reason of their own."""
        store = self.store(WITNESS)
        watch = LeaseWatch(margin=MARGIN, pace=PACE, clock=self.desk.clock)
        silence: tuple[object, float] = (None, 0.0)
        while True:
            self.desk.wait(self.world.random.uniform(20, 50))
            try:
                record = watch.look(store).record
                run = record.run
                if run is not None:
                    if silence[0] != run:
                        silence = (run, self.world.now)
                    elif self.world.now - silence[1] > 2 * SILENCE:
                        change(store, lambda now, run=run: now.end_run(run.id, run.runner) if now.run == run else now)
                    continue
                for name in sorted(record.fenced):
                    if record.holder == name and set(SITES) - record.fenced:
                        continue
                    if record.holder == name and name not in record.stopped and not watch.expired:
                        # As a rejoin's own step does: a holder that was told to stop may not have heard it.
                        continue
                    if self.sites[name].up and self.network.reaches(name, self.keeps):
                        if record.holder != name:
                            # Built anew from the other site.
                            self.sites[name].writable = False
                            self.sites[name].sessions += 1
                        change(store, lambda now, name=name: now.unfence(name) if name in now.fenced else now)
                        break
                else:
                    if self.world.random.random() < 0.12 and record.holder is not None:
                        target = next(site for site in SITES if site != record.holder)
                        self.run_failover(WITNESS, target, None, patience=150.0)
            except (StoreError, LeaseError):
                continue

    def _client(self, region: str, number: int) -> None:
        chance, site = self.world.random, self.sites[region]
        count = 0

        def send() -> None:
            nonlocal count
            count += 1
            write = f"client-{number}/{region}/{count}"
            began = self.world.now
            self._on(site, chance.uniform(0.001, 0.05), lambda: accept(began, write))
            self.world.at(began + chance.uniform(0.3, 1.5), send)

        def accept(began: float, write: str) -> None:
            state = site.gate.state()
            if not (state.open and site.up):
                return
            waits = chance.uniform(1, 30) if chance.random() < 0.01 else chance.uniform(0, 0.1)
            self._on(site, waits, lambda: commit(began, write, state.epoch, site.sessions))

        def commit(began: float, write: str, epoch: int, session: int) -> None:
            state = site.gate.state()
            if not state.open or state.epoch != epoch:
                return
            # From here no look helps: the site may stand still, and the commit still lands within the database's limit.
            lands = RESIDUAL * chance.random() if chance.random() < 0.2 else chance.uniform(0, 0.05)
            self.world.at(self.world.now + lands, lambda: land(began, write, epoch, session))

        def land(began: float, write: str, epoch: int, session: int) -> None:
            if not site.up or not site.writable or site.read_only or session != site.sessions:
                return
            assert self.kept is not None
            if self.kept.record.epoch != epoch:
                self.tally.late.append(f"{self.world.now:.3f}: {write} in epoch {epoch}")
            self._on(site, chance.uniform(0, 0.05), lambda: acknowledge(began, write, epoch))

        def acknowledge(began: float, write: str, epoch: int) -> None:
            state = site.gate.state()
            if state.open and state.epoch == epoch:
                self.tally.acknowledged.append(
                    Acknowledgement(epoch=epoch, site=region, began=began, ended=self.world.now, write=write)
                )

        self.world.at(chance.uniform(0, 1), send)

    def _on(self, site: Site, seconds: float, act: Callable[[], None]) -> None:
        """Something that the site's own processor does, once it runs."""

        def go() -> None:
            if site.host.frozen_until > self.world.now:
                self.world.at(site.host.frozen_until, go)
            else:
                act()

        self.world.at(self.world.now + seconds, go)
