"""A drill of a lost region, as a user runs it, beside its aim; and where its time goes.

``python -m benchmarks drill`` runs it: `lifeboat drill reskflow --recovery-only` at time scale 10, from a command that
starts everything to one that has removed everything, once a seed. The way back has a declared length of its own (a
failback is watched for 15 minutes: 90 s at this scale), and is no part of it.

Seeds draw how long AWS's control plane takes. The promotion of an Aurora cluster alone is 12 s at the median and 30 s
at the 95th percentile at this scale, so that a round that draws long says nothing about our code: what was drawn is
shown beside it. Ten seeds, since the first five draw 25 s at their median, twice that of the distribution.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import Series, note, report
from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.postgres_setup import binary
from lifeboat.sandbox.live.redisserver import executable
from lifeboat.sandbox.state import SandboxError
from tests.live.living import LIFEBOAT, project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCALE: Final = 10
SEEDS: Final = 10
AIM: Final = 90.0
"""Seconds, of the whole command."""
_STEPS: Final = {
    "deploying reskflow into": "starting the command and the gateway",
    "starting its sites": "deploying",
    "waiting until all of it": "starting servers, sites and wardens",
    "a region is gone": "clients, until everything works as it should",
    "healing": "the fault, and the recovery",
    "evidence: ": "healing, measuring, removing",
}
"""How a line of the drill's progress begins, and what had taken the time until then."""


def compare_drill() -> None:
    """One a seed; skipped, loudly, when this machine cannot run the servers."""
    try:
        binary("postgres")
        executable()
        lent_account()
    except SandboxError as refusal:
        note(f"SKIPPED: a drill: {refusal}")
        return
    whole: list[float] = []
    parts: defaultdict[str, list[float]] = defaultdict(list)
    with project() as sandbox:
        for seed in range(SEEDS):
            seconds, went, evidence = _drill(sandbox.project, seed)
            whole.append(seconds)
            for name, part in (went | _recovered(evidence)).items():
                parts[name].append(part)
            note(f"  seed {seed}: {seconds:.1f} s: {evidence['verdict']['headline']}")
    series = [Series(name="the whole command, up to down", seconds=whole)]
    rows = [
        f"{name:<60} {statistics.median(taken):7.2f} s  ({min(taken):.2f}-{max(taken):.2f})"
        for name, taken in parts.items()
    ]
    rows.append(f"median {series[0].median:.1f} s (aim: under {AIM:g} s)")
    report(f"a drill of a lost region at time scale {SCALE}, {SEEDS} seeds", series, "\n  ".join(rows))


def _drill(place: Path, seed: int) -> tuple[float, dict[str, float], dict[str, Any]]:
    """Seconds of the whole command, of its parts, and its evidence."""
    command = [
        *(LIFEBOAT, "drill", "reskflow", "--scenario", "region-failure", "--recovery-only"),
        *("--time-scale", str(SCALE), "--seed", str(seed), "--output", f"evidence-{seed}"),
    ]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    parts: dict[str, float] = {}
    lines: list[str] = []
    began = at = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=place, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        for line in running.stderr or ():
            lines.append(line.rstrip())
            now = time.monotonic()
            for begins, name in _STEPS.items():
                if line.startswith(begins) and name not in parts:
                    parts[name], at = now - at, now
    seconds = time.monotonic() - began
    record = place / f"evidence-{seed}" / "evidence.json"
    if not record.exists():
        raise SandboxError(f"lifeboat drill exits with {running.returncode}: {' '.join(lines[-1:])}")
    return seconds, parts, json.loads(record.read_text(encoding="utf-8"))


def _recovered(evidence: Mapping[str, Any]) -> dict[str, float]:
    """What of the recovery is told apart, seconds; nothing of one that did not end well."""
    run = next((run for run in evidence["runs"] if run["result"] == "done"), None)
    rto = evidence["recovery"]["rto"]
    if run is None or rto is None:
        return {}
    steps = {step["key"]: step["ended"] - step["began"] for step in run["steps"] if step["ended"] is not None}
    return {
        "of the recovery: fault to the run's begin": run["began"],
        "of the recovery: the database's promotion, mostly drawn": steps["promote-database/orders"],
        "of the recovery: until names answer with the standby, and TTL": steps["dns-tail"],
        "fault to the first durable write through DNS": rto["observed"],
        "fault to the end of the failover": run["ended"],
    }


if __name__ == "__main__":
    compare_drill()
