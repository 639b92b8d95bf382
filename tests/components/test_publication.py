"""The contract in every site, and the declaration that policies read."""

from __future__ import annotations

import json

import pulumi_aws as aws

from components.aws.publication import PARAMETER_BYTES, parameter_value
from tests.components.examples.declaration import declaration, publication
from tests.components.harness import HOME, OTHER, PREFIX, deploy


def test_every_site_has_the_document_as_object_and_parameter() -> None:
    deployment = deploy(publication)
    objects, parameters = deployment.of(aws.s3.BucketObjectv2), deployment.of(aws.ssm.Parameter)
    assert {deployment.region(each) for each in objects} == {deployment.region(each) for each in parameters}
    for each in objects:
        assert each.inputs["content"] == '{"version": 1}'
        assert each.inputs["serverSideEncryption"] == "aws:kms"
        assert each.inputs["bucket"].endswith(deployment.region(each))
    for each in parameters:
        assert each.inputs["value"] == '{"version": 1}'
        assert each.inputs["name"] == f"/lifeboat/{PREFIX}/contract"
        assert each.inputs["tier"] == "Intelligent-Tiering"


def test_buckets_that_replicate_into_each_other_do_not_overwrite_the_document() -> None:
    deployment = deploy(publication)
    assert deployment.values["object_keys"] == {
        HOME: f"lifeboat/{HOME}/contract.json",
        OTHER: f"lifeboat/{OTHER}/contract.json",
    }
    assert len({each.inputs["key"] for each in deployment.of(aws.s3.BucketObjectv2)}) == 2


def test_an_object_carries_no_more_tags_than_s3_takes() -> None:
    assert all(set(each.inputs["tags"]) == {"Name"} for each in deploy(publication).of(aws.s3.BucketObjectv2))


def test_a_document_beyond_every_parameter_becomes_a_pointer() -> None:
    fits = "x" * PARAMETER_BYTES
    assert parameter_value(fits, "s3://bucket/key") == fits
    # Bytes count, not characters.
    for longer in (fits + "x", "ü" * (PARAMETER_BYTES // 2 + 1)):
        assert json.loads(parameter_value(longer, "s3://bucket/key")) == {"location": "s3://bucket/key"}


def test_a_long_document_is_still_whole_in_the_object() -> None:
    document = json.dumps({"padding": "x" * PARAMETER_BYTES})
    deployment = deploy(lambda world: publication(world, document))
    for stored, parameter in zip(deployment.of(aws.s3.BucketObjectv2), deployment.of(aws.ssm.Parameter), strict=True):
        assert stored.inputs["content"] == document
        assert json.loads(parameter.inputs["value"]) == {
            "location": f"s3://{stored.inputs['bucket']}/{stored.inputs['key']}"
        }


def test_the_declaration_carries_everything_as_inputs() -> None:
    inputs = deploy(lambda _: declaration()).root.inputs
    assert inputs["home"] == HOME
    assert inputs["strict"] is True
    assert inputs["rto"] == {"seconds": 840, "bound_class": "documented"}
    assert inputs["objectives"] == [{"scope": "objectives.stack", "rto_seconds": 900, "rpo_seconds": 300}]
    database, cache = inputs["stores"]
    assert (database["mechanism"], database["rpo_seconds"]) == ("aurora-global", 300)
    assert database["bound"] == {"seconds": 60, "bound_class": "enforced"}
    assert "bound" not in cache
