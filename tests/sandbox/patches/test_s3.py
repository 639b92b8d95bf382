"""S3: tags at creation, replication configurations and lifecycle rules, as boto3 sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.patches.test_rds import WEST, key

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client, Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")

ROLE = "arn:aws:iam::123456789012:role/replication"


def buckets(clients: Clients) -> Client:
    east, west = clients("s3"), clients("s3", WEST)
    east.create_bucket(Bucket="uploads-east")
    west.create_bucket(Bucket="uploads-west", CreateBucketConfiguration={"LocationConstraint": WEST})
    for client, name in ((east, "uploads-east"), (west, "uploads-west")):
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return east


def rule(clients: Clients) -> dict[str, Any]:
    return {
        "ID": "everything",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "SourceSelectionCriteria": {
            "SseKmsEncryptedObjects": {"Status": "Enabled"},
            "ReplicaModifications": {"Status": "Enabled"},
        },
        "Destination": {
            "Bucket": "arn:aws:s3:::uploads-west",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": key(clients, WEST)},
            "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
            "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
        },
    }


def put(client: Client, *rules: dict[str, Any]) -> None:
    client.put_bucket_replication(Bucket="uploads-east", ReplicationConfiguration={"Role": ROLE, "Rules": list(rules)})


@pytest.mark.parametrize(
    "tags", [[{"Key": "a", "Value": "b"}], [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}]]
)
def test__bucket_response_put_keeps_the_tags_of_a_new_bucket(clients: Clients, tags: list[dict[str, str]]) -> None:
    client = clients("s3")
    client.create_bucket(Bucket="tagged", CreateBucketConfiguration={"Tags": tags})
    assert client.get_bucket_tagging(Bucket="tagged")["TagSet"] == tags


def test_get_bucket_replication_answers_what_was_put(clients: Clients) -> None:
    client = buckets(clients)
    wanted = rule(clients)
    put(client, wanted)
    assert client.get_bucket_replication(Bucket="uploads-east")["ReplicationConfiguration"]["Rules"] == [wanted]


@pytest.mark.parametrize(
    "chosen",
    [
        {"Tag": {"Key": "tier", "Value": "hot"}},
        {"And": {"Prefix": "logs/", "Tags": [{"Key": "tier", "Value": "hot"}]}},
    ],
)
def test_get_bucket_replication_answers_filters(clients: Clients, chosen: dict[str, Any]) -> None:
    client = buckets(clients)
    put(client, {**rule(clients), "Filter": chosen})
    found = client.get_bucket_replication(Bucket="uploads-east")["ReplicationConfiguration"]["Rules"]
    assert found[0]["Filter"] == chosen


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"Bucket": "arn:aws:s3:::absent"}, "Destination bucket must exist"),
        ({"EncryptionConfiguration": None}, "ReplicaKmsKeyID must be specified"),
        ({"Metrics": None}, "ReplicationTime requires Metrics"),
        ({"ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 5}}}, "must be 15 minutes"),
    ],
)
def test_put_bucket_replication_refuses_what_aws_does(clients: Clients, change: dict[str, Any], refusal: str) -> None:
    client = buckets(clients)
    wanted = rule(clients)
    destination = {name: value for name, value in {**wanted["Destination"], **change}.items() if value is not None}
    with pytest.raises(ClientError, match=refusal):
        put(client, {**wanted, "Destination": destination})


def test_put_bucket_replication_wants_versioning_at_the_destination(clients: Clients) -> None:
    client = buckets(clients)
    client.create_bucket(Bucket="plain")
    wanted = rule(clients)
    with pytest.raises(ClientError, match="Destination bucket must have versioning"):
        put(client, {**wanted, "Destination": {**wanted["Destination"], "Bucket": "arn:aws:s3:::plain"}})


@pytest.mark.parametrize(
    "wanted",
    [
        {"Transitions": [{"Days": 7, "StorageClass": "STANDARD_IA"}]},
        {"NoncurrentVersionTransitions": [{"NoncurrentDays": 7, "StorageClass": "STANDARD_IA"}]},
        {"Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 40, "StorageClass": "GLACIER"}]},
        {"Transitions": [{"Days": 90, "StorageClass": "GLACIER"}], "Expiration": {"Days": 60}},
    ],
)
def test_set_lifecycle_refuses_what_aws_does(clients: Clients, wanted: dict[str, Any]) -> None:
    client = clients("s3")
    client.create_bucket(Bucket="aged")
    rules = [{"ID": "age", "Status": "Enabled", "Filter": {"Prefix": ""}, **wanted}]
    with pytest.raises(ClientError, match="InvalidArgument"):
        client.put_bucket_lifecycle_configuration(Bucket="aged", LifecycleConfiguration={"Rules": rules})


def test_set_lifecycle_takes_what_aws_does(clients: Clients) -> None:
    client = clients("s3")
    client.create_bucket(Bucket="aged")
    steps = [(30, "STANDARD_IA"), (90, "GLACIER"), (180, "DEEP_ARCHIVE")]
    transitions = [{"Days": days, "StorageClass": storage} for days, storage in steps]
    rules = [{"ID": "age", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": transitions}]
    client.put_bucket_lifecycle_configuration(Bucket="aged", LifecycleConfiguration={"Rules": rules})
    assert client.get_bucket_lifecycle_configuration(Bucket="aged")["Rules"] == rules


def test_get_permission_leaves_conditional_statements_out(clients: Clients) -> None:
    client = clients("s3")
    client.create_bucket(Bucket="tls-only")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::tls-only/*"}
    conditional = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policy = {"Version": "2012-10-17", "Statement": [conditional]}
    client.put_bucket_policy(Bucket="tls-only", Policy=json.dumps(policy))
    client.put_object(Bucket="tls-only", Key="one", Body=b"1")
    assert json.loads(client.get_bucket_policy(Bucket="tls-only")["Policy"]) == policy

    client.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({**policy, "Statement": [deny]}))
    with pytest.raises(ClientError, match="403"):
        client.put_object(Bucket="tls-only", Key="two", Body=b"2")
