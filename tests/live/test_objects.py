"""Replication of objects, as boto3 sees it."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.s3.models import s3_backends

from lifeboat.sandbox.live import objects
from lifeboat.sandbox.live.objects import Objects
from tests.live.farm import patch_moto
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "123456789012"
EAST, WEST = "us-east-1", "us-west-2"
BUCKETS = {EAST: "uploads-east", WEST: "uploads-west"}
OTHER = {EAST: WEST, WEST: EAST}

Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""
Request: TypeAlias = Any
"""An argument of a boto3 call."""


class Roads:
    """Ways between regions, as a test wants them."""

    def __init__(self) -> None:
        self.seconds: float | None = 0.0

    def delay(self, _source: str, _target: str) -> float | None:
        return self.seconds


@functools.cache
def s3(region: str) -> Client:
    return boto3.client("s3", region, aws_access_key_id="key", aws_secret_access_key="secret")


class World:
    """Two buckets, and what lies between them."""

    def __init__(self) -> None:
        self.roads = Roads()
        self.objects = Objects(ACCOUNT, self.roads)

    def put(self, key: str = "order", body: bytes = b"42", region: str = EAST, **more: Request) -> str:
        """Store an object; the answer is its version."""
        return s3(region).put_object(Bucket=BUCKETS[region], Key=key, Body=body, **more)["VersionId"]

    def status(self, key: str = "order", region: str = EAST, **more: Request) -> str | None:
        return s3(region).head_object(Bucket=BUCKETS[region], Key=key, **more).get("ReplicationStatus")

    def has(self, key: str = "order", region: str = WEST) -> Callable[[], bool]:
        def found() -> bool:
            try:
                s3(region).head_object(Bucket=BUCKETS[region], Key=key)
            except ClientError:
                return False
            return True

        return found

    def tags(self, region: str, key: str = "order") -> dict[str, str]:
        found = s3(region).get_object_tagging(Bucket=BUCKETS[region], Key=key)["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def tag(self, region: str, **tags: str) -> None:
        chosen = [{"Key": name, "Value": value} for name, value in tags.items()]
        s3(region).put_object_tagging(Bucket=BUCKETS[region], Key="order", Tagging={"TagSet": chosen})

    def settle(self) -> dict[str, Any]:
        """Wait until nothing is pending; the row of the east's rule."""
        until(lambda: not any(row["pending"] for row in self.objects.status()))
        return next((row for row in self.objects.status() if row["region"] == EAST), {})

    def rule(self, region: str = EAST, **more: Request) -> None:
        wanted: dict[str, Any] = {
            "ID": "everything",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Enabled"},
            "SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}},
            "Destination": {"Bucket": f"arn:aws:s3:::{BUCKETS[OTHER[region]]}", "Metrics": {"Status": "Enabled"}},
        }
        s3(region).put_bucket_replication(
            Bucket=BUCKETS[region],
            ReplicationConfiguration={"Role": "arn:aws:iam::123456789012:role/r", "Rules": [{**wanted, **more}]},
        )


@pytest.fixture
def world() -> Iterator[World]:
    """Rules both ways."""
    patch_moto()
    with mock_aws():
        for region, name in BUCKETS.items():
            chosen = {} if region == EAST else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3(region).create_bucket(Bucket=name, **chosen)
            s3(region).put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        made = World()
        for region in BUCKETS:
            made.rule(region)
        made.objects.start()
        yield made
        made.objects.close()


def test_an_object_is_replicated_whole_under_its_version(world: World) -> None:
    version = world.put(
        Metadata={"client": "7"}, ContentType="text/plain", Tagging="tier=hot", StorageClass="STANDARD_IA"
    )
    until(world.has())
    here, there = (s3(region).get_object(Bucket=BUCKETS[region], Key="order") for region in (EAST, WEST))
    assert there["Body"].read() == b"42"
    for name in ("VersionId", "ETag", "Metadata", "ContentType", "LastModified", "StorageClass"):
        assert there[name] == here[name]
    assert there["VersionId"] == version
    assert world.tags(WEST) == {"tier": "hot"}


def test_the_status_goes_from_pending_to_completed_and_a_replica_says_so(world: World) -> None:
    world.roads.seconds = None
    world.put()
    assert world.status() == "PENDING"
    assert not world.has()()
    assert world.objects.status()[0]["pending_bytes"] == 2
    world.roads.seconds = 0.0
    until(lambda: world.status() == "COMPLETED")
    assert world.status(region=WEST) == "REPLICA"


def test_what_is_under_way_takes_as_long_as_the_way(world: World) -> None:
    world.roads.seconds = 3600.0
    world.put()
    (row,) = (row for row in world.objects.status() if row["region"] == EAST)
    assert row["pending"] == 1
    assert not world.has()()


def test_both_ways_do_not_loop(world: World) -> None:
    for region in BUCKETS:
        for number in range(20):
            world.put(f"{region}-{number}", region=region)
    world.settle()
    for region in BUCKETS:
        found = s3(region).list_object_versions(Bucket=BUCKETS[region])["Versions"]
        assert len(found) == 40
    assert [row["replicated"] for row in world.objects.status()] == [20, 20]


def test_two_sides_that_wrote_one_key_agree(world: World) -> None:
    world.roads.seconds = None
    world.put(body=b"older")
    newer = world.put(body=b"newer", region=WEST)
    world.roads.seconds = 0.0
    world.settle()
    for region in BUCKETS:
        assert s3(region).head_object(Bucket=BUCKETS[region], Key="order")["VersionId"] == newer


def test_what_was_there_before_the_rule_is_not_replicated(world: World) -> None:
    s3(EAST).delete_bucket_replication(Bucket=BUCKETS[EAST])
    world.put("before")
    world.rule()
    s3(EAST).put_object_tagging(Bucket=BUCKETS[EAST], Key="before", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    world.put("after")
    until(world.has("after"))
    assert not world.has("before")()
    assert world.status("before") is None


@pytest.mark.parametrize("replicated", [True, False])
def test_a_deletion_replicates_when_the_rule_says_so(world: World, replicated: bool) -> None:
    if not replicated:
        world.rule(DeleteMarkerReplication={"Status": "Disabled"})
    world.put()
    until(world.has())
    s3(EAST).delete_object(Bucket=BUCKETS[EAST], Key="order")
    world.put("later")
    until(world.has("later"))
    assert world.has()() is not replicated
    markers = [s3(region).list_object_versions(Bucket=BUCKETS[region]).get("DeleteMarkers", []) for region in BUCKETS]
    assert [len(found) for found in markers] == [1, int(replicated)]


def test_deletions_of_several_objects_replicate(world: World) -> None:
    for key in ("a", "b"):
        world.put(key)
        until(world.has(key))
    s3(EAST).delete_objects(Bucket=BUCKETS[EAST], Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
    until(lambda: not world.has("a")() and not world.has("b")())


def test_the_deletion_of_a_version_never_replicates(world: World) -> None:
    version = world.put()
    until(world.has())
    s3(EAST).delete_object(Bucket=BUCKETS[EAST], Key="order", VersionId=version)
    world.put("later")
    until(world.has("later"))
    assert world.has()()


def test_a_version_deleted_on_its_way_does_not_arrive(world: World) -> None:
    world.roads.seconds = None
    version = world.put()
    s3(EAST).delete_object(Bucket=BUCKETS[EAST], Key="order", VersionId=version)
    world.roads.seconds = 0.0
    row = world.settle()
    assert (row["replicated"], row["failed"]) == (0, 0)
    assert not world.has()()


def test_tags_follow_later(world: World) -> None:
    world.put()
    until(world.has())
    world.tag(EAST, tier="cold")
    until(lambda: world.tags(WEST) == {"tier": "cold"})
    s3(EAST).delete_object_tagging(Bucket=BUCKETS[EAST], Key="order")
    until(lambda: world.tags(WEST) == {})
    assert world.status() == "COMPLETED"


@pytest.mark.parametrize("replicated", [True, False])
def test_a_change_of_a_replica_goes_back_when_the_rule_says_so(world: World, replicated: bool) -> None:
    criteria = {"ReplicaModifications": {"Status": "Enabled" if replicated else "Disabled"}}
    world.rule(WEST, SourceSelectionCriteria=criteria)
    world.put()
    until(world.has())
    world.tag(WEST, checked="yes")
    world.settle()
    assert world.tags(EAST) == ({"checked": "yes"} if replicated else {})
    assert world.status(region=WEST) == "REPLICA"


def test_a_tag_that_comes_later_makes_no_object_match(world: World) -> None:
    world.rule(Filter={"Tag": {"Key": "tier", "Value": "hot"}}, DeleteMarkerReplication={"Status": "Disabled"})
    world.put("order")
    world.tag(EAST, tier="hot")
    world.put("tagged", Tagging="tier=hot")
    until(world.has("tagged"))
    assert not world.has("order")()


@pytest.mark.parametrize("selected", [True, False])
def test_what_kms_encrypts_replicates_when_selected_under_the_destination_s_key(world: World, selected: bool) -> None:
    destination = {"Bucket": f"arn:aws:s3:::{BUCKETS[WEST]}"}
    if selected:
        world.rule(
            SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
            Destination={**destination, "EncryptionConfiguration": {"ReplicaKmsKeyID": "key-west"}},
        )
    world.put(ServerSideEncryption="aws:kms", SSEKMSKeyId="key-east")
    world.put("plain")
    until(world.has("plain"))
    assert world.has()() is selected
    if selected:
        assert s3(WEST).head_object(Bucket=BUCKETS[WEST], Key="order")["SSEKMSKeyId"] == "key-west"


def test_an_upload_in_parts_arrives_as_one(world: World) -> None:
    name = {"Bucket": BUCKETS[EAST], "Key": "order"}
    upload = s3(EAST).create_multipart_upload(**name)["UploadId"]
    part = s3(EAST).upload_part(**name, UploadId=upload, PartNumber=1, Body=b"42")
    s3(EAST).complete_multipart_upload(
        **name, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    until(world.has())
    etags = [s3(region).head_object(Bucket=BUCKETS[region], Key="order")["ETag"] for region in BUCKETS]
    assert etags[0] == etags[1]


def test_a_copy_in_the_bucket_replicates(world: World) -> None:
    world.put("from", Tagging="tier=hot")
    s3(EAST).copy_object(Bucket=BUCKETS[EAST], Key="to", CopySource={"Bucket": BUCKETS[EAST], "Key": "from"})
    until(world.has("to"))
    assert world.tags(WEST, "to") == {"tier": "hot"}


def refuse_versions() -> None:
    s3(WEST).put_bucket_versioning(Bucket=BUCKETS[WEST], VersioningConfiguration={"Status": "Suspended"})


def remove_bucket() -> None:
    s3(WEST).delete_bucket(Bucket=BUCKETS[WEST])


@pytest.mark.parametrize(
    ("refuse", "reason"),
    [(refuse_versions, "bucket uploads-west is not versioned"), (remove_bucket, "bucket uploads-west is gone")],
)
def test_what_the_destination_refuses_has_failed_for_good(
    world: World, refuse: Callable[[], None], reason: str
) -> None:
    refuse()
    world.put()
    until(lambda: world.status() == "FAILED")
    row = world.settle()
    assert (row["failed"], row["replicated"], row["problem"]) == (1, 0, reason)
    world.tag(EAST, tier="hot")
    world.settle()
    assert world.status() == "FAILED"


def test_what_cannot_arrive_for_too_long_has_failed(world: World) -> None:
    world.objects.close()
    world.objects = Objects(ACCOUNT, world.roads, patience=0.01)
    world.objects.start()
    world.roads.seconds = None
    world.put()
    until(lambda: world.status() == "FAILED")
    assert world.settle()["problem"] == "us-west-2 was not reached within 0.01 s"


def test_a_fault_of_ours_loses_one_object_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> bool:
        raise ZeroDivisionError("by zero")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(objects, "replicate", fail)
        world.put()
        until(lambda: world.status() == "FAILED")
    assert world.settle()["problem"] == "ZeroDivisionError: by zero"
    world.put("later")
    until(world.has("later"))


def points(world: World) -> dict[tuple[str, str], float]:
    """Values by region and metric, of the rule from the east."""
    expected = {"SourceBucket": BUCKETS[EAST], "DestinationBucket": BUCKETS[WEST], "RuleId": "everything"}
    return {
        (point.region, point.metric): point.value
        for point in world.objects.points()
        if point.dimensions == expected and point.namespace == "AWS/S3"
    }


def test_metrics_tell_what_waits_in_the_destination_s_region(world: World) -> None:
    names = ("OperationsPendingReplication", "BytesPendingReplication", "ReplicationLatency")
    assert points(world) == {(WEST, name): 0 for name in names}
    world.roads.seconds = None
    world.put()
    found = points(world)
    assert (found[WEST, names[0]], found[WEST, names[1]]) == (1, 2)
    assert found[WEST, names[2]] > 0
    units = {point.metric: point.unit for point in world.objects.points()}
    assert [units[name] for name in names] == ["Count", "Bytes", "Seconds"]


def test_metrics_tell_failures_once_and_in_the_source_s_region(world: World) -> None:
    refuse_versions()
    world.put()
    world.settle()
    assert points(world)[EAST, "OperationsFailedReplication"] == 1
    assert (EAST, "OperationsFailedReplication") not in points(world)


def test_without_its_destination_a_rule_has_no_metrics(world: World) -> None:
    remove_bucket()
    assert points(world) == {}


def test_a_write_of_another_service_replicates(world: World) -> None:
    s3_backends[ACCOUNT]["aws"].put_object(BUCKETS[EAST], "delivered", b"42")
    until(world.has("delivered"))


def test_nothing_is_replicated_after_the_end(world: World) -> None:
    world.objects.close()
    world.put()
    assert world.status() is None
