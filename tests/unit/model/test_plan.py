"""The plan: what it holds for each mode, in which order, and what it refuses."""

from __future__ import annotations

import dataclasses
import pkgutil
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.model.design import LeaseStore
from lifeboat.model.plan import steps as kinds_package
from lifeboat.model.plan.derivation import arranged, derive
from lifeboat.model.plan.graph import Call, Mode, Plane, PlanStep, Stage
from lifeboat.model.plan.planes import ROUTING_CONTROL_REGIONS, nearest_routing_endpoint, obstacle
from lifeboat.model.plan.refusals import PlanRefused, Unplannable
from lifeboat.model.plan.steps import kinds
from lifeboat.model.settings.load import from_stack_file, load
from lifeboat.model.timings import TIMINGS, Step
from lifeboat.model.topology import resolve
from tests.unit.model.declarations import sound

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.model.design import Topology
    from lifeboat.model.plan.graph import Plan
    from lifeboat.model.settings import Settings

Stack = tuple["Settings", "Topology"]
Quorum = frozenset[str]


def designed(config: dict[str, Any]) -> Stack:
    settings = load(config)
    return settings, resolve(settings)


@pytest.fixture(scope="module")
def fast(root: Path) -> Stack:
    settings = from_stack_file((root / "Pulumi.reskflow.yaml").read_text(), "Pulumi.reskflow.yaml")
    return settings, resolve(settings)


@pytest.fixture(scope="module")
def slow(root: Path) -> Stack:
    settings = from_stack_file((root / "Pulumi.prod.yaml").read_text(), "Pulumi.prod.yaml")
    return settings, resolve(settings)


def american() -> dict[str, Any]:
    """A stack of one database, at home in us-east-1."""
    config = sound()
    config["objectives"] = {"stack": {"rto": "4h", "rpo": "15m"}}
    config["home"], config["witness"] = "us-east-1", "us-east-2"
    config["sites"] = [{"region": "us-east-1", "cidr": "10.1.0.0/16"}, {"region": "us-west-2", "cidr": "10.2.0.0/16"}]
    config["databases"], config["caches"] = [{"name": "orders"}], []
    return config


def ancestors(plan: Plan, key: str) -> set[str]:
    found: set[str] = set()
    seek = [key]
    while seek:
        for earlier in plan.by_key[seek.pop()].after - found:
            found.add(earlier)
            seek.append(earlier)
    return found


def a_step(key: str, *after: str, kind: str = "verify", timeout: float = 60, **back: str | None) -> PlanStep:
    return PlanStep(
        key=key,
        kind=kind,
        title=key,
        stage=Stage.RECOVER,
        region="us-west-2",
        after=frozenset(after),
        calls=(),
        timing=TIMINGS[Step.VERIFICATION],
        timeout=timeout,
        idempotency="none",
        by_hand=(),
        undo=back.get("undo", None if back else "none"),
        no_undo=back.get("no_undo"),
    )


def test_a_failover_fences_before_it_promotes_and_takes_the_lease_before_traffic_moves(fast: Stack) -> None:
    plan = derive(*fast, mode=Mode.FAILOVER, lost={"us-east-1"})
    assert (plan.source, plan.target, plan.lost) == ("us-east-1", "us-west-2", {"us-east-1"})
    for store in ("promote-database/orders", "promote-cache/sessions", "settle-objects/uploads"):
        assert {"confirm-outage", "readiness", "decide", "fence"} <= ancestors(plan, store)
        assert store in ancestors(plan, "take-lease")
    assert "take-lease" in ancestors(plan, "switch-routing")
    assert {"switch-routing", "dns-tail"} <= ancestors(plan, "verify")
    assert "verify" in ancestors(plan, "notify/ended")
    assert plan.by_key["open-exposure"].stage is Stage.AFTERWARDS


def test_steps_stand_in_an_order_that_can_be_followed(fast: Stack, slow: Stack) -> None:
    for stack, mode in ((fast, Mode.FAILOVER), (fast, Mode.FAILBACK), (slow, Mode.SWITCHOVER), (slow, Mode.REJOIN)):
        home = stack[1].home.region
        plan = derive(*stack, mode=mode, lost={home} if mode is Mode.FAILOVER else ())
        seen: set[str] = set()
        for step in plan.steps:
            assert step.after <= seen, step.key
            seen.add(step.key)
        assert derive(*stack, mode=mode, lost=plan.lost) == plan


def test_a_failover_calls_the_lost_region_by_best_effort_alone(fast: Stack) -> None:
    plan = derive(*fast, mode=Mode.FAILOVER, lost={"us-east-1"})
    lost = [call for _, call in plan.calls() if call.region == "us-east-1"]
    assert lost
    assert all(call.best_effort for call in lost)
    assert not any(call.service in {"route53", "iam"} for _, call in plan.calls())


def test_the_other_site_can_be_the_one_that_is_lost(fast: Stack) -> None:
    plan = derive(*fast, mode=Mode.FAILOVER, lost={"us-west-2"})
    assert (plan.source, plan.target) == ("us-west-2", "us-east-1")
    # Home was never made smaller.
    assert "scale-compute" not in plan.by_key


def test_a_planned_move_stops_writes_and_waits_for_the_copies_first(fast: Stack) -> None:
    plan = derive(*fast, mode=Mode.SWITCHOVER)
    assert {"stop-writes", "drain/orders", "drain/sessions"} <= ancestors(plan, "promote-database/orders")
    assert {"decide", "scale-compute"} <= ancestors(plan, "stop-writes")
    # While a gate is open, a cache or a bucket takes writes that nobody has waited for.
    for waits in ("drain/orders", "drain/sessions", "settle-objects/uploads"):
        assert {"stop-writes", "fence"} <= ancestors(plan, waits)
    for promoted in ("promote-database/orders", "promote-cache/sessions"):
        assert {"fence", "drain/orders", "drain/sessions"} <= ancestors(plan, promoted)
    assert "settle-objects/uploads" in ancestors(plan, "take-lease")
    assert "resynchronise/uploads" in ancestors(plan, "stop-writes")
    # Everything of it copies the other way at once.
    assert "open-exposure" not in plan.by_key
    assert "confirm-outage" not in plan.by_key
    asked = {call.operation for call in plan.by_key["promote-database/orders"].calls}
    assert "SwitchoverGlobalCluster" in asked
    assert "FailoverGlobalCluster" not in asked


def test_a_plain_replica_is_promoted_with_its_retention_and_leaves_the_store_unprotected(slow: Stack) -> None:
    plan = derive(*slow, mode=Mode.SWITCHOVER)
    promoted = plan.by_key["promote-database/catalog"]
    assert promoted.undo is None
    assert any("--backup-retention-period 14" in line for line in promoted.by_hand)
    assert any("wait db-instance-available" in line for line in promoted.by_hand)
    assert "catalog" in plan.by_key["open-exposure"].title


def test_a_read_only_default_that_was_copied_is_taken_back_with_the_lease(fast: Stack) -> None:
    for mode in (Mode.FAILOVER, Mode.SWITCHOVER):
        plan = derive(*fast, mode=mode, lost={"us-east-1"} if mode is Mode.FAILOVER else ())
        taken = plan.by_key["take-lease"]
        (line,) = [line for line in taken.by_hand if "RESET default_transaction_read_only" in line]
        # Those that began before would stay read-only.
        assert "pg_terminate_backend" in line
        assert ("postgresql", "us-west-2") in {(call.service, call.region) for call in taken.calls}
        # A runner that starts anew has the lease's whole time to watch.
        assert taken.timeout >= 65


def test_a_rejoin_reports_before_anybody_decides_and_rebuilds_only_behind_the_fence(fast: Stack) -> None:
    plan = derive(*fast, mode=Mode.REJOIN)
    assert (plan.source, plan.target) == ("us-east-1", "us-west-2")
    assert plan.by_key["readiness"].region == "us-east-1"
    assert "divergence" in ancestors(plan, "decide")
    rebuilt = [step for step in plan.steps if step.kind == "rebuild_protection"]
    assert {step.store for step in rebuilt} >= {"orders", "sessions", "uploads"}
    assert all({"decide", "fence"} <= ancestors(plan, step.key) for step in rebuilt)
    assert {step.key for step in rebuilt} <= ancestors(plan, "rejoin")
    assert "rejoin" in ancestors(plan, "close-exposure")
    assert not any(step.kind in {"take_lease", "promote_database", "switch_routing"} for step in plan.steps)


def test_a_failback_goes_home_and_watches_the_error_rate(fast: Stack) -> None:
    plan = derive(*fast, mode=Mode.FAILBACK)
    assert (plan.source, plan.target) == ("us-west-2", "us-east-1")
    assert {"resynchronise/orders", "verify-copies", "stop-writes", "drain/orders"} <= ancestors(plan, "verify")
    watched = plan.by_key["watch-error-rate"]
    assert "verify" in watched.after
    assert "us-west-2 is a switchover" in (watched.no_undo or "")


def test_a_failback_that_leaves_no_copy_behind_says_that_nothing_goes_back(fast: Stack) -> None:
    config = american()
    keys = ["us-east-1-g1", "us-west-2-g1", "us-east-1-g2"]
    config["databases"] = [{"name": "orders", "mechanism": "replica", "generations": keys}]
    watched = derive(*designed(config), mode=Mode.FAILBACK).by_key["watch-error-rate"]
    assert watched.title.endswith("tell people: us-west-2 has no copy of orders to go back to")
    assert "no way back by itself" in (watched.no_undo or "")
    assert any("lifeboat rejoin STACK" in line for line in watched.by_hand)
    assert derive(*fast, mode=Mode.FAILBACK).by_key["watch-error-rate"].title.endswith("go back to us-west-2")


def test_a_plan_declares_what_is_asked_and_nothing_else(fast: Stack) -> None:
    for mode in Mode:
        plan = derive(*fast, mode=mode, lost={"us-east-1"} if mode is Mode.FAILOVER else ())
        assert not any(call.service == "http" for call in plan.by_key["fence"].calls)
        asked = {call.operation for call in plan.by_key["readiness"].calls}
        assert ("DescribeAutoScalingGroups" in asked) == ("scale-compute" in plan.by_key)


def test_a_failback_of_a_plain_replica_needs_its_next_generation(slow: Stack) -> None:
    with pytest.raises(PlanRefused, match="eu-central-1-g1 is the youngest") as refused:
        derive(*slow, mode=Mode.FAILBACK)
    assert len(refused.value.reasons) == 1
    config = american()
    keys = ["us-east-1-g1", "us-west-2-g1", "us-east-1-g2"]
    config["databases"] = [{"name": "orders", "mechanism": "replica", "generations": keys}]
    plan = derive(*designed(config), mode=Mode.FAILBACK)
    assert "us-east-1-g2" in plan.by_key["promote-database/orders"].title


def test_editing_records_is_refused_with_us_east_1_alone() -> None:
    config = american()
    # No switch by record meets a recovery time there, so none is asked for.
    config["objectives"] = {"stack": {"rpo": "15m"}, "failures": [{"failure": "zone", "rto": "24h"}]}
    config["routing"] = {"kind": "record", "waive_record": "A test of what is refused"}
    stack = designed(config)
    with pytest.raises(PlanRefused) as refused:
        derive(*stack, mode=Mode.FAILOVER, lost={"us-east-1"})
    assert refused.value.reasons == (
        (
            "switch-routing: route53 ListHostedZonesByName and ChangeResourceRecordSets and GetChange "
            "is sent to us-east-1, which is lost"
        ),
    )
    derive(*stack, mode=Mode.FAILOVER, lost={"us-west-2"})


def test_the_witness_is_needed_by_lease_and_switches(fast: Stack) -> None:
    with pytest.raises(PlanRefused) as refused:
        derive(*fast, mode=Mode.FAILOVER, lost={"us-east-1", "us-east-2"})
    steps = {reason.partition(":")[0] for reason in refused.value.reasons}
    assert {"fence", "take-lease", "switch-routing"} <= steps
    assert "promote-database/orders" not in steps


@pytest.mark.parametrize(
    ("asked", "field", "accepted"),
    [
        ({"lost": {"us-est-1"}}, "lost", "an AWS region, such as us-"),
        (
            {"lost": {"us-east-2"}},
            "lost",
            "a site, us-east-1 or us-west-2; without us-east-2, the witness, nobody moves",
        ),
        ({"lost": set()}, "lost", "a site, us-east-1 or us-west-2"),
        ({"lost": {"us-east-1"}, "source": "us-west-2"}, "source", "us-east-1, the site that is lost"),
        ({"lost": {"us-east-1"}, "target": "us-east-1"}, "source", "us-east-1, the site that is lost"),
        ({"mode": Mode.SWITCHOVER, "target": "eu-west-1"}, "target", "a site, us-east-1 or us-west-2"),
        ({"mode": Mode.SWITCHOVER, "source": "us-east-1", "target": "us-east-1"}, "target", "us-west-2, the site that"),
    ],
    ids=str,
)
def test_what_is_no_way_says_what_would_be(fast: Stack, asked: dict[str, Any], field: str, accepted: str) -> None:
    with pytest.raises(Unplannable) as told:
        derive(*fast, **{"mode": Mode.FAILOVER, **asked})
    assert told.value.field == field
    assert told.value.accepted.startswith(accepted)


def test_two_lost_sites_leave_nobody(fast: Stack) -> None:
    with pytest.raises(PlanRefused, match="no site is left"):
        derive(*fast, mode=Mode.FAILOVER, lost={"us-east-1", "us-west-2"})


def test_a_graceful_move_with_a_lost_site_is_refused(fast: Stack) -> None:
    with pytest.raises(PlanRefused, match=r"stop-writes: postgresql .* is sent to us-east-1, which is lost"):
        derive(*fast, mode=Mode.SWITCHOVER, lost={"us-east-1"})


def test_every_module_of_steps_is_a_kind() -> None:
    names = {module.name for module in pkgutil.iter_modules(kinds_package.__path__)}
    assert {kind.name for kind in kinds()} == names


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((a_step("a"), a_step("a")), "a: two steps have this key"),
        ((a_step("a", "b"),), "a: comes after 'b', which is neither a step nor a kind"),
        ((a_step("a", "b"), a_step("b", "a")), "steps wait for each other"),
        ((a_step("a", "verify"),), "steps wait for each other"),
    ],
)
def test_a_graph_that_cannot_be_followed_is_a_bug(steps: tuple[PlanStep, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        arranged(steps)


def test_a_kind_stands_for_all_its_steps_and_for_none() -> None:
    found = arranged(
        (
            a_step("last", "fence", "drain", kind="notify"),
            a_step("fence/a", kind="fence"),
            a_step("fence/b", kind="fence"),
        )
    )
    assert [step.key for step in found] == ["fence/a", "fence/b", "last"]
    assert found[-1].after == {"fence/a", "fence/b"}


@pytest.mark.parametrize("other", [{"undo": "x", "no_undo": "y"}, {"undo": None}])
def test_a_step_tells_its_way_back_or_why_there_is_none(other: dict[str, str | None]) -> None:
    with pytest.raises(ValueError, match="either how it is undone or why it cannot be"):
        a_step("a", **other)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_every_step_has_a_deadline(timeout: float) -> None:
    with pytest.raises(ValueError, match="a deadline is a positive number"):
        a_step("a", timeout=timeout)


def a_call(
    service: str, region: str, plane: Plane = Plane.CONTROL, *, best_effort: bool = False, quorum: Quorum = frozenset()
) -> Call:
    return Call(service=service, operation="Do", region=region, plane=plane, best_effort=best_effort, quorum=quorum)


HOME = frozenset({"us-east-1"})
FIVE = frozenset(ROUTING_CONTROL_REGIONS)


@pytest.mark.parametrize(
    ("call", "lost", "why"),
    [
        (a_call("rds", "us-west-2"), HOME, None),
        (a_call("rds", "us-east-1"), HOME, "is sent to us-east-1"),
        (a_call("rds", "us-east-1", best_effort=True), HOME, None),
        (a_call("iam", "us-west-2"), HOME, "control plane in us-east-1"),
        (a_call("cloudfront", "us-west-2"), HOME, "control plane in us-east-1"),
        (a_call("organizations", "us-west-2"), HOME, "control plane in us-east-1"),
        (a_call("route53", "us-west-2", Plane.DATA), HOME, None),
        (
            a_call("route53-recovery-control-config", "us-east-1"),
            frozenset({"us-west-2"}),
            "control plane in us-west-2",
        ),
        (a_call("route53-recovery-cluster", "us-west-2", Plane.DATA, quorum=FIVE), HOME, None),
        (
            a_call("route53-recovery-cluster", "us-west-2", Plane.DATA, quorum=FIVE),
            frozenset({"us-east-1", "eu-west-1", "ap-southeast-2"}),
            "more than half of 5 regions",
        ),
        (
            a_call("dynamodb", "us-west-2", Plane.DATA, quorum=frozenset({"us-east-1", "us-west-2", "us-east-2"})),
            HOME,
            None,
        ),
    ],
)
def test_what_stands_in_a_calls_way(call: Call, lost: frozenset[str], why: str | None) -> None:
    found = obstacle(call, lost)
    assert found is None if why is None else why in str(found)


def test_the_nearest_endpoint_of_the_routing_controls_that_stands() -> None:
    assert nearest_routing_endpoint(("us-west-2", "us-east-2"), HOME) == "us-west-2"
    assert nearest_routing_endpoint(("eu-central-1",), HOME) == "us-west-2"
    assert nearest_routing_endpoint(("us-west-2",), frozenset({"us-west-2"})) == "us-east-1"
    assert nearest_routing_endpoint((), FIVE) == "us-east-1"


def test_a_routing_control_is_asked_where_it_stands() -> None:
    config = american()
    config["routing"] = {"kind": "routing-control"}
    plan = derive(*designed(config), mode=Mode.FAILOVER, lost={"us-east-1"})
    calls = [call for call in plan.by_key["switch-routing"].calls if call.service == "route53-recovery-cluster"]
    assert [call.region for call in calls] == ["us-west-2"]


def test_backups_are_restored_under_a_name_that_is_free() -> None:
    config = american()
    config["objectives"] = {"stack": {"rto": "24h", "rpo": "7d"}}
    config["databases"] = [{"name": "orders", "mechanism": "backups"}]
    config["caches"], config["strategy"] = [{"name": "pages"}], "backup-and-restore"
    stack = designed(config)
    away = derive(*stack, mode=Mode.FAILOVER, lost={"us-east-1"})
    assert "orders-us-west-2-g1" in away.by_key["promote-database/orders"].title
    assert away.by_key["promote-cache/pages"].calls[0].operation == "CreateReplicationGroup"
    # Nobody here makes it, so nobody here takes it back.
    assert away.by_key["scale-compute"].calls == ()
    assert "theirs to delete" in (away.by_key["scale-compute"].no_undo or "")
    home = derive(*stack, mode=Mode.FAILBACK)
    assert "orders-us-east-1-g2" in home.by_key["promote-database/orders"].title
    assert "CopyDBSnapshot" in {call.operation for call in home.by_key["drain/orders"].calls}


def test_the_lease_of_regions_without_a_strong_table_is_an_object_in_the_witness(slow: Stack) -> None:
    settings, topology = slow
    other = dataclasses.replace(topology, lease=LeaseStore.WITNESS_OBJECT)
    plan = derive(settings, other, mode=Mode.FAILOVER, lost={"eu-west-1"})
    calls = plan.by_key["take-lease"].calls
    assert {(call.service, call.region) for call in calls if "Object" in call.operation} == {("s3", "eu-west-2")}
    assert not any(call.service == "dynamodb" for call in calls)
    assert any("--if-match" in line for line in plan.by_key["take-lease"].by_hand)


def test_what_the_stack_declares_replaces_estimates_of_a_failover_alone(slow: Stack) -> None:
    away = derive(*slow, mode=Mode.FAILOVER, lost={"eu-west-1"})
    assert [away.by_key[key].timing.p95 for key in ("confirm-outage", "decide", "verify", "notify/ended")] == [
        300,
        300,
        600,
        300,
    ]
    assert away.by_key["notify/ended"].stage is Stage.COMMUNICATE
    planned = derive(*slow, mode=Mode.SWITCHOVER)
    assert planned.by_key["verify"].timing == TIMINGS[Step.VERIFICATION]
    assert planned.by_key["notify/ended"].stage is Stage.AFTERWARDS
