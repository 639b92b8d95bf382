"""Bring the compute of the target to the size of the source's, as far as the strategy left it smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.plan.context import aws, aws_tagged, control, deadline
from lifeboat.model.plan.graph import Mode, PlanStep, Stage
from lifeboat.model.settings.sites import Strategy
from lifeboat.model.timings import TIMINGS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifeboat.model.plan.context import Context

KIND = "scale_compute"

_STEPS = {
    Strategy.BACKUP_AND_RESTORE: (Step.CLUSTER_CREATE, Step.NODE_GROUP_CREATE),
    Strategy.PILOT_LIGHT: (Step.NODES_FROM_ZERO,),
    Strategy.WARM_STANDBY: (Step.NODES_MORE,),
}
_STEPS_IN_EVACUATION = {
    Strategy.BACKUP_AND_RESTORE: (Step.CLUSTER_IN_EVACUATION, Step.NODE_GROUP_IN_EVACUATION),
    Strategy.PILOT_LIGHT: (Step.NODES_FROM_ZERO_IN_EVACUATION,),
    Strategy.WARM_STANDBY: (Step.NODES_MORE_IN_EVACUATION,),
}
"""Where a region is lost, its other tenants ask for the same machines."""


def steps(context: Context) -> Iterable[PlanStep]:
    """One, unless the target has its full size already. Compute is the app teams': it is found by the stack's tags."""
    strategy = context.topology.strategy
    if not context.scales:
        return
    taken = _STEPS_IN_EVACUATION if context.mode is Mode.FAILOVER else _STEPS
    first, *others = (TIMINGS[step] for step in taken[strategy])
    timing = first
    for other in others:
        timing = timing.then(other)
    region, settings = context.target, context.settings
    tags = aws_tagged({"System": settings.system, "Environment": settings.environment})
    if strategy is Strategy.BACKUP_AND_RESTORE:
        operations: tuple[str, ...] = ()
        undo, no_undo = None, "what the services' own programs made is theirs to delete"
        commands = ("# Make the cluster and its node groups as the services' own programs declare them.",)
    else:
        # The former size is kept as a tag before it is changed.
        operations = ("DescribeAutoScalingGroups", "CreateOrUpdateTags", "UpdateAutoScalingGroup")
        undo, no_undo = "set the sizes that the groups' tags hold again", None
        commands = (
            aws(f"autoscaling describe-auto-scaling-groups --filters {tags}", region),
            aws(
                "autoscaling update-auto-scaling-group",
                region,
                auto_scaling_group_name="$GROUP",
                desired_capacity="$SIZE_OF_THE_OTHER_SITE",
            ),
        )
    yield PlanStep(
        key="scale-compute",
        kind=KIND,
        title=f"Bring the compute in {region} from {context.topology.standby_capacity:.0%} to full size",
        stage=Stage.RECOVER,
        region=region,
        mechanism=strategy,
        after=frozenset({"decide"}),
        calls=control("autoscaling", region, *operations),
        timing=timing,
        timeout=deadline(timing, 120),
        idempotency="sizes are set, not raised; what exists is waited for",
        undo=undo,
        no_undo=no_undo,
        by_hand=commands,
    )
