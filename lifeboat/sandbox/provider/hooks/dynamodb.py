"""DynamoDB: the members of a global table, which the API takes as changes of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Values


def added_members(context: Values, arguments: Values) -> Values:
    """``ReplicaUpdates`` and ``GlobalTableWitnessUpdates`` that add all replicas and the witness of the inputs."""
    return {**arguments, **_updates("Create", cast("Values", context["in"]))}


def removed_members(context: Values, arguments: Values) -> Values:
    """The same, to remove those of the outputs."""
    return {**arguments, **_updates("Delete", cast("Values", context["out"]))}


def _updates(change: str, table: Values) -> Values:
    updates: Values = {
        "ReplicaUpdates": [
            {change: _member(replica, with_key=change == "Create")}
            for replica in cast("list[Values]", table.get("replicas") or [])
        ]
    }
    witness = cast("Values | None", table.get("globalTableWitness"))
    if witness:
        updates["GlobalTableWitnessUpdates"] = [{change: _member(witness, with_key=False)}]
    return updates


def _member(described: Values, *, with_key: bool) -> Values:
    key = described.get("kmsKeyArn") if with_key else None
    return {"RegionName": described["regionName"], **({"KMSMasterKeyId": key} if key else {})}
