"""The Aurora database: with instances in both sites, and headless in the other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from components.aws.aurora import AuroraArgs, AuroraDatabase, AuroraSite
from tests.components.harness import HOME, OTHER, Example, World
from tests.components.stores import PASSWORD, store

if TYPE_CHECKING:
    from collections.abc import Callable


def aurora(**changes: Any) -> Callable[[World], AuroraDatabase]:  # noqa: ANN401 - any argument
    """Builds an Aurora database; `changes` replace single arguments."""

    def build(world: World) -> AuroraDatabase:
        args = AuroraArgs(
            # The other site first: which one is the home is said once, not by order.
            sites={
                region: AuroraSite(**store(world, region, "database"), zones=(f"{region}a", f"{region}b", f"{region}c"))
                for region in (OTHER, HOME)
            },
            home=HOME,
            version="16.8",
            instance_class="db.r6g.large",
            standby_instance_class="db.r6g.medium",
            home_instances=2,
            standby_instances=1,
            database="app",
            username="lifeboat",
            password=PASSWORD,
            retention_days=14,
            window="02:00-03:00",
            global_rpo=60,
            lag_alarm_seconds=300,
        )
        return AuroraDatabase("orders", dataclasses.replace(args, **changes))

    return build


EXAMPLES = [
    Example(name="aurora", build=aurora()),
    Example(name="aurora-headless", build=aurora(standby_instances=0, global_rpo=None, lag_alarm_seconds=None)),
]
