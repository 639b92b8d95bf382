"""The living sandbox beside the same servers started by hand: start-up, memory, replication lag.

``python -m benchmarks.living`` runs these sections alone.
"""

from __future__ import annotations

import contextlib
import functools
import statistics
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.lag import Lag, Pair, measure
from benchmarks.measure import Series, note, report, timed
from benchmarks.servers import servers
from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.postgres_setup import binary
from lifeboat.sandbox.live.redisserver import executable
from lifeboat.sandbox.state import SandboxError
from tests.live.living import HOME, STANDBY, Sandbox, processes_in, project

if TYPE_CHECKING:
    from collections.abc import Callable

STACK: Final = "reskflow"
ROUNDS: Final = 3
"""Fewer than elsewhere: a round starts three things, two of which deploy a stack."""
RATES: Final = (200, 1_000)
"""Writes per second."""
SECONDS: Final = 3.0
"""Of writing, per rate and round."""
_LIVING, _API, _SERVERS = "sandbox up, living", "sandbox up --bare", "the same servers, bare"
_PROGRAMS: Final = ("postgres", "postgres:", "redis-server")
_SMAPS: Final = Path("/proc/self/smaps_rollup")
_MEGABYTE: Final = 1024.0
"""In the kernel's kB."""


def compare_living() -> None:
    """Both sections; skipped, loudly, when this machine cannot run the servers."""
    try:
        binary("postgres")
        executable()
        lent_account()
    except SandboxError as refusal:
        note(f"SKIPPED: the living sandbox: {refusal}")
        return
    with project() as sandbox:
        compare_starts(sandbox)
        compare_lag(sandbox)


def compare_starts(sandbox: Sandbox) -> None:
    """Start each in turn with nothing else of ours running, and look at its memory; the living one stays.

    Args:
        sandbox: None runs in its project.
    """
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    memory: defaultdict[str, list[dict[str, float]]] = defaultdict(list)

    def start(name: str, run: Callable[[], object], place: Path) -> None:
        seconds[name].append(timed(run))
        note(f"  round {len(seconds[name])}: {name}: {seconds[name][-1]:.2f} s")
        if _SMAPS.exists():
            memory[name].append(_memory(place))

    for _ in range(ROUNDS):
        _down(sandbox)
        start(_API, lambda: sandbox.ask("up", STACK, "--bare"), sandbox.project)
        _down(sandbox)
        with servers() as (bare, directory):
            start(_SERVERS, bare.start, directory)
        start(_LIVING, functools.partial(_up, sandbox), sandbox.project)
    series = [Series(name=name, seconds=seconds[name]) for name in (_LIVING, _API, _SERVERS)]
    living, api, alone = (each.median for each in series)
    report(
        "start-up, until both databases and both caches replicate, and the APIs alone",
        series,
        f"living/--bare {living / api:.2f}, living/(--bare + servers) {living / (api + alone):.2f}",
    )
    if memory:
        _report_memory(memory)
    else:
        note(f"SKIPPED: memory: this system has no {_SMAPS}")


def compare_lag(sandbox: Sandbox) -> None:
    """Replication lag at each rate, the sandbox's databases and bare ones in turn while both run.

    Args:
        sandbox: It is up, and lives.
    """
    found: defaultdict[tuple[int, str], list[Lag]] = defaultdict(list)
    with servers() as (bare, _):
        bare.start()
        pairs = (
            Pair(
                name="living",
                primary=functools.partial(sandbox.database, HOME),
                replica=functools.partial(sandbox.database, STANDBY),
            ),
            Pair(
                name="bare",
                primary=functools.partial(bare.database, "primary"),
                replica=functools.partial(bare.database, "replica"),
            ),
        )
        for number in range(ROUNDS):
            for rate in RATES:
                for pair in pairs:
                    lag = measure(pair, rate, SECONDS)
                    found[rate, pair.name].append(lag)
                    note(f"  round {number + 1}: {pair.name}, {rate}/s: p99 {lag.p99 * 1000:.2f} ms")
    rows: list[str] = []
    for rate in RATES:
        living, alone = (_median(found[rate, pair.name]) for pair in pairs)
        for name, lag in (("living", living), ("bare", alone)):
            rows.append(
                f"{f'{name}, {rate:,} writes/s (reached {lag.rate:,.0f})':<44} "
                f"p50 {lag.p50 * 1000:8.2f} ms   p99 {lag.p99 * 1000:8.2f} ms"
            )
        rows.append(f"ratio p50 {_ratio(living.p50, alone.p50)}, p99 {_ratio(living.p99, alone.p99)}")
    report(
        f"replication lag, from a commit's acknowledgement to the row on the replica, medians of {ROUNDS} rounds",
        [],
        "\n  ".join(rows),
    )


def _up(sandbox: Sandbox) -> None:
    # Not its own `up`: this one has the defaults of a user's.
    sandbox.contract = sandbox.ask("up", STACK)["contract"]


def _down(sandbox: Sandbox) -> None:
    done = sandbox.command("down")
    if done.returncode:
        raise SandboxError(done.stderr)


def _median(lags: list[Lag]) -> Lag:
    return Lag(
        p50=statistics.median(lag.p50 for lag in lags),
        p99=statistics.median(lag.p99 for lag in lags),
        rate=statistics.median(lag.rate for lag in lags),
    )


def _ratio(one: float, other: float) -> str:
    """A quotient; there is none to 0, which is a replica that was faster than the acknowledgement."""
    return f"{one / other:.2f}" if other else "none"


def _memory(place: Path) -> dict[str, float]:
    """Proportional set size (MB) of the processes that work in a directory: of database servers, and of all others."""
    found = {"servers": 0.0, "others": 0.0}
    for pid, command in processes_in(place).items():
        # One that ended meanwhile has none.
        with contextlib.suppress(OSError):
            lines = (_SMAPS.parent.parent / str(pid) / _SMAPS.name).read_text().splitlines()
            (size,) = [line.split()[1] for line in lines if line.startswith("Pss:")]
            program = Path(command.split()[0]).name
            found["servers" if program in _PROGRAMS else "others"] += float(size) / _MEGABYTE
    return found


def _report_memory(memory: dict[str, list[dict[str, float]]]) -> None:
    medians = {
        name: {part: statistics.median(each[part] for each in rounds) for part in rounds[0]}
        for name, rounds in memory.items()
    }
    rows = [
        f"{name:<44} {sum(parts.values()):8.1f} MB  (PostgreSQL and Redis {parts['servers']:.1f})"
        for name, parts in ((name, medians[name]) for name in (_LIVING, _API, _SERVERS))
    ]
    living, api, alone = (sum(medians[name].values()) for name in (_LIVING, _API, _SERVERS))
    rows.append(
        f"living/--bare {living / api:.2f}, living/(--bare + servers) {living / (api + alone):.2f}, "
        f"its PostgreSQL and Redis/bare ones {medians[_LIVING]['servers'] / medians[_SERVERS]['servers']:.2f}"
    )
    report("memory right after start-up, PSS of every process", [], "\n  ".join(rows))


if __name__ == "__main__":
    compare_living()
