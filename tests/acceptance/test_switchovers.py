"""Planned moves to and fro under load: no acknowledged write of any store is lost; what was under way is unknown.

One living sandbox with two clients and a writer on it, as drills have them (`lifeboat.recovery.drill.workload`); each
move is `lifeboat failover --graceful`. After each, everything that was acknowledged since the very beginning is held
against what the site that took over has. ``LIFEBOAT_ACCEPTANCE_MOVES`` (20) is how many, ``LIFEBOAT_ACCEPTANCE_RATE``
(120) the orders a second that are sent; of these, at least 100 have to be acknowledged in the seconds before each move.
``--log-cli-level=INFO`` shows each move.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.recovery.drill import history
from lifeboat.recovery.drill.histories import acknowledgements
from lifeboat.recovery.drill.measure import Known, measure
from lifeboat.recovery.drill.sandbox_world import How, SandboxWorld
from lifeboat.recovery.drill.workload import CLIENTS, TTL, Load, Stores
from tests.live.waiting import until
from tests.project import link_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.recovery.drill.world import Workload

MOVES = int(os.environ.get("LIFEBOAT_ACCEPTANCE_MOVES", "20"))
RATE = float(os.environ.get("LIFEBOAT_ACCEPTANCE_RATE", "120"))
SEED = int(os.environ.get("LIFEBOAT_ACCEPTANCE_SEED", "0"))
WANTED = 100.0
"""Acknowledged orders a second."""
WINDOW = 5.0
"""Seconds in which they are counted."""
SCALE = 10.0
SOON = 180.0
"""Seconds."""
REFUSED = 3
log = logging.getLogger(__name__)


class Stage:
    """A stack under load."""

    def __init__(self, directory: Path) -> None:
        root = link_project(directory)
        settings = from_stack_file((root / "Pulumi.reskflow.yaml").read_text(), "Pulumi.reskflow.yaml")
        self.physical = Physical(settings=settings, topology=resolve(settings))
        self.stores = Stores.of(self.physical.topology)
        how = How(stack="reskflow", root=root, seed=SEED, scale=SCALE, keep=False)
        self.world = SandboxWorld(how, self.physical, log.debug)
        self.directory = directory / "histories"
        self._workload: Workload | None = None

    @property
    def workload(self) -> Workload:
        assert self._workload is not None
        return self._workload

    def begin(self) -> None:
        self.world.start()
        self._workload = self.world.workload(self.directory, Load(rate=RATE, seed=SEED))

    def end(self) -> None:
        if self._workload is not None:
            self._workload.stop()
        self.world.stop()

    def rate(self) -> float:
        """Orders that were acknowledged in the last seconds, each second."""
        now, label = self.world.clock(), self.stores.labels["database"]
        times = [
            each.write.answered
            for each in self.workload.told()
            if each.write.store == label and each.write.known is Known.ACKNOWLEDGED
        ]
        return sum(now - WINDOW <= at <= now for at in times) / WINDOW

    def steady(self) -> float | None:
        """The rate, once it is high enough."""
        found = self.rate()
        self.world.wait(1)
        return found if found >= WANTED else None

    def wrote_since(self, since: float, epoch: int) -> bool:
        """Whether every client, and the writer in each of its stores, had an acknowledgement in a later epoch."""
        self.world.wait(0.5)
        wrote = {
            (each.write.client, each.write.store)
            for each in self.workload.told()
            if each.write.known is Known.ACKNOWLEDGED
            and each.write.answered > since
            and (each.write.epoch or 0) > epoch
        }
        labels = self.stores.labels
        wanted = {(client, labels["database"]) for client in CLIENTS}
        return wrote >= wanted | {(TTL, label) for kind, label in labels.items() if kind != "database"}

    def move(self) -> None:
        """By the command; a site that is not ready so far is asked again."""

        def moved() -> bool:
            ran = self.world.command("failover", "reskflow", "--graceful", "--yes")
            assert ran.code in {0, REFUSED}, ran.lines
            return ran.code == 0

        until(moved, SOON)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    # Not pytest's directory, which only its user may enter: root's servers run as somebody else.
    directory = Path(tempfile.mkdtemp(prefix="lifeboat-moves-"))
    directory.chmod(0o711)
    made = Stage(directory)
    try:
        made.begin()
        yield made
    finally:
        made.end()
        shutil.rmtree(directory)


def test_no_acknowledged_write_is_lost_by_any_of_the_moves(stage: Stage) -> None:
    label = stage.stores.labels["database"]
    unknown = 0
    for number in range(1, MOVES + 1):
        rate = until(stage.steady, SOON)
        before = stage.world.lease()
        assert before is not None
        mark = stage.world.clock()
        stage.move()
        until(lambda mark=mark, before=before: stage.wrote_since(mark, before.epoch), SOON)
        after = stage.world.lease()
        assert after is not None
        assert (after.epoch, after.holder != before.holder) == (before.epoch + 1, True)
        now = stage.world.clock()
        writes = [each.write for each in stage.workload.told() if each.write.answered <= now]
        measured = measure(writes, fault=mark, found=stage.world.found(after.holder or ""), store=label)
        silence = measure((each for each in writes if each.answered > mark - WINDOW), fault=mark, found={}, store=label)
        told = {loss.store: loss.acknowledged for loss in measured.losses}
        unknown = sum(loss.unknown for loss in measured.losses)
        log.info(
            "move %d to %s: %.0f acknowledged/s before it, %.1f s without writes; acknowledged so far %s, lost %d, "
            "unknown %d",
            *(number, after.holder, rate, silence.downtime or -1.0, told, measured.lost, unknown),
        )
        assert {loss.store: loss.lost for loss in measured.losses} == dict.fromkeys(told, 0)
        assert set(told) == set(stage.stores.labels.values())
        assert rate >= WANTED
    proof = history.check(acknowledgements(stage.workload.told(), label))
    assert proof.one_writer, [str(each) for each in proof.violations]
    assert stage.workload.ended() == []
