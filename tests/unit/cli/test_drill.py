"""`lifeboat drill` from the outside, as far as nothing is started."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from lifeboat.recovery.drill import sandbox_world
from tests.unit.cli.conftest import STACK_FILE
from tests.unit.recovery.drill.parts import DNS
from tests.unit.recovery.drill.test_run import fails_over
from tests.unit.recovery.drill.world import PlayedWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.cli.conftest import Ran

    Run = Callable[..., Ran]


@pytest.fixture
def world(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedWorld]:
    """Played instead of a sandbox; what the command does with signals ends with the test."""
    (checkout / "Pulumi.reskflow.yaml").write_text(STACK_FILE + DNS)
    played = PlayedWorld(after={30: fails_over})
    monkeypatch.setattr(sandbox_world, "SandboxWorld", lambda *_: played)
    before = signal.getsignal(signal.SIGTERM)
    yield played
    signal.signal(signal.SIGTERM, before)


def test_a_drill_of_the_recovery_alone_is_told_and_repeated_as_such(run: Run, world: PlayedWorld) -> None:
    ran = run("drill", "reskflow", "--recovery-only", "--seed", "3", "--output", "evidence", "--json")
    assert ran.code == 0, ran.err
    (printed,) = json.loads(ran.out)
    assert printed["recovery_only"]
    assert printed["command"] == (
        "lifeboat drill reskflow --scenario=region-failure --seed=3 --time-scale=10 --rate=20 --recovery-only"
    )
    assert not {"rejoin reskflow", "failback reskflow"} & set(world.log)


def test_scenarios_are_listed_for_people_and_for_programs(run: Run) -> None:
    ran = run("drill", "--list")
    assert (ran.code, ran.err) == (0, "")
    assert "region-failure" in ran.out
    assert "expects refused" in ran.out
    found = json.loads(run("drill", "--list", "--json").out)
    assert {"region-failure", "grey-failure"} <= {each["name"] for each in found}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "lifeboat: STACK: absent; the scenarios are asymmetric-partition, "),
        (("reskflow", "--scenario", "flood"), "lifeboat: --scenario: flood: accepted is one of asymmetric-partition, "),
        (("nowhere",), "lifeboat: no stack 'nowhere'"),
        (
            ("reskflow",),
            "lifeboat: reskflow: dns: no endpoint: accepted is one at least, since clients reach the stack",
        ),
        (
            ("reskflow", "--record"),
            "lifeboat: --record: --time-scale 10: accepted is 1, since real I/O is not scaled",
        ),
    ],
)
def test_bad_input_starts_nothing(run: Run, words: tuple[str, ...], told: str) -> None:
    ran = run("drill", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(told)
