"""``python -m benchmarks [PART ...]``: each comparison in one run, medians of rounds, ratios beside their aims."""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from benchmarks.drill import compare_drill
from benchmarks.living import compare_living
from benchmarks.measure import ROUNDS, Series, in_turn, note, report
from benchmarks.policies import compare_judging, compare_policy_previews
from benchmarks.preview import compare_previews
from benchmarks.projection import compare_projection
from benchmarks.recovery import compare_recovery
from benchmarks.replay import Call, Recorder
from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import Directory
from lifeboat.sandbox.up import up
from tests.project import ROOT, link_project

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Run the comparisons that are named, or every one, as far as this machine can."""
    with tempfile.TemporaryDirectory() as temporary:
        project = link_project(Path(temporary))
        parts: dict[str, Callable[[], None]] = {
            "up": lambda: compare_up_with_bare_calls(project),
            "evaluation": compare_evaluations,
            "judging": compare_judging,
            "projection": compare_projection,
            "living": compare_living,
            "recovery": compare_recovery,
            "drill": compare_drill,
            "previews": lambda: compare_with_engine(project),
        }
        parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios, side by side in one run.")
        parser.add_argument("part", nargs="*", help=f"{', '.join(parts)}; all of them if none is named")
        named = parser.parse_args().part
        if unknown := [name for name in named if name not in parts]:
            parser.error(f"part: {', '.join(unknown)}: accepted are {', '.join(parts)}")
        try:
            for name in named or parts:
                parts[name]()
        finally:
            supervisor.stop(Directory.of_project(project))


def compare_with_engine(project: Path) -> None:
    """What needs a Pulumi CLI; skipped, loudly, where there is none."""
    if not shutil.which("pulumi"):
        note("SKIPPED: the previews, against a flat program and with the policy pack, need a Pulumi CLI on PATH")
        return
    compare_previews(project)
    compare_policy_previews(project)


def compare_up_with_bare_calls(project: Path) -> None:
    """`sandbox up`, as a user runs it, beside a fresh gateway that gets the same API calls and nothing else."""
    note("recording the API calls of one up ...")
    calls: list[Call] = []

    class Kept(Recorder):
        def __init__(self, endpoint: str) -> None:
            super().__init__(endpoint)
            self.calls = calls

    directory = Directory.of_project(project)
    with mock.patch("lifeboat.sandbox.provider.engine.Clients", Kept):
        result = up("reskflow", directory, progress=lambda _: None)
    recording = project / "calls"
    recording.write_bytes(pickle.dumps(calls))
    ours = [str(Path(sys.executable).with_name("lifeboat")), "sandbox", "up", "reskflow", "--bare", "--json"]
    bare = [sys.executable, "-m", "benchmarks.bare", str(project / "bare"), str(recording)]
    series = in_turn(
        {"lifeboat sandbox up reskflow --bare": lambda: _run(ours, project), "bare calls": lambda: _run(bare, ROOT)}
    )
    report(
        f"up against {len(calls)} bare API calls ({result.real} resources real, {result.recorded} recorded), "
        "each a process with a gateway of its own",
        series,
        f"ratio {series[0].median / series[1].median:.2f} (aim: at most 1.5)",
    )


def compare_evaluations() -> None:
    """The program without any engine, at three sizes, each in a fresh process."""
    note("evaluating the program at 1, 10 and 100 services ...")
    sizes = (1, 10, 100)
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    resources: dict[int, int] = {}
    for number in range(ROUNDS):
        for size in sizes:
            answer = _run([sys.executable, "-m", "benchmarks.evaluate", str(size)], ROOT).split()
            resources[size] = int(answer[0])
            seconds[size].append(float(answer[1]))
            note(f"  round {number + 1}: {size} services: {answer[1]} s")
    series = [Series(name=f"{size} services, {resources[size]} resources", seconds=seconds[size]) for size in sizes]
    ratio = statistics.median(seconds[100]) / statistics.median(seconds[10])
    report("program evaluation", series, f"time(100)/time(10) {ratio:.1f} (aim: at most 12)")


def _run(command: list[str], directory: Path) -> str:
    return subprocess.run(  # noqa: S603 - our own commands
        command, cwd=directory, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
    ).stdout


if __name__ == "__main__":
    main()
