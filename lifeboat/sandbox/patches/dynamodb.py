"""DynamoDB: one write at a time, and global tables with multi-Region strong consistency.

A global table is one set of items seen from several regions: each replica has its own name tag, key, protection and
backups, and shares the items. So a write is everywhere once it is answered, which is what strong consistency promises.
A witness has nothing to read; it is only known.

That the real one needs an answer from another region for each write is the gateway's to see to: it knows which regions
reach each other (`lifeboat.sandbox.gateway.quorum`).
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes

PATCHES = Patches("dynamodb")

SETS = (
    frozenset({"us-east-1", "us-east-2", "us-west-2"}),
    frozenset({"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"}),
    frozenset({"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"}),
)
"""Regions among which a table can be strongly consistent (DynamoDB developer guide, "Global tables", availability)."""
_MEMBERS = 3
"""Of a strongly consistent table: three replicas, or two and a witness."""

_writing = threading.RLock()
_GLOBAL = "_lifeboat_global"


@dataclass
class _Global:
    """What the replicas of one table share, beside their items."""

    strong: bool
    replicas: dict[str, Moto] = field(default_factory=dict[str, Moto])
    """Each region's own table."""
    witness: str | None = None


def voters(region: str, name: str) -> tuple[str, ...]:
    """The other regions of a strongly consistent table, one of which a replica needs for an answer; none of another."""
    for account in list(dynamodb_backends.values()):
        table = account[region].tables.get(name)
        shared = None if table is None else _shared(table)
        if shared is not None and shared.strong:
            return tuple(sorted({*shared.replicas, *([shared.witness] if shared.witness else [])} - {region}))
    return ()


def _shared(table: Moto) -> _Global | None:
    found: _Global | None = attributes(table).get(_GLOBAL)
    return found


@PATCHES.fixes(DynamoDBBackend)
def put_item(original: Moto, *args: Moto, **kwargs: Moto) -> Moto:
    """Looks at the condition and writes in two steps: of two threads, both may meet it."""
    with _writing:
        return original(*args, **kwargs)


@PATCHES.fixes(DynamoDBBackend)
def update_item(original: Moto, *args: Moto, **kwargs: Moto) -> Moto:
    """Looks at the condition and writes in two steps: of two threads, both may meet it."""
    with _writing:
        return original(*args, **kwargs)


@PATCHES.fixes(DynamoDBBackend)
def delete_item(original: Moto, *args: Moto, **kwargs: Moto) -> Moto:
    """Looks at the condition and deletes in two steps: of two threads, both may meet it."""
    with _writing:
        return original(*args, **kwargs)


@PATCHES.fixes(DynamoDBBackend)
def transact_write_items(original: Moto, self: Moto, transact_items: list[dict[str, Any]]) -> Moto:
    """Writes several items of a strongly consistent table at once, which AWS refuses."""
    named = {name for item in transact_items for request in item.values() if (name := request.get("TableName"))}
    for name in named:
        shared = _shared(self.get_table(name))
        if shared is not None and shared.strong:
            raise RefusedError(
                "ValidationException", f"{name}: transactions are not supported with multi-Region strong consistency"
            )
    with _writing:
        return original(self, transact_items)


@PATCHES.fixes(DynamoHandler)
def update_table(original: Moto, self: Moto) -> Moto:
    """Accepts replicas and a witness, and makes none."""
    backend, body = self.dynamodb_backend, self.body
    with _writing:
        _encrypt(backend, body)
        if body.get("ReplicaUpdates") or body.get("GlobalTableWitnessUpdates"):
            _change_members(backend, body)
        return original(self)


@PATCHES.fixes(DynamoDBBackend)
def delete_table(original: Moto, self: Moto, name: str) -> Moto:
    """Forgets one region's replica and leaves the others, where AWS wants a strongly consistent table taken apart."""
    shared = _shared(self.get_table(name))
    if shared is not None:
        others = sorted({*shared.replicas, *({shared.witness} if shared.witness else ())} - {self.region_name})
        if shared.strong and others:
            raise RefusedError("ValidationException", f"{name}: remove its replicas first: {', '.join(others)}")
        shared.replicas.pop(self.region_name, None)
    return original(self, name)


@PATCHES.fixes(Table)
def describe(original: Moto, self: Moto, base_key: str = "TableDescription") -> dict[str, Any]:
    """Knows of no other region."""
    described: dict[str, Any] = original(self, base_key)
    shared = _shared(self)
    others = {} if shared is None else {r: table for r, table in shared.replicas.items() if r != self.region_name}
    if shared is None or not (others or shared.witness):
        return described
    described[base_key] |= {
        "GlobalTableVersion": "2019.11.21",
        "MultiRegionConsistency": "STRONG" if shared.strong else "EVENTUAL",
        "Replicas": [
            {
                "RegionName": region,
                "ReplicaStatus": "ACTIVE",
                **_key(table),
            }
            for region, table in sorted(others.items())
        ],
    }
    if shared.witness:
        described[base_key]["GlobalTableWitnesses"] = [{"RegionName": shared.witness, "WitnessStatus": "ACTIVE"}]
    return described


def _key(table: Moto) -> dict[str, str]:
    specification: dict[str, str] = table.sse_specification or {}
    return {name: key for name, key in specification.items() if name == "KMSMasterKeyId"}


def _encrypt(backend: Moto, body: dict[str, Any]) -> None:
    """Change a table's key, which moto's own update leaves as it was."""
    wanted = body.get("SSESpecification")
    if wanted is not None:
        _same_region(wanted.get("KMSMasterKeyId"), backend.region_name)
        backend.get_table(body["TableName"]).sse_specification = dict(wanted)


def _change_members(backend: Moto, body: dict[str, Any]) -> None:
    table = backend.get_table(body["TableName"])
    replicas = [*(body.get("ReplicaUpdates") or ())]
    witnesses = [*(body.get("GlobalTableWitnessUpdates") or ())]
    shared = _shared(table) or _Global(
        strong=body.get("MultiRegionConsistency") == "STRONG", replicas={backend.region_name: table}
    )
    made = [update["Create"] for update in replicas if "Create" in update]
    seats = [update["Create"]["RegionName"] for update in witnesses if "Create" in update]
    _judge(table, shared, [each["RegionName"] for each in made], seats)
    for wanted in made:
        region = wanted["RegionName"]
        _same_region(wanted.get("KMSMasterKeyId"), region)
        dynamodb_backends[table.account_id][region].tables[table.name] = shared.replicas[region] = _replica(
            table, region, wanted.get("KMSMasterKeyId")
        )
    for region in seats:
        shared.witness = region
    for update in replicas:
        if "Delete" in update:
            region = update["Delete"]["RegionName"]
            shared.replicas.pop(region, None)
            dynamodb_backends[table.account_id][region].tables.pop(table.name, None)
    if any("Delete" in update for update in witnesses):
        shared.witness = None
    for each in shared.replicas.values():
        setattr(each, _GLOBAL, shared)


def _judge(table: Moto, shared: _Global, replicas: list[str], witnesses: list[str]) -> None:
    """Refuse what AWS refuses.

    Raises:
        RefusedError: for members that are there, a witness of an eventually consistent table, a table with items, and
            members of a strongly consistent table that are not three of one set.
    """
    members = {*shared.replicas, *({shared.witness} if shared.witness else ())}
    new = [*replicas, *witnesses]
    if not new:
        return
    if members.intersection(new) or len(set(new)) != len(new):
        raise RefusedError("ValidationException", f"{table.name}: each region can be added once: {', '.join(new)}")
    if not shared.strong:
        if witnesses:
            raise RefusedError("ValidationException", f"{table.name}: only strong consistency has a witness")
        return
    regions = members.union(new)
    if len(table):
        raise RefusedError("ValidationException", f"{table.name}: strong consistency begins with an empty table")
    if len(regions) != _MEMBERS or len(witnesses) > 1 or not any(regions <= known for known in SETS):
        raise RefusedError(
            "ValidationException",
            f"{table.name}: strong consistency takes three regions of one set, not {', '.join(sorted(regions))}",
        )


def _same_region(key: str | None, region: str) -> None:
    if key and key.startswith("arn:") and key.split(":")[3] != region:
        raise RefusedError("ValidationException", f"The KMS key {key} is not in {region}.")


def _replica(table: Moto, region: str, key: str | None) -> Moto:
    """The same items, seen from another region: what is a setting of the replica is its own."""
    replica = copy.copy(table)
    replica.region_name = region
    replica.table_arn = table.table_arn.replace(f":{table.region_name}:", f":{region}:", 1)
    replica.tags = []
    replica.sse_specification = {"Enabled": True, "KMSMasterKeyId": key} if key else None
    replica.deletion_protection_enabled = False
    replica.continuous_backups = {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
    return replica
