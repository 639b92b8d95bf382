"""Bring the target's compute to full size: Auto Scaling groups that carry the stack's tags.

A group's former size is kept as a tag of its own before it is changed, so that a runner that dies in between takes
nothing with it.
Compute that is made from nothing (backup and restore) is made by the services' own programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifeboat.model.settings.sites import Strategy
from lifeboat.recovery import compute
from lifeboat.recovery.run_state import Outcome, StepRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.model.plan.graph import PlanStep

_FORMER = "lifeboat:former-size"
"""``SIZE RUN``: what a group had before that run."""


def done(step: PlanStep, run: StepRun) -> bool:
    """Whether every group wants its full size, and has it."""
    if step.mechanism == Strategy.BACKUP_AND_RESTORE:
        return False
    return all(_settled(group) for group in compute.groups(run, run.plan.target))


def perform(step: PlanStep, run: StepRun) -> Outcome:
    """Set sizes, and wait until the instances serve."""
    if step.mechanism == Strategy.BACKUP_AND_RESTORE:
        return Outcome(said="compute is made by the services' own programs")
    groups = compute.groups(run, run.plan.target)
    client = run.ports.client("autoscaling", run.plan.target)
    for group in groups:
        if group["DesiredCapacity"] < _full(group):
            name = group["AutoScalingGroupName"]
            if _former(group, run.run) is None:
                former = f"{group['DesiredCapacity']} {run.run}"
                client.create_or_update_tags(Tags=[{**_tag_of(name), "Value": former, "PropagateAtLaunch": False}])
            client.update_auto_scaling_group(AutoScalingGroupName=name, DesiredCapacity=_full(group))
    run.until(lambda: all(map(_settled, compute.groups(run, run.plan.target))) or None, "every group has its full size")
    return Outcome(said=f"{len(groups)} groups in {run.plan.target} have their full size")


def undo(step: PlanStep, run: StepRun) -> Outcome:
    """Set the sizes that the run found."""
    del step
    former = {group["AutoScalingGroupName"]: _former(group, run.run) for group in compute.groups(run, run.plan.target)}
    sizes = {name: size for name, size in former.items() if size is not None}
    client = run.ports.client("autoscaling", run.plan.target)
    for name, size in sizes.items():
        client.update_auto_scaling_group(AutoScalingGroupName=name, DesiredCapacity=size)
    return Outcome(said=f"{len(sizes)} groups have their former size")


def _tag_of(name: str) -> dict[str, str]:
    return {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": _FORMER}


def _former(group: Mapping[str, Any], run: str) -> int | None:
    """What a group had before a run; None when the run has not changed it."""
    size, _, changed_by = compute.tag(group, _FORMER).partition(" ")
    return int(size) if changed_by == run and size.isdecimal() else None


def _full(group: Mapping[str, Any]) -> int:
    """As far as the group may go: more is refused by AWS."""
    return min(compute.full_size(group), int(group["MaxSize"]))


def _settled(group: Mapping[str, Any]) -> bool:
    serving = sum(each["LifecycleState"] == "InService" for each in group.get("Instances", []))
    return int(group["DesiredCapacity"]) >= _full(group) and serving >= _full(group)
