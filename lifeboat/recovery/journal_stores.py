"""Where a journal is kept: in the lease's table, or beside the lease's object in the witness region."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.model.design import LeaseStore as Kind
from lifeboat.recovery.errors import JournalLost
from lifeboat.recovery.journal import Entry, Taken, told_of
from lifeboat.recovery.patience import Patience
from lifeboat.recovery.run_state import is_unanswered
from lifeboat.recovery.table_items import MOST, Items

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lifeboat.model.physical import Physical
    from lifeboat.recovery.journal import JournalStore
    from lifeboat.recovery.ports import Client, Ports

_T = TypeVar("_T")
_PREFIX: Final = "journal#"
_ROUNDS: Final = 2
"""Attempts at each replica that does not answer."""
_PATIENCE: Final = 5.0
"""Real seconds for which one is asked again that throttles or fails by itself: a run ends with its journal."""
_EXISTS: Final = "PreconditionFailed"
_UNDECIDED: Final = frozenset({"ConditionalRequestConflict", "NoSuchKey"})
"""Somebody writes the same object at this moment, or did not end well: there is an entry or none a moment later."""


class TableJournal:
    """In the lease's table: one item an entry, the name of the run and the number are its key.

    Args:
        client: Makes a DynamoDB client of a region: few attempts a call, since another region can be asked instead.
        table: The table's name.
        regions: Of its replicas, nearest first; one that does not answer is passed over.
        patience: With one that throttles or fails by itself.
    """

    def __init__(
        self,
        client: Callable[[str], Client],
        table: str,
        regions: Sequence[str],
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._patience = patience or Patience(seconds=_PATIENCE)
        self._regions = tuple(regions)
        self._answered = self._regions[0]

    def append(self, entry: Entry) -> None:
        """Keep an entry."""
        item = {
            "pk": {"S": _key(entry.run, entry.seq)},
            "run": {"S": entry.run},
            "seq": {"N": str(entry.seq)},
            "entry": {"S": json.dumps(entry.document())},
        }

        def put(client: Client) -> None:
            client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")

        try:
            self._anywhere(put)
        except ClientError as fault:
            if fault.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise JournalLost(f"journal: {self._table}: {told_of(fault)}") from fault
            found = self._get(entry.run, [entry.seq])
            if not found:
                raise JournalLost(f"journal: {self._table}: entry {entry.seq} of {entry.run} is gone") from fault
            raise Taken(found[0]) from None

    def read(self, run: str) -> Sequence[Entry]:
        """Every entry of a run."""
        entries: list[Entry] = []
        while True:
            first = len(entries) + 1
            block = self._get(run, range(first, first + MOST))
            entries += block
            if len(block) < MOST:
                return entries

    def runs(self) -> Sequence[str]:
        """Every run."""

        def scan(client: Client) -> list[Entry]:
            pages = client.get_paginator("scan").paginate(
                TableName=self._table,
                FilterExpression="begins_with(pk, :journal) AND seq = :first",
                ExpressionAttributeValues={":journal": {"S": _PREFIX}, ":first": {"N": "1"}},
                ConsistentRead=True,
            )
            return [_entry(item) for page in pages for item in page["Items"]]

        return [entry.run for entry in sorted(self._asked(scan), key=lambda entry: entry.wall)]

    def _get(self, run: str, numbers: Iterable[int]) -> list[Entry]:
        items = Items(self._table, ({"pk": {"S": _key(run, number)}} for number in numbers))
        found = self._asked(lambda client: [_entry(item) for item in items.get(client)])
        return sorted(found, key=lambda entry: entry.seq)

    def _asked(self, question: Callable[[Client], list[Entry]]) -> list[Entry]:
        try:
            return self._anywhere(question)
        except ClientError as fault:
            raise JournalLost(f"journal: {self._table}: {told_of(fault)}") from fault

    def _anywhere(self, ask: Callable[[Client], _T]) -> _T:
        """The first answer of any replica."""
        said: list[str] = []
        # The one that answered last goes first: one that is lost costs its deadline once, not each time. Twice round,
        # since a run ends with its journal, and must not for one slow answer of the replica that is left.
        for region in _ROUNDS * sorted(self._regions, key=lambda each: each != self._answered):
            try:
                client = self._client(region)
                # An entry that is written twice is found to be its own.
                answer = self._patience.ask(lambda _, client=client: ask(client))
            except (BotoCoreError, ClientError, OSError) as fault:
                if isinstance(fault, ClientError) and not is_unanswered(fault):
                    self._answered = region
                    raise
                said.append(f"{region}: {told_of(fault)}")
            else:
                self._answered = region
                return answer
        raise JournalLost(*(f"journal: {self._table}: no answer from {line}" for line in said))


class ObjectJournal:
    """Objects in the witness region: one an entry.

    Args:
        client: An S3 client of that region.
        bucket: The lease's bucket.
        patience: With one that throttles or fails by itself, or where two write the same entry at once.
    """

    def __init__(self, client: Client, bucket: str, patience: Patience | None = None) -> None:
        self._client = client
        self._bucket = bucket
        self._patience = replace(patience or Patience(seconds=_PATIENCE), later=_UNDECIDED)

    def append(self, entry: Entry) -> None:
        """Keep an entry."""
        key = _path(entry.run, entry.seq)

        def put(_: bool) -> None:
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=json.dumps(entry.document()).encode(),
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
            except ClientError as fault:
                if fault.response.get("Error", {}).get("Code") != _EXISTS:
                    raise
                # What is gone by now is put anew; one's own of an attempt before is known by who keeps the journal.
                raise Taken(self._read(key)) from None

        try:
            self._patience.ask(put)
        except (BotoCoreError, ClientError) as fault:
            raise self._lost(fault) from fault

    def read(self, run: str) -> Sequence[Entry]:
        """Every entry of a run."""
        return [self._fetch(key) for key in self._keys(f"journal/{run}/")]

    def runs(self) -> Sequence[str]:
        """Every run."""
        first = [self._fetch(key) for key in self._keys("journal/") if key.endswith(f"/{1:08d}.json")]
        return [entry.run for entry in sorted(first, key=lambda entry: entry.wall)]

    def _keys(self, prefix: str) -> list[str]:
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return sorted(item["Key"] for page in pages for item in page.get("Contents", []))
        except (BotoCoreError, ClientError) as fault:
            raise self._lost(fault) from fault

    def _fetch(self, key: str) -> Entry:
        try:
            return self._read(key)
        except (BotoCoreError, ClientError) as fault:
            raise self._lost(fault) from fault

    def _read(self, key: str) -> Entry:
        return Entry.of(json.loads(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()))

    def _lost(self, fault: Exception) -> JournalLost:
        return JournalLost(f"journal: s3://{self._bucket}: {told_of(fault)}")


def store_of(physical: Physical, ports: Ports, near: str | None = None) -> JournalStore:
    """Where a stack keeps its journal.

    Args:
        physical: The stack's names.
        ports: To reach it by; not the journal's own, which would journal the journal.
        near: The site that is asked first; home when None.
    """
    # A write that is made twice finds its own entry the second time, in whichever region.
    patience = Patience(seconds=_PATIENCE, clock=ports.clock, wait=lambda seconds: ports.wait(None, seconds))
    if physical.topology.lease is Kind.WITNESS_OBJECT:
        return ObjectJournal(ports.client("s3", physical.topology.witness), physical.lease_bucket, patience)
    sites = [site.region for site in physical.topology.sites]
    regions = sorted(sites, key=lambda region: region != near)
    return TableJournal(
        lambda region: ports.client("dynamodb", region, once=True), physical.lease_table, regions, patience
    )


def _key(run: str, number: int) -> str:
    return f"{_PREFIX}{run}#{number:08d}"


def _path(run: str, number: int) -> str:
    return f"journal/{run}/{number:08d}.json"


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry.of(json.loads(item["entry"]["S"]))
