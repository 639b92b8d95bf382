"""A stack's compute: Auto Scaling groups, found by its tags.

A group says its full size by the tag `lifeboat:full-size`; without one it is the most that it may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.recovery.run_state import StepRun

_FULL = "lifeboat:full-size"


def groups(run: StepRun, region: str) -> list[dict[str, Any]]:
    """The stack's groups in a region, as Auto Scaling describes them."""
    settings = run.physical.settings
    pages = (
        run.ports.client("autoscaling", region)
        .get_paginator("describe_auto_scaling_groups")
        .paginate(
            Filters=[
                {"Name": "tag:System", "Values": [settings.system]},
                {"Name": "tag:Environment", "Values": [settings.environment]},
            ]
        )
    )
    return [group for page in pages for group in page["AutoScalingGroups"]]


def tag(group: Mapping[str, Any], key: str) -> str:
    """What a group's tag says; empty when it has none."""
    return next((str(each["Value"]) for each in group.get("Tags", []) if each["Key"] == key), "")


def full_size(group: Mapping[str, Any]) -> int:
    """How many instances a group has at its full size, whether it may have that many or not."""
    told = tag(group, _FULL)
    return int(told) if told.isdecimal() else int(group["MaxSize"])
