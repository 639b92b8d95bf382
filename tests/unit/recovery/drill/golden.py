"""Writes `evidence.json` anew: `python -m tests.unit.recovery.drill.golden`. Look at what differs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lifeboat.recovery.drill.measure import Known
from lifeboat.recovery.drill.run import Drill
from tests.unit.recovery.drill.parts import STANDBY, call, failover, subject, told
from tests.unit.recovery.drill.test_run import comes_home, protects
from tests.unit.recovery.drill.world import PlayedWorld


def moves(world: PlayedWorld) -> None:
    """The standby takes over; what was tried meanwhile was refused."""
    at = world.now
    world.writes += [
        told(1000 + second, at - second, known=Known.REFUSED, committed=False, site=None) for second in range(1, 25)
    ]
    world.ledger.append(call(world.wall()))
    world.journal += failover(world.wall())
    world.move(STANDBY)


def golden() -> str:
    """The record of a played drill."""
    world = PlayedWorld(after={30: moves}, commands={"rejoin": protects, "failback": comes_home})
    with tempfile.TemporaryDirectory() as directory:
        return Drill(subject(), world, Path(directory), lambda _: None).run().text()


if __name__ == "__main__":
    Path(__file__).with_name("evidence.json").write_text(golden())
