"""Make the target's copy of a cache the one that takes writes; what is rebuilt needs nothing but to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import aws, control, data, deadline
from lifeboat.model.plan.graph import PlanStep, Stage
from lifeboat.model.settings.sites import Strategy
from lifeboat.model.settings.stores import CacheMechanism
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.design import CacheDesign
    from lifeboat.model.plan.context import Context

KIND = "promote_cache"


def steps(context: Context) -> Iterable[PlanStep]:
    """One a cache that is replicated, or that must be made first."""
    if not context.moves:
        return
    made = (
        context.topology.strategy is Strategy.BACKUP_AND_RESTORE and context.target == context.topology.standby.region
    )
    for design in context.topology.caches:
        if design.mechanism is CacheMechanism.GLOBAL_DATASTORE:
            yield _promoted(context, design)
        elif made:
            yield _made(context, design)


def _promoted(context: Context, design: CacheDesign) -> PlanStep:
    name, target = design.settings.name, context.target
    group = context.names.replication_group(name, target)
    timing = TIMINGS[Step.CACHE_PROMOTION]
    back = f"fail it over to {context.source} again" if context.graceful else None
    return PlanStep(
        key=f"promote-cache/{name}",
        kind=KIND,
        title=f"Fail the Global Datastore of {name} over to {target}",
        stage=Stage.RECOVER,
        region=target,
        store=name,
        mechanism=design.mechanism,
        after=frozenset({"fence", "drain"}),
        calls=control("elasticache", target, "DescribeGlobalReplicationGroups", "FailoverGlobalReplicationGroup"),
        timing=timing,
        timeout=deadline(timing),
        idempotency="the target's group is the primary of the datastore already",
        undo=back,
        no_undo=None if back else f"what {context.source} had not sent is left behind; the way back is a failback",
        by_hand=(
            context.global_datastore(name),
            aws(
                "elasticache failover-global-replication-group",
                target,
                global_replication_group_id="$DATASTORE",
                primary_region=target,
                primary_replication_group_id=group,
            ),
        ),
    )


def _made(context: Context, design: CacheDesign) -> PlanStep:
    own, target = design.settings, context.target
    group = context.names.replication_group(own.name, target)
    timing = TIMINGS[Step.CACHE_CREATE]
    return PlanStep(
        key=f"promote-cache/{own.name}",
        kind=KIND,
        title=f"Make the cache {group}, empty",
        stage=Stage.RECOVER,
        region=target,
        store=own.name,
        mechanism=design.mechanism,
        after=frozenset({"decide"}),
        calls=(
            *control("elasticache", target, "CreateReplicationGroup", "DescribeReplicationGroups"),
            *control("ec2", target, "DescribeSecurityGroups"),
            *data("secretsmanager", target, "GetSecretValue"),
        ),
        timing=timing,
        timeout=deadline(timing),
        idempotency="the group has this name; what exists is waited for",
        undo=f"delete {group}, which holds nothing that cannot be computed again",
        by_hand=(
            aws(
                "elasticache create-replication-group --transit-encryption-enabled --at-rest-encryption-enabled",
                target,
                replication_group_id=group,
                replication_group_description=group,
                engine="redis",
                engine_version=own.version,
                cache_node_type=own.node_type,
            ),
            aws("elasticache wait replication-group-available", target, replication_group_id=group),
        ),
    )
