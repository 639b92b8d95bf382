"""The lease in a DynamoDB table with multi-Region strong consistency: one item, replaced on condition of its version.

Every replica reads and writes the same register, so a replica that is lost is passed over. What makes that safe is
the condition: a write that got no answer from one replica, and may have been made, cannot be made twice by another.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.recovery.lease_record import dump, load
from lifeboat.recovery.lease_store import PATIENCE, Absent, Conflict, Unreachable, Versioned
from lifeboat.recovery.patience import Patience
from lifeboat.recovery.table_items import Items

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifeboat.recovery.lease_record import LeaseRecord

LEASE_KEY: Final = "lease"
"""Value of the partition key ``pk`` of the lease's item."""
VIEW_PREFIX: Final = "view#"
"""What the keys of the wardens' views begin with; a region follows."""
_REFUSED: Final = "ConditionalCheckFailedException"
"""Nothing was written, since somebody else did."""
_Answer = TypeVar("_Answer")
_Asked: TypeAlias = Any
"""A DynamoDB client: its methods are made at run time."""


class TableStore:
    """`LeaseStore` and `ViewStore` in one table.

    Args:
        client: Makes a DynamoDB client of a region: one attempt a call (a retry of a conditional write would refuse
            itself), `lifeboat.recovery.lease_store.DEADLINE` seconds in all.
        table: The table's name.
        regions: Of its replicas, nearest first.
        viewers: Regions whose views are read.
        patience: With a replica that throttles or fails by itself.
    """

    def __init__(
        self,
        client: Callable[[str], _Asked],
        *,
        table: str,
        regions: Sequence[str],
        viewers: Sequence[str],
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._regions = tuple(regions)
        self._answered = self._regions[0]
        self._viewers = tuple(viewers)
        self._patience = patience or Patience(seconds=PATIENCE)

    def read(self) -> Versioned:
        """What holds now, read strongly."""
        item = self._item()
        if item is None:
            raise Absent(f"the table {self._table} holds no lease: the warden of the home region makes the first one")
        return Versioned(
            version=int(item["version"]["N"]), record=load(item["record"]["S"]), token=item["version"]["N"]
        )

    def read_to_renew(self, site: str) -> Versioned:
        """The same: every replica has what holds now."""
        del site
        return self.read()

    def create(self, record: LeaseRecord) -> Versioned:
        """Write the first record."""
        return self._put(1, record, {"ConditionExpression": "attribute_not_exists(pk)"})

    def replace(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        """Write a record in place of the one that was read, if that still holds."""
        return self._put(
            seen.version + 1,
            record,
            {
                "ConditionExpression": "version = :seen",
                "ExpressionAttributeValues": {":seen": {"N": str(seen.version)}},
            },
        )

    def publish(self, region: str, text: str) -> None:
        """Replace a region's view."""
        item = {"pk": {"S": VIEW_PREFIX + region}, "view": {"S": text}}
        self._anywhere(lambda client, _: client.put_item(TableName=self._table, Item=item))

    def views(self) -> Mapping[str, str]:
        """Every region's view."""
        items = Items(self._table, ({"pk": {"S": VIEW_PREFIX + region}} for region in self._viewers))
        found = self._anywhere(lambda client, _: items.get(client))
        return {item["pk"]["S"].removeprefix(VIEW_PREFIX): item["view"]["S"] for item in found}

    def _item(self) -> dict[str, Any] | None:
        key = {"pk": {"S": LEASE_KEY}}
        answer = self._anywhere(lambda client, _: client.get_item(TableName=self._table, Key=key, ConsistentRead=True))
        return answer.get("Item")

    def _put(self, version: int, record: LeaseRecord, condition: dict[str, Any]) -> Versioned:
        mark = uuid.uuid4().hex
        item = {
            "pk": {"S": LEASE_KEY},
            "version": {"N": str(version)},
            "record": {"S": dump(record)},
            "mark": {"S": mark},
        }

        def put(client: _Asked, doubtful: bool) -> None:
            try:
                client.put_item(TableName=self._table, Item=item, **condition)
            except ClientError as fault:
                if _code(fault) != _REFUSED:
                    raise
                # An attempt that got no answer may have made this very write.
                if not doubtful or self._mark() != mark:
                    raise Conflict(f"the lease in {self._table} was changed by somebody else") from None

        self._anywhere(put)
        return Versioned(version=version, record=record, token=str(version))

    def _mark(self) -> str:
        item = self._item()
        return "" if item is None else item["mark"]["S"]

    def _anywhere(self, ask: Callable[[_Asked, bool], _Answer]) -> _Answer:
        """The first answer of any replica; `ask` is told whether an attempt before may have done it in silence."""
        said: list[str] = []
        # The one that answered last goes first: one that is lost costs its deadline once, not each time.
        for region in sorted(self._regions, key=lambda each: each != self._answered):
            try:
                client = self._client(region)
                answer = self._patience.ask(lambda doubtful, client=client: ask(client, doubtful), bool(said))
                self._answered = region
                return answer
            except (BotoCoreError, ClientError, OSError) as fault:
                said.append(f"{region}: {_told(fault)}")
        raise Unreachable(f"the lease's table {self._table} does not answer: {'; '.join(said)}")


def _code(fault: ClientError) -> str:
    return str(fault.response.get("Error", {}).get("Code", ""))


def _told(fault: Exception) -> str:
    return _code(fault) if isinstance(fault, ClientError) else " ".join(str(fault).split())
