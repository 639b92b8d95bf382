"""ElastiCache's Global Datastore. moto has none of it."""

from __future__ import annotations

import zlib
from typing import Any

from moto.core.responses import ActionResult
from moto.elasticache.models import ElastiCacheBackend, elasticache_backends
from moto.elasticache.responses import ElastiCacheResponse

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes
from lifeboat.sandbox.patches.elasticache import describe_members

PATCHES = Patches("elasticache_global")


class GlobalDatastore:
    """A primary replication group and its secondaries in other regions.

    Invariant: exactly one member is PRIMARY. Attribute names are what moto's serializer looks for.
    """

    def __init__(self, identifier: str, description: str, primary: Moto, account: str) -> None:
        self.global_replication_group_id = identifier
        self.global_replication_group_description = description
        self.arn = f"arn:aws:elasticache::{account}:globalreplicationgroup:{identifier}"
        self.groups: dict[tuple[str, str], Moto] = {}
        """Replication groups by region and name."""
        self.cluster_enabled: bool = primary.cluster_enabled
        self.engine: str = primary.engine
        self.engine_version: str = primary.engine_version
        self.cache_node_type: str = primary.cache_node_type
        self.auth_token_enabled: bool = primary.auth_token_enabled
        self.transit_encryption_enabled: bool = primary.transit_encryption_enabled
        self.at_rest_encryption_enabled: bool = primary.at_rest_encryption_enabled

    @property
    def status(self) -> str:
        """AWS says ``primary-only`` until a secondary joins, and ``modifying`` while roles change."""
        if any(group.status == "modifying" for group in self.groups.values()):
            return "modifying"
        return "available" if len(self.groups) > 1 else "primary-only"

    @property
    def members(self) -> list[dict[str, Any]]:
        """As AWS lists them."""
        return [
            {
                "ReplicationGroupId": name,
                "ReplicationGroupRegion": region,
                "Role": group.global_replication_group_member_role,
                "AutomaticFailover": group.automatic_failover,
                "Status": "associated",
            }
            for (region, name), group in self.groups.items()
        ]

    def join(self, region: str, group: Moto, role: str) -> None:
        """Make a replication group a member."""
        group.global_replication_group_id = self.global_replication_group_id
        group.global_replication_group_member_role = role
        self.groups[region, group.replication_group_id] = group

    def lead(self, primary: Moto) -> None:
        """Make one member the primary, and every other one a secondary."""
        for group in self.groups.values():
            group.global_replication_group_member_role = "PRIMARY" if group is primary else "SECONDARY"

    def leave(self, region: str, name: str) -> Moto:
        """Make a member a replication group of its own again."""
        group = self.groups.pop((region, name))
        group.global_replication_group_id = ""
        del group.global_replication_group_member_role
        return group


def stores(account: str) -> dict[str, GlobalDatastore]:
    """Global datastores by ID; every region sees them."""
    # Kept among one backend's attributes, which a reset of moto empties.
    home = attributes(elasticache_backends[account]["us-east-1"])
    found: dict[str, GlobalDatastore] = home.setdefault("lifeboat_global_datastores", {})
    return found


def _find(account: str, identifier: str) -> GlobalDatastore:
    found = stores(account).get(identifier)
    if found is None:
        raise RefusedError("GlobalReplicationGroupNotFoundFault", f"Global replication group {identifier} not found.")
    return found


def _of(self: Moto) -> GlobalDatastore:
    return _find(self.current_account, self.params["GlobalReplicationGroupId"])


def _member(store: GlobalDatastore, region: str, name: str) -> Moto:
    group = store.groups.get((region, name))
    if group is None:
        message = f"{name} in {region} is no member of {store.global_replication_group_id}."
        raise RefusedError("InvalidParameterValue", message)
    return group


def _prefix(region: str) -> str:
    """Five letters for the region where a global datastore was made; AWS does not publish its own as a list."""
    number = zlib.crc32(region.encode())
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(5))


@PATCHES.fills(ElastiCacheResponse)
def create_global_replication_group(self: Moto) -> Moto:
    """Is missing."""
    name: str = self.params["PrimaryReplicationGroupId"]
    primary = self.elasticache_backend.describe_replication_groups(name)[0]
    if getattr(primary, "global_replication_group_id", ""):
        message = f"{name} is a member of {primary.global_replication_group_id} already."
        raise RefusedError("InvalidReplicationGroupState", message)
    identifier = f"{_prefix(self.region)}-{self.params['GlobalReplicationGroupIdSuffix']}"
    if identifier in stores(self.current_account):
        message = f"Global replication group {identifier} already exists."
        raise RefusedError("GlobalReplicationGroupAlreadyExistsFault", message)
    description: str = self.params.get("GlobalReplicationGroupDescription") or ""
    store = GlobalDatastore(identifier, description, primary, self.current_account)
    store.join(self.region, primary, "PRIMARY")
    stores(self.current_account)[identifier] = store
    return ActionResult({"GlobalReplicationGroup": store})


@PATCHES.fills(ElastiCacheResponse)
def describe_global_replication_groups(self: Moto) -> Moto:
    """Is missing."""
    named = self.params.get("GlobalReplicationGroupId")
    return ActionResult(
        {"GlobalReplicationGroups": [_of(self)] if named else list(stores(self.current_account).values())}
    )


@PATCHES.fills(ElastiCacheResponse)
def modify_global_replication_group(self: Moto) -> Moto:
    """Is missing."""
    store = _of(self)
    if self.params.get("GlobalReplicationGroupDescription") is not None:
        store.global_replication_group_description = self.params["GlobalReplicationGroupDescription"]
    store.engine_version = self.params.get("EngineVersion") or store.engine_version
    store.cache_node_type = self.params.get("CacheNodeType") or store.cache_node_type
    for (region, _), group in store.groups.items():
        group.engine_version = store.engine_version
        group.cache_node_type = store.cache_node_type
        if self.params.get("CacheParameterGroupName"):
            group.cache_parameter_group_name = self.params["CacheParameterGroupName"]
        if self.params.get("AutomaticFailoverEnabled") is not None:
            group.automatic_failover = "enabled" if self.params["AutomaticFailoverEnabled"] else "disabled"
        describe_members(elasticache_backends[self.current_account][region], group)
    return ActionResult({"GlobalReplicationGroup": store})


@PATCHES.fills(ElastiCacheResponse)
def failover_global_replication_group(self: Moto) -> Moto:
    """Is missing. The roles swap at once here; servers, where there are any, follow while the status is `modifying`."""
    store = _of(self)
    if store.status == "modifying":
        message = f"{store.global_replication_group_id} is being modified."
        raise RefusedError("InvalidGlobalReplicationGroupState", message)
    target = _member(store, self.params["PrimaryRegion"], self.params["PrimaryReplicationGroupId"])
    if target.global_replication_group_member_role == "PRIMARY":
        message = f"{target.replication_group_id} is the primary already."
        raise RefusedError("InvalidGlobalReplicationGroupState", message)
    store.lead(target)
    return ActionResult({"GlobalReplicationGroup": store})


@PATCHES.fills(ElastiCacheResponse)
def disassociate_global_replication_group(self: Moto) -> Moto:
    """Is missing. Only a secondary may leave."""
    store = _of(self)
    region, name = self.params["ReplicationGroupRegion"], self.params["ReplicationGroupId"]
    if _member(store, region, name).global_replication_group_member_role == "PRIMARY":
        raise RefusedError("InvalidParameterValue", f"{name} is the primary of {store.global_replication_group_id}.")
    store.leave(region, name)
    return ActionResult({"GlobalReplicationGroup": store})


@PATCHES.fills(ElastiCacheResponse)
def delete_global_replication_group(self: Moto) -> Moto:
    """Is missing. Refused while it has secondaries."""
    store = _of(self)
    if len(store.groups) > 1:
        message = f"{store.global_replication_group_id} has secondary members: disassociate them first."
        raise RefusedError("InvalidGlobalReplicationGroupState", message)
    for region, name in list(store.groups):
        store.leave(region, name)
        if not self.params["RetainPrimaryReplicationGroup"]:
            elasticache_backends[self.current_account][region].delete_replication_group(name, None)
    del stores(self.current_account)[store.global_replication_group_id]
    return ActionResult({"GlobalReplicationGroup": store})


@PATCHES.fixes(ElastiCacheBackend)
def create_replication_group(original: Moto, self: Moto, **request: Moto) -> Moto:
    """Takes any name of a global datastore, and gives its new secondary an engine and a node type of moto's choice."""
    identifier: str | None = request["global_replication_group_id"]
    if not identifier:
        return original(self, **request)
    store = _find(self.account_id, identifier)
    for name in ("engine", "engine_version", "cache_node_type"):
        if request[name]:
            message = f"{name} of a secondary comes from {identifier}."
            raise RefusedError("InvalidParameterCombination", message)
    primary = next(group for group in store.groups.values() if group.global_replication_group_member_role == "PRIMARY")
    taken = {
        "engine": store.engine,
        "engine_version": store.engine_version,
        "cache_node_type": store.cache_node_type,
        "transit_encryption_enabled": store.transit_encryption_enabled,
        "at_rest_encryption_enabled": store.at_rest_encryption_enabled,
        "cache_parameter_group_name": request["cache_parameter_group_name"] or primary.cache_parameter_group_name,
    }
    group = original(self, **{**request, **taken})
    group.auth_token_enabled = store.auth_token_enabled
    store.join(self.region_name, group, "SECONDARY")
    return group
