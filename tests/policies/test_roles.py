"""Who follows whom, whatever its name."""

from __future__ import annotations

import pytest

from policies.core.index import Index
from policies.core.roles import global_source, is_replica, is_replication_destination, replica_source
from policies.core.values import UNKNOWN, UnknownPropertyError
from tests.policies.harness import make

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
GLOBAL = "aws:rds/globalCluster:GlobalCluster"
BUCKET = "aws:s3/bucket:Bucket"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"


@pytest.mark.parametrize(
    ("type_", "path"),
    [
        (INSTANCE, "replicateSourceDb"),
        (CLUSTER, "replicationSourceIdentifier"),
        ("aws:docdb/cluster:Cluster", "replicationSourceIdentifier"),
        ("aws:neptune/cluster:Cluster", "replicationSourceIdentifier"),
        ("aws:elasticache/replicationGroup:ReplicationGroup", "globalReplicationGroupId"),
        ("gcp:sql/databaseInstance:DatabaseInstance", "masterInstanceName"),
    ],
)
def test_what_names_a_source_is_a_replica(type_: str, path: str) -> None:
    for value, expected in (("source", True), ("", False), (None, False)):
        resource = make(type_, inputs={path: value})
        assert is_replica(resource, Index([resource])) is expected
    source = make(type_, "source")
    late = make(type_, inputs={path: UNKNOWN}, uses={path: source})
    assert is_replica(late, Index([source, late]))
    password = make("random:index/randomId:RandomId", "other")
    vague = make(type_, inputs={path: UNKNOWN}, uses={path: password})
    with pytest.raises(UnknownPropertyError, match=path):
        is_replica(vague, Index([password, vague]))
    named_like_one = make(type_, "orders-replica")
    assert not is_replica(named_like_one, Index([named_like_one]))


def test_a_replica_s_source_by_identifier_and_by_arn() -> None:
    source = make(INSTANCE, "source", {"identifier": "orders"}, outputs={"arn": "arn:aws:rds:us-east-1:1:db:orders"})
    for literal in ("orders", "arn:aws:rds:us-east-1:1:db:orders"):
        replica = make(INSTANCE, "replica", {"replicateSourceDb": literal})
        assert replica_source(replica, Index([source, replica])) is source
    stray = make(INSTANCE, "stray", {"replicateSourceDb": "elsewhere"})
    assert replica_source(stray, Index([source, stray])) is None
    assert is_replica(stray, Index([source, stray]))
    assert replica_source(source, Index([source])) is None


def test_the_member_that_has_the_data_leads_a_global_cluster() -> None:
    world = make(GLOBAL, "world", {"globalClusterIdentifier": "world"})
    first = make(
        CLUSTER,
        "first",
        {"globalClusterIdentifier": "world", "masterUsername": "a"},
        uses={"globalClusterIdentifier": world},
    )
    second = make(CLUSTER, "second", {"globalClusterIdentifier": UNKNOWN}, uses={"globalClusterIdentifier": world})
    alone = make(CLUSTER, "alone", {"masterUsername": "a"})
    index = Index([world, second, first, alone])
    assert global_source(second, index) is first
    assert global_source(first, index) is None
    assert global_source(alone, index) is None
    assert [is_replica(each, index) for each in (first, second, alone)] == [False, True, False]
    assert replica_source(second, index) is first


def test_without_a_master_user_the_one_that_depends_on_no_other_leads() -> None:
    first = make(CLUSTER, "first", {"globalClusterIdentifier": "elsewhere"})
    second = make(CLUSTER, "second", {"globalClusterIdentifier": "elsewhere"}, uses={"kmsKeyId": first})
    other = make(CLUSTER, "other", {"globalClusterIdentifier": "another"})
    index = Index([second, first, other])
    assert global_source(second, index) is first
    assert global_source(first, index) is None
    assert global_source(other, index) is None


def test_a_destination_is_what_another_bucket_replicates_into() -> None:
    source, goal = make(BUCKET, "source"), make(BUCKET, "goal", outputs={"arn": "arn:aws:s3:::goal"})
    config = make(
        REPLICATION,
        inputs={"bucket": UNKNOWN, "rules": [{"destination": {"bucket": UNKNOWN}}]},
        uses={"bucket": source, "rules": goal},
    )
    index = Index([source, goal, config])
    assert is_replication_destination(goal, index)
    assert not is_replication_destination(source, index)


def test_a_destination_named_by_the_arn_that_it_will_have() -> None:
    source, goal = make(BUCKET, "source", {"bucket": "source"}), make(BUCKET, "goal", {"bucket": "goal"})
    rules = [{"destination": {"bucket": "arn:aws:s3:::far"}}, {"destination": {"bucket": "arn:aws:s3:::goal"}}]
    config = make(REPLICATION, inputs={"bucket": "source", "rules": rules})
    index = Index([source, goal, config])
    assert is_replication_destination(goal, index)
    assert not is_replication_destination(source, index)
