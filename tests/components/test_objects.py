"""Object stores: how buckets are closed, aged, locked and replicated both ways."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest

from components.aws.objects import LifecycleSpec, ObjectLockSpec
from tests.components.examples.objects import objects
from tests.components.harness import ACCOUNT, HOME, OTHER, Deployment, deploy

DIRECTIONS = [(HOME, OTHER), (OTHER, HOME)]


@pytest.fixture(scope="module")
def timed() -> Deployment:
    return deploy(objects(time_control=True))


@pytest.fixture(scope="module")
def locked() -> Deployment:
    return deploy(
        objects(
            delete_markers=False,
            replica_modifications=False,
            object_lock=ObjectLockSpec(mode="COMPLIANCE", days=30),
        )
    )


def arn(region: str) -> str:
    return f"arn:aws:s3:{region}:{ACCOUNT}:uploads-{region}"


def key(region: str) -> str:
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/objects-{region}"


def rule(deployment: Deployment, region: str) -> dict[str, Any]:
    (found,) = deployment.named(f"uploads-{region}-replication").inputs["rules"]
    return found


def statements(deployment: Deployment, name: str) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in json.loads(deployment.named(name).inputs["policy"])["Statement"]}


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_every_bucket_is_versioned_encrypted_and_closed(timed: Deployment, region: str) -> None:
    bucket = timed.named(f"uploads-{region}")
    assert bucket.inputs["bucket"] == f"acme-production-uploads-{region}"
    assert bucket.inputs["forceDestroy"] is False
    assert bucket.inputs["objectLockEnabled"] is False
    assert bucket.protect
    versioning = timed.named(f"uploads-{region}-versioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    assert timed.named(f"uploads-{region}-encryption").inputs["rules"] == [
        {
            "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key(region)},
            "bucketKeyEnabled": True,
        }
    ]
    block = timed.named(f"uploads-{region}-public-access").inputs
    for switch in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
        assert block[switch] is True
    ownership = timed.named(f"uploads-{region}-ownership")
    assert ownership.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    names = ("versioning", "encryption", "public-access", "ownership", "policy", "lifecycle", "replication")
    for name in names:
        assert timed.named(f"uploads-{region}-{name}").inputs["bucket"] == f"uploads-{region}-id"


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_the_bucket_policy_only_denies(timed: Deployment, region: str) -> None:
    found = statements(timed, f"uploads-{region}-policy")
    assert {(each["Effect"], each["Principal"]) for each in found.values()} == {("Deny", "*")}
    everything = [arn(region), f"{arn(region)}/*"]
    assert found["OnlyOverTls"]["Resource"] == everything
    assert found["OnlyOverTls"]["Action"] == "s3:*"
    assert found["OnlyOverTls"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert found["OnlyTls12"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_uploads_name_this_sites_key_or_none(timed: Deployment, region: str) -> None:
    """IfExists lets an upload without the header take the bucket's default; replicas come by another action."""
    found = statements(timed, f"uploads-{region}-policy")
    for sid, header, value in (
        ("OnlyKmsEncryption", "s3:x-amz-server-side-encryption", "aws:kms"),
        ("OnlyThisSitesKey", "s3:x-amz-server-side-encryption-aws-kms-key-id", key(region)),
    ):
        assert found[sid]["Action"] == "s3:PutObject"
        assert found[sid]["Condition"] == {"StringNotEqualsIfExists": {header: value}}
    # KMS without a key would be AWS's own, whose objects cannot replicate.
    assert found["NoUnnamedKey"]["Condition"] == {
        "StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
        "Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "true"},
    }


@pytest.mark.parametrize(("source", "destination"), DIRECTIONS)
def test_whole_buckets_replicate_both_ways(timed: Deployment, source: str, destination: str) -> None:
    found = rule(timed, source)
    assert found["status"] == "Enabled"
    assert found["filter"] == {"prefix": ""}
    assert found["sourceSelectionCriteria"]["sseKmsEncryptedObjects"] == {"status": "Enabled"}
    assert found["destination"]["bucket"] == arn(destination)
    assert found["destination"]["encryptionConfiguration"] == {"replicaKmsKeyId": key(destination)}
    replication = timed.named(f"uploads-{source}-replication")
    assert replication.inputs["role"].endswith(f":uploads-{source}-replication-role")
    needed = {timed.named(f"uploads-{region}-versioning").urn for region in (source, destination)}
    assert {*needed, timed.named(f"uploads-{source}-replication-policy").urn} <= replication.depends_on


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_time_control_is_fifteen_minutes_with_metrics(timed: Deployment, region: str) -> None:
    destination = rule(timed, region)["destination"]
    assert destination["replicationTime"] == {"status": "Enabled", "time": {"minutes": 15}}
    assert destination["metrics"] == {"status": "Enabled", "eventThreshold": {"minutes": 15}}


@pytest.mark.parametrize(("source", "destination"), DIRECTIONS)
def test_lag_is_alarmed_where_a_replica_arrives(timed: Deployment, source: str, destination: str) -> None:
    alarm = timed.named(f"uploads-{destination}-lag")
    assert timed.region(alarm) == destination
    assert (alarm.inputs["namespace"], alarm.inputs["metricName"]) == ("AWS/S3", "ReplicationLatency")
    assert alarm.inputs["dimensions"] == {
        "SourceBucket": timed.named(f"uploads-{source}").inputs["bucket"],
        "DestinationBucket": timed.named(f"uploads-{destination}").inputs["bucket"],
        "RuleId": rule(timed, source)["id"],
    }
    assert (alarm.inputs["statistic"], alarm.inputs["threshold"]) == ("Maximum", 900)
    assert alarm.inputs["comparisonOperator"] == "GreaterThanThreshold"
    assert alarm.inputs["treatMissingData"] == "breaching"
    assert alarm.inputs["alarmActions"] == [f"arn:aws:sns:{destination}:{ACCOUNT}:alerts"]
    # It can be made and mended with the other site gone.
    assert timed.named(f"uploads-{source}").urn not in alarm.depends_on


def test_an_adopted_buckets_lag_is_alarmed_by_its_own_name() -> None:
    deployment = deploy(objects(imports={HOME: "legacy-uploads"}))
    names = {
        region: deployment.named(f"uploads-{region}-lag").inputs["dimensions"]["SourceBucket"]
        for region in (HOME, OTHER)
    }
    assert names == {OTHER: "legacy-uploads", HOME: f"acme-production-uploads-{OTHER}"}


@pytest.mark.parametrize("changes", [{"lag_alarm_seconds": None}, {"replicate": False}])
def test_without_an_rpo_or_a_replica_nothing_is_alarmed(changes: dict[str, Any]) -> None:
    assert not deploy(objects(**changes)).of(aws.cloudwatch.MetricAlarm)


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_without_time_control_replication_is_still_measured(locked: Deployment, region: str) -> None:
    destination = rule(locked, region)["destination"]
    assert "replicationTime" not in destination
    assert destination["metrics"] == {"status": "Enabled"}


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_delete_markers_and_modifications_are_decided_the_same_on_both_sides(
    timed: Deployment, locked: Deployment, region: str
) -> None:
    for deployment, status in ((timed, "Enabled"), (locked, "Disabled")):
        found = rule(deployment, region)
        assert found["deleteMarkerReplication"] == {"status": status}
        assert found["sourceSelectionCriteria"]["replicaModifications"] == {"status": status}


@pytest.mark.parametrize(("source", "destination"), DIRECTIONS)
def test_the_replication_role_reads_one_bucket_and_writes_one(timed: Deployment, source: str, destination: str) -> None:
    found = statements(timed, f"uploads-{source}-replication-policy")
    assert {sid: each["Resource"] for sid, each in found.items()} == {
        "ReadConfiguration": arn(source),
        "ReadVersions": f"{arn(source)}/*",
        "WriteReplicas": f"{arn(destination)}/*",
        "DecryptVersions": key(source),
        "EncryptReplicas": key(destination),
    }
    actions = {action for each in found.values() for action in each["Action"]}
    assert not {action for action in actions if "*" in action}
    assert not {"s3:PutObject", "s3:DeleteObject", "s3:GetObject"} & actions
    for sid, region in (("DecryptVersions", source), ("EncryptReplicas", destination)):
        assert found[sid]["Condition"] == {
            "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [arn(region), f"{arn(region)}/*"]},
        }
    trust = json.loads(timed.named(f"uploads-{source}-replication-role").inputs["assumeRolePolicy"])
    assert [each["Principal"] for each in trust["Statement"]] == [{"Service": "s3.amazonaws.com"}]


def test_the_replication_role_may_delete_only_when_deletions_replicate(timed: Deployment, locked: Deployment) -> None:
    name = f"uploads-{HOME}-replication-policy"
    assert "s3:ReplicateDelete" in statements(timed, name)["WriteReplicas"]["Action"]
    assert "s3:ReplicateDelete" not in statements(locked, name)["WriteReplicas"]["Action"]


def test_a_lock_is_in_the_bucket_from_the_start_and_replicates(locked: Deployment) -> None:
    for region in (HOME, OTHER):
        assert locked.named(f"uploads-{region}").inputs["objectLockEnabled"] is True
        lock = locked.named(f"uploads-{region}-lock")
        assert lock.inputs["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 30}}
        assert locked.named(f"uploads-{region}-versioning").urn in lock.depends_on
    read = statements(locked, f"uploads-{HOME}-replication-policy")["ReadVersions"]["Action"]
    assert {"s3:GetObjectRetention", "s3:GetObjectLegalHold"} <= set(read)


def test_without_a_lock_there_is_none(timed: Deployment) -> None:
    assert not timed.of(aws.s3.BucketObjectLockConfiguration)
    read = statements(timed, f"uploads-{HOME}-replication-policy")["ReadVersions"]["Action"]
    assert "s3:GetObjectRetention" not in read


def test_objects_age_in_both_sites_as_declared() -> None:
    lifecycle = LifecycleSpec(
        standard_ia_days=30, glacier_days=60, deep_archive_days=150, expire_days=400, noncurrent_expire_days=45
    )
    deployment = deploy(objects(lifecycle=lifecycle))
    for region in (HOME, OTHER):
        (found,) = deployment.named(f"uploads-{region}-lifecycle").inputs["rules"]
        assert (found["status"], found["filter"]) == ("Enabled", {"prefix": ""})
        assert found["transitions"] == [
            {"storageClass": "STANDARD_IA", "days": 30},
            {"storageClass": "GLACIER", "days": 60},
            {"storageClass": "DEEP_ARCHIVE", "days": 150},
        ]
        assert found["expiration"] == {"days": 400}
        assert found["noncurrentVersionExpiration"] == {"noncurrentDays": 45}
        assert found["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_steps_that_are_not_declared_are_left_out() -> None:
    (found,) = deploy(objects()).named(f"uploads-{HOME}-lifecycle").inputs["rules"]
    assert found["transitions"] == []
    assert "expiration" not in found
    assert found["noncurrentVersionExpiration"] == {"noncurrentDays": 90}


def test_separate_buckets_have_no_rule_and_no_role() -> None:
    deployment = deploy(objects(replicate=False))
    assert len(deployment.of(aws.s3.Bucket)) == 2
    assert not deployment.of(aws.s3.BucketReplicationConfig)
    assert not deployment.of(aws.iam.Role)


def test_an_existing_bucket_is_adopted_under_its_own_name() -> None:
    deployment = deploy(objects(imports={HOME: "legacy-uploads"}))
    adopted = deployment.named(f"uploads-{HOME}")
    assert (adopted.import_id, adopted.inputs["bucket"]) == ("legacy-uploads", "legacy-uploads")
    assert deployment.named(f"uploads-{OTHER}").import_id == ""


def test_outputs_are_by_region(timed: Deployment) -> None:
    assert timed.values == {
        "buckets": {region: f"acme-production-uploads-{region}" for region in (HOME, OTHER)},
        "bucket_arns": {region: arn(region) for region in (HOME, OTHER)},
    }
