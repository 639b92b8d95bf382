"""The list of stateful types, the rules that repeat it, and what may be listed in `ignoreChanges`."""

from __future__ import annotations

import pytest
import yaml

from components.aws.promotion import PROMOTION_CHANGES
from policies.core.resource import canonical
from policies.core.stateful import DATA, STATEFUL, is_stateful
from policies.rules.aws_protection import ALLOWED_FILE
from tests.policies import sdk
from tests.policies.harness import make, rules

ALLOWED: dict[str, dict[str, str]] = yaml.safe_load(ALLOWED_FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("token", list(STATEFUL))
def test_a_stateful_type_is_one_of_the_sdk(token: str) -> None:
    assert canonical(token) == token
    assert sdk.inputs(token)


def test_the_kinds_of_data_exist() -> None:
    assert set(STATEFUL.values()) > DATA


def test_instances_of_a_cluster_hold_no_data() -> None:
    assert is_stateful(make("aws:s3/bucketV2:BucketV2"))
    assert not is_stateful(make("aws:rds/clusterInstance:ClusterInstance"))


def test_every_stateful_type_is_asked_for_protection() -> None:
    # Keys of Google Cloud have a rule of their own.
    asked = {*rules()["stateful-protected"].metadata.types, "gcp:kms/cryptoKey:CryptoKey"}
    assert asked == STATEFUL.keys()


def test_every_stateful_type_of_aws_with_tags_is_asked_for_them() -> None:
    tagged = {token for token in STATEFUL if token.startswith("aws:") and "tags" in sdk.inputs(token)}
    assert set(rules()["dr-tags"].metadata.types) == tagged


@pytest.mark.parametrize(("token", "property_"), [(token, name) for token, names in ALLOWED.items() for name in names])
def test_what_may_be_ignored_is_an_input(token: str, property_: str) -> None:
    assert canonical(token) == token
    sdk.find(token, property_)


def test_what_our_components_ignore_after_a_promotion_may_be_ignored() -> None:
    assert {(t, name) for t, names in PROMOTION_CHANGES.items() for name in names} <= {
        (t, name) for t, names in ALLOWED.items() for name in names
    }
