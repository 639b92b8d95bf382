"""A strongly consistent table among faults: a replica that is alone answers nobody, one that is not goes on."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.sandbox.gateway import quorum
from lifeboat.sandbox.gateway.calls import Call
from lifeboat.sandbox.gateway.conditions import Blackout, Conditions
from lifeboat.sandbox.gateway.quorum import lacks_quorum

if TYPE_CHECKING:
    from collections.abc import Iterator

EAST, WEST, WITNESS = "us-east-1", "us-west-2", "us-east-2"
READ = {"TableName": "lease", "Key": {}, "ConsistentRead": True}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def voters(region: str, name: str) -> tuple[str, ...]:
        return tuple({EAST, WEST, WITNESS} - {region}) if name == "lease" else ()

    monkeypatch.setattr(quorum, "voters", voters)
    return


def alone(region: str, *blackouts: Blackout, operation: str = "PutItem", body: dict[str, Any] | None = None) -> bool:
    conditions = Conditions()
    for blackout in blackouts:
        conditions.place(blackout)
    call = Call("dynamodb", region, operation, known=True)
    text = json.dumps(body or {"TableName": "lease", "Item": {}}).encode()
    return lacks_quorum(conditions, call, {"wsgi.input": io.BytesIO(text)})


def cut(region: str) -> tuple[Blackout, Blackout]:
    """As a partition does."""
    return (
        Blackout(effect="blackout", region=region, caller=f"!{region}"),
        Blackout(effect="blackout", region=f"!{region}", caller=region),
    )


def lost(region: str) -> Blackout:
    return Blackout(effect="blackout", region=region)


def test_a_replica_that_is_cut_off_answers_nobody_and_the_other_goes_on() -> None:
    assert not alone(EAST)
    assert alone(EAST, *cut(EAST))
    assert not alone(WEST, *cut(EAST))


def test_one_other_region_is_enough_whichever_it_is() -> None:
    assert not alone(EAST, lost(WITNESS))
    assert not alone(EAST, lost(WEST))
    assert alone(EAST, lost(WEST), lost(WITNESS))


def test_a_way_that_is_open_in_one_direction_is_none() -> None:
    one_way = Blackout(effect="blackout", region=WITNESS, caller=EAST)
    assert not alone(EAST, one_way)
    assert alone(EAST, one_way, lost(WEST))


@pytest.mark.parametrize(
    ("operation", "body", "needs"),
    [
        ("GetItem", READ, True),
        ("GetItem", {**READ, "ConsistentRead": False}, False),
        ("GetItem", {"TableName": "lease", "Key": {}}, False),
        ("BatchGetItem", {"RequestItems": {"lease": {"Keys": [], "ConsistentRead": True}}}, True),
        ("BatchWriteItem", {"RequestItems": {"lease": []}}, True),
        ("PutItem", {"TableName": "another", "Item": {}}, False),
        ("DescribeTable", {"TableName": "lease"}, False),
    ],
)
def test_what_needs_others_is_a_write_or_a_consistent_read_of_such_a_table(
    operation: str, body: dict[str, Any], needs: bool
) -> None:
    assert alone(EAST, *cut(EAST), operation=operation, body=body) == needs
