"""Who took over from whom, as the file says it and as a stack that is deployed anew is made to say it; no servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from lifeboat.sandbox.live.world_writers import move_writers
from lifeboat.sandbox.live.writers import Past, parted, past, took_over
from lifeboat.sandbox.state import SandboxError
from tests.live.farm import patch_moto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EAST, WEST, NORTH = "us-east-1", "us-west-2", "ca-central-1"
ACCOUNT = "123456789012"
SHOP = {region: f"{region}/cluster/shop" for region in (EAST, WEST, NORTH)}
CACHE = {region: f"{region}/cache/sessions" for region in (EAST, WEST)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """As it is when every server has data."""
    for key in SHOP.values():
        (tmp_path / "rds" / key / "data").mkdir(parents=True)
    for region in CACHE:
        (tmp_path / "cache" / region / "sessions").mkdir(parents=True)
    return tmp_path


def follows(data: Path, key: str) -> Path:
    mark = data / "rds" / key / "data" / "standby.signal"
    mark.touch()
    return mark


def test_without_a_failover_there_is_nothing_to_tell(data: Path, tmp_path: Path) -> None:
    follows(data, SHOP[WEST])
    assert not past(data, EAST)
    assert not past(tmp_path / "nothing", EAST)


def test_a_writer_is_found_at_the_end_of_the_chain(data: Path) -> None:
    rds, cache = data / "rds", data / "cache"
    took_over(rds, SHOP[WEST], SHOP[EAST])
    took_over(rds, SHOP[NORTH], SHOP[WEST])
    took_over(cache, CACHE[WEST], CACHE[EAST])
    # As it is once it has learnt of it.
    follows(data, SHOP[EAST])
    assert past(data, EAST) == Past(writers={SHOP[EAST]: SHOP[NORTH], CACHE[EAST]: CACHE[WEST]})
    took_over(rds, SHOP[EAST], SHOP[NORTH])
    took_over(cache, CACHE[EAST], CACHE[WEST])
    # Also when the end came before it was promoted.
    assert not past(data, EAST)


def test_a_home_that_follows_for_no_reason_that_was_kept_is_not_resumed(data: Path) -> None:
    follows(data, SHOP[EAST])
    with pytest.raises(SandboxError, match=rf"^{SHOP[EAST]}: its writer was in another region .*: --resume would lose"):
        past(data, EAST)


def test_a_file_that_is_damaged_is_named(data: Path) -> None:
    for text in ("half a {", "[]", '{"writers": 1}'):
        (data / "rds" / "writers.json").write_text(text)
        with pytest.raises(
            SandboxError, match=r"rds/writers\.json: cannot be read, so that nobody knows who wrote last"
        ):
            past(data, EAST)


def test_a_copy_that_left_its_source_counts_while_it_writes(data: Path) -> None:
    parted(data / "rds", SHOP[WEST])
    parted(data / "rds", SHOP[NORTH])
    assert past(data, EAST) == Past(parted=(SHOP[NORTH], SHOP[WEST]))
    # It was made anew, as a copy of another.
    follows(data, SHOP[NORTH])
    assert past(data, EAST) == Past(parted=(SHOP[WEST],))
    took_over(data / "rds", SHOP[WEST], SHOP[EAST])
    assert past(data, EAST) == Past(writers={SHOP[EAST]: SHOP[WEST]})


def test_a_cache_that_left_its_datastore_is_not_resumed(data: Path) -> None:
    parted(data / "cache", CACHE[WEST])
    with pytest.raises(SandboxError, match=f"^{CACHE[WEST]}: it left its datastore and took writes of its own"):
        past(data, EAST)


def client(service: str, region: str) -> Any:  # noqa: ANN401 - made at run time
    session: Any = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b")
    return session.client(service, region_name=region)


@pytest.fixture
def members() -> Iterator[dict[str, bool]]:
    """A global cluster with its writer in the east, a replica of a plain instance in the west, and a datastore."""
    patch_moto()
    with mock_aws():
        deploy()
        yield writers()


def deploy() -> None:
    client("rds", EAST).create_global_cluster(GlobalClusterIdentifier="shop", Engine="aurora-postgresql")
    for region, owner in ((EAST, {"MasterUsername": "owner", "MasterUserPassword": "correct horse"}), (WEST, {})):
        client("rds", region).create_db_cluster(
            DBClusterIdentifier="shop", Engine="aurora-postgresql", GlobalClusterIdentifier="shop", **owner
        )
    client("rds", EAST).create_db_instance(
        DBInstanceIdentifier="plain",
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="correct horse",
    )
    client("rds", WEST).create_db_instance_read_replica(
        DBInstanceIdentifier="plain",
        SourceDBInstanceIdentifier=f"arn:aws:rds:{EAST}:{ACCOUNT}:db:plain",
        SourceRegion=EAST,
    )
    wanted = {"ReplicationGroupId": "sessions", "ReplicationGroupDescription": "s", "NumCacheClusters": 2}
    client("elasticache", EAST).create_replication_group(Engine="redis", **wanted)
    made = client("elasticache", EAST).create_global_replication_group(
        GlobalReplicationGroupIdSuffix="sessions", PrimaryReplicationGroupId="sessions"
    )["GlobalReplicationGroup"]
    joined = {**wanted, "GlobalReplicationGroupId": made["GlobalReplicationGroupId"]}
    client("elasticache", WEST).create_replication_group(**joined)


def writers() -> dict[str, bool]:
    """Who writes, by key, as boto3 is told."""
    (group,) = client("rds", EAST).describe_global_clusters()["GlobalClusters"]
    found = {
        member["DBClusterArn"].split(":")[3] + "/cluster": member["IsWriter"]
        for member in group["GlobalClusterMembers"]
    }
    (store,) = client("elasticache", EAST).describe_global_replication_groups()["GlobalReplicationGroups"]
    found |= {f"{each['ReplicationGroupRegion']}/cache": each["Role"] == "PRIMARY" for each in store["Members"]}
    (replica,) = client("rds", WEST).describe_db_instances()["DBInstances"]
    return {**found, "replica": "ReadReplicaSourceDBInstanceIdentifier" not in replica}


AT_HOME = {f"{EAST}/cluster": True, f"{WEST}/cluster": False, f"{EAST}/cache": True, f"{WEST}/cache": False}


def test_the_api_says_who_wrote_last(members: dict[str, bool]) -> None:
    assert members == {**AT_HOME, "replica": False}
    move_writers(
        ACCOUNT,
        Past(writers={SHOP[EAST]: SHOP[WEST], CACHE[EAST]: CACHE[WEST]}, parted=(f"{WEST}/db/plain",)),
    )
    assert writers() == {**{name: not writes for name, writes in AT_HOME.items()}, "replica": True}


def test_a_cluster_that_left_its_global_cluster_is_on_its_own(members: dict[str, bool]) -> None:
    move_writers(ACCOUNT, Past(parted=(SHOP[WEST],)))
    assert writers() == {name: writes for name, writes in members.items() if name != f"{WEST}/cluster"}


def test_what_the_stack_does_not_have_any_more_is_left_out(members: dict[str, bool]) -> None:
    gone = {f"{EAST}/cluster/gone": SHOP[WEST], SHOP[EAST]: f"{WEST}/cluster/gone", CACHE[EAST]: f"{WEST}/cache/gone"}
    move_writers(ACCOUNT, Past(writers=gone, parted=(f"{WEST}/db/gone", f"{EAST}/db/plain", f"{WEST}/cluster/gone")))
    assert writers() == members
