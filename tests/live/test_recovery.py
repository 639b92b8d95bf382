"""A whole stack that is moved, by its wardens and by the commands that operators use; judged from outside.

One sandbox lives through all of it, in this order: home loses its region and is left, rejoins, the sandbox starts anew,
and an operator moves the stack back.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.live.living import HOME, ORDERS, STANDBY, WITNESS, Sandbox, project
from tests.live.recovering import (
    MOVED,
    RATE,
    REFUSED,
    SCALE,
    TTL,
    Operator,
    acknowledged,
    clients,
    fault,
    gate,
    lease,
    order_by_name,
    outlasts,
    site_of,
)
from tests.live.waiting import until
from tests.moving import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with project() as made:
        made.up("--detection-scale", str(SCALE), wardens=True)
        yield made


@pytest.fixture(scope="module")
def operator(sandbox: Sandbox) -> Operator:
    return Operator(sandbox)


def test_the_home_site_holds_the_lease_and_takes_orders(sandbox: Sandbox) -> None:
    found = lease(sandbox)
    assert (found["holder"], found["epoch"], found["serving"], found["fenced"]) == (HOME, 1, HOME, [])
    assert order_by_name(sandbox, "first") == (HOME, 1)
    rows = {row["region"]: row for row in sandbox.live["processes"] if row["kind"] == "warden"}
    assert {region: (row["state"], row["role"]) for region, row in rows.items()} == {
        HOME: ("running", "holder"),
        STANDBY: ("running", ""),
        WITNESS: ("running", ""),
    }
    shown = sandbox.command("status").stdout
    assert f"lease     {HOME} holds epoch 1, {HOME} serves" in shown
    assert f"warden-{WITNESS}" in shown
    assert sandbox.post(site_of(sandbox, STANDBY), "first", 2)[0] == 503


def test_a_warden_reaches_another_region_by_its_links_alone(sandbox: Sandbox) -> None:
    def carried() -> set[str]:
        return {row["name"] for row in sandbox.live["links"] if row["source_to_target_bytes"] > 0}

    sites = {f"site-{HOME}-from-{STANDBY}", f"site-{HOME}-from-{WITNESS}", f"site-{STANDBY}-from-{HOME}"}
    until(lambda: sites <= carried())


def test_a_killed_warden_is_away_until_healed_and_its_gate_shuts_only_without_it(sandbox: Sandbox) -> None:
    with fault(sandbox, "process-killed", "--region", STANDBY, "--param", "process=warden"):
        row = sandbox.process("warden", STANDBY)
        assert (row["state"], row["pid"]) == ("held", None)
        assert outlasts(sandbox, TTL)
    until(lambda: sandbox.process("warden", STANDBY)["state"] == "running")


def test_neither_the_loss_of_the_witness_nor_a_wrong_clock_fences_anybody(sandbox: Sandbox) -> None:
    with fault(sandbox, "clock-skew", "--param", f"agent=warden-{HOME}", "--param", "offset_s=-86400"):
        injected = sandbox.command("fault", "inject", "region-blackout", "--region", WITNESS)
        assert injected.returncode == 0, injected.stderr
        assert sandbox.process("warden", WITNESS)["state"] == "held"
        # As long as a loss has to be seen, and a lease may live, one after the other.
        assert outlasts(sandbox, 2.5 * TTL)
        assert until(lambda: order_by_name(sandbox, "without-witness")) == (HOME, 1)
        found = lease(sandbox)
        assert (found["holder"], found["epoch"], found["fenced"], found["run"]) == (HOME, 1, [], None)
    until(lambda: sandbox.process("warden", WITNESS)["state"] == "running")


def test_a_region_that_is_cut_off_refuses_writes_before_the_other_takes_the_lease(sandbox: Sandbox) -> None:
    address, before = site_of(sandbox, HOME), sandbox.resolve(ORDERS)
    until(lambda: sandbox.numbers(STANDBY, "first") == [1])
    with fault(sandbox, "region-partition", "--region", HOME):
        until(lambda: not gate(sandbox, HOME).open)
        until(lambda: sandbox.refusal(address, "cut-off", 1))
        # Read after the refusal: the other one takes the lease later still.
        assert lease(sandbox)["epoch"] == 1
        assert until(lambda: order_by_name(sandbox, "cut-off"), MOVED) == (STANDBY, 2)
        assert sandbox.resolve(ORDERS) != before
        assert sandbox.process("database", STANDBY)["role"] == "primary"
        assert not gate(sandbox, HOME).open
        assert [sandbox.numbers(STANDBY, client) for client in ("first", "cut-off")] == [[1], [1]]
        # The run ends by itself, and nothing is left that goes on with it.
        until(lambda: lease(sandbox)["run"] is None, MOVED)


def test_the_site_that_was_left_takes_nothing_neither_through_its_gate_nor_past_it(sandbox: Sandbox) -> None:
    found = lease(sandbox)
    assert (found["holder"], found["serving"], found["fenced"]) == (STANDBY, STANDBY, [HOME])
    # It fenced itself before it could know that it is.
    known = "fenced in epoch 2, until `lifeboat rejoin`"
    until(lambda: known in (sandbox.refusal(site_of(sandbox, HOME), "late", 1) or ""))
    assert gate(sandbox, HOME).fenced

    def read_only() -> bool:
        with sandbox.database(HOME) as session:
            return session.execute("SHOW transaction_read_only").fetchone() == ("on",)

    until(read_only)
    assert sandbox.numbers(STANDBY, "late") == []


def test_what_a_warden_began_asked_the_lost_region_nothing_and_the_site_rejoins(operator: Operator) -> None:
    sandbox = operator.sandbox
    moved = operator.done("failover")
    asked = Counter(entry["detail"]["region"] for entry in operator.ask("journal", moved) if entry["event"] == "intent")
    assert asked[STANDBY] > 0
    assert asked[HOME] == 0
    status = operator.ask("status")
    assert status["lease"]["fenced"] == [HOME]
    assert {"orders", "sessions", "uploads"} <= set(status["exposed_seconds"])
    back = operator.rejoin()
    assert back["result"] == "done", back
    assert "orders: " in back["steps"]["divergence"]
    assert (operator.lease()["holder"], operator.lease()["fenced"]) == (STANDBY, [])
    assert operator.ask("status")["exposed_seconds"] == {}
    began = [warden / "journal" for warden in (sandbox.directory.data / "warden").iterdir()]
    (mirror,) = [path for path in began if (path / f"{moved}.jsonl").exists()]
    assert operator.undeclared(moved, mirror) | operator.undeclared(back["run"]) == set()


def test_what_an_earlier_life_decided_holds_in_the_next_one(sandbox: Sandbox) -> None:
    sandbox.up("--detection-scale", str(SCALE), "--resume", wardens=True)
    found = lease(sandbox)
    assert (found["holder"], found["epoch"], found["fenced"]) == (STANDBY, 2, [])
    assert until(lambda: order_by_name(sandbox, "resumed")) == (STANDBY, 2)
    assert until(lambda: sandbox.numbers(HOME, "resumed")) == [1]


def test_a_standby_that_is_not_ready_is_refused_with_one_entry_and_nothing_else(operator: Operator) -> None:
    # What happens from here is decided by a person; the wardens keep the lease and fence.
    operator.ask("hold", "--reason", "decided by the test")
    kms = operator.sandbox.client("kms", HOME)
    cluster = operator.sandbox.client("rds", HOME).describe_db_clusters(DBClusterIdentifier=f"{PREFIX}-orders-{HOME}")
    key = cluster["DBClusters"][0]["KmsKeyId"].rpartition("/")[2]
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
        assert until(lambda: (HOME, 3) in acknowledged(history).values())
    assert report["result"] == "done", report
    found = acknowledged(history)
    written = set(operator.sandbox.numbers(HOME, "moved"))
    assert len(found) > RATE
    assert set(found) - written == set()
    # One writer in each epoch.
    assert set(found.values()) == {(STANDBY, 2), (HOME, 3)}
    told = operator.lease()
    assert (told["holder"], told["serving"], told["epoch"], told["fenced"]) == (HOME, HOME, 3, [])
    assert told["run"] is None
    assert operator.undeclared(report["run"]) == set()
