"""Answers of the lease's and the journal's stores that are neither yes nor no: asked again, and not for ever."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lifeboat.recovery.errors import JournalLost
from lifeboat.recovery.journal import Entry, Event, Taken
from lifeboat.recovery.journal_stores import ObjectJournal, TableJournal
from lifeboat.recovery.lease_record import LeaseRecord
from lifeboat.recovery.lease_store import Unreachable, Versioned
from lifeboat.recovery.lease_table import TableStore
from lifeboat.recovery.patience import Patience

EAST, WEST = "us-east-1", "us-west-2"
TABLE = "leases"
RECORD = LeaseRecord.first(EAST, 60)
ENTRY = Entry(run="r", seq=1, wall=1.0, event=Event.OPENED, writer="w")


def refusal(code: str, operation: str = "PutItem") -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation)


class Time:
    """Passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def patience(self) -> Patience:
        return Patience(seconds=3, clock=lambda: self.now, wait=self.wait)

    def wait(self, seconds: float) -> None:
        self.now += seconds


class Table:
    """A replica: refuses that many writes, answers a batch for so many keys at a time."""

    def __init__(self, refused: int = 0, at_a_time: int = 100) -> None:
        self.refused = refused
        self.at_a_time = at_a_time
        self.throttled = 0
        """How many of the next batches are answered for no key."""
        self.items: dict[str, dict[str, Any]] = {}
        self.batches = 0

    def get_item(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3's
        found = self.items.get(asked["Key"]["pk"]["S"])
        return {} if found is None else {"Item": found}

    def put_item(self, **asked: Any) -> None:  # noqa: ANN401 - as boto3's
        if self.refused:
            self.refused -= 1
            raise refusal("ReplicatedWriteConflictException")
        self.items[asked["Item"]["pk"]["S"]] = asked["Item"]

    def batch_get_item(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3's
        self.batches += 1
        ((name, wanted),) = asked["RequestItems"].items()
        assert wanted["ConsistentRead"]
        take = 0 if self.throttled else self.at_a_time
        self.throttled = max(0, self.throttled - 1)
        done, left = wanted["Keys"][:take], wanted["Keys"][take:]
        found = [self.items[key["pk"]["S"]] for key in done if key["pk"]["S"] in self.items]
        more = {name: {**wanted, "Keys": left}} if left else {}
        return {"Responses": {name: found}, "UnprocessedKeys": more}


def lease(table: Table, time: Time) -> TableStore:
    return TableStore(
        lambda _: table, table=TABLE, regions=(EAST, WEST), viewers=(EAST, WEST), patience=time.patience()
    )


def test_a_lease_that_two_replicas_are_writing_is_written_a_moment_later() -> None:
    table, time = Table(refused=2), Time()
    written = lease(table, time).create(RECORD)
    assert (written.version, lease(table, time).read().record) == (1, RECORD)
    assert time.now > 0


def test_a_lease_that_is_written_all_the_time_is_out_of_reach_after_a_while() -> None:
    table, time = Table(refused=10_000), Time()
    seen = Versioned(version=1, record=RECORD, token="1")
    with pytest.raises(Unreachable, match="ReplicatedWriteConflictException"):
        lease(table, time).replace(seen, RECORD.fence(WEST))
    assert time.now <= 2 * 3


def test_every_view_is_read_however_few_an_answer_has() -> None:
    table, time = Table(at_a_time=1), Time()
    store = lease(table, time)
    store.publish(EAST, "one")
    store.publish(WEST, "two")
    table.throttled = 2
    assert store.views() == {EAST: "one", WEST: "two"}
    table.throttled = 10_000
    with pytest.raises(Unreachable, match="ThrottlingException"):
        store.views()


def test_a_journal_is_read_whole_and_not_for_ever() -> None:
    table, time = Table(at_a_time=7), Time()
    journal = TableJournal(lambda _: table, TABLE, [WEST, EAST], time.patience())
    entries = [replace(ENTRY, seq=number) for number in range(1, 31)]
    for each in entries:
        journal.append(each)
    table.throttled = 2
    assert list(journal.read("r")) == entries
    table.throttled, table.batches = 10_000, 0
    began = time.now
    with pytest.raises(JournalLost, match="no key of 100 was processed"):
        journal.read("r")
    # Each replica twice, for as long as patience lasts.
    assert time.now - began <= 4 * 3
    assert table.batches < 100


class Objects:
    """A bucket that answers a put as it is told, before it takes one."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.kept: dict[str, bytes] = {}

    def put_object(self, **asked: Any) -> None:  # noqa: ANN401 - as boto3's
        assert asked["IfNoneMatch"] == "*"
        if self.answers:
            raise refusal(self.answers.pop(0), "PutObject")
        if asked["Key"] in self.kept:
            raise refusal("PreconditionFailed", "PutObject")
        self.kept[asked["Key"]] = asked["Body"]

    def get_object(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3's
        if asked["Key"] not in self.kept:
            raise refusal("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.kept[asked["Key"]])}


@pytest.mark.parametrize("answers", [["ConditionalRequestConflict"] * 2, ["PreconditionFailed"], ["SlowDown"]])
def test_an_entry_whose_number_is_undecided_is_written_a_moment_later(answers: list[str]) -> None:
    bucket, time = Objects(*answers), Time()
    ObjectJournal(bucket, "b", time.patience()).append(ENTRY)
    assert list(bucket.kept) == ["journal/r/00000001.json"]
    assert time.now > 0


def test_an_entry_of_somebody_else_is_told_once_it_is_there() -> None:
    bucket, time = Objects(), Time()
    theirs = replace(ENTRY, writer="theirs")
    ObjectJournal(bucket, "b", time.patience()).append(theirs)
    bucket.answers = ["ConditionalRequestConflict"]
    with pytest.raises(Taken) as taken:
        ObjectJournal(bucket, "b", time.patience()).append(ENTRY)
    assert taken.value.entry == theirs


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "AccessDenied"])
def test_a_journal_that_takes_no_entry_is_lost(code: str) -> None:
    bucket, time = Objects(*[code] * 10_000), Time()
    with pytest.raises(JournalLost, match=code):
        ObjectJournal(bucket, "b", time.patience()).append(ENTRY)
    assert (time.now > 0) is (code != "AccessDenied")
    assert time.now <= 3
