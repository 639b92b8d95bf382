"""A holder that fenced itself and that nobody replaced: `lifeboat rejoin` lets it write again where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from lifeboat.cli import recovery
from lifeboat.cli import rejoin as command
from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.recovery import holder_rejoin, run_entries
from lifeboat.recovery.errors import RecoveryRefused
from lifeboat.recovery.lease_store import change
from lifeboat.recovery.run_state import WARDEN, Consent
from lifeboat.recovery.runner import Outside, Runner
from lifeboat.recovery.step_runs import Stores
from lifeboat.recovery.steps import actions
from lifeboat.recovery.switches import levels
from tests.sandbox.recovery_world import STACK
from tests.unit.recovery.memory import CONSENT, EAST, GONE, WEST, MemoryJournal, NoPorts
from tests.unit.recovery.test_lease_keeper import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifeboat.cli.recovery import Shown
    from lifeboat.model.plan.graph import Mode, Plan
    from lifeboat.recovery.journal import JournalStore
    from lifeboat.recovery.lease_store import LeaseStore


class Lost:
    """A home whose lease store is out of reach for longer than its renewal is good for, and then is back."""

    def __init__(self, directory: Path) -> None:
        self.bench = bench = Bench(directory)
        self.entries = MemoryJournal()
        settings = from_stack_file(STACK, "Pulumi.shop.yaml")
        self.physical = Physical(settings=settings, topology=resolve(settings))
        bench.keeper.beat()
        bench.store.lost = True
        bench.clock.now += 6
        bench.keeper.check()
        assert bench.databases.fenced
        bench.store.lost = False
        bench.keeper.beat()
        assert bench.store.record.stopped == {EAST}

    stack = "shop"
    ports = cast("Any", NoPorts())

    def lease(self) -> LeaseStore:
        return self.bench.store

    def journal(self) -> JournalStore:
        return self.entries

    def plan(self, mode: Mode, *, source: str) -> Plan:
        pytest.fail(f"{mode} of {source}: nothing else is fenced")

    def plan_of(self, run: str, command: str) -> Plan:
        return recovery.Reached.plan_of(cast("Any", self), run, command)

    def runner(self, plan: Plan, shown: Shown | None = None, directory: Path | None = None) -> Runner:
        del shown, directory
        stores = Stores(
            lease=lambda _: self.bench.store, views=lambda _: cast("Any", None), journal=lambda _: self.entries
        )
        outside = Outside(
            physical=self.physical, ports=self.ports, stores=stores, actions=actions(), runner=f"{GONE}{id(plan)}"
        )
        return Runner(plan, outside)

    def writes(self) -> bool:
        """Whether a turn of its keeper lets the site write."""
        self.bench.keeper.beat()
        self.bench.keeper.lift()
        return self.bench.gate.state().open and not self.bench.databases.fenced


@pytest.fixture
def lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lost]:
    scene = Lost(tmp_path)
    monkeypatch.setattr(recovery, "reach", lambda _stack: scene)
    yield scene
    assert scene.bench.store.record.run is None


def test_it_writes_again_in_a_new_epoch_and_serves(lost: Lost, capsys: pytest.CaptureFixture[str]) -> None:
    assert not lost.writes()
    command.rejoin("shop", approved_by=["ada"], yes=True)
    assert "done" in capsys.readouterr().out
    assert lost.writes()
    record = lost.bench.store.record
    assert (record.epoch, record.fenced, record.stopped) == (2, frozenset(), frozenset())
    assert levels(record, (EAST, WEST)) == {EAST: 0, WEST: 1}
    (run,) = lost.entries.runs()
    entries = lost.entries.read(run)
    assert run_entries.result_of(entries) == "done"
    assert run_entries.consent_of(entries) == Consent(by=("ada",))
    with pytest.raises(RecoveryRefused, match="no site is fenced in epoch 2"):
        command.rejoin("shop", approved_by=["ada"], yes=True)


def test_a_dry_run_says_so_and_changes_nothing(lost: Lost, capsys: pytest.CaptureFixture[str]) -> None:
    before = lost.bench.store.record
    command.rejoin("shop", approved_by=["ada"], dry_run=True)
    assert "rejoin: would be done" in capsys.readouterr().out
    assert (lost.bench.store.record, lost.entries.entries) == (before, {})


def test_a_run_that_was_cut_off_is_gone_on_with(lost: Lost) -> None:
    plan = holder_rejoin.plan(lost.physical, EAST)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lost.bench.store, "lost", False)
        write = lost.bench.store.replace

        def cut(*arguments: Any) -> object:  # noqa: ANN401 - what is passed on
            if EAST not in arguments[1].fenced:
                raise KeyboardInterrupt
            return write(*arguments)

        patched.setattr(lost.bench.store, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            lost.runner(plan).start(CONSENT)
    (run,) = lost.entries.runs()
    assert not lost.writes()
    command.rejoin("shop", resume=run)
    assert lost.writes()
    assert lost.bench.store.record.epoch == 2


def test_nobody_approved_is_refused(lost: Lost) -> None:
    with pytest.raises(RecoveryRefused, match="nobody has approved"):
        lost.runner(holder_rejoin.plan(lost.physical, EAST)).start(Consent(by=(WARDEN,)))


def test_a_site_that_was_replaced_meanwhile_is_not_made_the_holder_again(lost: Lost) -> None:
    plan = holder_rejoin.plan(lost.physical, EAST)
    change(lost.bench.store, lambda record: record.take(WEST, 1))
    report = lost.runner(plan).start(CONSENT)
    assert report.result == "failed"
    assert "us-west-2 holds epoch 2: accepted is us-east-1, its holder" in report.faults[0]
    assert lost.bench.store.record.fenced == {EAST}
    assert lost.runner(plan).abort(report.run).result == "aborted"
