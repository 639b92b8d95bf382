"""`lifeboat drill` from its first line to its last, as a person runs it: a region dies, and comes back."""

from __future__ import annotations

import html
import json
import os
import re
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.living import HOME, LIFEBOAT, STANDBY, processes_in, project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("world")

SCALE = 20
SHORT = "\n  lifeboat:failback:\n    window: 1m\n"
"""How long the way home is watched: the default of 15 minutes is most of a minute at this scale."""


@pytest.fixture(scope="module")
def rehearsed() -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """The project after a drill, and what the drill printed."""
    with project() as sandbox:
        stack = sandbox.project / "Pulumi.reskflow.yaml"
        stack.write_text(stack.read_text() + SHORT)
        variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(
            [
                *(LIFEBOAT, "drill", "reskflow", "--scenario", "region-failure"),
                *("--time-scale", str(SCALE), "--output", "evidence", "--json"),
            ],
            cwd=sandbox.project,
            capture_output=True,
            text=True,
            check=False,
            env=variables,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stdout, done.stderr
        printed = json.loads(done.stdout)
        assert done.returncode == (0 if printed[0]["verdict"]["passed"] else 1)
        yield sandbox.project, printed


@pytest.fixture
def evidence(rehearsed: tuple[Path, list[dict[str, Any]]]) -> dict[str, Any]:
    _, (found,) = rehearsed
    return found


def test_it_recovers_and_says_how_long_it_took(evidence: dict[str, Any]) -> None:
    # How fast this machine is, times the scale, is no matter of ours: each second that it is late counts as twenty.
    missed = {check["name"]: check["said"] for check in evidence["verdict"]["checks"] if check["result"] == "missed"}
    assert missed.keys() <= {"recovery time"}, missed
    assert evidence["verdict"]["passed"] == (not missed)
    assert (evidence["scenario"], evidence["time_scale"], evidence["seed"]) == ("region-failure", SCALE, 0)
    recovery = evidence["recovery"]
    assert recovery["rto"]["scaled_back"] == pytest.approx(recovery["rto"]["observed"] * SCALE, abs=0.1)
    assert recovery["objective"] == 900
    # The lost region's control plane answered nobody, and that was no hindrance.
    assert not any(call["depended"] for call in evidence["calls"])
    assert {run["mode"] for run in evidence["runs"] if run["result"] == "done"} == {"failover", "rejoin", "failback"}


def test_each_epoch_had_one_writer(evidence: dict[str, Any]) -> None:
    history = evidence["history"]
    assert history["violations"] == []
    # Each side wrote in the epoch that was its own, and home again at the end.
    assert list(history["writers"].values()) == [HOME, STANDBY, HOME]
    assert list(history["writers"]) == sorted(history["writers"], key=int)
    assert history["acknowledged"] > 0


def test_nothing_is_left(rehearsed: tuple[Path, list[dict[str, Any]]], evidence: dict[str, Any]) -> None:
    directory, _ = rehearsed
    assert evidence["orphans"] == []
    assert all(exposure["over"] for exposure in evidence["exposures"])
    assert processes_in(directory) == {}
    assert not (directory / ".sandbox" / "data").exists()


def test_the_evidence_is_a_record_and_a_page_that_fetches_nothing(
    rehearsed: tuple[Path, list[dict[str, Any]]], evidence: dict[str, Any]
) -> None:
    directory, _ = rehearsed
    record, page = (directory / "evidence" / f"evidence.{kind}" for kind in ("json", "html"))
    assert json.loads(record.read_text()) == evidence
    told = page.read_text()
    assert evidence["verdict"]["headline"] in html.unescape(told)
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?!["']?#)[^>\s]+""", told) == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in (record, page)} == {0o600}
