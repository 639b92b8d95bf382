"""Values on the wire and in a state file, and which of them are secret."""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.sandbox.plugin.secrecy import mark
from lifeboat.sandbox.plugin.wire import (
    RESOURCE,
    SECRET,
    SIGNATURE,
    Secret,
    decode,
    encode,
    holds_secret,
    reveal,
    to_state,
)
from lifeboat.sandbox.provider import UNKNOWN

NAMES = st.text("abcdefg", min_size=1, max_size=4)
SCALARS = st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.just(UNKNOWN)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3) | inner.map(Secret)
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_values_go_there_and_back(values: dict[str, Any]) -> None:
    assert decode(encode(values)) == values


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_whoever_takes_no_secrets_gets_plain_values(values: dict[str, Any]) -> None:
    assert decode(encode(values, secrets=False)) == reveal(values)
    assert not holds_secret(reveal(values))


def test_numbers_are_whole_where_they_can_be() -> None:
    values = decode(encode({"port": 5432, "share": 0.5}))
    assert {key: repr(value) for key, value in values.items()} == {"port": "5432", "share": "0.5"}


def test_a_resource_stands_for_its_identifier() -> None:
    struct = struct_pb2.Struct()
    struct.update(
        {"vpc": {SIGNATURE: RESOURCE, "urn": "urn:x", "id": "vpc-1"}, "component": {SIGNATURE: RESOURCE, "urn": "u"}}
    )
    struct.update({"planned": {SIGNATURE: RESOURCE, "urn": "urn:x", "id": ""}})
    assert decode(struct) == {"vpc": "vpc-1", "component": "u", "planned": UNKNOWN}


def test_a_state_file_has_ciphertext_of_json() -> None:
    kept = to_state({"a": Secret({"b": [1, Secret("x")]}), "c": 2}, lambda text: f"<{text}>")
    assert kept == {"a": {SIGNATURE: SECRET, "ciphertext": '<{"b":[1,"x"]}>'}, "c": 2}


def test_what_came_from_a_secret_is_one() -> None:
    outputs = {
        "password": "swordfish-1",
        "tags": {"a": "open", "b": "hidden-value"},
        "list": ["swordfish-1", "open"],
        "url": "somewhere",
        "key": "made-here",
        "absent": None,
    }
    inputs = {"password": Secret("swordfish-1"), "tags": {"a": "open", "b": Secret("hidden-value")}}
    assert mark(outputs, inputs, ["key", "absent"]) == {
        "password": Secret("swordfish-1"),
        "tags": {"a": "open", "b": Secret("hidden-value")},
        "list": [Secret("swordfish-1"), "open"],
        "url": "somewhere",
        "key": Secret("made-here"),
        "absent": None,
    }


def test_a_short_secret_does_not_hide_everything_like_it() -> None:
    assert mark({"user": "app"}, {"password": Secret("app")}) == {"user": "app"}
