"""No incompatible change without a version bump: the rule on this contract, and the rule's own proof."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lifeboat_contract import VERSION
from lifeboat_contract.compatibility import faults
from lifeboat_contract.schema import VERSION_KEY, generate

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASED = sorted((Path(__file__).parents[3] / "contract" / "released").glob("contract-*.schema.json"))
Schema = dict[str, Any]


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.name)
def test_the_contract_of_today_may_follow_every_released_one(released: Path) -> None:
    assert faults(json.loads(released.read_text()), generate()) == []


def test_the_first_version_is_among_the_released() -> None:
    assert f"contract-{VERSION}.schema.json" in {path.name for path in RELEASED}


def _definition(schema: Schema, name: str) -> Schema:
    return schema["$defs"][name]


def _remove(schema: Schema) -> None:
    del _definition(schema, "Database")["properties"]["reader_endpoint"]


def _rename(schema: Schema) -> None:
    properties = _definition(schema, "Database")["properties"]
    properties["writer"] = properties.pop("writer_endpoint")


def _retype(schema: Schema) -> None:
    _definition(schema, "Database")["properties"]["port"]["type"] = "string"


def _require_new(schema: Schema) -> None:
    _definition(schema, "Cache")["properties"]["user"] = {"type": "string"}
    _definition(schema, "Cache")["required"].append("user")


def _require_old(schema: Schema) -> None:
    _definition(schema, "Cache")["required"].append("reader_endpoint")


def _relax(schema: Schema) -> None:
    _definition(schema, "Bucket")["required"].remove("key_arn")


def _widen_choice(schema: Schema) -> None:
    _definition(schema, "Promise")["properties"]["bound_class"]["enum"].append("hoped")


def _allow_null(schema: Schema) -> None:
    _definition(schema, "Bucket")["properties"]["arn"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def _tighten(schema: Schema) -> None:
    _definition(schema, "Database")["properties"]["port"]["maximum"] = 1000


def _retype_items(schema: Schema) -> None:
    _definition(schema, "Network")["properties"]["public_subnet_ids"]["items"] = {"type": "integer"}


def _retype_values(schema: Schema) -> None:
    schema["properties"]["sites"]["additionalProperties"] = {"type": "string"}


def _forbid_extra(schema: Schema) -> None:
    _definition(schema, "Site")["additionalProperties"] = False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_remove, "contract.sites.*.databases.*.reader_endpoint: was removed"),
        (_rename, "contract.sites.*.databases.*.writer_endpoint: was removed"),
        (_retype, "contract.sites.*.databases.*.port: type was 'integer' and is 'string'"),
        (
            _require_new,
            "contract.sites.*.caches.*.user: is new and required, so that documents of before cannot be read",
        ),
        (_require_old, "contract.sites.*.caches.*.reader_endpoint: is required now"),
        (_relax, "contract.sites.*.buckets.*.key_arn: is not required any more"),
        (_widen_choice, "contract.objectives.*.rto.bound_class: enum was "),
        (_allow_null, "contract.sites.*.buckets.*.arn: had 1 kinds of value and has 2"),
        (_tighten, "contract.sites.*.databases.*.port: maximum was 65535 and is 1000"),
        (_retype_items, "contract.sites.*.network.public_subnet_ids[]: type was 'string' and is 'integer'"),
        (_retype_values, "contract.sites.*: type was 'object' and is 'string'"),
        (_forbid_extra, "contract.sites.*.*: was None and is False"),
    ],
)
def test_an_incompatible_change_takes_a_major_version(change: Callable[[Schema], None], said: str) -> None:
    released = generate()
    current = copy.deepcopy(released)
    change(current)
    current[VERSION_KEY] = "1.2"
    found = faults(released, current)
    assert any(line.startswith(said) and line.endswith("; that takes version 2.0") for line in found), found
    current[VERSION_KEY] = "2.0"
    assert faults(released, current) == []


def test_a_new_field_that_may_be_absent_takes_a_minor_version() -> None:
    released = {**generate(), VERSION_KEY: "1.0"}
    current = copy.deepcopy(released)
    _definition(current, "Cache")["properties"]["user"] = {"type": "string", "default": "default"}
    assert faults(released, current) == ["contract.sites.*.caches.*.user: is new; that takes version 1.1"]
    current[VERSION_KEY] = "1.1"
    assert faults(released, current) == []


def test_words_may_change() -> None:
    released = generate()
    current = copy.deepcopy(released)
    _definition(current, "Cache")["properties"]["port"]["description"] = "Where it listens."
    assert faults(released, current) == []


def test_an_older_version_is_refused() -> None:
    released = {**generate(), VERSION_KEY: "1.4"}
    assert faults(released, generate()) == [f"version: {VERSION} is older than the released 1.4"]
