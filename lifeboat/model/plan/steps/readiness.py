"""Check that the site which takes over can: copies, capacity, quotas, backups, keys and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, aws, aws_tagged, control, data, deadline
from lifeboat.model.plan.graph import Call, Mode, PlanStep, Stage
from lifeboat.model.settings.sites import Strategy
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "readiness"


def steps(context: Context) -> Iterable[PlanStep]:
    """One: of the target; of a rejoin, of the site that comes back."""
    region = context.source if context.mode is Mode.REJOIN else context.target
    calls: list[Call] = [
        *context.lease_read,
        *data("cloudwatch", region, "GetMetricData"),
        *control("service-quotas", region, "ListServiceQuotas"),
        *control("kms", region, "DescribeKey"),
        *data("secretsmanager", region, "GetSecretValue"),
    ]
    commands = [
        "# Lag at last contact: the last heartbeat row that arrived, not the lag that grows since the source is dead.",
        aws("service-quotas list-service-quotas", region, service_code="rds"),
    ]
    if context.scales and context.topology.strategy is not Strategy.BACKUP_AND_RESTORE:
        # Groups that the services' own programs make are not there yet.
        calls += control("autoscaling", region, "DescribeAutoScalingGroups")
        tags = aws_tagged({"System": context.settings.system, "Environment": context.settings.environment})
        commands.append(aws(f"autoscaling describe-auto-scaling-groups --filters {tags}", region))
    names = context.names
    if context.databases:
        calls += control(
            "rds", region, "DescribeDBInstances", "DescribeDBClusters", "DescribeDBInstanceAutomatedBackups"
        )
        calls += control("backup", region, "ListRecoveryPointsByBackupVault")
    for design in context.databases:
        name = design.settings.name
        match design.mechanism:
            case DatabaseMechanism.AURORA_GLOBAL:
                commands.append(
                    aws("rds describe-db-clusters", region, db_cluster_identifier=names.cluster(name, region))
                )
            case DatabaseMechanism.REPLICA:
                commands.append(
                    aws("rds describe-db-instances", region, db_instance_identifier=context.instance(name, region))
                )
            case DatabaseMechanism.REPLICATED_BACKUPS:
                commands.append(aws("rds describe-db-instance-automated-backups", region))
            case DatabaseMechanism.BACKUPS:
                vault = f"{names.prefix}-{name}-{region}"
                commands.append(aws("backup list-recovery-points-by-backup-vault", region, backup_vault_name=vault))
        secret = names.password(name)
        commands.append(aws("secretsmanager get-secret-value --query ARN --output text", region, secret_id=secret))
    if context.replicated_caches:
        calls += control("elasticache", region, "DescribeReplicationGroups")
    for cache in context.replicated_caches:
        group = names.replication_group(cache.settings.name, region)
        commands.append(aws("elasticache describe-replication-groups", region, replication_group_id=group))
    if context.topology.object_stores:
        calls += data("s3", region, "HeadBucket")
    commands += [
        aws("s3api head-bucket", region, bucket=names.bucket(store.settings.name, region))
        for store in context.topology.object_stores
    ]
    timing = TIMINGS[Step.READINESS]
    yield PlanStep(
        key="readiness",
        kind=KIND,
        title=f"Check that {region} is ready: lag at last contact, health, capacity, quotas, backups, keys, secrets",
        stage=Stage.DECIDE,
        region=region,
        after=frozenset({"resynchronise", "verify_copies"}),
        calls=tuple(calls),
        timing=timing,
        timeout=deadline(timing, 60),
        idempotency="it only reads; each run checks anew",
        undo=READS_ONLY,
        by_hand=tuple(commands),
    )
