"""The catalogue's data against the SDK's types and the vendor's own service models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jmespath
import pytest
from botocore.model import ListShape, Shape, StructureShape

from lifeboat.sandbox.catalogue import Entry, load, sdk
from lifeboat.sandbox.provider.clients import operation_model
from lifeboat.sandbox.provider.coverage import carried, coverage
from lifeboat.sandbox.provider.hooks import cloudwatch, dynamodb, ec2, ecs, elasticache, events, rds, route53
from lifeboat.sandbox.provider.shapes import member_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.sandbox.catalogue.schema import Call

ENTRIES = sorted(load(), key=lambda entry: entry.token)
EXPRESSION = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")
HOOKS = {
    module.__name__.rsplit(".", 1)[-1]: module
    for module in (cloudwatch, dynamodb, ec2, ecs, elasticache, events, rds, route53)
}
each_type = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.token.rsplit(":", 1)[-1])


def _calls(entry: Entry) -> Iterator[Call]:
    running = entry.running
    yield from (*running.create, *running.read, *running.update, *running.delete)
    if running.tags is not None:
        yield from (call for call in (running.tags.add, running.tags.remove) if call is not None)


@each_type
def test_described_properties_are_exactly_the_sdks_inputs(entry: Entry) -> None:
    assert set(entry.meaning.properties) - set(sdk.resource_type(entry.token).inputs) == set()


@each_type
def test_every_input_of_the_sdk_is_described(entry: Entry) -> None:
    assert set(sdk.resource_type(entry.token).inputs) - set(entry.meaning.properties) == set()


@each_type
def test_running_names_only_properties_of_the_sdk(entry: Entry) -> None:
    fields, running = sdk.resource_type(entry.token), entry.running
    inputs = {*running.defaults, *running.computed, *running.ordered, *running.local}
    inputs.update(name for call in _calls(entry) for name in (*call.triggers, *call.skip))
    inputs.update({running.autoname} - {None})
    assert inputs - set(fields.inputs) == set()
    outputs = {*running.outputs, *running.secret, *(path.split(".")[0] for path in running.rename)}
    assert outputs - set(fields.outputs) == set()


@each_type
def test_every_call_and_argument_exists_in_the_vendors_model(entry: Entry) -> None:
    for call in _calls(entry):
        shape = operation_model(call.service or entry.running.service or "", call.op).input_shape
        assert shape is not None
        _assert_members(shape, call.args, call.op)
        if call.wrap is not None:
            assert call.wrap in shape.members


def _assert_members(shape: Shape, template: object, path: str) -> None:
    if isinstance(template, dict) and isinstance(shape, StructureShape):
        for name, item in template.items():
            assert name in shape.members, f"{path}: no member {name}"
            _assert_members(shape.members[name], item, f"{path}.{name}")
    if isinstance(template, list) and isinstance(shape, ListShape):
        for item in template:
            _assert_members(shape.member, item, path)


@each_type
def test_every_input_that_a_call_is_to_carry_reaches_it(entry: Entry) -> None:
    """A required input that no call carries would be refused by every program."""
    required = {name for name, field in sdk.resource_type(entry.token).inputs.items() if field.required}
    assert required - carried(entry) == set()


@each_type
def test_renames_lead_to_members(entry: Entry) -> None:
    shapes = [
        operation_model(call.service or entry.running.service or "", call.op).input_shape
        for call in entry.running.create
    ]
    for path, name in entry.running.rename.items():
        if name is None or "." in path:
            continue
        found = [s.members[c.wrap] if c.wrap else s for s, c in zip(shapes, entry.running.create, strict=True) if s]
        responses = str(entry.running.outputs) + str([call.result for call in entry.running.read])
        reachable = any(member_name(s.members, path, path, entry.running.rename) == name for s in found)
        assert reachable or name in responses or _in_response(entry, name), f"{path}: nothing is called {name}"


def _in_response(entry: Entry, name: str) -> bool:
    for call in entry.running.read:
        shape = operation_model(call.service or entry.running.service or "", call.op).output_shape
        if shape is not None and name in _names(shape, set()):
            return True
    return False


def _names(shape: Shape, seen: set[str]) -> set[str]:
    if shape.name in seen:
        return set()
    seen.add(shape.name)
    if isinstance(shape, ListShape):
        return _names(shape.member, seen)
    if isinstance(shape, StructureShape):
        return set(shape.members).union(*(_names(member, seen) for member in shape.members.values()))
    return set()


@each_type
def test_every_expression_parses(entry: Entry) -> None:
    for expression in EXPRESSION.findall(entry.running.model_dump_json().replace('\\"', '"').replace("\\\\", "\\")):
        jmespath.compile(expression)


@each_type
def test_every_hook_exists(entry: Entry) -> None:
    for call in _calls(entry):
        if call.prepare is not None:
            assert callable(getattr(HOOKS[entry.running.service or ""], call.prepare))


def test_types_with_meaning_can_be_run() -> None:
    assert load().described_only == frozenset()


def test_every_property_says_where_its_change_is_known_from() -> None:
    sources = [known.source for entry in ENTRIES for known in entry.meaning.properties.values()]
    assert all(source.strip() for source in sources)
    assert coverage(load()).unproven == sources.count("unproven")


def test_recovery_control_is_the_only_thing_recorded() -> None:
    recorded = {entry.token.split(":")[1].split("/")[0] for entry in ENTRIES if entry.running.recorded}
    assert recorded == {"route53recoverycontrol"}


def test_an_unknown_type_is_refused_with_its_name() -> None:
    with pytest.raises(KeyError, match="aws:ec2/instance:Instance"):
        load().get("aws:ec2/instance:Instance")


def test_the_sdk_tells_required_inputs_and_nested_types() -> None:
    replication = sdk.resource_type("aws:s3/bucketReplicationConfig:BucketReplicationConfig")
    rule = replication.inputs["rules"].kind.element
    assert rule is not None
    assert replication.inputs["role"].required
    assert rule.fields["destination"].kind.fields["replicationTime"].kind.name == "object"
    assert rule.fields["destination"].kind.fields["bucket"].required


def test_the_sdk_tells_arguments_from_a_nested_type_of_the_same_name() -> None:
    assert "versioningConfiguration" in sdk.resource_type("aws:s3/bucketVersioning:BucketVersioning").inputs


def test_the_sdk_has_no_type_of_a_made_up_token() -> None:
    with pytest.raises(KeyError, match="aws:ec2/nothing:Nothing"):
        sdk.resource_type("aws:ec2/nothing:Nothing")
