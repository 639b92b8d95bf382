"""The keeper, the watch and the gate's file, by a clock that stands still until it is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lifeboat.recovery.fence import FenceError
from lifeboat.recovery.gatefile import GateBusyError, GateFile, GateState, boot_id, read_gate
from lifeboat.recovery.lease import Identity, LeaseKeeper
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Absent, Conflict, Unreachable, Versioned, change
from lifeboat.recovery.ports import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EAST, WEST = "us-east-1", "us-west-2"
PACE = Pace(scale=10)
"""A ttl of 60 s is 6 s here, the margin 0.5 s."""
PROMISE = 1.0


class Clock:
    """Shows what it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Store:
    """A register in memory; `during` happens inside of the next call."""

    def __init__(self) -> None:
        self.kept: Versioned | None = None
        self.lost = False
        self.takes_stops = True
        self.during: Callable[[], None] = lambda: None

    def read(self) -> Versioned:
        self._reach()
        if self.kept is None:
            raise Absent("none")
        return self.kept

    def read_to_renew(self, site: str) -> Versioned:
        assert site
        return self.read()

    def create(self, record: LeaseRecord) -> Versioned:
        assert self.kept is None
        self.kept = Versioned(version=1, record=record)
        return self.kept

    def replace(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        self._reach()
        if self.kept is None or seen.version != self.kept.version:
            raise Conflict("changed")
        if record.stopped and not self.takes_stops:
            raise Unreachable("the other site does not answer")
        self.kept = Versioned(version=seen.version + 1, record=record)
        return self.kept

    def _reach(self) -> None:
        during, self.during = self.during, lambda: None
        during()
        if self.lost:
            raise Unreachable("no answer")

    @property
    def record(self) -> LeaseRecord:
        assert self.kept is not None
        return self.kept.record


class Databases:
    """Those of a site."""

    def __init__(self) -> None:
        self.fenced = False
        self.answers = True
        self.hangs = False
        self.lifts = 0

    def fence(self) -> None:
        if not self.answers:
            raise FenceError("no answer")
        self.fenced = True

    def lift(self) -> None:
        if self.hangs:
            pytest.fail("waited for by who must not wait")
        if not self.answers:
            raise FenceError("a replica so far")
        self.fenced, self.lifts = False, self.lifts + 1


class Bench:
    """One site's keeper with everything around it."""

    def __init__(self, directory: Path, site: str = EAST) -> None:
        self.clock, self.store, self.databases = Clock(), Store(), Databases()
        self.clock.now -= PROMISE
        self.gate = GateFile(directory / "gate" / "gate.json", self.clock, promise=PROMISE)
        # What somebody before it may have promised is over.
        self.clock.now += PROMISE
        self.site = site
        self.keeper = self.start()

    def start(self) -> LeaseKeeper:
        return LeaseKeeper(
            identity=Identity(site=self.site, owner="w1", home=self.site == EAST),
            store=self.store,
            gate=self.gate,
            fencing=self.databases,
            ttl=60,
            pace=PACE,
            clock=self.clock,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_home_makes_the_first_lease_and_opens_its_gate_for_as_long_as_that_is_good(bench: Bench) -> None:
    bench.keeper.beat()
    assert bench.store.record.may_write(EAST)
    assert bench.gate.state() == GateState(open=True, epoch=1, until=1006.0)
    bench.keeper.lift()
    assert bench.databases.lifts == 1


def test_another_site_makes_none(tmp_path: Path) -> None:
    bench = Bench(tmp_path, WEST)
    assert bench.keeper.beat() is None
    assert bench.store.kept is None
    assert not bench.gate.state().open


def test_a_lease_that_vanished_is_not_made_anew(bench: Bench) -> None:
    bench.keeper.beat()
    bench.store.kept = None
    assert bench.keeper.beat() is None
    assert bench.store.kept is None


def test_the_time_counts_from_the_start_of_the_renewal(bench: Bench) -> None:
    bench.keeper.beat()
    bench.clock.now = 1002.0
    # The read ends, the write begins at 1002 and takes three seconds to be answered.
    bench.store.during = lambda: setattr(bench.store, "during", lambda: setattr(bench.clock, "now", 1005.0))
    bench.keeper.beat()
    assert bench.keeper.until == 1008.0


def test_the_gate_shuts_by_itself_while_the_warden_stands_still(bench: Bench) -> None:
    bench.keeper.beat()
    bench.clock.now = 1005.99
    assert bench.gate.state().open
    bench.clock.now = 1006.0
    assert not bench.gate.state().open
    assert bench.gate.state().reason == "the lease was not renewed in time"


def test_out_of_reach_for_the_ttl_it_fences_itself_and_stays_fenced_on_its_return(bench: Bench) -> None:
    bench.keeper.beat()
    bench.store.lost = True
    bench.clock.now = 1005.9
    bench.keeper.check()
    assert bench.gate.state().open
    bench.clock.now = 1006.0
    bench.keeper.check()
    assert bench.gate.state().fenced
    assert bench.databases.fenced
    bench.store.lost = False
    for _ in range(2):
        bench.keeper.beat()
    assert bench.store.record.stopped == {EAST}
    assert not bench.gate.state().open
    change(bench.store, lambda record: record.unfence(EAST))
    bench.keeper.beat()
    assert bench.gate.state() == GateState(open=True, epoch=2, until=1012.0)
    bench.keeper.lift()
    assert not bench.databases.fenced


def test_a_renewal_that_came_back_too_late_opens_nothing(bench: Bench) -> None:
    bench.keeper.beat()
    bench.store.during = lambda: setattr(bench.clock, "now", 1100.0)
    bench.keeper.beat()
    assert not bench.gate.state().open
    bench.keeper.beat()
    assert EAST in bench.store.record.stopped


def test_a_start_does_not_forget_a_fence(bench: Bench) -> None:
    bench.keeper.beat()
    bench.store.lost = True
    bench.clock.now = 1007.0
    bench.keeper.check()
    bench.store.lost = False
    bench.start().beat()
    assert bench.store.record.stopped == {EAST}
    assert not bench.gate.state().open


def test_a_warden_that_was_gone_for_a_while_goes_on_when_nobody_took_over(bench: Bench) -> None:
    bench.keeper.beat()
    bench.clock.now = 1100.0
    bench.start().beat()
    assert bench.gate.state().open
    assert bench.store.record.epoch == 1


def test_it_says_that_it_stopped_only_once_its_databases_have(bench: Bench) -> None:
    bench.keeper.beat()
    bench.databases.answers = False
    change(bench.store, lambda record: record.fence(EAST))
    bench.keeper.beat()
    assert not bench.gate.state().open
    assert not bench.store.record.has_stopped
    bench.databases.answers = True
    bench.keeper.beat()
    assert bench.store.record.has_stopped


def test_who_takes_over_opens_its_gate_and_lifts_its_database_once_that_is_promoted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, WEST)
    bench.store.create(LeaseRecord.first(EAST, 60))
    bench.keeper.beat()
    assert bench.gate.state().reason == "us-east-1 holds the lease"
    change(bench.store, lambda record: record.stop(EAST).take(WEST, 1))
    bench.databases.answers = False
    bench.keeper.lift()
    bench.keeper.beat()
    bench.keeper.lift()
    assert bench.gate.state().open
    assert not bench.databases.lifts
    bench.databases.answers = True
    bench.keeper.lift()
    bench.keeper.lift()
    assert bench.databases.lifts == 1


def test_no_database_is_waited_for_by_a_renewal(bench: Bench) -> None:
    bench.databases.hangs = True
    for turn in range(1, 4):
        bench.keeper.beat()
        assert bench.store.record.beat == turn
    bench.databases.hangs = False
    bench.keeper.lift()
    assert bench.databases.lifts == 1


def test_a_site_that_fenced_itself_lifts_no_database(bench: Bench) -> None:
    bench.keeper.beat()
    bench.clock.now = 1006.0
    bench.keeper.check()
    bench.keeper.lift()
    assert bench.databases.fenced


def test_it_says_that_it_stopped_only_once_nobody_goes_by_what_the_gate_said_before(bench: Bench) -> None:
    bench.keeper.beat()
    bench.clock.now = 1004.0
    assert bench.gate.promise() == (GateState(open=True, epoch=1, until=1006.0), PROMISE)
    bench.clock.now = 1004.3
    change(bench.store, lambda record: record.fence(EAST))
    bench.keeper.beat()
    assert bench.databases.fenced
    assert not bench.store.record.has_stopped
    assert bench.gate.promise()[1] == 0
    # As soon as it can, not a heartbeat later.
    assert bench.keeper.pause == pytest.approx(0.7)
    bench.clock.now = 1005.0
    bench.keeper.beat()
    assert bench.store.record.has_stopped
    assert bench.keeper.pause == 1.0


def test_a_promise_ends_with_the_right_to_write_and_outlives_who_made_it(bench: Bench, tmp_path: Path) -> None:
    bench.keeper.beat()
    bench.clock.now = 1005.4
    assert bench.gate.promise()[1] == pytest.approx(0.6)
    bench.clock.now = 1005.9
    bench.gate.close()
    after = GateFile(tmp_path / "gate" / "gate.json", bench.clock, promise=PROMISE)
    assert after.promised >= 1006.0


def test_that_it_is_fenced_is_written_although_that_it_stopped_cannot_be(bench: Bench) -> None:
    bench.keeper.beat()
    bench.store.takes_stops = False
    bench.clock.now = 1006.0
    bench.keeper.check()
    bench.keeper.beat()
    # Otherwise there would be nothing to rejoin from.
    assert EAST in bench.store.record.fenced
    assert not bench.store.record.has_stopped


def test_how_long_a_keeper_was_silent_is_counted_from_the_end_of_its_last_turn(bench: Bench) -> None:
    bench.store.lost = True
    bench.store.during = lambda: setattr(bench.clock, "now", 1003.0)
    bench.keeper.beat()
    bench.clock.now = 1005.0
    assert bench.keeper.silent_for == 2.0


def test_losing_the_lease_shuts_gate_and_databases(bench: Bench) -> None:
    bench.keeper.beat()
    change(bench.store, lambda record: record.stop(EAST).take(WEST, 1))
    bench.keeper.beat()
    assert not bench.gate.state().open
    assert bench.databases.fenced


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"open": true}',
        '{"open": 1, "epoch": 1, "until": 99}',
        '{"open": true, "epoch": true, "until": 99}',
        '{"open": true, "epoch": 1, "until": "soon"}',
        '{"open": true, "epoch": 1, "until": NaN}',
        '{"open": true, "epoch": 1, "until": Infinity}',
    ],
)
def test_a_file_that_is_no_gate_is_shut(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gate.json"
    assert not read_gate(path, now=1.0, boot="").open
    path.write_text(text)
    assert not read_gate(path, now=1.0, boot="").open


def test_a_gate_of_another_boot_is_shut(bench: Bench, tmp_path: Path) -> None:
    bench.keeper.beat()
    path = tmp_path / "gate" / "gate.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_gate(path, now=1.0, boot=boot_id()).open
    path.write_text(json.dumps(json.loads(path.read_text()) | {"boot": "another"}))
    assert "started anew" in bench.gate.state().reason


def test_a_gate_has_one_writer(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "gate" / "gate.json"
    with pytest.raises(GateBusyError, match="another warden"):
        GateFile(path, bench.clock)
    bench.gate.close()
    GateFile(path, bench.clock).close()
