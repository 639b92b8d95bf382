"""Reading a deployment file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.core.judge import Status, judge
from policies.core.settings import resolve_settings
from policies.core.state import StateError, index_of_state
from policies.core.values import UNKNOWN
from tests.policies.harness import TODAY, rules, said

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::aws"


def _resource(name: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    type_ = values.pop("type", "aws:s3/bucketV2:BucketV2")
    return {"urn": f"urn:pulumi:dev::shop::{type_}::{name}", "type": type_, "custom": True, **values}


def _state(*resources: dict[str, Any]) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


def _nested(depth: int) -> Any:  # noqa: ANN401 - JSON
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_resource_with_all_that_rules_read() -> None:
    provider = {"urn": PROVIDER, "type": "pulumi:providers:aws", "id": "1", "inputs": {"region": "eu-west-1"}}
    index = index_of_state(
        _state(
            provider,
            _resource(
                "one",
                inputs={"bucket": "one"},
                outputs={"arn": "arn"},
                protect=True,
                ignoreChanges=["tags"],
                parent="up",
                provider=f"{PROVIDER}::1",
                dependencies=["a"],
                propertyDependencies={"bucket": ["a"], "tags": None},
            ),
        )
    )
    (found,) = index.of("aws:s3/bucket:Bucket")
    assert (found.get("bucket"), found.outputs, found.protect, found.ignore_changes) == (
        "one",
        {"arn": "arn"},
        True,
        ("tags",),
    )
    assert (found.parent, found.dependencies) == ("up", ("a",))
    assert found.property_dependencies == {"bucket": ("a",), "tags": ()}
    assert index.region(found) == "eu-west-1"


def test_secrets_with_and_without_their_text() -> None:
    plain, hidden = {**SECRET, "plaintext": '{"a": 7}'}, {**SECRET, "ciphertext": "xyz"}
    (found,) = index_of_state(_state(_resource("one", inputs={"plain": plain, "hidden": [hidden]})))
    assert found.inputs == {"plain": {"a": 7}, "hidden": [UNKNOWN]}


def test_what_depends_on_an_encrypted_value_is_undecided() -> None:
    type_ = "aws:rds/instance:Instance"
    state = _state(_resource("db", type=type_, inputs={"backupRetentionPeriod": {**SECRET, "ciphertext": "xyz"}}))
    only = {"rds-retention": rules()["rds-retention"]}
    judgement = judge(index_of_state(state), only, resolve_settings({}, only), today=TODAY)
    assert said(judgement, Status.UNDECIDED) == ["db:backupRetentionPeriod"]
    assert not judgement.having(Status.VIOLATION)


def test_what_is_only_read_is_not_judged_unlike_in_the_engine_s_analysis() -> None:
    state = _state(_resource("db", type="aws:rds/instance:Instance", external=True, inputs={}))
    only = {"rds-retention": rules()["rds-retention"]}
    judgement = judge(index_of_state(state), only, resolve_settings({}, only), today=TODAY)
    assert (judgement.findings, judgement.resources) == ((), 0)


def test_what_is_only_read_and_what_is_going_away() -> None:
    index = index_of_state(_state(_resource("read", external=True, outputs={"id": "x"}), _resource("old", delete=True)))
    (found,) = index
    assert (found.name, found.inputs, found.outputs) == ("read", None, {"id": "x"})


def test_a_replacement_stands_beside_what_it_replaces() -> None:
    index = index_of_state(_state(_resource("same", inputs={"n": 2}), _resource("same", inputs={"n": 1}, delete=True)))
    assert [each.get("n") for each in index] == [2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100000, "nested too deeply"),
        (_state(_resource("deep", inputs={"x": _nested(700)})), "nested too deeply"),
        ("[]", "a deployment as"),
        ("null", "a deployment as"),
        ('{"version": 3}', "a deployment as"),
        ('{"version": 4, "deployment": {}}', "version: 4: 3 is expected"),
    ],
)
def test_what_is_no_deployment(text: str, said: str) -> None:
    with pytest.raises(StateError, match=f"^{said}"):
        index_of_state(text)


def test_an_empty_stack() -> None:
    assert len(index_of_state('{"version": 3, "deployment": {"resources": null}}')) == 0
