"""Real failovers killed by kill -9 at sampled external calls, gone on with by others, and held against calm ones.

In one living sandbox, from site to site: the holder's region is lost, the other one takes over, the lost one rejoins.
`lifeboat failover` is killed and resumed by another operator; the warden that decided is killed together with the run
that it began, and the same site's next one finds it silent and goes on. ``LIFEBOAT_ACCEPTANCE_CRASHES`` (6) is how many
die, half of each kind; ``LIFEBOAT_ACCEPTANCE_SEED`` (0) chooses at which calls. ``--log-cli-level=INFO`` shows each.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from lifeboat.sandbox.live.client_history import Outcome, read_history
from tests.live.living import HOME, LIFEBOAT, ORDERS, STANDBY, WITNESS, Sandbox, project
from tests.live.recovering import lasting
from tests.live.waiting import until
from tests.moving import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

CRASHES = int(os.environ.get("LIFEBOAT_ACCEPTANCE_CRASHES", "6"))
SEED = int(os.environ.get("LIFEBOAT_ACCEPTANCE_SEED", "0"))
SCALE = "10"
HALF = 0.5
RATE = 10
BEFORE, AFTER = range(1, 21), range(21, 31)
"""Numbers of a round's orders that are acknowledged before and after its failover."""
SOON, LONG = 120.0, 400.0
"""Seconds."""
RESUMED_AT_MOST = 4
REFUSED = 3
MORTAL = str(Path(__file__).with_name("mortal.py"))
OPERATOR, WARDEN = "operator", "warden"
KINDS = (OPERATOR, WARDEN, WARDEN, OPERATOR)
"""So that either kind dies on the way there and on the way back."""
SURE = 0.9
"""Share of the calls that every run makes: of the last ones, it makes a few more or less."""
log = logging.getLogger(__name__)


@dataclass
class Stage:
    """A sandbox whose failovers can be killed."""

    sandbox: Sandbox
    deaths: Path
    """Directory of `mortal.py`."""
    rounds: int = 0
    calm: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What a failover that nobody kills ends with, by its target."""
    calls: dict[str, int] = field(default_factory=dict[str, int])
    """How many external calls one makes, by who carries it out."""

    def run(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Somebody at a terminal inside the sandbox."""
        return self.sandbox.command("exec", "--", LIFEBOAT, command, "reskflow", *words, "--json")

    def ask(self, command: str, *words: str) -> Any:  # noqa: ANN401 - each command's own JSON
        done = self.run(command, *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def lease(self) -> dict[str, Any]:
        """Once there is one."""
        return until(lambda: json.loads(done.stdout) if (done := self.run("lease")).returncode == 0 else None, SOON)

    def database(self, region: str) -> psycopg.Connection[tuple[Any, ...]]:
        """By the region's own secret: the other region may be lost."""
        found = self.sandbox.contract["sites"][region]["databases"]["orders"]
        return psycopg.connect(
            host=self.sandbox.resolve(found["writer_endpoint"]),
            port=found["port"],
            user="reskflow_owner",
            password=self.sandbox.secret(found["secret_arn"]),
            dbname=found["database"],
            connect_timeout=2,
            autocommit=True,
        )

    def numbers(self, region: str, client: str) -> list[int]:
        with self.database(region) as connection:
            rows = connection.execute("SELECT number FROM orders WHERE client = %s ORDER BY 1", [client]).fetchall()
        return [number for (number,) in rows]

    def post(self, client: str, numbers: range) -> None:
        """Have orders acknowledged by whoever the name leads to."""
        for number in numbers:
            until(lambda number=number: self._posted(client, number), SOON)

    def _posted(self, client: str, number: int) -> bool:
        with contextlib.suppress(OSError):
            return self.sandbox.post(self.sandbox.resolve(ORDERS), client, number)[0] in {200, 201}
        return False

    def play(self, by: str, *, at: int = 0, after: bool = False) -> tuple[str, dict[str, Any]]:
        """Lose the holder's region, and have it failed over: the target, and what is so then. The region rejoins."""
        self.rounds += 1
        client = f"round-{self.rounds}"
        before = self.lease()
        source = before["holder"]
        target = STANDBY if source == HOME else HOME
        self.post(client, BEFORE)
        until(lambda: self.numbers(target, client) == list(BEFORE), SOON)
        with cache(self.sandbox, source) as mine, cache(self.sandbox, target) as other:
            assert until(lambda: mine.set(client, "kept"), SOON)
            assert until(lambda: other.get(client) == "kept", SOON)
        (self.deaths / "died").unlink(missing_ok=True)
        (self.deaths / "calls").unlink(missing_ok=True)
        if at:
            told = {"at": at, "after": after, "parent": by == WARDEN}
            (self.deaths / "death.json").write_text(json.dumps(told))
        self._command("fault", "inject", "region-blackout", "--region", source)
        try:
            if by == OPERATOR:
                self._by_operator(source, target, dies=bool(at))
            else:
                self._by_warden(target)
            if at:
                assert not (self.deaths / "death.json").exists(), f"{by}: made fewer than {at} calls"
                died = (self.deaths / "died").read_text().strip()
                log.info("%s: killed %s call %d, %s", by, "after" if after else "before", at, died)
            else:
                self.calls[by] = int((self.deaths / "calls").read_text())
            ended = self._ended(before, source, target, client)
        finally:
            self._command("fault", "clear")
        self._rejoined()
        return target, ended

    def _by_operator(self, source: str, target: str, *, dies: bool) -> None:
        words = ("--lost", source, "--yes")
        mortal = (sys.executable, MORTAL, str(self.deaths), "cli")
        command = ("exec", "--", *mortal, "failover", "reskflow", *words, "--json")
        first = self.sandbox.command(*command)
        assert first.returncode == (-signal.SIGKILL if dies else 0), first.stderr
        for _ in range(RESUMED_AT_MOST):
            lease = self.lease()
            if lease["run"] is None and lease["holder"] == target:
                return
            more = () if lease["run"] is None else ("--resume", lease["run"]["id"])
            done = self.run("failover", *words, *more)
            assert done.returncode == 0, done.stderr
        raise AssertionError(f"resumed {RESUMED_AT_MOST} times, and not over")

    def _by_warden(self, target: str) -> None:
        self.ask("release")
        until(lambda: (now := self.lease())["holder"] == target and now["run"] is None and now, LONG)
        self.ask("hold", "--reason", "decided by the test")

    def _ended(self, before: dict[str, Any], source: str, target: str, client: str) -> dict[str, Any]:
        """What can be told while the region is lost: lease, control plane, names, and what was acknowledged."""
        self.post(client, AFTER)
        names = {source: "source", target: "target", WITNESS: "witness"}
        lease = self.lease()
        rds, caches = (self.sandbox.client(service, target) for service in ("rds", "elasticache"))
        alarms = self.sandbox.client("cloudwatch", WITNESS).describe_alarms(AlarmNamePrefix=PREFIX)["MetricAlarms"]
        until(lambda: self.numbers(target, client) == [*BEFORE, *AFTER], SOON)
        with cache(self.sandbox, target) as mine:
            kept = mine.get(client)
        return {
            "epochs": lease["epoch"] - before["epoch"],
            "lease": {name: lease[name] for name in ("holder", "serving", "fenced", "run")},
            "clusters": lasting(rds.describe_global_clusters()["GlobalClusters"]),
            "databases": lasting(rds.describe_db_clusters()["DBClusters"]),
            "instances": lasting(rds.describe_db_instances()["DBInstances"]),
            "datastores": lasting(
                caches.describe_global_replication_groups(ShowMemberInfo=True)["GlobalReplicationGroups"]
            ),
            "caches": lasting(caches.describe_replication_groups()["ReplicationGroups"]),
            "switches": {each["AlarmName"]: each["StateValue"] for each in alarms if "switch" in each["AlarmName"]},
            "name": names[target] if self.sandbox.resolve(ORDERS) == self.sandbox.live["fronts"][target] else "other",
            "acknowledged": self.numbers(target, client),
            "cache": kept,
            "unprotected": sorted(self.ask("status")["exposed_seconds"]),
        }

    def _rejoined(self) -> None:
        def rejoin() -> bool:
            done = self.run("rejoin", "--yes")
            assert done.returncode in {0, REFUSED}, done.stderr
            return done.returncode == 0

        until(rejoin, LONG)
        assert until(lambda: self.ask("status")["exposed_seconds"] == {}, SOON)

    def _command(self, *words: str) -> None:
        done = self.sandbox.command(*words)
        assert done.returncode == 0, done.stderr


def cache(sandbox: Sandbox, region: str) -> redis.Redis:
    """As living sandboxes give it, with a deadline: the region may be lost."""
    made = sandbox.cache(region)
    made.connection_pool.connection_kwargs["socket_timeout"] = 5
    return made


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with project() as made:
        made.up("--detection-scale", SCALE, wardens=True)
        deaths = made.project / "deaths"
        deaths.mkdir(mode=0o700)
        until(lambda: made.post(made.resolve(ORDERS), "before", 1)[0] == 201, SOON)
        found = Stage(made, deaths)
        found.lease()
        found.ask("hold", "--reason", "decided by the test")
        mortal_wardens(made, deaths)
        yield found


def mortal_wardens(sandbox: Sandbox, deaths: Path) -> None:
    """Have the sites' wardens begin runs that can be killed; each starts anew with that."""
    for region in (HOME, STANDBY):
        path = sandbox.directory.data / "warden" / region / "config.json"
        config = json.loads(path.read_text())
        tied, unattended = config["failover_command"][:3], config["failover_command"][6:]
        config["failover_command"] = [*tied, sys.executable, MORTAL, str(deaths), "unattended", *unattended]
        path.write_text(json.dumps(config))
        pid = sandbox.process("warden", region)["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda region=region, pid=pid: sandbox.process("warden", region)["pid"] not in {pid, None}, SOON)


@contextlib.contextmanager
def client(sandbox: Sandbox, history: Path) -> Iterator[None]:
    """Somebody who posts orders all the while."""
    server = sandbox.live["name_server"]
    command = [
        *(sys.executable, "-m", "lifeboat.sandbox.live.client", "--name", "meanwhile", "--mode", "ttl"),
        *("--url", f"http://{ORDERS}:8080", "--name-server", f"{server['address']}:{server['port']}"),
        *("--rate", str(RATE), "--history", str(history)),
    ]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        running.terminate()
        running.wait()


def test_killed_at_any_call_and_gone_on_with_it_ends_as_one_that_nobody_killed(stage: Stage, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    chance = random.Random(SEED)  # noqa: S311 - no secret
    with client(stage.sandbox, history):
        # One each way, by either kind: calls are counted, and both kinds end alike.
        for by in KINDS:
            target, ended = stage.play(by)
            assert ended == stage.calm.setdefault(target, ended), f"{by}: undisturbed"
        log.info("external calls of an undisturbed run: %s", stage.calls)
        for number in range(CRASHES):
            by = KINDS[number % len(KINDS)]
            at, after = chance.randint(1, int(SURE * stage.calls[by])), chance.random() < HALF
            target, ended = stage.play(by, at=at, after=after)
            assert ended == stage.calm[target], f"{by}: killed {'after' if after else 'before'} call {at}"
    sites: defaultdict[int, set[str]] = defaultdict(set)
    for each in read_history(history):
        if each.outcome is Outcome.ACKNOWLEDGED:
            assert each.epoch is not None
            assert each.site is not None
            sites[each.epoch].add(each.site)
    assert len(sites) >= CRASHES
    assert {epoch: found for epoch, found in sites.items() if len(found) > 1} == {}
