"""What promotions change is ignored, by reason, and nothing else is."""

from __future__ import annotations

import pytest

from components.aws.promotion import PROMOTION_CHANGES, RECORD, ignored
from tests.components.examples import all_examples
from tests.components.harness import Registration, deploy, sdk_class

# What policies guard: an ignored change of one of these would hide its loss.
GUARDED = {
    "atRestEncryptionEnabled",
    "automaticFailoverEnabled",
    "backupRetentionPeriod",
    "deletionProtection",
    "kmsKeyId",
    "multiAz",
    "multiAzEnabled",
    "parameterGroupName",
    "dbClusterParameterGroupName",
    "publiclyAccessible",
    "storageEncrypted",
    "tags",
    "transitEncryptionEnabled",
    "vpcSecurityGroupIds",
}


@pytest.fixture(scope="module")
def registrations() -> list[Registration]:
    return [resource for example in all_examples() for resource in deploy(example.build).children]


def test_resources_ignore_exactly_what_the_table_says(registrations: list[Registration]) -> None:
    for resource in registrations:
        expected = tuple(sorted(PROMOTION_CHANGES.get(resource.type, {})))
        # Only a record that recovery edits ignores anything; a failover pair is constant.
        allowed = {expected, ()} if resource.type == RECORD else {expected}
        assert resource.ignore_changes in allowed, resource.name


def test_every_entry_is_used(registrations: list[Registration]) -> None:
    used = {resource.type for resource in registrations if resource.ignore_changes}
    assert used == set(PROMOTION_CHANGES)


@pytest.mark.parametrize("token", PROMOTION_CHANGES)
def test_entries_name_properties_that_the_provider_has(token: str) -> None:
    resource = sdk_class(token)
    properties = {
        getattr(value.fget, "_pulumi_name", name)
        for name, value in vars(resource).items()
        if isinstance(value, property)
    }
    assert set(PROMOTION_CHANGES[token]) <= properties


@pytest.mark.parametrize("token", PROMOTION_CHANGES)
def test_every_entry_has_a_reason_and_hides_nothing_that_is_guarded(token: str) -> None:
    for name, reason in PROMOTION_CHANGES[token].items():
        assert reason.endswith("."), name
        assert len(reason.split()) >= 8, name
    assert not GUARDED & set(PROMOTION_CHANGES[token])


def test_other_types_have_nothing_to_ignore() -> None:
    with pytest.raises(KeyError):
        ignored("aws:s3/bucket:Bucket")
