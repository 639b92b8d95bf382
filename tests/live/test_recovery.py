"""A whole stack moved by the commands that operators use, with clients on it, and judged from outside."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.sandbox.live.client_history import read_history
from tests.declared import Made, undeclared
from tests.live.living import HOME, LIFEBOAT, ORDERS, PREFIX, STANDBY, Sandbox, project
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

SCALE = "10"
RATE = 100
REFUSED = 3


class Operator:
    """Somebody at a terminal inside the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def run(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.sandbox.command("exec", "--", LIFEBOAT, command, "reskflow", *words)

    def ask(self, command: str, *words: str) -> Any:  # noqa: ANN401 - each command's own JSON
        done = self.run(command, *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def undeclared(self, run: str) -> set[Made]:
        """Calls of a run that its plan does not declare, as its log in the project tells them."""
        lines = (self.sandbox.project / ".lifeboat" / "journal" / f"{run}.jsonl").read_text().splitlines()
        entries = [json.loads(line) for line in lines]
        opened = next(entry["detail"] for entry in entries if entry["event"] == "opened")
        settings = from_stack_file((self.sandbox.project / "Pulumi.reskflow.yaml").read_text(), "Pulumi.reskflow.yaml")
        plan = derive(
            settings,
            resolve(settings),
            mode=Mode(opened["mode"]),
            lost=filter(None, opened["lost"].split(",")),
            source=opened["source"],
        )
        calls = [(entry["step"], entry["detail"]) for entry in entries if entry["event"] == "intent"]
        assert calls
        return undeclared(plan, (Made(step, of["service"], of["operation"], of["region"]) for step, of in calls))

    def lease(self) -> dict[str, Any]:
        """Without what a renewal changes."""
        told: dict[str, Any] = self.ask("lease")
        return {name: value for name, value in told.items() if name not in {"owner", "version"}}

    def state(self) -> dict[str, Any]:
        """Everything that a command might change: lease, control plane, data."""
        rds, cache = (self.sandbox.client(service, STANDBY) for service in ("rds", "elasticache"))
        return {
            "lease": self.lease(),
            "clusters": rds.describe_global_clusters()["GlobalClusters"],
            "datastores": cache.describe_global_replication_groups(ShowMemberInfo=True)["GlobalReplicationGroups"],
            "orders": {region: dump(self.sandbox, region) for region in (HOME, STANDBY)},
        }


def dump(sandbox: Sandbox, region: str) -> list[tuple[Any, ...]]:
    """Every order that a region's database has, and whether it takes others."""
    with sandbox.database(region) as connection:
        read_only = connection.execute(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')"
        ).fetchall()
        return [*read_only, *connection.execute("SELECT * FROM orders ORDER BY client, number").fetchall()]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with project() as made:
        made.up("--detection-scale", SCALE, wardens=True)
        yield made


@pytest.fixture(scope="module")
def operator(sandbox: Sandbox) -> Operator:
    found = Operator(sandbox)
    status, _ = sandbox.post(sandbox.resolve(ORDERS), "before", 1)
    assert status == 201
    assert until(lambda: sandbox.numbers(STANDBY, "before")) == [1]
    # The warden at home makes the first one.
    assert until(lambda: found.run("lease").returncode == 0)
    # What happens here is decided by a person; the wardens keep the lease and fence.
    found.ask("hold", "--reason", "decided by the test")
    return found


@contextlib.contextmanager
def clients(sandbox: Sandbox, history: Path, name: str) -> Generator[None]:
    """A client that posts orders at a rate, by name, until it is told to end."""
    server = sandbox.live["name_server"]
    command = [
        *(sys.executable, "-m", "lifeboat.sandbox.live.client", "--name", name, "--mode", "ttl"),
        *("--url", f"http://{ORDERS}:8080", "--name-server", f"{server['address']}:{server['port']}"),
        *("--rate", str(RATE), "--history", str(history)),
    ]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        assert until(lambda: history.exists() and acknowledged(history))
        yield
    finally:
        running.terminate()
        running.wait()


def acknowledged(history: Path) -> dict[int, tuple[str | None, int | None]]:
    """Where and in which epoch each order was acknowledged."""
    return {each.number: (each.site, each.epoch) for each in read_history(history) if each.outcome == "acknowledged"}


def test_a_standby_that_is_not_ready_is_refused_with_one_entry_and_nothing_else(operator: Operator) -> None:
    kms = operator.sandbox.client("kms", STANDBY)
    cluster = operator.sandbox.client("rds", STANDBY).describe_db_clusters(
        DBClusterIdentifier=f"{PREFIX}-orders-{STANDBY}"
    )["DBClusters"][0]
    key = cluster["KmsKeyId"].rpartition("/")[2]
    before, runs = operator.state(), operator.ask("journal")
    kms.disable_key(KeyId=key)
    try:
        refused = operator.run("failover", "--graceful", "--yes")
    finally:
        kms.enable_key(KeyId=key)
    assert refused.returncode == REFUSED, refused.stderr
    assert "key of orders: it is Disabled" in refused.stderr
    assert operator.state() == before
    (run,) = set(operator.ask("journal")) - set(runs)
    assert [entry["event"] for entry in operator.ask("journal", run)] == ["refused"]


def test_a_dry_run_changes_nothing(operator: Operator) -> None:
    before, runs = operator.state(), operator.ask("journal")
    rehearsed = operator.ask("failover", "--graceful", "--dry-run")
    assert {step["key"]: step["state"] for step in rehearsed["steps"]}["promote-database/orders"] == "would be done"
    assert operator.state() == before
    assert operator.ask("journal") == runs


def test_a_switchover_under_load_loses_no_acknowledged_order(operator: Operator, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    with clients(operator.sandbox, history, "moved"):
        report = operator.ask("failover", "--graceful", "--yes")
        assert until(lambda: (STANDBY, 2) in acknowledged(history).values())
    assert report["result"] == "done", report
    found = acknowledged(history)
    written = set(operator.sandbox.numbers(STANDBY, "moved"))
    assert len(found) > RATE
    assert set(found) - written == set()
    # One writer in each epoch.
    assert set(found.values()) == {(HOME, 1), (STANDBY, 2)}
    lease = operator.lease()
    assert (lease["holder"], lease["serving"], lease["epoch"], lease["fenced"]) == (STANDBY, STANDBY, 2, [])
    assert lease["run"] is None
    assert operator.undeclared(report["run"]) == set()


def test_a_lost_site_is_left_by_command_and_rejoins(operator: Operator, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    injected = operator.sandbox.command("fault", "inject", "region-blackout", "--region", STANDBY)
    assert injected.returncode == 0, injected.stderr
    report = operator.ask("failover", "--lost", STANDBY, "--yes")
    assert report["result"] == "done", report
    assert report["steps"]["confirm-outage"].startswith(f"{STANDBY} is lost")
    with clients(operator.sandbox, history, "rescued"):
        assert until(lambda: (HOME, 3) in acknowledged(history).values())
    status = operator.ask("status")
    assert status["lease"]["fenced"] == [STANDBY]
    assert {"orders", "sessions", "uploads"} <= set(status["exposed_seconds"])
    entries = operator.ask("journal", report["run"])
    asked = Counter(entry["detail"]["region"] for entry in entries if entry["event"] == "intent")
    assert asked[HOME] > 0
    assert asked[STANDBY] == 0
    cleared = operator.sandbox.command("fault", "clear")
    assert cleared.returncode == 0, cleared.stderr
    # What the site that is gone had sent is there.
    assert set(operator.sandbox.numbers(HOME, "moved"))
    back = operator.ask("rejoin", "--yes")
    assert back["result"] == "done", back
    assert "orders: " in back["steps"]["divergence"]
    assert (operator.lease()["holder"], operator.lease()["fenced"]) == (HOME, [])
    assert operator.ask("status")["exposed_seconds"] == {}
    assert operator.undeclared(report["run"]) | operator.undeclared(back["run"]) == set()
