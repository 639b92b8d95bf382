"""RDS for PostgreSQL in one region, with cross-region replicas in generations.

A promotion of a plain replica cannot be undone: the old primary never becomes a replica again. So instances carry a
generation in their name (``orders-us-east-1-g2``), a failback adds one to the list and a retirement takes the oldest
away. Whatever instances share in a site (subnets, access, parameters, monitoring) belongs to the site, so that a new
generation adds nothing but itself and what watches it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.adoption import kept
from components.aws.monitoring import INSIGHTS_RETENTION_DAYS, MONITORING_INTERVAL, Lag, lag_alarm, monitoring_role
from components.aws.perimeter import StoreSite, database_subnets, store_security_group
from components.aws.promotion import INSTANCE, ignored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PORT = 5432
CA_CERTIFICATE = "rds-ca-rsa2048-g1"
"""Valid until 2061; named, so that a region's changing default never rotates it unasked."""
PROTECTIVE_PARAMETERS = {"rds.force_ssl": "1"}
"""Parameters that no stack can unset: connections without TLS are refused."""


@dataclass(frozen=True, kw_only=True)
class InstanceSpec:
    """One generation of the database."""

    key: str
    """Region and generation, such as ``us-east-1-g1``."""
    region: str
    source: str | None
    """Key of the instance it replicates from, which is listed before it; None for the oldest."""


@dataclass(frozen=True, kw_only=True)
class DatabaseSite(StoreSite):
    """One site of the database."""

    backup_key_arn: pulumi.Input[str]
    """Key of this region, for automated backups that were replicated here."""


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """What `Database` needs."""

    instances: Sequence[InstanceSpec]
    """Every generation that exists, oldest first."""
    sites: Mapping[str, DatabaseSite]
    """By region; both sites, also the one that has no instance yet."""
    home: str
    """Region whose instances have `instance_class`."""
    version: str
    """PostgreSQL version, such as ``16.8``."""
    instance_class: str
    standby_instance_class: str
    storage_gib: int
    database: str
    """First database."""
    username: str
    password: pulumi.Input[str]
    retention_days: int
    """Days of automated backups, in every instance: a replica must be able to be a source the moment it is promoted."""
    window: str
    """Daily backup window, UTC."""
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further engine parameters; they take effect at the next restart."""
    replicate_backups: bool = False
    """Copy the oldest instance's automated backups to the other site."""
    lag_alarm_seconds: float | None = None
    """Lag that raises the alarm of each replica; None raises none."""
    imports: Mapping[str, str] = field(default_factory=dict[str, str])
    """Identifier of an existing instance to adopt, by instance key."""


class Database(pulumi.ComponentResource):
    """A PostgreSQL database as a chain of instances, each in one region.

    The oldest is created with the master user; every other one replicates from the instance it names. Which of them is
    written to is runtime state.
    """

    endpoints: dict[str, pulumi.Output[str]]
    """Host name by instance key."""
    arns: dict[str, pulumi.Output[str]]
    """By instance key."""
    identifiers: dict[str, pulumi.Output[str]]
    """By instance key."""
    port: int

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Database", name, {}, opts)
        shared = {region: self._site(name, args, store) for region, store in args.sites.items()}
        instances: dict[str, aws.rds.Instance] = {}
        for spec in args.instances:
            if spec.source is not None and spec.source not in instances:
                raise ValueError(f"{name}: {spec.key} replicates from {spec.source}, which is not listed before it")
            source = None if spec.source is None else instances[spec.source]
            instances[spec.key] = self._instance(name, args, spec, shared[spec.region], source)
        if args.replicate_backups:
            self._replicate_backups(name, args, instances)
        self.endpoints = {key: instance.address for key, instance in instances.items()}
        self.arns = {key: instance.arn for key, instance in instances.items()}
        self.identifiers = {key: instance.identifier for key, instance in instances.items()}
        self.port = PORT
        self.register_outputs(
            {"endpoints": self.endpoints, "arns": self.arns, "identifiers": self.identifiers, "port": self.port}
        )

    def _site(self, name: str, args: DatabaseArgs, store: DatabaseSite) -> _Shared:
        """What every generation in one site uses."""
        site = store.site
        opts = pulumi.ResourceOptions(parent=self, provider=site.provider)
        physical = site.physical(name)
        family = f"postgres{args.version.split('.')[0]}"
        # The same name in both regions: a replica looks for its source's parameter group by name in its own region.
        group_name = f"{site.prefix}-{name}-{family}"
        parameters = aws.rds.ParameterGroup(
            f"{name}-{site.region}-{family}",
            name=group_name,
            description=f"{physical}: TLS forced",
            family=family,
            parameters=[
                aws.rds.ParameterGroupParameterArgs(
                    name=key,
                    value=value,
                    apply_method="immediate" if key in PROTECTIVE_PARAMETERS else "pending-reboot",
                )
                for key, value in sorted({**args.parameters, **PROTECTIVE_PARAMETERS}.items())
            ],
            tags=site.named(group_name),
            opts=opts,
        )
        return _Shared(
            store=store,
            subnet_group=database_subnets(self, name, store).name,
            parameter_group=parameters.name,
            security_group=store_security_group(self, name, store, PORT).id,
            monitoring_role_arn=monitoring_role(self, name, site),
        )

    def _instance(
        self, name: str, args: DatabaseArgs, spec: InstanceSpec, shared: _Shared, source: aws.rds.Instance | None
    ) -> aws.rds.Instance:
        """One generation, and the alarm on its lag when it replicates.

        Everything but its origin is equal in all generations, so that none changes when it is promoted or becomes the
        oldest.
        """
        store, site = shared.store, shared.store.site
        adopted = args.imports.get(spec.key)
        identifier = adopted or site.physical(f"{name}-{spec.key}")
        instance = aws.rds.Instance(
            f"{name}-{spec.key}",
            identifier=identifier,
            replicate_source_db=None if source is None else source.arn,
            # A replica takes these three from its source, and AWS refuses them.
            db_name=args.database if source is None else None,
            username=args.username if source is None else None,
            password=pulumi.Output.secret(args.password) if source is None else None,
            engine="postgres",
            engine_version=args.version,
            # Declared, so that both sites run the same version and replicas are upgraded before what they replicate
            # from.
            auto_minor_version_upgrade=False,
            instance_class=args.instance_class if spec.region == args.home else args.standby_instance_class,
            allocated_storage=args.storage_gib,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=store.key_arn,
            # Replicas too: after a failover this is all there is, and a conversion takes longer than the RTO.
            multi_az=True,
            db_subnet_group_name=shared.subnet_group,
            vpc_security_group_ids=[shared.security_group],
            publicly_accessible=False,
            port=PORT,
            parameter_group_name=shared.parameter_group,
            ca_cert_identifier=CA_CERTIFICATE,
            iam_database_authentication_enabled=True,
            backup_retention_period=args.retention_days,
            backup_window=args.window,
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=True,
            skip_final_snapshot=False,
            final_snapshot_identifier=f"{identifier}-final",
            enabled_cloudwatch_logs_exports=["postgresql", "upgrade"],
            monitoring_interval=MONITORING_INTERVAL,
            monitoring_role_arn=shared.monitoring_role_arn,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=store.key_arn,
            performance_insights_retention_period=INSIGHTS_RETENTION_DAYS,
            tags=site.named(identifier),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=site.provider,
                protect=True,
                ignore_changes=[*ignored(INSTANCE), *kept(INSTANCE, adopted)],
                import_=adopted,
            ),
        )
        if source is not None and args.lag_alarm_seconds is not None:
            lag = Lag(
                namespace="AWS/RDS",
                metric="ReplicaLag",
                dimensions={"DBInstanceIdentifier": instance.identifier},
                threshold=args.lag_alarm_seconds,
            )
            lag_alarm(self, f"{name}-{spec.key}-lag", site, store.alarm_topic_arn, lag)
        return instance

    def _replicate_backups(self, name: str, args: DatabaseArgs, instances: Mapping[str, aws.rds.Instance]) -> None:
        """Copy the oldest instance's automated backups to the other site, with a key of that site.

        Only the oldest is sure to be no replica, or one no longer. When it is retired the copies follow the next one,
        which a failover has promoted by then. The resource lives in the destination and is named by it.
        """
        oldest = args.instances[0]
        for region, store in args.sites.items():
            if region != oldest.region:
                aws.rds.InstanceAutomatedBackupsReplication(
                    f"{name}-{region}-backups",
                    source_db_instance_arn=instances[oldest.key].arn,
                    kms_key_id=store.backup_key_arn,
                    retention_period=args.retention_days,
                    opts=pulumi.ResourceOptions(parent=self, provider=store.site.provider),
                )


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """What the generations of one site share."""

    store: DatabaseSite
    subnet_group: pulumi.Output[str]
    parameter_group: pulumi.Output[str]
    security_group: pulumi.Output[str]
    monitoring_role_arn: pulumi.Output[str]
