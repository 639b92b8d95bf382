"""Give every store its second copy again, in the site that comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import aws, control, data, deadline
from lifeboat.model.plan.graph import Call, Mode, PlanStep, Stage
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.timings import TIMINGS, Step, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.design import CacheDesign, DatabaseDesign, ObjectsDesign
    from lifeboat.model.plan.context import Context

KIND = "rebuild_protection"


def steps(context: Context) -> Iterable[PlanStep]:
    """One a store that is copied, where a lost site comes back."""
    if context.mode is not Mode.REJOIN:
        return
    yield from (_database(context, design) for design in context.databases)
    yield from (_cache(context, design) for design in context.replicated_caches)
    yield from (_objects(context, design) for design in context.replicated_objects)


def _database(context: Context, design: DatabaseDesign) -> PlanStep:
    name, names, back, active = design.settings.name, context.names, context.source, context.target
    if design.mechanism is DatabaseMechanism.AURORA_GLOBAL:
        return _step(
            context,
            design,
            title=f"See {back} back in the global cluster of {name}, or make its cluster anew",
            calls=(
                *control("rds", active, "DescribeGlobalClusters"),
                *control("rds", back, "DescribeGlobalClusters"),
            ),
            timing=TIMINGS[Step.AURORA_REBUILD],
            idempotency="the cluster is a reader of the global cluster",
            no_undo="its old volume is gone; Aurora keeps a snapshot of it",
            by_hand=(
                "# Aurora takes the old cluster back by itself once its region answers. If it has not within an hour:",
                aws(
                    "rds remove-from-global-cluster",
                    active,
                    global_cluster_identifier=names.global_cluster(name),
                    db_cluster_identifier=names.cluster_arn(name, back),
                ),
                "# and let `pulumi up` make it anew.",
            ),
        )
    if design.mechanism is DatabaseMechanism.REPLICA:
        source, generation = context.instance(name, active), names.replica(name, back)
        return _step(
            context,
            design,
            title=f"Build the next generation of {name} in {back}: {generation}, a replica of {source}",
            calls=control("rds", back, "CreateDBInstanceReadReplica", "DescribeDBInstances"),
            timing=TIMINGS[Step.RDS_NEW_REPLICA],
            idempotency="the instance of this generation exists",
            undo=f"delete {generation}",
            by_hand=(
                aws(
                    f"rds create-db-instance-read-replica --source-region {active}",
                    back,
                    db_instance_identifier=generation,
                    source_db_instance_identifier=f"arn:aws:rds:{active}:{context.settings.account}:db:{source}",
                ),
                aws("rds wait db-instance-available", back, db_instance_identifier=generation),
                "# Then add the generation to the database's `generations` in the stack's file.",
            ),
        )
    if design.mechanism is DatabaseMechanism.REPLICATED_BACKUPS:
        operations = ("DescribeDBInstances", "DescribeDBInstanceAutomatedBackups")
        calls = (
            *control("rds", active, "DescribeDBInstances"),
            *control("rds", back, *operations, "StartDBInstanceAutomatedBackupsReplication"),
        )
        arn = f"arn:aws:rds:{active}:{context.settings.account}:db:{context.instance(name, active)}"
        command = aws("rds start-db-instance-automated-backups-replication", back, source_db_instance_arn=arn)
    else:
        operations = ("StartBackupJob", "DescribeBackupJob", "StartCopyJob", "DescribeCopyJob")
        instances = control("rds", active, "DescribeDBInstances")
        calls = (*context.run_read, *instances, *control("backup", active, *operations))
        command = aws("backup list-backup-jobs", active)
    return _step(
        context,
        design,
        title=f"Have backups of {name} copied to {back} again",
        calls=calls,
        timing=TIMINGS[Step.RDS_SNAPSHOT].then(TIMINGS[Step.SNAPSHOT_COPY]),
        idempotency="a backup of the active instance is in the other region",
        no_undo="copies that were made stay, as further backups",
        by_hand=(command,),
    )


def _cache(context: Context, design: CacheDesign) -> PlanStep:
    name, back = design.settings.name, context.source
    group = context.names.replication_group(name, back)
    return _step(
        context,
        design,
        title=f"See {group} back in the Global Datastore, synchronised",
        calls=control("elasticache", context.target, "DescribeGlobalReplicationGroups")
        + control("elasticache", back, "DescribeReplicationGroups"),
        timing=TIMINGS[Step.DATASTORE_REBUILD],
        idempotency="the group is a secondary of the datastore, and associated",
        no_undo="what it held is overwritten; the divergence report has it",
        by_hand=(
            context.global_datastore(name),
            aws(
                "elasticache describe-global-replication-groups --show-member-info",
                context.target,
                global_replication_group_id="$DATASTORE",
            ),
        ),
    )


def _objects(context: Context, design: ObjectsDesign) -> PlanStep:
    name, active = design.settings.name, context.target
    bucket = context.names.bucket(name, active)
    return _step(
        context,
        design,
        title=f"Copy what the bucket of {name} in {context.source} is missing",
        calls=(
            *context.run_read,
            *control("s3control", active, "CreateJob", "DescribeJob"),
            *data("s3", active, "ListObjectsV2"),
            *data("s3", context.source, "ListObjectsV2"),
        ),
        timing=TIMINGS[Step.OBJECTS_BACKFILL],
        idempotency="the job carries the run's token; what exists is waited for",
        no_undo="copies that were made stay; nothing reads them before the site does",
        by_hand=(
            f"# An S3 Batch Replication job for objects of {bucket} that are FAILED or NONE:",
            aws("s3control list-jobs", active, account_id=context.settings.account),
        ),
    )


def _step(  # noqa: PLR0913 - what differs between the mechanisms
    context: Context,
    design: DatabaseDesign | CacheDesign | ObjectsDesign,
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
        key=f"rebuild-protection/{design.settings.name}",
        kind=KIND,
        title=title,
        stage=Stage.AFTERWARDS,
        region=context.source,
        store=design.settings.name,
        mechanism=design.mechanism,
        after=frozenset({"fence"}),
        calls=calls,
        timing=timing,
        timeout=deadline(timing),
        idempotency=idempotency,
        undo=undo,
        no_undo=no_undo,
        by_hand=by_hand,
    )
