"""From a decided failover to the first durable write, beside a bare ``pg_ctl promote`` of the same PostgreSQL.

``python -m benchmarks recovery`` runs it. Round by round, one after the other, while both pairs of servers run:

- Ours: the active site of a living ReskFlow is blacked out, and a person runs `lifeboat failover --lost SITE`. The
  clock starts when the run is opened in the journal: its gates are passed (the outage is confirmed, the standby is
  ready, it is decided and approved) and its claim is taken. It ends when the surviving site acknowledges the first
  order of a client that tries all the time, by HTTP at the site's own address: names are the routing's, and take a
  TTL. What the step `fence` took is subtracted: it waits until the lost site's lease has run out, as declared.
- Bare: the primary is ended at once, and the clock runs from the start of ``pg_ctl promote`` to the first `INSERT` that
  is acknowledged, on a connection that was open before.

Effects of AWS's control plane take no time. The lost site is made the other one's standby again before the next round,
which begins from there. Heartbeats run at the detection's scale, and the standby's warden learns of the lease by its
next one: that is in it.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import Series, note, report
from benchmarks.servers import servers
from lifeboat.recovery.journal import Event
from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.postgres_setup import binary
from lifeboat.sandbox.state import SandboxError
from tests.live.living import HOME, LIFEBOAT, STANDBY, Sandbox, project
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROUNDS: Final = 20
SCALE: Final = 10
"""How many times faster than declared a loss is detected, as in `make drill`; a heartbeat is a second then."""
AIM: Final = 2.0
"""Seconds that a failover may take longer than a bare promotion."""
_OURS, _BARE = "lifeboat failover, decision to first write", "pg_ctl promote to first write"
_PAUSE: Final = 0.01
"""Seconds between two tries to write, as on the other side."""
_ACCEPTED: Final = 201
_REFUSED: Final = 3
_PATIENCE: Final = 300.0
"""Seconds for what takes a fraction of them."""
_PROMOTION: Final = "promote-database/orders"
_APPROVED: Final = ("--yes", "--approved-by", "bench", "--approved-by", "mark")


@dataclass(frozen=True, kw_only=True)
class Failover:
    """One of ours; seconds.

    Attributes:
        total: Decision to first durable write, without the wait for the lease.
        promotion: Of it, the database's promotion.
        opening: Of it, from there to the first order: cache and compute are there, the lease is taken, the gate opens.
        fence: What is left out.
    """

    total: float
    promotion: float
    opening: float
    fence: float


def compare_recovery() -> None:
    """Both, in turn; skipped, loudly, when this machine cannot run the servers."""
    try:
        binary("pg_ctl")
        lent_account()
    except SandboxError as refusal:
        note(f"SKIPPED: a failover beside a bare promotion: {refusal}")
        return
    ours: list[Failover] = []
    bare: list[float] = []
    with project() as sandbox, servers() as (alone, _):
        note("starting a living sandbox and a bare pair ...")
        sandbox.up("--detection-scale", str(SCALE), wardens=True)
        _until_done(sandbox, "hold", "--reason", "a benchmark decides")
        alone.start_databases()
        active, standby = HOME, STANDBY
        _until_done(sandbox, "readiness")
        for number in range(ROUNDS):
            ours.append(_fail_over(sandbox, lost=active, target=standby))
            bare.append(alone.promote())
            alone.replace_lost()
            note(f"  round {number + 1}: {_OURS}: {ours[-1].total:.2f} s; {_BARE}: {bare[-1]:.2f} s")
            _bring_back(sandbox)
            active, standby = standby, active
    _report(ours, bare)


def _fail_over(sandbox: Sandbox, *, lost: str, target: str) -> Failover:
    front, mirrors = sandbox.live["fronts"][target], sandbox.project / ".lifeboat" / "journal"
    before = set(mirrors.glob("*.jsonl"))
    sandbox.ask("fault", "inject", "region-blackout", "--region", lost)
    words = ("sandbox", "exec", "--", LIFEBOAT, "failover", "reskflow", "--lost", lost, *_APPROVED)
    with subprocess.Popen(  # noqa: S603 - our own command
        [LIFEBOAT, *words], cwd=sandbox.project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        (mirror,) = until(lambda: _opened(set(mirrors.glob("*.jsonl")) - before, running), _PATIENCE)
        wrote = _first_write(sandbox, front, mirror.stem)
        _, told = running.communicate()
    if running.returncode:
        raise SandboxError(f"lifeboat failover exits with {running.returncode}: {told.strip().splitlines()[-1:]}")
    return _timed(_entries(mirror), wrote)


def _opened(mirrors: set[Path], running: subprocess.Popen[str]) -> list[Path]:
    """The log of the run once it is opened."""
    found = [mirror for mirror in mirrors if any(entry["event"] == Event.OPENED for entry in _entries(mirror))]
    if not found and running.poll() is not None:
        raise SandboxError(f"lifeboat failover exits with {running.returncode} before it begins")
    return found


def _first_write(sandbox: Sandbox, front: str, client: str) -> float:
    """When a site acknowledged the first order of a client that tries all the time, seconds since the epoch."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            status, _ = sandbox.post(front, client, 1)
            if status == _ACCEPTED:
                return time.time()
        threading.Event().wait(_PAUSE)
    raise SandboxError(f"{front} takes no order within {_PATIENCE:g} s")


def _timed(entries: Sequence[Mapping[str, Any]], wrote: float) -> Failover:
    """From the journal's clock, which is this machine's."""
    opened = next(entry["wall"] for entry in entries if entry["event"] == Event.OPENED)
    began = {entry["step"]: entry["wall"] for entry in entries if entry["event"] == Event.STARTED}
    done = {entry["step"]: entry["wall"] for entry in entries if entry["event"] == Event.DONE}
    fence = done["fence"] - began["fence"]
    return Failover(
        total=wrote - opened - fence,
        promotion=done[_PROMOTION] - began[_PROMOTION],
        opening=wrote - done[_PROMOTION],
        fence=fence,
    )


def _entries(mirror: Path) -> list[dict[str, Any]]:
    """Whole lines alone: the last one may be under way."""
    whole, _, _ = mirror.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def _bring_back(sandbox: Sandbox) -> None:
    """Make the site that was lost the other one's standby."""
    sandbox.ask("fault", "clear")
    _until_done(sandbox, "rejoin", *_APPROVED)
    _until_done(sandbox, "readiness")


def _until_done(sandbox: Sandbox, word: str, *more: str) -> None:
    """Run a command; one that is refused, or finds no lease so far, is tried again."""
    end = time.monotonic() + _PATIENCE
    while (ran := sandbox.command("exec", "--", LIFEBOAT, word, "reskflow", *more)).returncode:
        again = ran.returncode == _REFUSED or word == "hold"
        if not again or time.monotonic() > end:
            told = " ".join(ran.stderr.strip().splitlines()[-1:])
            raise SandboxError(f"lifeboat {word} exits with {ran.returncode}: {told}")


def _report(ours: Sequence[Failover], bare: Sequence[float]) -> None:
    series = [Series(name=_OURS, seconds=[each.total for each in ours]), Series(name=_BARE, seconds=bare)]
    parts: defaultdict[str, list[float]] = defaultdict(list)
    for each in ours:
        parts["the database's promotion"].append(each.promotion)
        parts["from there to an order: cache, lease, gate"].append(each.opening)
        parts["the rest, before and after the fence"].append(each.total - each.promotion - each.opening)
    rows = [f"of it, {name}: {statistics.median(seconds):.3f} s" for name, seconds in parts.items()]
    fences = [each.fence for each in ours]
    more = series[0].median - series[1].median
    rows += [
        f"left out, waiting for the lost site's lease: {statistics.median(fences):.3f} s",
        f"{more:+.2f} s beside bare (aim: under {AIM:g} s more)",
    ]
    report(
        f"failover beside a bare promotion, {len(ours)} runs each in turn, effects instant, detection x {SCALE}",
        series,
        "\n  ".join(rows),
    )


if __name__ == "__main__":
    compare_recovery()
