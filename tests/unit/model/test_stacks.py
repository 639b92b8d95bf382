"""The two stacks in the repository come out as their systems need them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from lifeboat.model.design import BoundClass, LeaseStore
from lifeboat.model.plan.derivation import derive
from lifeboat.model.plan.graph import Mode
from lifeboat.model.projection import project
from lifeboat.model.settings.load import from_stack_file, load
from lifeboat.model.settings.sites import Nat, RoutingKind, Strategy
from lifeboat.model.settings.stores import CacheMechanism, DatabaseMechanism, ObjectMechanism
from lifeboat.model.topology import Refused, resolve
from tests.unit.model.declarations import decision

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.model.design import Topology


# ReskFlow: fifteen minutes rule out waiting for a person and promoting a plain replica.


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "Pulumi.reskflow.yaml").read_text()


@pytest.fixture(scope="module")
def reskflow(text: str) -> Topology:
    return resolve(from_stack_file(text))


def test_reskflows_mechanisms(reskflow: Topology) -> None:
    assert reskflow.strategy is Strategy.WARM_STANDBY
    assert reskflow.routing is RoutingKind.ALARM
    assert reskflow.nat is Nat.PER_ZONE
    assert reskflow.lease is LeaseStore.STRONG_TABLE
    assert [database.mechanism for database in reskflow.databases] == [DatabaseMechanism.AURORA_GLOBAL]
    assert [cache.mechanism for cache in reskflow.caches] == [CacheMechanism.GLOBAL_DATASTORE]
    assert {store.settings.name: store.mechanism for store in reskflow.object_stores} == {
        "uploads": ObjectMechanism.TIME_CONTROL,
        "logs": ObjectMechanism.REPLICATION,
        "config": ObjectMechanism.TIME_CONTROL,
        "blockchain": ObjectMechanism.TIME_CONTROL,
        "backups": ObjectMechanism.REPLICATION,
    }


def test_reskflows_sites(reskflow: Topology) -> None:
    assert [site.region for site in reskflow.sites] == ["us-east-1", "us-west-2"]
    assert reskflow.home.zones == ("us-east-1a", "us-east-1b", "us-east-1c")
    assert reskflow.witness == "us-east-2"


def test_what_it_can_lose_is_enforced(reskflow: Topology) -> None:
    (database,) = reskflow.databases
    assert database.global_rpo == 300
    assert reskflow.rpo is not None
    assert (reskflow.rpo.seconds, reskflow.rpo.klass) == (300, BoundClass.ENFORCED)
    assert not database.replicate_backups
    assert database.instances == ()


def projected(text: str, topology: Topology) -> float:
    plan = derive(from_stack_file(text), topology, mode=Mode.FAILOVER, lost={topology.home.region})
    return project(plan).p95


def test_it_recovers_in_time_by_the_projection_of_its_plan(text: str, reskflow: Topology) -> None:
    # Five buckets are two mechanisms, drawn together, and hardly ever what is waited for.
    assert reskflow.rto.seconds == pytest.approx(projected(text, reskflow), rel=0.002)
    assert reskflow.rto.seconds <= reskflow.demanded_rto == 900
    assert reskflow.rto.klass is BoundClass.TYPICAL


def test_the_sum_of_its_phases_stands_beside_it_and_would_be_too_long(reskflow: Topology) -> None:
    summed = reskflow.rto.conservative
    assert summed is not None
    # 45 s to see it + 60 to confirm, 60 + 5 lease, 300 Aurora, 180 nodes, 120 switch, 60 TTL, 120 verification.
    assert summed.seconds == 105 + 65 + 300 + 180 + 120 + 60 + 120 > reskflow.demanded_rto


def test_an_evacuation_rules_out_nodes_from_zero(reskflow: Topology) -> None:
    why = {rejected.mechanism: rejected.why for rejected in decision(reskflow, "strategy").rejected}
    assert "RTO 15m of objectives.stack cannot be met by Aurora Global: projected p95 19m" in why["pilot-light"]
    assert "scale-compute adds most; conservative estimate 27m50s" in why["pilot-light"]
    assert "compute from zero 15m" in why["pilot-light"]


def test_a_plain_replica_is_ruled_out_by_its_promotion(reskflow: Topology) -> None:
    why = {rejected.mechanism: rejected.why for rejected in decision(reskflow, "database orders").rejected}
    assert "promotion of the replica 15m" in why["replica"]
    assert "projected p95 19m" in why["replica"]
    assert "conservative estimate 25m50s: detect 105s" in why["replica"]


def test_a_plain_replica_is_refused_when_it_is_chosen(text: str) -> None:
    chosen = text.replace("- name: orders\n", "- name: orders\n      mechanism: replica\n", 1)
    with pytest.raises(Refused, match=r"lifeboat:databases\[0\]\.mechanism: replica: RTO 15m .* by a plain replica"):
        resolve(from_stack_file(chosen))


def test_a_person_is_refused_and_the_way_out_named(text: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve(from_stack_file(text.replace("approval: automatic", "approval: one")))
    (reason,) = (line for line in caught.value.reasons if line.startswith("lifeboat:objectives.stack.rto: 15m:"))
    assert "a person decides 30m" in reason
    assert re.search(r"; approval automatic would make it a projected p95 of 8m\d\ds$", reason)


# Prod: an hour, a quarter of an hour, and a person who is given five minutes; the cheaper mechanisms will do.


@pytest.fixture(scope="module")
def prod(root: Path) -> Topology:
    return resolve(from_stack_file((root / "Pulumi.prod.yaml").read_text()))


def test_prods_mechanisms(prod: Topology) -> None:
    assert prod.strategy is Strategy.PILOT_LIGHT
    assert prod.nat is Nat.SHARED
    assert [database.mechanism for database in prod.databases] == [DatabaseMechanism.REPLICA]
    assert [cache.mechanism for cache in prod.caches] == [CacheMechanism.REBUILD]


def test_prods_instances(prod: Topology) -> None:
    (database,) = prod.databases
    assert [(instance.key, instance.region, instance.source) for instance in database.instances] == [
        ("eu-west-1-g1", "eu-west-1", None),
        ("eu-central-1-g1", "eu-central-1", "eu-west-1-g1"),
    ]
    assert database.replicate_backups


def test_declared_phases_are_what_is_counted(prod: Topology) -> None:
    assert prod.rto.seconds == 55 * 60
    assert prod.rto.arithmetic == "p50 55m, recover (declared) adds most"
    assert prod.rto.klass is BoundClass.DOCUMENTED


def test_a_sum_beyond_the_declared_recovery_is_shown_and_does_not_rule_it_out(prod: Topology) -> None:
    summed = prod.rto.conservative
    assert summed is not None
    assert summed.seconds == 300 + 300 + (65 + 900 + 900 + 120 + 60) + 600 + 300
    assert "compute from zero 15m" in summed.arithmetic


def test_restoring_backups_exceeds_the_declared_recovery(prod: Topology) -> None:
    why = {rejected.mechanism: rejected.why for rejected in decision(prod, "database catalog").rejected}
    assert "RPO 15m of objectives.stack cannot be met by daily backups: worst loss 24h05m" in why["backups"]
    assert "recovering takes 40m" in why["replicated-backups"]
    assert "by projected p95 (conservative estimate 57m25s: lease expiry 65s + restore" in why["replicated-backups"]
    assert "declared is 30m" in why["replicated-backups"]


@pytest.mark.parametrize("stack", ["reskflow", "prod"])
def test_a_declaration_written_as_json_is_the_same_declaration(root: Path, stack: str) -> None:
    settings = from_stack_file((root / f"Pulumi.{stack}.yaml").read_text())
    again = load(json.loads(settings.document()))
    by_region = tuple(sorted(settings.sites, key=lambda site: site.region))
    assert again == settings.model_copy(update={"sites": by_region})
    assert again.document() == settings.document()
