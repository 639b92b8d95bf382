"""Object stores: replicated in time, replicated, locked, and in two separate buckets."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from components.aws.objects import LifecycleSpec, ObjectLockSpec, ObjectsSite, ObjectStore, ObjectStoreArgs
from tests.components.harness import ACCOUNT, HOME, OTHER, Example, World

if TYPE_CHECKING:
    from collections.abc import Callable


def objects(**changes: Any) -> Callable[[World], ObjectStore]:  # noqa: ANN401 - any argument
    """Builds an object store that replicates; `changes` replace single arguments."""

    def build(world: World) -> ObjectStore:
        args = ObjectStoreArgs(
            sites={
                region: ObjectsSite(
                    site=world.site(region),
                    key_arn=world.key(region, "objects"),
                    alarm_topic_arn=f"arn:aws:sns:{region}:{ACCOUNT}:alerts",
                )
                for region in (HOME, OTHER)
            },
            replicate=True,
            lag_alarm_seconds=900,
        )
        return ObjectStore("uploads", dataclasses.replace(args, **changes))

    return build


EXAMPLES = [
    Example(name="objects-time-control", build=objects(time_control=True)),
    Example(
        name="objects-locked",
        build=objects(
            delete_markers=False,
            replica_modifications=False,
            lifecycle=LifecycleSpec(standard_ia_days=30, glacier_days=60, deep_archive_days=150, expire_days=400),
            object_lock=ObjectLockSpec(mode="COMPLIANCE", days=30),
        ),
    ),
    Example(name="objects-separate", build=objects(replicate=False)),
]
