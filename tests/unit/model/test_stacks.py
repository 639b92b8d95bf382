"""The two stacks in the repository come out as their systems need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifeboat.model.design import BoundClass, LeaseStore
from lifeboat.model.settings.load import from_stack_file
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


def test_it_recovers_in_time_by_the_sum_of_its_phases(reskflow: Topology) -> None:
    # 45 s to see it + 60 to confirm, 60 + 5 lease, 300 Aurora, 90 nodes, 120 switch, 60 TTL, 120 verification.
    assert reskflow.rto.seconds == 105 + 65 + 300 + 90 + 120 + 60 + 120
    assert reskflow.rto.seconds <= reskflow.demanded_rto == 900
    assert reskflow.rto.klass is BoundClass.TYPICAL


def test_a_plain_replica_is_ruled_out_by_its_promotion(reskflow: Topology) -> None:
    why = {rejected.mechanism: rejected.why for rejected in decision(reskflow, "database orders").rejected}
    assert "promotion of the replica 15m" in why["replica"]
    assert "conservative estimate 24m20s" in why["replica"]


def test_a_plain_replica_is_refused_when_it_is_chosen(text: str) -> None:
    chosen = text.replace("- name: orders\n", "- name: orders\n      mechanism: replica\n", 1)
    with pytest.raises(Refused, match=r"lifeboat:databases\[0\]\.mechanism: replica: RTO 15m .* by a plain replica"):
        resolve(from_stack_file(chosen))


def test_a_person_is_refused_and_the_way_out_named(text: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve(from_stack_file(text.replace("approval: automatic", "approval: one")))
    (reason,) = (line for line in caught.value.reasons if line.startswith("lifeboat:objectives.stack.rto: 15m:"))
    assert "a person decides 30m" in reason
    assert reason.endswith("; approval automatic would make it 11m10s")


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
    assert "recover (declared; 24m05s estimated) 30m" in prod.rto.arithmetic


def test_restoring_backups_exceeds_the_declared_recovery(prod: Topology) -> None:
    why = {rejected.mechanism: rejected.why for rejected in decision(prod, "database catalog").rejected}
    assert "RPO 15m of objectives.stack cannot be met by daily backups: worst loss 24h05m" in why["backups"]
    assert "recovering takes 47m25s" in why["replicated-backups"]
    assert "declared is 30m" in why["replicated-backups"]
