"""Snapshots and points in time of databases: asked for by AWS's API, looked at by a client of PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.sandbox.live import databases_backups
from lifeboat.sandbox.live.databases_backups import Backups, Wish, wishes
from tests.live.databases import EAST, WEST, Cloud, arn, cloud, fill, numbers
from tests.live.test_databases import EAST_C, EAST_G1, WEST_C
from tests.live.waiting import until

if TYPE_CHECKING:
    import pytest

__all__ = ["cloud"]

RESTORED, RESTORED_C = f"{EAST}/db/restored", f"{EAST}/cluster/restored"


def snapshot_status(cloud: Cloud, identifier: str, region: str = EAST) -> str:
    (found,) = cloud.rds(region).describe_db_snapshots(DBSnapshotIdentifier=identifier)["DBSnapshots"]
    return str(found["Status"])


def moment(cloud: Cloud, key: str) -> str:
    """Now, by the database's own clock."""
    with cloud.server(key).connect() as connection:
        ((found,),) = connection.execute("SELECT clock_timestamp()").fetchall()
    return str(found.isoformat())


def test_a_snapshot_is_restored_in_another_region_after_its_source_is_gone(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    east, west = cloud.rds(EAST), cloud.rds(WEST)
    east.create_db_snapshot(DBInstanceIdentifier="orders-g1", DBSnapshotIdentifier="before")
    assert snapshot_status(cloud, "before") == "creating"
    until(lambda: snapshot_status(cloud, "before") == "available")
    fill(cloud.login(EAST_G1), 2)
    source = f"arn:aws:rds:{EAST}:123456789012:snapshot:before"
    west.copy_db_snapshot(SourceDBSnapshotIdentifier=source, TargetDBSnapshotIdentifier="copy", SourceRegion=EAST)
    until(lambda: snapshot_status(cloud, "copy", WEST) == "available")
    east.delete_db_snapshot(DBSnapshotIdentifier="before")
    east.delete_db_instance(DBInstanceIdentifier="orders-g1", FinalDBSnapshotIdentifier="final")
    until(lambda: snapshot_status(cloud, "final") == "available")
    west.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="restored", DBSnapshotIdentifier="copy")
    east.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="restored", DBSnapshotIdentifier="final")
    assert cloud.instance_status(WEST, "restored") == "creating"
    until(lambda: cloud.instance_status(WEST, "restored") == "available")
    assert numbers(cloud.login(f"{WEST}/db/restored")) == [1]
    until(lambda: cloud.instance_status(EAST, "restored") == "available")
    assert numbers(cloud.login(RESTORED)) == [1, 2]


def test_a_restore_ends_exactly_before_a_bad_row(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), *range(10))
    good = moment(cloud, EAST_G1)
    fill(cloud.login(EAST_G1), 666)
    restore = cloud.rds(EAST).restore_db_instance_to_point_in_time
    names = {"SourceDBInstanceIdentifier": "orders-g1", "TargetDBInstanceIdentifier": "restored"}
    restore(**names, RestoreTime=good)
    cloud.settle()
    assert numbers(cloud.login(RESTORED)) == list(range(10))
    # And it is a database like any other.
    fill(cloud.login(RESTORED), 10)
    restore(**{**names, "TargetDBInstanceIdentifier": "latest"}, UseLatestRestorableTime=True)
    cloud.settle()
    assert numbers(cloud.login(f"{EAST}/db/latest")) == [*range(10), 666]


def test_a_lost_database_is_restored_from_its_backups_in_another_region(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    west = cloud.rds(WEST)
    answer = west.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=f"arn:aws:rds:{EAST}:123456789012:db:orders-g1"
    )
    cloud.server(EAST_G1).archive_now()
    cloud.databases.hold(EAST_G1)
    west.restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=answer["DBInstanceAutomatedBackup"]["DBInstanceAutomatedBackupsArn"],
        TargetDBInstanceIdentifier="restored",
        UseLatestRestorableTime=True,
    )
    until(lambda: cloud.instance_status(WEST, "restored") == "available")
    assert numbers(cloud.login(f"{WEST}/db/restored")) == [1]


def test_a_cluster_is_restored_to_a_point_in_time_and_stands_alone(cloud: Cloud) -> None:
    cloud.aurora()
    cloud.settle()
    # Its past begins anew with its promotion.
    cloud.switch_over(WEST_C)
    until(lambda: cloud.writer() == WEST_C)
    cloud.settle()
    cloud.switch_over(EAST_C)
    until(lambda: cloud.writer() == EAST_C)
    cloud.settle()
    fill(cloud.login(EAST_C), 1)
    good = moment(cloud, EAST_C)
    fill(cloud.login(EAST_C), 666)
    east = cloud.rds(EAST)
    east.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="restored", SourceDBClusterIdentifier="shop-east", RestoreToTime=good
    )
    east.create_db_instance(
        DBInstanceIdentifier="restored-1",
        DBClusterIdentifier="restored",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql",
    )
    cloud.settle()
    assert numbers(cloud.login(RESTORED_C)) == [1]
    (restored,) = east.describe_db_clusters(DBClusterIdentifier="restored")["DBClusters"]
    assert restored["Status"] == "available"
    (group,) = east.describe_global_clusters()["GlobalClusters"]
    members = {member["DBClusterArn"] for member in group["GlobalClusterMembers"]}
    assert members == {arn(EAST_C), arn(WEST_C)}


def test_what_is_deleted_leaves_no_backup(cloud: Cloud) -> None:
    cloud.instance()
    cloud.settle()
    cloud.rds(EAST).delete_db_instance(DBInstanceIdentifier="orders-g1", SkipFinalSnapshot=True)
    cloud.settle()
    kept = [path for path in (cloud.farm.directory / "data").rglob("*") if path.is_file()]
    assert kept == []


def test_the_log_is_kept_from_the_oldest_snapshot_on(cloud: Cloud) -> None:
    cloud.instance(BackupRetentionPeriod=0)
    cloud.settle()
    server = cloud.server(EAST_G1)
    archive = server.place.archive
    assert archive is not None
    backups = Backups(cloud.farm.directory / "data" / "rds-backups", cloud.farm.account)

    def snapshot(name: str) -> Wish:
        cloud.rds(EAST).create_db_snapshot(DBInstanceIdentifier="orders-g1", DBSnapshotIdentifier=name)
        until(lambda: snapshot_status(cloud, name) == "available")
        return next(wish for wish in wishes() if wish.entity.db_snapshot_identifier == name)

    def logged(number: int) -> set[str]:
        fill(cloud.login(EAST_G1), number)
        server.archive_now()
        return {segment.name for segment in archive.iterdir()}

    before = logged(1)
    first = snapshot("first")
    backups.take(first, server)
    between = logged(2)
    backups.take(snapshot("second"), server)
    after = logged(3)
    assert before < between < after
    backups.prune()
    left = {segment.name for segment in archive.iterdir()}
    assert max(after) in left
    assert left & before == set()
    # What the second one does not need goes with the first.
    backups.tidy({wish.name for wish in wishes()} - {first.name})
    backups.prune()
    fewer = {segment.name for segment in archive.iterdir()}
    assert max(after) in fewer
    assert fewer < left
    backups.tidy(set())
    backups.prune()
    assert not list(archive.glob("0*"))


def test_a_point_in_time_is_restored_while_logs_are_pruned(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases_backups, "PRUNED_EACH", 0.0)
    cloud.instance()
    cloud.settle()
    fill(cloud.login(EAST_G1), 1)
    good = moment(cloud, EAST_G1)
    fill(cloud.login(EAST_G1), 666)
    cloud.server(EAST_G1).archive_now()
    names = {"SourceDBInstanceIdentifier": "orders-g1", "TargetDBInstanceIdentifier": "restored"}
    cloud.rds(EAST).restore_db_instance_to_point_in_time(**names, RestoreTime=good)
    cloud.settle()
    assert numbers(cloud.login(RESTORED)) == [1]
