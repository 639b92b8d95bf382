"""Decisions: the cheapest that meets every objective, each with its reason; or a refusal with the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.model.design import LeaseStore, Quantity
from lifeboat.model.settings.load import load
from lifeboat.model.settings.sites import Nat, RoutingKind
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism, ObjectMechanism
from lifeboat.model.topology import Refused, resolve
from tests.unit.model.declarations import DROP, changed, decision

if TYPE_CHECKING:
    from lifeboat.model.design import Topology


def resolved(*changes: tuple[str, Any]) -> Topology:
    return resolve(load(changed(*changes)))


def refusal(*changes: tuple[str, Any]) -> tuple[str, ...]:
    with pytest.raises(Refused) as caught:
        resolved(*changes)
    assert str(caught.value) == "\n".join(caught.value.reasons)
    assert all("\n" not in reason for reason in caught.value.reasons)
    return caught.value.reasons


BARE: tuple[tuple[str, Any], ...] = (
    ("databases", []),
    ("caches", []),
    ("object_stores", []),
    ("objectives.stack.rpo", DROP),
)
"""Nothing that holds data."""


def test_daily_backups_are_refused_with_their_arithmetic() -> None:
    (reason,) = refusal(("databases.0.mechanism", "backups"), ("objectives.stack.rpo", "5m"), ("object_stores", []))
    assert reason == (
        "lifeboat:databases[0].mechanism: backups: RPO 5m of objectives.stack cannot be met by daily backups: "
        "worst loss 24h05m (interval 24h + copy 5m)"
    )


@pytest.mark.parametrize(
    ("rpo", "mechanism"),
    [
        ("25h", DatabaseMechanism.BACKUPS),
        ("24h", DatabaseMechanism.REPLICATED_BACKUPS),
        ("10m", DatabaseMechanism.REPLICATED_BACKUPS),
        ("9m", DatabaseMechanism.REPLICA),
        ("5m", DatabaseMechanism.REPLICA),
        ("4m", DatabaseMechanism.AURORA_GLOBAL),
        ("20s", DatabaseMechanism.AURORA_GLOBAL),
        ("10s", DatabaseMechanism.AURORA_GLOBAL),
    ],
)
def test_a_database_takes_the_cheapest_that_loses_little_enough(rpo: str, mechanism: DatabaseMechanism) -> None:
    (database,) = resolved(
        ("databases.0.rpo", rpo), ("objectives.stack.rto", "4h"), ("objectives.services.0.rto", "4h")
    ).databases
    assert database.mechanism is mechanism


def test_daily_backups_are_passed_over_where_their_vault_could_not_be_named() -> None:
    long = (("environment", "acceptance"), ("databases.0", {"name": "ledger-of-all-purchases", "rpo": "25h"}))
    topology = resolved(*long, ("objectives.stack.rto", "4h"))
    assert topology.databases[0].mechanism is DatabaseMechanism.REPLICATED_BACKUPS
    (rejected,) = decision(topology, "database ledger-of-all-purchases").rejected
    assert rejected.why == (
        "daily backups is not possible: the backup vault shop-acceptance-ledger-of-all-purchases-eu-central-1 "
        "would have 52 characters, AWS takes 50"
    )


def test_daily_backups_are_not_sure_enough_for_strict() -> None:
    declared = {"detect": "5m", "decide": "0s", "recover": "3h", "verify": "10m"}
    strict: tuple[tuple[str, Any], ...] = (
        ("objectives.strict", True),
        ("objectives.stack", {"rto": "4h", "rpo": "25h", "phases": declared}),
        ("objectives.services", []),
        ("databases.0", {"name": "ledger", "mechanism": "backups"}),
        ("caches", []),
        ("object_stores", []),
    )
    (reason,) = refusal(*strict)
    assert reason.endswith("worst loss 24h05m (interval 24h + copy 5m) is typical; strict needs enforced or documented")


def test_aurora_enforces_what_is_demanded_where_it_can() -> None:
    assert resolved(("databases.0.rpo", "20s")).databases[0].global_rpo == 20
    assert resolved(("databases.0.rpo", "19s")).databases[0].global_rpo is None


def test_strict_wants_a_sure_bound() -> None:
    declared = {"detect": "5m", "decide": "0s", "recover": "30m", "verify": "10m"}
    strict = (("objectives.strict", True), ("objectives.stack.phases", declared), ("caches", []))
    (database,) = resolved(*strict).databases
    assert database.mechanism is DatabaseMechanism.AURORA_GLOBAL
    (reason,) = refusal(*strict, ("databases.0.mechanism", "replica"))
    assert "a plain replica: worst loss 5m (lag by heartbeat, alarm at 5m) is alarmed; strict needs" in reason


def test_strict_refuses_an_estimate_and_says_what_would_do() -> None:
    reasons = refusal(("objectives.strict", True))
    assert any(
        reason.startswith("lifeboat:objectives.stack.rto: 1h") and "or declared phases" in reason for reason in reasons
    )


@pytest.mark.parametrize(
    ("rpo", "mechanism"),
    [
        ("4h", ObjectMechanism.REPLICATION),
        ("239m", ObjectMechanism.TIME_CONTROL),
        ("15m", ObjectMechanism.TIME_CONTROL),
    ],
)
def test_objects_take_time_control_below_four_hours(rpo: str, mechanism: ObjectMechanism) -> None:
    (store,) = resolved(("object_stores.0.rpo", rpo)).object_stores
    assert store.mechanism is mechanism


def test_objects_cannot_be_had_below_a_quarter_of_an_hour() -> None:
    (reason,) = refusal(("object_stores.0.rpo", "14m"))
    assert reason.startswith("lifeboat:object_stores[0].mechanism: auto: no mechanism meets every objective")
    assert "replication with time control: worst loss 15m (replication time control 15m, SLA 99.9 %)" in reason


def test_a_cache_that_is_kept_is_replicated() -> None:
    kept = (("caches.0.rebuildable", False), ("caches.0.rpo", "1m"))
    assert resolved(*kept).caches[0].mechanism is CacheMechanism.GLOBAL_DATASTORE
    (reason,) = refusal(*kept, ("caches.0.node_type", "cache.t4g.small"))
    assert "Global Datastore is not possible: it would need a node type such as cache.r6g.large" in reason


def test_a_stores_own_rpo_replaces_its_scopes() -> None:
    topology = resolved(("databases.0.rpo", "1h"))
    rpos = [v.demand for v in decision(topology, "database ledger").verdicts if v.demand.quantity is Quantity.RPO]
    assert [(demand.scope, demand.seconds) for demand in rpos] == [("databases.ledger", 3600)]


def test_a_service_binds_only_the_stores_that_serve_it() -> None:
    topology = resolved(
        ("objectives.services.1.rto", "1h"), ("objectives.services.1.rpo", "5m"), ("caches.0.rebuildable", False)
    )
    scopes = {v.demand.scope for v in decision(topology, "database ledger").verdicts}
    assert "objectives.services.pages" not in scopes
    assert "objectives.services.orders" in scopes


@pytest.mark.parametrize(("rto", "kind"), [("5m", RoutingKind.ALARM), ("299s", RoutingKind.ROUTING_CONTROL)])
def test_below_five_minutes_a_routing_control_switches(rto: str, kind: RoutingKind) -> None:
    topology = resolved(
        *BARE,
        ("objectives", {"stack": {"rto": rto, "phases": {"verify": "0s"}}}),
        ("lease", {"ttl": "30s", "confirm_for": "10s"}),
    )
    assert topology.routing is kind
    rejected = decision(topology, "routing").rejected
    assert [item.mechanism for item in rejected] == ([] if kind is RoutingKind.ALARM else [RoutingKind.ALARM])


def test_a_routing_control_is_taken_where_an_alarm_is_too_slow() -> None:
    topology = resolved(
        *BARE,
        ("objectives", {"stack": {"rto": "5m", "phases": {"verify": "2m"}}}),
        ("lease", {"ttl": "30s", "confirm_for": "10s"}),
    )
    assert topology.routing is RoutingKind.ROUTING_CONTROL
    assert "switch by alarm 2m" in decision(topology, "routing").rejected[0].why


def test_a_declared_recovery_is_a_limit_even_where_the_sum_is_in_time() -> None:
    declared = (("objectives.stack", {"rto": "4h", "rpo": "15m", "phases": {"recover": "15m"}}),)
    assert resolved(*declared).databases[0].mechanism is DatabaseMechanism.AURORA_GLOBAL
    reasons = refusal(*declared, ("databases.0.mechanism", "replica"), ("strategy", "pilot-light"))
    said = "by projected p95 (conservative estimate 32m25s: lease expiry 65s + promotion of the replica 15m"
    assert any(said in reason and reason.endswith("declared is 15m") for reason in reasons)


def test_record_edits_never_count_where_us_east_1_may_be_lost() -> None:
    waived = {"kind": "record", "waive_record": "the zone is another team's"}
    assert resolved(("routing", waived)).routing is RoutingKind.RECORD
    reasons = refusal(("routing", waived), ("home", "us-east-1"), ("sites.0.region", "us-east-1"))
    assert any("switch by record unbounded" in reason for reason in reasons)


def test_without_a_zone_nothing_is_switched() -> None:
    topology = resolved(("dns", DROP))
    assert topology.routing is None
    assert "DNS" not in topology.rto.arithmetic


def test_a_lineage_is_kept_as_it_is_written() -> None:
    lineage = ["eu-west-1-g1", "eu-central-1-g1", "eu-west-1-g2"]
    (database,) = resolved(("databases.0.generations", lineage)).databases
    assert [(i.key, i.source) for i in database.instances] == list(zip(lineage, [None, *lineage[:2]], strict=True))
    assert database.mechanism is DatabaseMechanism.REPLICA


def test_a_lineage_rules_out_what_is_no_replica() -> None:
    (reason,) = refusal(("databases.0.generations", ["eu-west-1-g1", "eu-central-1-g1"]), ("databases.0.rpo", "1m"))
    assert "Aurora Global is not possible: its generations are those of a plain replica" in reason


def test_what_spans_the_regions_is_adopted_by_what_spans_them() -> None:
    topology = resolved(("databases.0.import", {"global": "old"}), ("caches.0.import", {"global": "ldgnf-old"}))
    assert topology.databases[0].mechanism is DatabaseMechanism.AURORA_GLOBAL
    assert topology.caches[0].mechanism is CacheMechanism.GLOBAL_DATASTORE


def test_the_lease_falls_back_where_no_strong_table_spans() -> None:
    assert resolved(("witness", "eu-north-1")).lease is LeaseStore.WITNESS_OBJECT


def test_home_comes_first_however_the_sites_are_listed() -> None:
    topology = resolved(("home", "eu-central-1"))
    assert [site.region for site in topology.sites] == ["eu-central-1", "eu-west-1"]
    assert topology.home.home
    assert not topology.standby.home


@pytest.mark.parametrize(("availability", "nat"), [(99.9, Nat.SHARED), (99.95, Nat.PER_ZONE), (99.99, Nat.PER_ZONE)])
def test_a_months_budget_decides_the_gateways(availability: float, nat: Nat) -> None:
    assert resolved(("objectives.stack.availability", availability), ("objectives.stack.rto", DROP)).nat is nat


def test_a_shared_gateway_is_refused_with_its_arithmetic() -> None:
    (reason,) = refusal(("objectives.stack.availability", 99.95), ("network.nat", "shared"))
    assert reason.startswith("lifeboat:network.nat: shared: RTO 21m36s of objectives.stack.availability cannot be met")
    assert "35m" in reason


def test_an_availability_no_failover_keeps_is_refused() -> None:
    reasons = refusal(("objectives.stack.availability", 99.999))
    assert any(reason.startswith("lifeboat:objectives.stack.availability: 99.999: RTO 26s") for reason in reasons)


def test_failures_within_the_region_have_answers_of_their_own() -> None:
    failures = [
        {"failure": "database", "rto": "30m", "rpo": "1h"},
        {"failure": "application", "rto": "5m"},
        {"failure": "system", "rto": "4h", "rpo": "24h"},
        {"failure": "corruption", "rto": "2h", "rpo": "1h"},
    ]
    topology = resolved(("objectives.failures", failures))
    assert decision(topology, "application failure").mechanism == "health checks and replacement"
    assert decision(topology, "corruption failure").mechanism == "restore to a point in time"
    assert {v.demand.scope for v in decision(topology, "database failure").verdicts} == {"objectives.failures.database"}
    assert "objectives.failures.system" in {v.demand.scope for v in decision(topology, "strategy").verdicts}


def test_a_platform_that_states_availability_alone_gets_its_times_from_the_budgets() -> None:
    topology = resolved(
        (
            "objectives",
            {"stack": {"availability": 99.9, "rpo": "15m"}, "services": [{"name": "payment", "availability": 99.99}]},
        ),
        ("databases.0.services", ["payment"]),
        ("caches.0.services", []),
    )
    # 0.01 % of a year.
    assert topology.demanded_rto == pytest.approx(3153.6)


def test_what_a_chosen_mechanism_explains_is_blamed_on_nothing_else() -> None:
    chosen: tuple[tuple[str, Any], ...] = (
        ("databases.0.mechanism", "replicated-backups"),
        ("objectives.stack", {"rto": "15m", "rpo": "5m", "availability": 99.99}),
        ("objectives.services.0.rto", "15m"),
        ("objectives.failures", [{"failure": "system", "rto": "20m"}]),
        ("object_stores", []),
    )
    (reason,) = refusal(*chosen)
    assert reason.startswith("lifeboat:databases[0].mechanism: replicated-backups: RPO 5m of objectives.stack")


def test_what_a_chosen_mechanism_does_not_explain_is_reported_beside_it() -> None:
    chosen = (("databases.0.mechanism", "replicated-backups"), ("objectives.stack", {"rto": "3m", "rpo": "5m"}))
    reasons = refusal(*chosen, ("caches", []))
    assert any(reason.startswith("lifeboat:objectives.stack.rto: 3m:") for reason in reasons)


def test_a_chosen_strategy_is_refused_with_what_it_lacks() -> None:
    reasons = refusal(("strategy", "backup-and-restore"), ("databases.0.mechanism", "replica"))
    assert reasons[0] == (
        "lifeboat:databases[0].mechanism: replica: a plain replica is not possible: "
        "under backup-and-restore nothing runs in the other site"
    )


def test_every_refusal_is_given_at_once() -> None:
    reasons = refusal(
        ("databases.0.rpo", "5s"),
        ("object_stores.0.rpo", "5s"),
        ("network.nat", "shared"),
        ("objectives.stack.availability", 99.99),
    )
    keys = {reason.split(": ")[0] for reason in reasons}
    assert {"lifeboat:databases[0].mechanism", "lifeboat:object_stores[0].mechanism", "lifeboat:network.nat"} <= keys
