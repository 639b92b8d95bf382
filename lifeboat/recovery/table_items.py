"""Items of a DynamoDB table by their keys, all of them, however few an answer has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.recovery.ports import Client

MOST = 100
"""Keys that one BatchGetItem takes."""


class Items:
    """What a table has of some keys. An attempt goes on where the one before ended, at whichever replica.

    Args:
        table: The table's name.
        keys: `MOST` at most.
    """

    def __init__(self, table: str, keys: Iterable[dict[str, Any]]) -> None:
        self._table = table
        self._left: list[dict[str, Any]] = list(keys)
        self._found: list[dict[str, Any]] = []

    def get(self, client: Client) -> list[dict[str, Any]]:
        """Every item that is there, in no order.

        Args:
            client: A DynamoDB client.

        Raises:
            ClientError: as the client's; as of one that throttles when an answer has none of the keys.
        """
        while self._left:
            wanted = {self._table: {"Keys": self._left, "ConsistentRead": True}}
            answer = client.batch_get_item(RequestItems=wanted)
            unprocessed: dict[str, Any] = answer.get("UnprocessedKeys") or {}
            left: list[dict[str, Any]] = unprocessed.get(self._table, {}).get("Keys", [])
            stands = len(left) == len(self._left)
            self._found += answer["Responses"].get(self._table, [])
            self._left = left
            if stands:
                told = f"{self._table}: no key of {len(left)} was processed"
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": told}}, "BatchGetItem")
        return self._found
