"""ElastiCache for Redis in two regions, joined by a global datastore or independent of each other.

What ElastiCache has no setting for: an append-only file. It refuses one since Redis 2.8.22 and with automatic failover;
a cache is kept by its replicas in other zones, by the other site, and by daily snapshots.

A member of a global datastore takes engine, version, node type, both encryptions and parameters from the datastore, and
the provider refuses them beside `globalReplicationGroupId`. What stays its own: the key at rest, the number of nodes,
network, snapshots, and the AUTH token, which is not copied: both members are given the same one, so that clients stay
connected with what they know after a failover. That AWS demands equal tokens is nowhere written; unequal ones would
break a failover.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.adoption import REPLICATION_GROUP, kept
from components.aws.monitoring import Lag, lag_alarm
from components.aws.perimeter import StoreSite, store_security_group
from components.aws.promotion import GLOBAL_DATASTORE, ignored

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT = 6379
ENGINE = "redis"
GLOBAL_IMPORT = "global"
"""Key of `CacheArgs.imports` for an existing global datastore."""


@dataclass(frozen=True, kw_only=True)
class CacheArgs:
    """What `Cache` needs."""

    sites: Mapping[str, StoreSite]
    """By region."""
    home: str
    """Region where a global datastore is created."""
    version: str
    """Redis OSS version, such as ``7.1``."""
    node_type: str
    """In both sites: a global datastore demands it, and an independent cache must bear the same load."""
    nodes: int
    """Nodes in a site, 2 or more: one primary, the rest replicas in other zones."""
    auth_token: pulumi.Input[str]
    """16 to 128 characters that clients authenticate with, in either site."""
    snapshot_days: int
    """Days that daily snapshots are kept, in both sites."""
    global_datastore: bool = False
    """Replicate across the sites; otherwise each has a cache of its own."""
    lag_alarm_seconds: float | None = None
    """Lag of a global datastore that raises the alarm of the other site; None raises none."""
    imports: Mapping[str, str] = field(default_factory=dict[str, str])
    """Existing replication groups to adopt, by region, and a global datastore under `GLOBAL_IMPORT`."""


class Cache(pulumi.ComponentResource):
    """A cache with a replication group in every site: Multi-AZ, TLS only, an AUTH token, the site's key at rest."""

    primary_endpoints: dict[str, pulumi.Output[str]]
    """Host name by region; in a global datastore it accepts writes only where the active member is."""
    reader_endpoints: dict[str, pulumi.Output[str]]
    """By region."""
    global_id: pulumi.Output[str] | None
    """ID of the global datastore, None without one."""
    port: int

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Cache", name, {}, opts)
        first = self._group(name, args, args.home, None)
        datastore = self._datastore(name, args, first) if args.global_datastore else None
        groups = {args.home: first}
        for region in args.sites:
            if region != args.home:
                groups[region] = self._group(name, args, region, datastore)
        if datastore is not None:
            self._lag_alarms(name, args, groups)
        self.primary_endpoints = {region: group.primary_endpoint_address for region, group in groups.items()}
        self.reader_endpoints = {region: group.reader_endpoint_address for region, group in groups.items()}
        self.global_id = None if datastore is None else datastore.global_replication_group_id
        self.port = PORT
        self.register_outputs(
            {
                "primary_endpoints": self.primary_endpoints,
                "reader_endpoints": self.reader_endpoints,
                "global_id": self.global_id,
                "port": self.port,
            }
        )

    def _datastore(
        self, name: str, args: CacheArgs, first: aws.elasticache.ReplicationGroup
    ) -> aws.elasticache.GlobalReplicationGroup:
        """The global datastore around the home site's group; version and node type change here, for all members."""
        site = args.sites[args.home].site
        adopted = args.imports.get(GLOBAL_IMPORT)
        # AWS puts five characters of its own and a hyphen before the suffix.
        suffix = f"{site.prefix}-{name}" if adopted is None else adopted.partition("-")[2]
        return aws.elasticache.GlobalReplicationGroup(
            f"{name}-global-datastore",
            global_replication_group_id_suffix=suffix,
            global_replication_group_description=f"{suffix}: one cache in every site",
            primary_replication_group_id=first.id,
            automatic_failover_enabled=True,
            cache_node_type=args.node_type,
            engine=ENGINE,
            engine_version=args.version,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=site.provider,
                protect=True,
                ignore_changes=ignored(GLOBAL_DATASTORE),
                import_=adopted,
            ),
        )

    def _group(
        self, name: str, args: CacheArgs, region: str, joins: aws.elasticache.GlobalReplicationGroup | None
    ) -> aws.elasticache.ReplicationGroup:
        """One site's replication group, a member of the datastore that it `joins` when there is one."""
        store = args.sites[region]
        site = store.site
        physical = site.physical(name)
        subnets = aws.elasticache.SubnetGroup(
            f"{name}-{region}-subnets",
            name=physical,
            description=f"{physical}: isolated subnets",
            subnet_ids=store.subnet_ids,
            tags=site.named(physical),
            opts=pulumi.ResourceOptions(parent=self, provider=site.provider),
        )
        adopted = args.imports.get(region)
        identifier = adopted or physical
        own = joins is None
        return aws.elasticache.ReplicationGroup(
            f"{name}-{region}",
            replication_group_id=identifier,
            description=f"{physical}: {args.nodes} nodes in different zones",
            global_replication_group_id=None if joins is None else joins.global_replication_group_id,
            engine=ENGINE if own else None,
            engine_version=args.version if own else None,
            node_type=args.node_type if own else None,
            at_rest_encryption_enabled=True if own else None,
            transit_encryption_enabled=True if own else None,
            transit_encryption_mode="required" if own else None,
            kms_key_id=store.key_arn,
            auth_token=pulumi.Output.secret(args.auth_token),
            num_cache_clusters=args.nodes,
            # Both are the datastore's business once it exists, and equal here in every member, so that nothing differs.
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            # A global datastore switches it off (terraform-provider-aws#24919); versions are declared.
            auto_minor_version_upgrade=False,
            subnet_group_name=subnets.name,
            security_group_ids=[store_security_group(self, name, store, PORT).id],
            snapshot_retention_limit=args.snapshot_days,
            final_snapshot_identifier=f"{identifier}-final",
            tags=site.named(identifier),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=site.provider,
                protect=True,
                ignore_changes=kept(REPLICATION_GROUP, adopted),
                import_=adopted,
            ),
        )

    def _lag_alarms(self, name: str, args: CacheArgs, groups: Mapping[str, aws.elasticache.ReplicationGroup]) -> None:
        """Alarm on the lag of every site but the home.

        ElastiCache measures it in the region of a member that does not write, and only there; as that of a database,
        the alarm also speaks from a failover until the failback.
        """
        if args.lag_alarm_seconds is None:
            return
        for region, group in groups.items():
            if region != args.home:
                store = args.sites[region]
                lag = Lag(
                    namespace="AWS/ElastiCache",
                    metric="GlobalDatastoreReplicationLag",
                    dimensions={"ReplicationGroupId": group.replication_group_id},
                    threshold=args.lag_alarm_seconds,
                )
                lag_alarm(self, f"{name}-{region}-lag", store.site, store.alarm_topic_arn, lag)
