"""Wait until nothing is in flight: every copy has what the source last acknowledged.

Behind the fence: caches and buckets take writes for as long as a gate is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import READS_ONLY, aws, control, data, deadline
from lifeboat.model.plan.graph import PlanStep, Stage
from lifeboat.model.settings.stores import DatabaseMechanism
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.design import CacheDesign, DatabaseDesign
    from lifeboat.model.plan.context import Context

KIND = "drain"

_FROM_BACKUPS = {DatabaseMechanism.BACKUPS, DatabaseMechanism.REPLICATED_BACKUPS}


def steps(context: Context) -> Iterable[PlanStep]:
    """One a store that is copied, where both sites answer."""
    if not context.graceful:
        return
    for design in context.databases:
        yield _snapshot(context, design) if design.mechanism in _FROM_BACKUPS else _database(context, design)
    for cache in context.replicated_caches:
        yield _cache(context, cache)


def _database(context: Context, design: DatabaseDesign) -> PlanStep:
    own, timing = design.settings, TIMINGS[Step.DRAIN]
    position = "SELECT pg_current_wal_lsn()"
    return PlanStep(
        key=f"drain/{own.name}",
        kind=KIND,
        title=f"Wait until {context.target} has the last write of the database {own.name}",
        stage=Stage.RECOVER,
        region=context.source,
        store=own.name,
        mechanism=design.mechanism,
        after=frozenset({"fence"}),
        calls=(
            *context.session(context.source, "write a mark"),
            *context.session(context.target, "read the mark"),
        ),
        timing=timing,
        timeout=deadline(timing, 120),
        idempotency="it only compares positions; each run compares anew",
        undo=READS_ONLY,
        by_hand=(
            f'psql "host=$WRITER dbname={own.database} user={own.username} sslmode=require" -c "{position}"',
            f"# The copy in {context.target} must have replayed that position before anything goes on.",
        ),
    )


def _snapshot(context: Context, design: DatabaseDesign) -> PlanStep:
    """Where only backups reach the other site: one more, taken after the last write."""
    own = design.settings
    timing = TIMINGS[Step.RDS_SNAPSHOT].then(TIMINGS[Step.SNAPSHOT_COPY])
    instance = context.instance(own.name, context.source)
    snapshot = f"{instance}-final"
    arn = f"arn:aws:rds:{context.source}:{context.settings.account}:snapshot:{snapshot}"
    return PlanStep(
        key=f"drain/{own.name}",
        kind=KIND,
        title=f"Take a last snapshot of the database {own.name} and copy it to {context.target}",
        stage=Stage.RECOVER,
        region=context.source,
        store=own.name,
        mechanism=design.mechanism,
        after=frozenset({"fence"}),
        calls=(
            *control("rds", context.source, "DescribeDBInstances", "CreateDBSnapshot", "DescribeDBSnapshots"),
            *control("rds", context.target, "CopyDBSnapshot", "DescribeDBSnapshots"),
        ),
        timing=timing,
        timeout=deadline(timing),
        idempotency="snapshot and copy carry the run's name; what exists is waited for",
        undo="delete the snapshot and its copy",
        by_hand=(
            aws(
                "rds create-db-snapshot",
                context.source,
                db_instance_identifier=instance,
                db_snapshot_identifier=snapshot,
            ),
            aws("rds wait db-snapshot-available", context.source, db_snapshot_identifier=snapshot),
            aws(
                f"rds copy-db-snapshot --source-region {context.source}",
                context.target,
                source_db_snapshot_identifier=arn,
                target_db_snapshot_identifier=snapshot,
                kms_key_id="$KEY_OF_THE_TARGET",
            ),
            aws("rds wait db-snapshot-available", context.target, db_snapshot_identifier=snapshot),
        ),
    )


def _cache(context: Context, design: CacheDesign) -> PlanStep:
    name, timing = design.settings.name, TIMINGS[Step.DRAIN]
    return PlanStep(
        key=f"drain/{name}",
        kind=KIND,
        title=f"Wait until {context.target} has the last write of the cache {name}",
        stage=Stage.RECOVER,
        region=context.source,
        store=name,
        mechanism=design.mechanism,
        after=frozenset({"fence"}),
        calls=tuple(
            call
            for region in (context.source, context.target)
            for call in (
                *control("elasticache", region, "DescribeReplicationGroups"),
                *data("secretsmanager", region, "GetSecretValue"),
                *data("redis", region, "INFO replication"),
            )
        ),
        timing=timing,
        timeout=deadline(timing, 120),
        idempotency="it only compares offsets; each run compares anew",
        undo=READS_ONLY,
        by_hand=("redis-cli --tls -h $PRIMARY INFO replication", "redis-cli --tls -h $COPY INFO replication"),
    )
