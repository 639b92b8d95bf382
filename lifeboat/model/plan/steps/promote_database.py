"""Make the target's copy of a database the one that takes writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import aws, control, deadline
from lifeboat.model.plan.graph import Call, PlanStep, Stage
from lifeboat.model.plan.refusals import PlanRefused
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.timings import TIMINGS, Step, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.design import DatabaseDesign
    from lifeboat.model.plan.context import Context

KIND = "promote_database"


def steps(context: Context) -> Iterable[PlanStep]:
    """One a database."""
    if not context.moves:
        return
    for design in context.databases:
        match design.mechanism:
            case DatabaseMechanism.AURORA_GLOBAL:
                yield _aurora(context, design)
            case DatabaseMechanism.REPLICA:
                yield _replica(context, design)
            case DatabaseMechanism.BACKUPS | DatabaseMechanism.REPLICATED_BACKUPS:
                yield _restore(context, design)


def _aurora(context: Context, design: DatabaseDesign) -> PlanStep:
    name, names, target = design.settings.name, context.names, context.target
    cluster, whole = names.cluster_arn(name, target), names.global_cluster(name)
    show = aws("rds describe-global-clusters", target, global_cluster_identifier=whole)
    if context.graceful:
        # A switchover is asked of the region that is the writer's, a failover of the one that shall be.
        calls = control("rds", context.source, "SwitchoverGlobalCluster")
        command = aws(
            "rds switchover-global-cluster",
            context.source,
            global_cluster_identifier=whole,
            target_db_cluster_identifier=cluster,
        )
        return _step(
            context,
            design,
            title=f"Switch Aurora Global {name} over to {target}; nothing is lost",
            calls=(*calls, *control("rds", target, "DescribeGlobalClusters", "DescribeDBClusters")),
            timing=TIMINGS[Step.AURORA_SWITCHOVER],
            idempotency="the target's cluster is the writer of the global cluster already",
            undo=f"switch it over to {context.source} again",
            by_hand=(command, show),
        )
    command = aws(
        "rds failover-global-cluster --allow-data-loss",
        target,
        global_cluster_identifier=whole,
        target_db_cluster_identifier=cluster,
    )
    return _step(
        context,
        design,
        title=f"Fail Aurora Global {name} over to {target}",
        calls=control("rds", target, "FailoverGlobalCluster", "DescribeGlobalClusters", "DescribeDBClusters"),
        timing=TIMINGS[Step.AURORA_PROMOTION],
        idempotency="the target's cluster is the writer of the global cluster already",
        no_undo=f"what {context.source} had not sent is left behind; the way back is a failback",
        by_hand=(command, show),
    )


def _replica(context: Context, design: DatabaseDesign) -> PlanStep:
    own, target = design.settings, context.target
    youngest = design.instances[-1]
    if youngest.region != target:
        at = [each.settings.name for each in context.databases].index(own.name)
        reason = (
            f"promote-database/{own.name}: {youngest.key} is the youngest of databases[{at}].generations, and "
            f"nothing in {target} replicates from it: `lifeboat rejoin` builds the next generation there"
        )
        raise PlanRefused((reason,))
    instance = context.names.instance(own.name, target)
    by_name = {"db_instance_identifier": instance}
    return _step(
        context,
        design,
        title=f"Promote {instance}, waiting out a running backup; retention {own.backups.retention_days} days",
        calls=control("rds", target, "DescribeDBInstances", "PromoteReadReplica", "ModifyDBInstance"),
        timing=TIMINGS[Step.RDS_PROMOTION],
        idempotency="the instance names no source any more",
        no_undo="a promoted instance cannot replicate again; rejoin builds the next generation beside it",
        by_hand=(
            "# Refused while it is backing up: wait for `available` first.",
            aws("rds wait db-instance-available", target, **by_name),
            aws(
                "rds promote-read-replica",
                target,
                **by_name,
                backup_retention_period=str(own.backups.retention_days),
                preferred_backup_window=own.backups.window,
            ),
            aws("rds wait db-instance-available", target, **by_name),
        ),
    )


def _restore(context: Context, design: DatabaseDesign) -> PlanStep:
    own, target, names = design.settings, context.target, context.names
    first = context.next_instance(design, target)
    ready = aws("rds wait db-instance-available", target, db_instance_identifier=first)
    if context.graceful:
        operation, copy = "RestoreDBInstanceFromDBSnapshot", "the last snapshot"
        restore = aws(
            "rds restore-db-instance-from-db-snapshot",
            target,
            db_instance_identifier=first,
            db_snapshot_identifier=f"{context.instance(own.name, context.source)}-final",
        )
        calls: tuple[Call, ...] = control("rds", target, operation)
    elif design.mechanism is DatabaseMechanism.BACKUPS:
        vault = f"{names.prefix}-{own.name}-{target}"
        copy = "the newest recovery point of its vault"
        restore = aws("backup list-recovery-points-by-backup-vault", target, backup_vault_name=vault)
        # The job is handed a role, which takes a right of its own (`iam:PassRole`) and no call.
        jobs = ("ListRecoveryPointsByBackupVault", "StartRestoreJob", "DescribeRestoreJob")
        # Which attempt it is, the journal tells.
        calls = (*context.run_read, *control("backup", target, *jobs))
    else:
        operation, copy = "RestoreDBInstanceToPointInTime", "its replicated backups"
        restore = aws(
            "rds restore-db-instance-to-point-in-time --use-latest-restorable-time",
            target,
            source_db_instance_automated_backups_arn="$REPLICATED_BACKUPS_ARN",
            target_db_instance_identifier=first,
        )
        calls = control("rds", target, "DescribeDBInstanceAutomatedBackups", operation)
    return _step(
        context,
        design,
        title=f"Restore {first} from {copy}",
        calls=(
            *calls,
            *control("rds", target, "DescribeDBInstances", "ModifyDBInstance"),
            *control("ec2", target, "DescribeSecurityGroups"),
        ),
        timing=TIMINGS[Step.RDS_RESTORE],
        idempotency="the restored instance has this name; what exists is waited for",
        undo=f"delete {first}, while nothing was written to it",
        by_hand=(restore, ready),
    )


def _step(  # noqa: PLR0913 - what differs between the mechanisms
    context: Context,
    design: DatabaseDesign,
    *,
    title: str,
    calls: tuple[Call, ...],
    timing: Timing,
    idempotency: str,
    by_hand: tuple[str, ...],
    undo: str | None = None,
    no_undo: str | None = None,
) -> PlanStep:
    return PlanStep(
        key=f"promote-database/{design.settings.name}",
        kind=KIND,
        title=title,
        stage=Stage.RECOVER,
        region=context.target,
        store=design.settings.name,
        mechanism=design.mechanism,
        after=frozenset({"fence", "drain"}),
        calls=calls,
        timing=timing,
        timeout=deadline(timing),
        idempotency=idempotency,
        undo=undo,
        no_undo=no_undo,
        by_hand=by_hand,
    )
