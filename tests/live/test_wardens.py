"""The wardens alive: three processes, a lease, and nobody else who decides; everything is seen from outside."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.recovery.gatefile import GateState, boot_id, read_gate
from tests.live.living import HOME, ORDERS, STANDBY, WITNESS, Sandbox, project
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

SCALE = 10
TTL = 60.0 / SCALE
FAILED_OVER = 180.0
"""Seconds; what hangs in a lost region hangs for real."""


@pytest.fixture(scope="module")
def project_of_its_own() -> Iterator[Sandbox]:
    with project() as made:
        yield made


@pytest.fixture(scope="module")
def sandbox(project_of_its_own: Sandbox) -> Sandbox:
    project_of_its_own.up("--detection-scale", str(SCALE), wardens=True)
    return project_of_its_own


@contextlib.contextmanager
def fault(sandbox: Sandbox, *words: str) -> Generator[None]:
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


def assert_left_behind(sandbox: Sandbox) -> None:
    """The old site lives again, and takes nothing: neither through its gate nor past it."""
    until(lambda: lease(sandbox)["fenced"] == [HOME], FAILED_OVER)
    until(lambda: sandbox.process("warden", HOME)["state"] == "running")
    until(lambda: gate(sandbox, HOME).fenced)

    def refused() -> str:
        status, answer = sandbox.post(site_of(sandbox, HOME), "late", 1)
        assert status != 201
        return answer["reason"] if status == 503 else ""

    assert "fenced in epoch 2, until `lifeboat rejoin`" in until(refused)

    def read_only() -> bool:
        with sandbox.database(HOME) as session:
            return session.execute("SHOW transaction_read_only").fetchone() == ("on",)

    until(read_only)
    assert sandbox.numbers(STANDBY, "late") == []


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
        assert order_by_name(sandbox, "without-witness") == (HOME, 1)
        found = lease(sandbox)
        assert (found["holder"], found["epoch"], found["fenced"], found["run"]) == (HOME, 1, [], None)
    until(lambda: sandbox.process("warden", WITNESS)["state"] == "running")


def test_a_region_that_is_cut_off_refuses_writes_before_the_other_takes_the_lease(sandbox: Sandbox) -> None:
    address = site_of(sandbox, HOME)
    with fault(sandbox, "region-partition", "--region", HOME):
        until(lambda: not gate(sandbox, HOME).open)
        status, _ = sandbox.post(address, "cut-off", 1)
        # Read after the refusal: the other one takes the lease later still.
        assert (status, lease(sandbox)["epoch"]) == (503, 1)
        assert until(lambda: order_by_name(sandbox, "cut-off"), FAILED_OVER) == (STANDBY, 2)
        assert not gate(sandbox, HOME).open
        assert sandbox.numbers(STANDBY, "cut-off") == [1]
    assert_left_behind(sandbox)


@pytest.fixture(scope="module")
def anew(project_of_its_own: Sandbox) -> Sandbox:
    project_of_its_own.up("--detection-scale", str(SCALE), wardens=True)
    return project_of_its_own


def test_without_its_home_region_a_stack_moves_by_itself(anew: Sandbox) -> None:
    assert order_by_name(anew, "before") == (HOME, 1)
    until(lambda: anew.numbers(STANDBY, "before"))
    before = anew.resolve(ORDERS)
    with fault(anew, "region-blackout", "--region", HOME):
        assert anew.process("warden", HOME)["state"] == "held"
        assert until(lambda: order_by_name(anew, "after"), FAILED_OVER) == (STANDBY, 2)
        assert anew.resolve(ORDERS) != before
        assert anew.process("database", STANDBY)["role"] == "primary"
        found = lease(anew)
        assert (found["holder"], found["epoch"], found["serving"]) == (STANDBY, 2, STANDBY)
        assert anew.numbers(STANDBY, "before") == [1]
        # The run ends by itself, and nothing is left that goes on with it.
        until(lambda: lease(anew)["run"] is None, FAILED_OVER)
    assert_left_behind(anew)


def test_what_an_earlier_life_decided_holds_in_the_next_one(anew: Sandbox) -> None:
    anew.up("--detection-scale", str(SCALE), "--resume", wardens=True)
    found = lease(anew)
    assert (found["holder"], found["epoch"], found["fenced"]) == (STANDBY, 2, [HOME])
    assert until(lambda: order_by_name(anew, "resumed")) == (STANDBY, 2)
