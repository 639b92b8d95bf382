"""The journal where it is kept: in the lease's table, and beside its object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lifeboat.recovery.errors import JournalLost
from lifeboat.recovery.journal import Entry, Event, Mirror, Taken
from lifeboat.recovery.journal_stores import ObjectJournal, TableJournal
from tests.sandbox.recovery_world import EAST, WEST, WITNESS, RecoveryWorld

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.recovery.journal import JournalStore
    from lifeboat.sandbox.state import Record


def entry(number: int, run: str = "r", writer: str = "w") -> Entry:
    return Entry(
        run=run, seq=number, wall=float(number), event=Event.STARTED, step="a", detail={"n": number}, writer=writer
    )


@pytest.fixture(scope="module")
def world(gateway: Record) -> RecoveryWorld:
    made = RecoveryWorld(gateway)
    made.build()
    made.client("s3", WITNESS).create_bucket(
        Bucket=made.physical.lease_bucket, CreateBucketConfiguration={"LocationConstraint": WITNESS}
    )
    return made


@pytest.fixture(params=["table", "object"])
def store(request: pytest.FixtureRequest, world: RecoveryWorld) -> JournalStore:
    if request.param == "object":
        return ObjectJournal(world.client("s3", WITNESS), world.physical.lease_bucket)
    return TableJournal(lambda region: world.client("dynamodb", region), world.physical.lease_table, [WEST, EAST])


def test_entries_come_back_in_order_and_each_number_is_written_once(store: JournalStore) -> None:
    entries = [entry(number, "long") for number in range(1, 106)]
    for each in entries:
        store.append(each)
    assert list(store.read("long")) == entries
    with pytest.raises(Taken) as taken:
        store.append(entry(7, "long", "other"))
    assert taken.value.entry == entries[6]
    assert list(store.read("long")) == entries
    assert store.read("no such run") == []


def test_runs_are_listed_by_their_beginning(store: JournalStore) -> None:
    store.append(Entry(run="zz-first", seq=1, wall=-2.0, event=Event.OPENED))
    store.append(Entry(run="aa-second", seq=1, wall=-1.0, event=Event.OPENED))
    assert list(store.runs())[:2] == ["zz-first", "aa-second"]


def test_a_replica_that_is_lost_is_passed_over(world: RecoveryWorld) -> None:
    world.outages.lost = frozenset({EAST})
    world.outages.asked.clear()
    ports = world.ports()
    table = world.physical.lease_table
    try:
        store = TableJournal(lambda region: ports.client("dynamodb", region), table, [EAST, WEST])
        store.append(entry(1, "away"))
        assert list(store.read("away")) == [entry(1, "away")]
        # The one that answered goes first from then on.
        assert [asked for asked in world.outages.asked if asked.startswith(EAST)] == [f"{EAST}: put_item"]
        world.outages.lost = frozenset({EAST, WEST})
        with pytest.raises(JournalLost, match="no answer from us-west-2"):
            store.append(entry(2, "away"))
    finally:
        world.outages.lost = frozenset()


def test_the_mirror_is_its_owners_alone(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "journal")
    mirror.write(entry(1))
    mirror.write(entry(2))
    path = mirror.path("r")
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
