"""ElastiCache: replication groups, subnet groups and parameter groups."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import CacheSubnetGroupNotFound, ReplicationGroupNotFound
from moto.elasticache.models import CacheCluster, ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes, endpoint_suffix

PATCHES = Patches("elasticache")
PARAMETER_GROUPS = "lifeboat_parameter_groups"
"""Attribute of a region's backend: parameter groups by name, each with its `parameters`; absent before the first."""

# Of a request to modify a group: its name -> the attribute of moto's group.
_MODIFIED = {
    "EngineVersion": "engine_version",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "SecurityGroupIds": "security_group_ids",
    "SnapshotWindow": "snapshot_window",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "NotificationTopicArn": "notification_topic_arn",
    "TransitEncryptionEnabled": "transit_encryption_enabled",
    "TransitEncryptionMode": "transit_encryption_mode",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "IpDiscovery": "ip_discovery",
}


def region_code(region: str) -> str:
    """How a region is spelt in a cache's host names: ``usw2`` for us-west-2."""
    area, direction, number = region.split("-")
    return f"{area}{direction[0]}{number}"


def build_members(backend: Moto, group: Moto, count: int, zones: list[str]) -> None:
    """Give a group without shards `count` members, and each its own cache cluster; the first is the primary."""
    name: str = group.replication_group_id
    domain: str = group.node_groups[0]["primary_endpoint_address"].removeprefix("master.")
    spread = zones or [f"{backend.region_name}{letter}" for letter in "abc"]
    members = [
        {
            "cache_cluster_id": f"{name}-{number:0>3}",
            "cache_node_id": "0001",
            "read_endpoint": {"address": f"{name}-{number:0>3}.{domain}", "port": group.port},
            "preferred_availability_zone": spread[(number - 1) % len(spread)],
            "current_role": "primary" if number == 1 else "replica",
        }
        for number in range(1, count + 1)
    ]
    group.node_groups[0]["node_group_members"] = members
    group.member_clusters = [member["cache_cluster_id"] for member in members]
    describe_members(backend, group)


def describe_members(backend: Moto, group: Moto) -> None:
    """Make the cache clusters of a group say what the group says."""
    for name in [name for name, known in backend.cache_clusters.items() if attributes(known).get("group") is group]:
        del backend.cache_clusters[name]
    for node_group in group.node_groups:
        for member in node_group["node_group_members"]:
            backend.cache_clusters[member["cache_cluster_id"]] = _cluster(backend, group, member)


def _cluster(backend: Moto, group: Moto, member: dict[str, Any]) -> Moto:
    # The class asks for every argument that CreateCacheCluster has; the ones below are those that a member has.
    absent = dict.fromkeys(CacheCluster.__init__.__code__.co_varnames[1 : CacheCluster.__init__.__code__.co_argcount])
    cluster: Moto = CacheCluster(
        **{
            **absent,
            "account_id": backend.account_id,
            "region_name": backend.region_name,
            "cache_cluster_id": member["cache_cluster_id"],
            "cache_node_type": group.cache_node_type,
            "replication_group_id": group.replication_group_id,
            "preferred_availability_zone": member["preferred_availability_zone"],
            "engine": group.engine,
            "engine_version": group.engine_version,
            "cache_subnet_group_name": group.cache_subnet_group_name,
            "transit_encryption_enabled": group.transit_encryption_enabled,
            "network_type": group.network_type,
            "ip_discovery": group.ip_discovery,
            "preferred_maintenance_window": group.preferred_maintenance_window,
            "port": group.port,
            "auto_minor_version_upgrade": group.auto_minor_version_upgrade,
            "snapshot_retention_limit": group.snapshot_retention_limit,
            "snapshot_window": group.snapshot_window,
            "log_delivery_configurations": group.log_delivery_configurations,
        }
    )
    cluster.group = group
    cluster.replication_group_id = group.replication_group_id
    cluster.num_cache_nodes = 1
    cluster.at_rest_encryption_enabled = group.at_rest_encryption_enabled
    cluster.auth_token_enabled = group.auth_token_enabled
    cluster.security_groups = [
        {"SecurityGroupId": identifier, "Status": "active"} for identifier in group.security_group_ids or ()
    ]
    cluster.cache_parameter_group = {
        "CacheParameterGroupName": group.cache_parameter_group_name,
        "ParameterApplyStatus": "in-sync",
        "CacheNodeIdsToReboot": [],
    }
    cluster.cache_nodes = (
        [
            {
                "CacheNodeId": "0001",
                "CacheNodeStatus": "available",
                "Endpoint": {"Address": member["read_endpoint"]["address"], "Port": group.port},
                "ParameterGroupStatus": "in-sync",
                "CustomerAvailabilityZone": member["preferred_availability_zone"],
            }
        ]
        if "read_endpoint" in member
        else []
    )
    return cluster


@PATCHES.fixes(ElastiCacheBackend)
def create_replication_group(original: Moto, self: Moto, **request: Moto) -> Moto:
    """Makes one member whatever is asked, in us-east-1's zones and host names, and no cache cluster of any member.

    It also forgets the token, which a server that plays the group has to know, and names endpoints at random.
    """
    key: str | None = request["kms_key_id"]
    if key and key.startswith("arn:") and key.split(":")[3] != self.region_name:
        raise RefusedError("InvalidParameterValue", f"The customer managed key {key} is of another region.")
    group = original(self, **request)
    group.auth_tokens = (request["auth_token"],) if request["auth_token"] else ()
    suffix = endpoint_suffix(self.account_id, self.region_name, group.replication_group_id, 6)
    for node_group in group.node_groups:
        for name in ("primary_endpoint_address", "reader_endpoint_address"):
            if name in node_group:
                labels: list[str] = node_group[name].split(".")
                # Of NAME.SUFFIX.REGION.cache.amazonaws.com.
                labels[-5:-3] = suffix, region_code(self.region_name)
                node_group[name] = ".".join(labels)
        if "primary_endpoint_address" in node_group:
            node_group["primary_endpoint"] = {"address": node_group["primary_endpoint_address"], "port": group.port}
            node_group["reader_endpoint"] = {"address": node_group["reader_endpoint_address"], "port": group.port}
    group.auto_minor_version_upgrade = str(group.auto_minor_version_upgrade).lower() != "false"
    if group.cluster_enabled:
        describe_members(self, group)
        return group
    replicas = request["replicas_per_node_group"]
    count = request["num_cache_clusters"] or (1 if replicas is None else replicas + 1)
    build_members(self, group, count, request["preferred_cache_cluster_azs"] or [])
    if group.snapshot_retention_limit:
        group.snapshotting_cluster_id = group.member_clusters[-1]
    return group


@PATCHES.fixes(ElastiCacheResponse)
def modify_replication_group(original: Moto, self: Moto) -> Moto:
    """Ignores the engine's version, parameter and security groups, windows and the token.

    It also changes on a member what only its global datastore may change.
    """
    backend = self.elasticache_backend
    group = backend.describe_replication_groups(self.params["ReplicationGroupId"])[0]
    joined = getattr(group, "global_replication_group_id", "")
    for name in ("EngineVersion", "CacheNodeType", "CacheParameterGroupName"):
        if joined and self.params.get(name):
            message = f"{name} of a member of {joined} is changed by ModifyGlobalReplicationGroup."
            raise RefusedError("InvalidParameterValue", message)
    answer = original(self)
    for name, attribute in _MODIFIED.items():
        if self.params.get(name) is not None:
            setattr(group, attribute, self.params[name])
    _update_token(group, self.params.get("AuthToken"), self.params.get("AuthTokenUpdateStrategy"))
    describe_members(backend, group)
    return answer


def _update_token(group: Moto, token: str | None, strategy: str | None) -> None:
    if strategy == "DELETE":
        group.auth_tokens = ()
    elif token and strategy == "SET":
        group.auth_tokens = (token,)
    elif token:
        # The one before stays good until the new one is set.
        group.auth_tokens = (*group.auth_tokens[-1:], token)
    group.auth_token_enabled = bool(group.auth_tokens) if token or strategy else group.auth_token_enabled


def resize(backend: Moto, name: str, replicas: int) -> Moto:
    """Give a group without shards another number of replicas."""
    group = backend.describe_replication_groups(name)[0]
    zones = [member["preferred_availability_zone"] for member in group.node_groups[0]["node_group_members"]]
    build_members(backend, group, replicas + 1, zones if replicas < len(zones) else [])
    return group


@PATCHES.fills(ElastiCacheResponse)
def increase_replica_count(self: Moto) -> Moto:
    """Is missing."""
    group = resize(self.elasticache_backend, self.params["ReplicationGroupId"], self.params["NewReplicaCount"])
    return ActionResult({"ReplicationGroup": group})


@PATCHES.fills(ElastiCacheResponse)
def decrease_replica_count(self: Moto) -> Moto:
    """Is missing."""
    group = resize(self.elasticache_backend, self.params["ReplicationGroupId"], self.params["NewReplicaCount"])
    return ActionResult({"ReplicationGroup": group})


@PATCHES.fills(ElastiCacheResponse)
def test_failover(self: Moto) -> Moto:
    """Is missing: the next member becomes the primary."""
    group = self.elasticache_backend.describe_replication_groups(self.params["ReplicationGroupId"])[0]
    node_group = next(
        (known for known in group.node_groups if known["node_group_id"] == self.params["NodeGroupId"]), None
    )
    if node_group is None:
        raise RefusedError("NodeGroupNotFoundFault", f"Node group {self.params['NodeGroupId']} not found.")
    members = node_group["node_group_members"]
    if len(members) == 1 or group.automatic_failover != "enabled":
        message = f"{group.replication_group_id} has no replica to fail over to."
        raise RefusedError("InvalidReplicationGroupState", message)
    at = next(index for index, member in enumerate(members) if member.get("current_role") == "primary")
    for index, member in enumerate(members):
        member["current_role"] = "primary" if index == (at + 1) % len(members) else "replica"
    return ActionResult({"ReplicationGroup": group})


@PATCHES.fixes(ElastiCacheBackend)
def delete_replication_group(
    _original: Moto, self: Moto, replication_group_id: str, retain_primary_cluster: bool | None
) -> Moto:
    """Keeps a deleted group as `deleting` for ever, and deletes a member of a global datastore that AWS would not."""
    group = self.replication_groups.get(replication_group_id)
    if group is None:
        raise ReplicationGroupNotFound(replication_group_id)
    if getattr(group, "global_replication_group_id", ""):
        message = f"{replication_group_id} is a member of {group.global_replication_group_id}: disassociate it first."
        raise RefusedError("InvalidReplicationGroupState", message)
    kept: list[str] = group.member_clusters[:1] if retain_primary_cluster else []
    for name in group.member_clusters:
        if name not in kept:
            self.cache_clusters.pop(name, None)
    del self.replication_groups[replication_group_id]
    group.status = "deleting"
    return group


@PATCHES.fills(ElastiCacheResponse)
def modify_cache_subnet_group(self: Moto) -> Moto:
    """Is missing."""
    backend = self.elasticache_backend
    name: str = self.params["CacheSubnetGroupName"]
    old = backend.describe_cache_subnet_groups(name)[0]
    made: Moto = type(old)(
        account_id=backend.account_id,
        region_name=backend.region_name,
        cache_subnet_group_name=name,
        cache_subnet_group_description=self.params.get("CacheSubnetGroupDescription")
        or old.cache_subnet_group_description,
        subnet_ids=self.params.get("SubnetIds") or old.subnet_ids,
        tags=old.tags,
    )
    backend.cache_subnet_groups[name] = made
    return ActionResult({"CacheSubnetGroup": made})


@PATCHES.fills(ElastiCacheResponse)
def delete_cache_subnet_group(self: Moto) -> Moto:
    """Is missing: what was created can never be destroyed."""
    backend = self.elasticache_backend
    name: str = self.params["CacheSubnetGroupName"]
    if name not in backend.cache_subnet_groups:
        raise CacheSubnetGroupNotFound(name)
    users = [group for group in backend.replication_groups.values() if group.cache_subnet_group_name == name]
    if users:
        message = f"Cache subnet group {name} is currently in use by a cache cluster."
        raise RefusedError("CacheSubnetGroupInUse", message)
    del backend.cache_subnet_groups[name]
    return EmptyResult()


def _groups(self: Moto) -> dict[str, SimpleNamespace]:
    # Kept among the backend's own attributes, which a reset of moto empties.
    groups: dict[str, SimpleNamespace] = attributes(self.elasticache_backend).setdefault(PARAMETER_GROUPS, {})
    return groups


def _group(self: Moto) -> SimpleNamespace:
    name: str = self.params["CacheParameterGroupName"]
    found = _groups(self).get(name)
    if found is None:
        raise RefusedError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")
    return found


@PATCHES.fills(ElastiCacheResponse)
def create_cache_parameter_group(self: Moto) -> Moto:
    """Is missing."""
    name: str = self.params["CacheParameterGroupName"]
    if name in _groups(self):
        raise RefusedError("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists.")
    group = SimpleNamespace(
        cache_parameter_group_name=name,
        cache_parameter_group_family=self.params["CacheParameterGroupFamily"],
        description=self.params["Description"],
        is_global=False,
        arn=f"arn:aws:elasticache:{self.region}:{self.current_account}:parametergroup:{name}",
        parameters={},
    )
    _groups(self)[name] = group
    self.elasticache_backend.add_tags_to_resource(group.arn, self.params.get("Tags") or [])
    return ActionResult({"CacheParameterGroup": group})


@PATCHES.fills(ElastiCacheResponse)
def describe_cache_parameter_groups(self: Moto) -> Moto:
    """Is missing."""
    named = self.params.get("CacheParameterGroupName")
    return ActionResult({"CacheParameterGroups": [_group(self)] if named else list(_groups(self).values())})


@PATCHES.fills(ElastiCacheResponse)
def modify_cache_parameter_group(self: Moto) -> Moto:
    """Is missing."""
    group = _group(self)
    for change in self.params.get("ParameterNameValues") or ():
        group.parameters[change["ParameterName"]] = change["ParameterValue"]
    return ActionResult({"CacheParameterGroupName": group.cache_parameter_group_name})


@PATCHES.fills(ElastiCacheResponse)
def reset_cache_parameter_group(self: Moto) -> Moto:
    """Is missing."""
    group = _group(self)
    if self.params.get("ResetAllParameters"):
        group.parameters.clear()
    for change in self.params.get("ParameterNameValues") or ():
        group.parameters.pop(change["ParameterName"], None)
    return ActionResult({"CacheParameterGroupName": group.cache_parameter_group_name})


@PATCHES.fills(ElastiCacheResponse)
def describe_cache_parameters(self: Moto) -> Moto:
    """Is missing. Lists what was set; the engine's own defaults are not known here."""
    chosen = [
        {"ParameterName": name, "ParameterValue": value, "Source": "user", "IsModifiable": True}
        for name, value in sorted(_group(self).parameters.items())
    ]
    return ActionResult({"Parameters": chosen if self.params.get("Source") in (None, "user") else []})


@PATCHES.fills(ElastiCacheResponse)
def delete_cache_parameter_group(self: Moto) -> Moto:
    """Is missing."""
    group = _group(self)
    name: str = group.cache_parameter_group_name
    users = self.elasticache_backend.replication_groups.values()
    if any(user.cache_parameter_group_name == name for user in users):
        raise RefusedError("InvalidCacheParameterGroupState", f"{name} is in use by a replication group.")
    del _groups(self)[name]
    return EmptyResult()


@PATCHES.fixes(ElastiCacheBackend)
def list_tags_for_resource(original: Moto, self: Moto, arn: str) -> Moto:
    """Refuses the ARNs of parameter groups and global datastores."""
    if any(kind in arn for kind in (":parametergroup:", ":globalreplicationgroup:")):
        return self.tagging_service.list_tags_for_resource(arn)
    return original(self, arn)
