"""Whoever watches or moves a whole living stack: its gates, its lease, operators' commands, clients."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.recovery.gatefile import GateState, boot_id, read_gate
from lifeboat.sandbox.live.client_history import read_history
from tests.declared import Made, undeclared
from tests.live.living import HOME, LIFEBOAT, ORDERS, STANDBY, WITNESS, Sandbox
from tests.live.waiting import until
from tests.moving import PREFIX

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

SCALE = 20
TTL = 60.0 / SCALE
MOVED = 180.0
"""Seconds; what hangs in a lost region hangs for real."""
RATE = 100
REFUSED = 3
PASSING = {"LatestRestorableTime", "EarliestRestorableTime", "ResponseMetadata", "StateUpdatedTimestamp"}
"""What the control plane tells that is another each time."""


@contextlib.contextmanager
def fault(sandbox: Sandbox, *words: str) -> Generator[None]:
    """A fault, and with it every other one, is cleared in the end."""
    injected = sandbox.command("fault", "inject", *words)
    assert injected.returncode == 0, injected.stderr
    try:
        yield
    finally:
        cleared = sandbox.command("fault", "clear")
        assert cleared.returncode == 0, cleared.stderr


def gate(sandbox: Sandbox, region: str) -> GateState:
    """As the region's site reads it."""
    path = sandbox.directory.data / "site" / region / "gate.json"
    return read_gate(path, now=time.monotonic(), boot=boot_id())


def lease(sandbox: Sandbox) -> dict[str, Any]:
    """As the sandbox's status has it."""
    found = sandbox.live["lease"]
    assert found is not None
    return found


def outlasts(sandbox: Sandbox, seconds: float) -> bool:
    """Whether home's right to write goes on for so long from now, by renewals that are still to come."""
    end = time.monotonic() + seconds
    return (
        bool(until(lambda: (state := gate(sandbox, HOME)).until > end + TTL or not state.open))
        and gate(sandbox, HOME).open
    )


def site_of(sandbox: Sandbox, region: str) -> str:
    """A site's own address: whoever asks there is inside of its region."""
    return next(row["host"] for row in sandbox.live["links"] if row["name"] == f"front-{region}")


def order_by_name(sandbox: Sandbox, client: str) -> tuple[str, int] | None:
    """Site and epoch that a plain client's order was taken by, under the name that fails over."""
    status, answer = sandbox.post(sandbox.resolve(ORDERS), client, 1)
    return (answer["site"], answer["epoch"]) if status in {200, 201} else None


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

    def undeclared(self, run: str, mirrors: Path | None = None) -> set[Made]:
        """Calls of a run that its plan does not declare, as its log tells them: the project's, or a warden's."""
        mirrors = mirrors or self.sandbox.project / ".lifeboat" / "journal"
        entries = [json.loads(line) for line in (mirrors / f"{run}.jsonl").read_text().splitlines()]
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

    def rejoin(self) -> dict[str, Any]:
        """Have the site that was left rejoin, as soon as that is not refused any more: what came back starts first."""

        def tried() -> dict[str, Any] | None:
            done = self.run("rejoin", "--yes", "--json")
            assert done.returncode in {0, REFUSED}, done.stderr
            return json.loads(done.stdout) if done.returncode == 0 else None

        found = until(tried, MOVED)
        assert found is not None
        return found

    def done(self, kind: str) -> str:
        """The run of a kind that ended well."""
        for run in self.ask("journal"):
            if run.startswith(kind) and self.ask("journal", run)[-1]["detail"].get("result") == "done":
                return run
        raise AssertionError(f"no {kind} ended well")

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
            **{region: self._in(region) for region in (HOME, STANDBY)},
            "switches": self._alarms(WITNESS, "StateValue"),
        }

    def _in(self, region: str) -> dict[str, Any]:
        """What a site has, without the states that time changes."""
        rds, cache, s3 = (self.sandbox.client(service, region) for service in ("rds", "elasticache", "s3"))
        buckets = [found["Name"] for found in s3.list_buckets()["Buckets"] if found["Name"].endswith(region)]
        with self.sandbox.cache(region) as session:
            keys = {key: session.get(key) for key in session.scan_iter()}
        return {
            "clusters": lasting(rds.describe_db_clusters()["DBClusters"]),
            "instances": lasting(rds.describe_db_instances()["DBInstances"]),
            "caches": lasting(cache.describe_replication_groups()["ReplicationGroups"]),
            "alarms": self._alarms(region, "ActionsEnabled"),
            "orders": dump(self.sandbox, region),
            "keys": keys,
            "objects": {
                bucket: {each["Key"]: each["ETag"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}
                for bucket in buckets
            },
        }

    def _alarms(self, region: str, what: str) -> dict[str, Any]:
        found = self.sandbox.client("cloudwatch", region).describe_alarms(AlarmNamePrefix=PREFIX)["MetricAlarms"]
        return {each["AlarmName"]: each[what] for each in found}


def lasting(found: Any) -> Any:  # noqa: ANN401 - whatever AWS answers
    """An answer without times, in an order of its own."""
    match found:
        case dict():
            return {
                name: lasting(value)
                for name, value in sorted(found.items())
                if name not in PASSING and not isinstance(value, datetime)
            }
        case list():
            return sorted((lasting(each) for each in found), key=lambda each: json.dumps(each, sort_keys=True))
        case _:
            return found


def dump(sandbox: Sandbox, region: str) -> list[tuple[Any, ...]]:
    """Every order that a region's database has, and whether it takes others."""
    with sandbox.database(region) as connection:
        read_only = connection.execute(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')"
        ).fetchall()
        return [*read_only, *connection.execute("SELECT * FROM orders ORDER BY client, number").fetchall()]


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
