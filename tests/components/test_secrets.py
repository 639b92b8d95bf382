"""A secret stays one, everywhere."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from tests.components.examples.secrets import secret
from tests.components.harness import HOME, OTHER, PREFIX, deploy


def test_every_copy_takes_the_key_of_its_own_region() -> None:
    deployment = deploy(secret)
    (made,) = deployment.of(aws.secretsmanager.Secret)
    assert made.inputs["name"] == f"{PREFIX}-payments-api"
    assert made.inputs["recoveryWindowInDays"] == 30
    assert [(each["region"], each["kmsKeyId"].split(":")[3]) for each in made.inputs["replicas"]] == [(OTHER, OTHER)]


def test_copies_have_the_originals_arn_in_their_region() -> None:
    arns = deploy(secret).values["arns"]
    assert list(arns) == [HOME, OTHER]
    assert arns[OTHER] == arns[HOME].replace(HOME, OTHER, 1)
    assert arns[OTHER].split(":")[3] == OTHER


def test_a_generated_value_is_plain_characters_and_a_secret_all_the_way() -> None:
    deployment = deploy(secret)
    (generated,) = deployment.of(random.RandomPassword)
    assert (generated.inputs["length"], generated.inputs["special"]) == (40, False)
    (version,) = deployment.of(aws.secretsmanager.SecretVersion)
    assert "secretString" in version.secrets
    assert deployment.root.secret_outputs == {"value"}


def test_a_given_value_becomes_a_secret() -> None:
    deployment = deploy(lambda world: secret(world, pulumi.Output.from_input("given")))
    assert deployment.of(random.RandomPassword) == ()
    (version,) = deployment.of(aws.secretsmanager.SecretVersion)
    assert version.inputs["secretString"] == "given"
    assert "secretString" in version.secrets
    assert deployment.root.secret_outputs == {"value"}
