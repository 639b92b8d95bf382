"""What every component keeps, whatever it builds.

What can be tagged, encrypted or destroyed is read from the SDK's own classes; the exceptions are few, and say why.
"""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import re
import typing
from functools import cache
from importlib import import_module
from typing import Any

import pulumi
import pytest

import components.aws
from tests.components.examples import all_examples
from tests.components.harness import PREFIX, STACK_TAGS, Deployment, Example, Registration, deploy, regions_in

if typing.TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROLES = {"primary", "secondary", "standby", "active", "passive", "recovery", "dr", "home"}
KEY_ARGUMENT = re.compile(r"kms_(master_)?key(_id|_arn)?")
ENCRYPTION_SWITCHES = {"encrypted", "storage_encrypted", "at_rest_encryption_enabled", "transit_encryption_enabled"}
DESTROYS_DATA = {
    "deletion_protection",
    "deletion_window_in_days",
    "final_snapshot_identifier",
    "force_destroy",
    "recovery_window_in_days",
    "skip_final_snapshot",
}
ALSO_STATEFUL = {
    # Its deletion ends the replication of every member; no argument of it says so.
    "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup",
    # Its argument is called otherwise than everybody's.
    "aws:dynamodb/table:Table",
}
NOT_STATEFUL = {
    # Written by the program from what it knows; its bucket is what is protected.
    "aws:s3/bucketObjectv2:BucketObjectv2",
    # Rules and their targets hold nothing; force_destroy takes a managed rule away.
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    # Aurora keeps data in the cluster; an instance of it holds none.
    "aws:rds/clusterInstance:ClusterInstance",
}
NAME_TAG_ONLY = {
    # S3 takes ten tags an object, and a stack may have more.
    "aws:s3/bucketObjectv2:BucketObjectv2",
}
NAMED_BY_THE_ZONE = {"aws:route53/zone:Zone", "aws:route53/record:Record"}
_DATASTORE = "A member takes it from the global datastore; test_cache.py asserts it for every other group."
INHERITS_ENCRYPTION: dict[tuple[str, str], str] = {
    ("aws:elasticache/replicationGroup:ReplicationGroup", "at_rest_encryption_enabled"): _DATASTORE,
    ("aws:elasticache/replicationGroup:ReplicationGroup", "transit_encryption_enabled"): _DATASTORE,
}
"""Arguments (type token, Python name) that a component leaves out, with the reason."""

EXAMPLES = all_examples()
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])


@cache
def deployed(example: Example) -> Deployment:
    return deploy(example.build)


def modules() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(components.aws.__path__):
        yield import_module(f"components.aws.{info.name}")


def component_classes() -> set[type[pulumi.ComponentResource]]:
    return {
        value
        for module in modules()
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, pulumi.ComponentResource)
        and value.__module__ == module.__name__
    }


def mappings(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - an input is of any type
    """Every mapping inside a value."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from mappings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from mappings(inner)


def wire(python_name: str) -> str:
    head, *rest = python_name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def aws_children(example: Example) -> list[Registration]:
    return [child for child in deployed(example).children if child.type.startswith("aws:")]


def test_every_component_has_an_example() -> None:
    assert component_classes() == {type(deployed(example).component) for example in EXAMPLES}


def test_arguments_are_frozen_and_keyword_only() -> None:
    classes = {value for module in modules() for value in vars(module).values() if dataclasses.is_dataclass(value)}
    for each in classes:
        assert each.__dataclass_params__.frozen, each
        assert all(field.kw_only for field in dataclasses.fields(each)), each


@pytest.mark.parametrize("component", sorted(component_classes(), key=lambda c: c.__name__), ids=lambda c: c.__name__)
def test_components_take_a_name_their_arguments_and_options(component: type[pulumi.ComponentResource]) -> None:
    parameters = list(inspect.signature(component.__init__).parameters.values())
    assert [parameter.name for parameter in parameters] == ["self", "name", "args", "opts"]
    assert parameters[3].default is None
    assert dataclasses.is_dataclass(typing.get_type_hints(component.__init__)["args"])


@each_example
def test_type_is_the_class_name(example: Example) -> None:
    deployment = deployed(example)
    assert deployment.root.type == f"lifeboat:aws:{type(deployment.component).__name__}"


@each_example
def test_children_belong_to_the_component_and_carry_its_name(example: Example) -> None:
    deployment = deployed(example)
    for child in deployment.children:
        assert child.parent == deployment.root.urn, child.name
        assert child.name.startswith(f"{deployment.root.name}-"), child.name


@each_example
def test_names_carry_the_region_that_the_resource_lives_in(example: Example) -> None:
    deployment = deployed(example)
    for child in aws_children(example):
        region = deployment.region(child)
        named = regions_in(child.name)
        if not named:
            spans = "global" in child.type.lower() or not child.accepts("region")
            assert "global" in child.name.split("-"), f"{child.name} names neither a region nor global"
            assert spans, f"{child.name} is called global, and {child.type} lives in one region"
        else:
            assert named == {region}, child.name


@each_example
def test_names_carry_no_role(example: Example) -> None:
    for resource in deployed(example).resources:
        tag = resource.inputs.get("tags", {}).get("Name", "")
        for name in (resource.name, tag):
            assert not ROLES & set(re.split(r"[^a-z0-9]+", name.lower())), name


@each_example
def test_what_can_be_tagged_is_tagged(example: Example) -> None:
    for child in aws_children(example):
        if child.accepts("tags"):
            tags = child.inputs.get("tags", {})
            assert tags.get("Name"), child.name
            if child.type not in NAME_TAG_ONLY:
                assert STACK_TAGS.items() <= tags.items(), child.name


@each_example
def test_physical_names_are_explicit(example: Example) -> None:
    for child in aws_children(example):
        if child.accepts("name") and child.type not in NAMED_BY_THE_ZONE:
            assert PREFIX in child.inputs.get("name", ""), child.name


@each_example
def test_what_can_be_encrypted_is_with_a_key_of_its_own_region(example: Example) -> None:
    deployment = deployed(example)
    for child in aws_children(example):
        region = deployment.region(child)
        for argument in child.arguments:
            if (child.type, argument) in INHERITS_ENCRYPTION:
                continue
            value = child.inputs.get(wire(argument))
            if argument in ENCRYPTION_SWITCHES:
                # A provider that reads the setting as text gets text.
                assert value in (True, "true"), f"{child.name}: {argument}"
            if KEY_ARGUMENT.fullmatch(argument):
                assert value, f"{child.name}: {argument}"
                assert str(value).startswith(f"arn:aws:kms:{region}:"), f"{child.name}: {argument} is {value}"


@each_example
def test_nested_keys_are_of_the_region_that_uses_them(example: Example) -> None:
    deployment = deployed(example)
    for child in aws_children(example):
        for mapping in mappings(child.inputs):
            for key, value in mapping.items():
                if re.fullmatch(r"(?i)(performanceInsights|replica)?kms(Master)?Key(Id|Arn)?", key):
                    there = {deployment.region(child)}
                    if key.startswith("replica"):
                        there = set(deployment.regions.values()) - there
                    elif "region" in mapping:
                        there = {mapping["region"]}
                    elif "regionName" in mapping:
                        there = {mapping["regionName"]}
                    assert regions_in(str(value)) <= there, f"{child.name}: {key} is {value}"


@each_example
def test_what_holds_state_is_protected(example: Example) -> None:
    for child in aws_children(example):
        stateful = bool(DESTROYS_DATA & child.arguments) or child.type in ALSO_STATEFUL
        if stateful and child.type not in NOT_STATEFUL:
            assert child.protect, child.name


@each_example
def test_outputs_are_registered_as_annotated(example: Example) -> None:
    deployment = deployed(example)
    assert deployment.root.outputs is not None, "register_outputs was never called"
    # The engine keeps no output that is None.
    assert deployment.root.outputs == {name: value for name, value in deployment.values.items() if value is not None}


@each_example
def test_a_first_preview_declares_the_same_resources(example: Example) -> None:
    preview = deploy(example.build, preview=True)
    assert {each.urn for each in preview.resources} == {each.urn for each in deployed(example).resources}
    assert set(preview.root.outputs or {}) == set(deployed(example).root.outputs or {})
