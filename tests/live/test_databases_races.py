"""Databases whose API is called, and that are broken, while something else is under way."""

from __future__ import annotations

from tests.live.databases import EAST, WEST, Cloud, cloud, fill, numbers
from tests.live.test_databases import EAST_G1

__all__ = ["cloud"]


def test_one_made_anew_under_its_name_at_once_is_empty(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    cloud.rds(EAST).delete_db_instance(DBInstanceIdentifier="orders-g1", SkipFinalSnapshot=True)
    cloud.instance()
    cloud.settle()
    assert numbers(cloud.login(EAST_G1)) == []


def test_a_fault_ends_although_its_server_is_gone_for_good(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    cloud.databases.hold(EAST_G1)
    cloud.rds(EAST).delete_db_instance(DBInstanceIdentifier="orders-g1", SkipFinalSnapshot=True)
    cloud.settle()
    cloud.databases.release(EAST_G1)
    cloud.databases.thaw(EAST_G1)
    assert cloud.roles() == {}


def test_a_promotion_asked_for_during_a_look_is_begun_once(cloud: Cloud) -> None:
    cloud.instance()
    cloud.replica()
    cloud.settle()
    cloud.effects.durations["promote-rds-replica"] = 3600.0
    # A look at a replica asks for its way to its source.
    cloud.links.on_open = lambda: cloud.rds(WEST).promote_read_replica(DBInstanceIdentifier="orders-g1")
    cloud.databases.reconcile()
    cloud.links.on_open = None
    cloud.databases.reconcile()
    assert cloud.instance_status(WEST) == "modifying"
    assert cloud.effects.asked.count("promote-rds-replica") == 1
