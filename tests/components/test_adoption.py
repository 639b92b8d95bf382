"""What is imported keeps what cannot change, by reason, and nothing else does."""

from __future__ import annotations

import pytest

from components.aws import aurora as aurora_component
from components.aws import cache as cache_component
from components.aws.adoption import ADOPTION_KEEPS, ADOPTION_STAYS, BUCKET, kept
from components.aws.promotion import GLOBAL_DATASTORE, PROMOTION_CHANGES
from lifeboat.model.settings.base import GLOBAL_IMPORT
from lifeboat.sandbox.catalogue import load
from tests.components.examples.aurora import aurora
from tests.components.examples.cache import cache
from tests.components.examples.database import OLD, REPLICA, database
from tests.components.examples.objects import objects
from tests.components.harness import HOME, OTHER, Registration, deploy, sdk_class

ENTRIES = [
    pytest.param(token, name, reason, id=f"{token.rpartition(':')[2]}-{name}")
    for table in (ADOPTION_KEEPS, ADOPTION_STAYS)
    for token, reasons in table.items()
    for name, reason in reasons.items()
]


@pytest.fixture(scope="module")
def registrations() -> list[Registration]:
    return [
        resource
        for build in (
            database(OLD, REPLICA, imports={OLD.key: "legacy"}),
            aurora(imports={"global": "legacy", HOME: "legacy-east", OTHER: "legacy-west"}),
            cache(global_datastore=True, imports={"global": "ldgnf-legacy", HOME: "legacy-east", OTHER: "legacy-west"}),
            objects(imports={OTHER: "legacy-uploads"}),
        )
        for resource in deploy(build).children
    ]


def test_only_what_is_imported_keeps_anything(registrations: list[Registration]) -> None:
    for resource in registrations:
        expected = set(PROMOTION_CHANGES.get(resource.type, {}))
        if resource.import_id:
            expected |= {*ADOPTION_KEEPS.get(resource.type, {}), *ADOPTION_STAYS.get(resource.type, {})}
        assert set(resource.ignore_changes) == expected, resource.name


def test_every_entry_is_used(registrations: list[Registration]) -> None:
    # A promotion's entries are all that a global datastore needs.
    assert {each.type for each in registrations if each.import_id} == {*ADOPTION_KEEPS, GLOBAL_DATASTORE}
    assert set(ADOPTION_STAYS) <= set(ADOPTION_KEEPS)


def test_what_is_kept_would_replace_the_resource_or_be_refused() -> None:
    """Anything else is updated in place to what is declared, protection and parameters above all."""
    catalogue = load()
    for token, reasons in ADOPTION_KEEPS.items():
        known = catalogue.get(token).meaning.properties
        for name in reasons:
            changes = {known[name].change, *(case.change for case in known[name].cases)}
            assert changes & {"replaces", "refused"}, f"{token} {name}"


def test_what_would_replace_an_adopted_resource_is_kept_or_its_identity(registrations: list[Registration]) -> None:
    """Every declared input is looked up: one that replaces and is missing from the table would stop an adoption."""
    # Its name is what it is imported by; another engine, or a member of another datastore, is not what was declared.
    identity = {
        "bucket",
        "clusterIdentifier",
        "engine",
        "globalClusterIdentifier",
        "globalReplicationGroupId",
        "globalReplicationGroupIdSuffix",
        "replicationGroupId",
    }
    catalogue = load()
    for resource in registrations:
        if resource.import_id:
            known = catalogue.get(resource.type).meaning.properties
            replacing = {name for name in resource.inputs if known[name].change == "replaces"}
            assert replacing <= identity | set(resource.ignore_changes), resource.name


@pytest.mark.parametrize(("token", "name", "reason"), ENTRIES)
def test_every_entry_is_a_property_and_has_a_reason(token: str, name: str, reason: str) -> None:
    properties = {
        getattr(value.fget, "_pulumi_name", key)
        for key, value in vars(sdk_class(token)).items()
        if isinstance(value, property)
    }
    assert name in properties
    assert reason.endswith(".")
    assert len(reason.split()) >= 8
    assert name not in PROMOTION_CHANGES.get(token, {})


def test_what_is_not_imported_keeps_nothing() -> None:
    assert kept(BUCKET, None) == []


def test_settings_and_components_name_what_spans_the_regions_alike() -> None:
    assert aurora_component.GLOBAL_IMPORT == cache_component.GLOBAL_IMPORT == GLOBAL_IMPORT
