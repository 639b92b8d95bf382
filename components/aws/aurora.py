"""Aurora PostgreSQL in two regions, joined by a global cluster.

Roles move without an `up`: a switchover or failover changes which cluster writes, and no input says which one does. The
home site only decides where the database was born: its cluster is created with the master user, the other one joins and
takes everything from it. Passwords managed by RDS do not work with global clusters, so the caller hands one in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.adoption import kept
from components.aws.database import CA_CERTIFICATE, PORT, PROTECTIVE_PARAMETERS
from components.aws.monitoring import INSIGHTS_RETENTION_DAYS, MONITORING_INTERVAL, Lag, lag_alarm, monitoring_role
from components.aws.perimeter import StoreSite, database_subnets, store_security_group
from components.aws.promotion import CLUSTER, GLOBAL_CLUSTER, ignored

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINE = "aurora-postgresql"
GLOBAL_IMPORT = "global"
"""Key of `AuroraArgs.imports` for an existing global cluster."""


@dataclass(frozen=True, kw_only=True)
class AuroraSite(StoreSite):
    """One site of the database."""

    zones: tuple[str, ...]
    """Availability zones that instances are spread over, in order."""


@dataclass(frozen=True, kw_only=True)
class AuroraArgs:
    """What `AuroraDatabase` needs."""

    sites: Mapping[str, AuroraSite]
    """By region."""
    home: str
    """Region where the database is created."""
    version: str
    """Aurora PostgreSQL version, such as ``16.8``."""
    instance_class: str
    standby_instance_class: str
    home_instances: int
    """Instances in the home site: 1 writer, the rest readers in other zones."""
    standby_instances: int
    """Instances in the other site; 0 makes it headless: storage replicates, and instances are added at a failover."""
    database: str
    """First database."""
    username: str
    password: pulumi.Input[str]
    retention_days: int
    """Days of continuous backups, in both sites."""
    window: str
    """Daily backup window, UTC."""
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further cluster parameters; they take effect at the next restart."""
    global_rpo: int | None = None
    """Seconds, 20 or more, by which the other site may lag before the writer stalls commits; None sets no bound."""
    lag_alarm_seconds: float | None = None
    """Lag that raises the alarm of the other site; None raises none."""
    imports: Mapping[str, str] = field(default_factory=dict[str, str])
    """Existing cluster identifiers to adopt, by region, and of the global cluster under `GLOBAL_IMPORT`."""


class AuroraDatabase(pulumi.ComponentResource):
    """An Aurora PostgreSQL database with a cluster in every site, one of which writes."""

    writer_endpoints: dict[str, pulumi.Output[str]]
    """Cluster endpoint by region; it accepts writes only where the writer is."""
    reader_endpoints: dict[str, pulumi.Output[str]]
    """By region."""
    cluster_arns: dict[str, pulumi.Output[str]]
    """By region."""
    global_cluster_id: pulumi.Output[str]
    global_endpoint: pulumi.Output[str]
    """Host name that follows the writer across regions."""
    port: int

    def __init__(self, name: str, args: AuroraArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:AuroraDatabase", name, {}, opts)
        global_cluster = self._global_cluster(name, args)
        clusters: dict[str, aws.rds.Cluster] = {}
        born: list[pulumi.Resource] = []
        # The home first: a cluster can only join once the first one has an instance that writes.
        for region in sorted(args.sites, key=lambda region: region != args.home):
            role = monitoring_role(self, name, args.sites[region].site)
            clusters[region] = self._cluster(name, args, region, global_cluster, born)
            instances = self._instances(name, args, region, clusters[region], role)
            born = born or [clusters[region], *instances]
        self._lag_alarms(name, args, clusters)
        self.writer_endpoints = {region: cluster.endpoint for region, cluster in clusters.items()}
        self.reader_endpoints = {region: cluster.reader_endpoint for region, cluster in clusters.items()}
        self.cluster_arns = {region: cluster.arn for region, cluster in clusters.items()}
        self.global_cluster_id = global_cluster.global_cluster_identifier
        self.global_endpoint = global_cluster.endpoint
        self.port = PORT
        self.register_outputs(
            {
                "writer_endpoints": self.writer_endpoints,
                "reader_endpoints": self.reader_endpoints,
                "cluster_arns": self.cluster_arns,
                "global_cluster_id": self.global_cluster_id,
                "global_endpoint": self.global_endpoint,
                "port": self.port,
            }
        )

    def _global_cluster(self, name: str, args: AuroraArgs) -> aws.rds.GlobalCluster:
        """The global cluster: new and empty, adopted, or made around an adopted cluster of the home site."""
        site = args.sites[args.home].site
        adopted = args.imports.get(GLOBAL_IMPORT)
        identifier = adopted or f"{site.prefix}-{name}"
        # An existing cluster cannot be put into a global one: a global one is made around it, and takes engine, version
        # and encryption from it. The provider demands force_destroy with it, which only ever detaches members.
        source = args.imports.get(args.home) if adopted is None else None
        return aws.rds.GlobalCluster(
            f"{name}-global-cluster",
            global_cluster_identifier=identifier,
            source_db_cluster_identifier=None if source is None else site.arn("rds", f"cluster:{source}"),
            force_destroy=None if source is None else True,
            engine=ENGINE if source is None else None,
            engine_version=args.version if source is None else None,
            storage_encrypted=True if source is None else None,
            deletion_protection=True,
            tags=site.named(identifier),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=site.provider,
                protect=True,
                ignore_changes=[*ignored(GLOBAL_CLUSTER), *kept(GLOBAL_CLUSTER, adopted)],
                import_=adopted,
            ),
        )

    def _cluster(
        self,
        name: str,
        args: AuroraArgs,
        region: str,
        global_cluster: aws.rds.GlobalCluster,
        born: list[pulumi.Resource],
    ) -> aws.rds.Cluster:
        """One site's cluster, and what it needs around it."""
        store = args.sites[region]
        site = store.site
        physical = site.physical(name)
        at_home = region == args.home
        adopted = args.imports.get(region)
        identifier = adopted or physical
        return aws.rds.Cluster(
            f"{name}-{region}",
            cluster_identifier=identifier,
            global_cluster_identifier=global_cluster.id,
            # A cluster that joins takes these three from the global cluster, and AWS refuses them.
            database_name=args.database if at_home else None,
            master_username=args.username if at_home else None,
            master_password=pulumi.Output.secret(args.password) if at_home else None,
            engine=ENGINE,
            engine_version=args.version,
            storage_encrypted=True,
            # An encrypted cluster that joins is refused without the region that it was born in, which never changes.
            source_region=None if at_home else args.home,
            kms_key_id=store.key_arn,
            port=PORT,
            db_subnet_group_name=database_subnets(self, name, store).name,
            vpc_security_group_ids=[store_security_group(self, name, store, PORT).id],
            db_cluster_parameter_group_name=self._parameters(name, args, store).name,
            iam_database_authentication_enabled=True,
            backup_retention_period=args.retention_days,
            preferred_backup_window=args.window,
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=True,
            skip_final_snapshot=False,
            final_snapshot_identifier=f"{identifier}-final",
            enabled_cloudwatch_logs_exports=["postgresql"],
            tags=site.named(identifier),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=site.provider,
                protect=True,
                ignore_changes=[*ignored(CLUSTER), *kept(CLUSTER, adopted)],
                import_=adopted,
                depends_on=born,
            ),
        )

    def _parameters(self, name: str, args: AuroraArgs, store: AuroraSite) -> aws.rds.ClusterParameterGroup:
        """One site's cluster parameters; equal in both, since the bound on lag acts wherever the writer is."""
        site = store.site
        family = f"{ENGINE}{args.version.split('.')[0]}"
        physical = site.physical(f"{name}-{family}")
        protective = dict(PROTECTIVE_PARAMETERS)
        if args.global_rpo is not None:
            protective["rds.global_db_rpo"] = str(args.global_rpo)
        return aws.rds.ClusterParameterGroup(
            f"{name}-{site.region}-{family}",
            name=physical,
            description=f"{physical}: TLS forced, lag bounded as declared",
            family=family,
            parameters=[
                aws.rds.ClusterParameterGroupParameterArgs(
                    name=key, value=value, apply_method="immediate" if key in protective else "pending-reboot"
                )
                for key, value in sorted({**args.parameters, **protective}.items())
            ],
            tags=site.named(physical),
            opts=pulumi.ResourceOptions(parent=self, provider=site.provider),
        )

    def _instances(
        self, name: str, args: AuroraArgs, region: str, cluster: aws.rds.Cluster, role: pulumi.Output[str]
    ) -> list[aws.rds.ClusterInstance]:
        """One site's instances, each in the next zone."""
        store = args.sites[region]
        site = store.site
        at_home = region == args.home
        made: list[aws.rds.ClusterInstance] = []
        for index in range(args.home_instances if at_home else args.standby_instances):
            identifier = site.physical(f"{name}-{region}-{index + 1}")
            made.append(
                aws.rds.ClusterInstance(
                    f"{name}-{region}-{index + 1}",
                    identifier=identifier,
                    cluster_identifier=cluster.id,
                    engine=aws.rds.EngineType.AURORA_POSTGRESQL,
                    instance_class=args.instance_class if at_home else args.standby_instance_class,
                    availability_zone=store.zones[index % len(store.zones)],
                    publicly_accessible=False,
                    # Declared on the cluster, so that both sites run the same version.
                    auto_minor_version_upgrade=False,
                    ca_cert_identifier=CA_CERTIFICATE,
                    copy_tags_to_snapshot=True,
                    monitoring_interval=MONITORING_INTERVAL,
                    monitoring_role_arn=role,
                    performance_insights_enabled=True,
                    performance_insights_kms_key_id=store.key_arn,
                    performance_insights_retention_period=INSIGHTS_RETENTION_DAYS,
                    tags=site.named(identifier),
                    opts=pulumi.ResourceOptions(parent=self, provider=site.provider),
                )
            )
        return made

    def _lag_alarms(self, name: str, args: AuroraArgs, clusters: Mapping[str, aws.rds.Cluster]) -> None:
        """Alarm on the lag of every site but the home.

        AWS publishes the metric only for clusters that do not write, in their own region, and a missing one is
        breaching. So the alarm also speaks from a failover until the failback, when nothing replicates there; an alarm
        in the home site would speak all the rest of the time.
        """
        if args.lag_alarm_seconds is None:
            return
        for region, cluster in clusters.items():
            if region != args.home:
                store = args.sites[region]
                lag = Lag(
                    namespace="AWS/RDS",
                    metric="AuroraGlobalDBRPOLag",
                    dimensions={"DBClusterIdentifier": cluster.cluster_identifier},
                    threshold=args.lag_alarm_seconds * 1000,
                )
                lag_alarm(self, f"{name}-{region}-lag", store.site, store.alarm_topic_arn, lag)
