"""RDS: what is noted for real databases. No answer shows most of it, so that moto is asked in this process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.backends import get_backend

from lifeboat.sandbox.patches.rds_live import (
    Origin,
    Restart,
    backup_name,
    copied,
    hold_status,
    may_lose_data,
    origin,
    resource_of,
    restart,
)
from tests.live.farm import patch_moto

if TYPE_CHECKING:
    from collections.abc import Iterator

EAST, WEST, ACCOUNT = "us-east-1", "us-west-2", "123456789012"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OWNER = {"MasterUsername": "owner", "MasterUserPassword": "correct horse"}
Client: TypeAlias = Any
Moto: TypeAlias = Any


@pytest.fixture(autouse=True)
def patched() -> Iterator[None]:
    patch_moto()
    with mock_aws():
        yield


def rds(region: str = EAST) -> Client:
    return boto3.client("rds", region_name=region, aws_access_key_id="a", aws_secret_access_key="b")


def backend(region: str = EAST) -> Moto:
    return get_backend("rds")[ACCOUNT][region]


def instance() -> Moto:
    names = {"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.m6g.large", "Engine": "postgres"}
    rds().create_db_instance(**names, AllocatedStorage=20, **OWNER)
    return backend().databases["orders"]


def cluster(region: str = EAST, identifier: str = "shop", instances: int = 1, **more: str) -> Moto:
    rds(region).create_db_cluster(DBClusterIdentifier=identifier, Engine="aurora-postgresql", **more)
    for number in range(instances):
        rds(region).create_db_instance(
            DBInstanceIdentifier=f"{identifier}-{number}",
            DBClusterIdentifier=identifier,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
        )
    return backend(region).clusters[identifier]


def global_cluster() -> tuple[Moto, Moto, Moto]:
    """The global cluster, its writer and its secondary."""
    rds().create_global_cluster(GlobalClusterIdentifier="all", Engine="aurora-postgresql")
    writer = cluster(GlobalClusterIdentifier="all", **OWNER)
    secondary = cluster(WEST, "shop-west", GlobalClusterIdentifier="all")
    return backend().global_clusters["all"], writer, secondary


def test_status_is_held_until_it_is_let_go() -> None:
    shop = cluster(**OWNER)
    hold_status(shop, "creating")
    statuses = [rds().describe_db_clusters()["DBClusters"][0]["Status"] for _ in range(2)]
    hold_status(shop, None)
    statuses.append(rds().describe_db_clusters()["DBClusters"][0]["Status"])
    assert statuses == ["creating", "creating", "available"]


def test_create_db_cluster_keeps_the_password_of_a_global_clusters_members() -> None:
    _, writer, secondary = global_cluster()
    assert {vars(member)["_master_user_password"] for member in (writer, secondary)} == {"correct horse"}


def test_restore_db_instance_from_db_snapshot() -> None:
    instance()
    rds().create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="before")
    rds().restore_db_instance_from_db_snapshot(DBInstanceIdentifier="restored", DBSnapshotIdentifier="before")
    name = backup_name(backend().database_snapshots["before"])
    assert origin(backend().databases["restored"]) == Origin(backup=name)
    assert origin(backend().databases["orders"]) is None


def test_restore_db_cluster_from_snapshot_stands_alone() -> None:
    group, writer, secondary = global_cluster()
    rds().create_db_cluster_snapshot(DBClusterIdentifier="shop", DBClusterSnapshotIdentifier="before")
    rds().restore_db_cluster_from_snapshot(
        DBClusterIdentifier="restored", SnapshotIdentifier="before", Engine="aurora-postgresql"
    )
    restored = backend().clusters["restored"]
    assert origin(restored) == Origin(backup=backup_name(backend().cluster_snapshots["before"]))
    assert group.members == [writer, secondary]
    assert restored.global_cluster_identifier is None


def test_restore_db_instance_to_point_in_time() -> None:
    source = instance()
    names = {"SourceDBInstanceIdentifier": "orders", "TargetDBInstanceIdentifier": "restored"}
    rds().restore_db_instance_to_point_in_time(**names, RestoreTime=MOMENT)
    found = origin(backend().databases["restored"])
    assert found is not None
    assert (found.database, found.resource) == (source.arn, resource_of(source))
    assert found.until is not None
    assert found.until.replace(tzinfo=UTC) == MOMENT


def test_restore_db_cluster_to_point_in_time() -> None:
    source = cluster(**OWNER)
    rds().restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="restored", SourceDBClusterIdentifier="shop", RestoreToTime=MOMENT
    )
    found = origin(backend().clusters["restored"])
    assert found is not None
    assert (found.database, found.resource) == (source.arn, resource_of(source))
    assert found.until is not None
    assert found.until.replace(tzinfo=UTC) == MOMENT


def test_copy_db_snapshot() -> None:
    instance()
    rds().create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="before")
    rds().copy_db_snapshot(SourceDBSnapshotIdentifier="before", TargetDBSnapshotIdentifier="copy")
    snapshots = backend().database_snapshots
    assert copied(snapshots["copy"]) == backup_name(snapshots["before"])
    assert copied(snapshots["before"]) is None


def test_copy_db_cluster_snapshot() -> None:
    cluster(**OWNER)
    rds().create_db_cluster_snapshot(DBClusterIdentifier="shop", DBClusterSnapshotIdentifier="before")
    rds().copy_db_cluster_snapshot(SourceDBClusterSnapshotIdentifier="before", TargetDBClusterSnapshotIdentifier="copy")
    snapshots = backend().cluster_snapshots
    assert copied(snapshots["copy"]) == backup_name(snapshots["before"])


def test_reboot_db_instance() -> None:
    orders = instance()
    rds().reboot_db_instance(DBInstanceIdentifier="orders")
    assert restart(orders) == Restart(1, "reboot-rds-instance")


def test_reboot_db_instance_of_a_cluster_restarts_it_with_its_writer_only() -> None:
    shop = cluster(instances=2, **OWNER)
    rds().reboot_db_instance(DBInstanceIdentifier="shop-1")
    assert restart(shop).count == 0
    rds().reboot_db_instance(DBInstanceIdentifier="shop-0")
    assert restart(shop).count == 1


def test_failover_db_cluster() -> None:
    shop = cluster(instances=2, **OWNER)
    rds().failover_db_cluster(DBClusterIdentifier="shop")
    assert restart(shop) == Restart(1, "failover-rds-cluster")


@pytest.mark.parametrize("lossy", [True, False])
def test_failover_global_cluster(lossy: bool) -> None:
    group, _, secondary = global_cluster()
    names = {"GlobalClusterIdentifier": "all", "TargetDbClusterIdentifier": secondary.arn}
    rds(WEST).failover_global_cluster(**names, AllowDataLoss=lossy)
    assert may_lose_data(group) is lossy


def test_switchover_global_cluster_waits_for_the_one_before() -> None:
    group, writer, secondary = global_cluster()
    rds().switchover_global_cluster(GlobalClusterIdentifier="all", TargetDbClusterIdentifier=secondary.arn)
    assert may_lose_data(group) is False
    group.status = "switching-over"
    with pytest.raises(ClientError, match="InvalidGlobalClusterStateFault"):
        rds().switchover_global_cluster(GlobalClusterIdentifier="all", TargetDbClusterIdentifier=writer.arn)
