"""Which process a runner was, and who may say that it has ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lifeboat.recovery import claim, gatefile
from lifeboat.recovery.ports import Pace

ENDED = "import lifeboat.recovery.claim as claim; print(claim.runner_name())"


def of_an_ended_process() -> str:
    made = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def test_a_process_of_this_machine_that_has_ended_is_gone_and_this_one_is_not() -> None:
    own = claim.runner_name()
    assert f"@{socket.gethostname()} pid {os.getpid()} started " in own
    assert not claim.is_gone(own)
    assert claim.is_gone(of_an_ended_process())
    # Its number is another process's by now.
    started = own.split()[own.split().index("started") + 1]
    assert claim.is_gone(own.replace(f"started {started}", "started 1"))


def test_of_another_machine_or_container_of_the_same_name_nobody_here_can_say(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = of_an_ended_process()
    assert claim.is_gone(ended)
    assert not claim.is_gone(ended.replace(f"@{socket.gethostname()} ", "@elsewhere "))
    monkeypatch.setattr(claim, "boot_id", lambda: "another boot")
    assert not claim.is_gone(ended)


@pytest.mark.parametrize("name", ["", "ada", f"ada@{socket.gethostname()} pid 1 started 0 #1"])
def test_a_name_that_says_nothing_is_of_nobody_who_is_gone(name: str) -> None:
    assert not claim.is_gone(name)


def test_where_the_system_does_not_say_nobody_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = of_an_ended_process()
    nothing = Path("/nowhere/at/all")
    monkeypatch.setattr(gatefile, "_BOOT", nothing)
    assert not claim.is_gone(ended)
    # Two that cannot tell their boots do not share one.
    own = claim.runner_name()
    monkeypatch.setattr(claim, "_started", lambda _pid: None)
    assert not claim.is_gone(own)
    assert not claim.is_gone(claim.runner_name())


@pytest.mark.parametrize(("scale", "stops", "silent"), [(1, 45, 60), (5, 9, 12), (20, 6, 6.75)])
def test_a_runner_stops_before_it_is_taken_for_dead_and_has_time_for_real_calls(
    scale: float, stops: float, silent: float
) -> None:
    pace = Pace(scale=scale)
    assert (claim.stops_after(pace), claim.silent_after(pace)) == (stops, silent)
