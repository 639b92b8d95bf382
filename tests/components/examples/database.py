"""The plain database: one instance, a replica, and a chain in the middle of a failback."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from components.aws.database import Database, DatabaseArgs, DatabaseSite, InstanceSpec
from tests.components.harness import HOME, OTHER, Example, World
from tests.components.stores import PASSWORD, store

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = InstanceSpec(key=f"{HOME}-g1", region=HOME, source=None)
REPLICA = InstanceSpec(key=f"{OTHER}-g1", region=OTHER, source=OLD.key)
NEW = InstanceSpec(key=f"{HOME}-g2", region=HOME, source=REPLICA.key)
OLDEST_LEFT = dataclasses.replace(REPLICA, source=None)


def database(*instances: InstanceSpec, **changes: Any) -> Callable[[World], Database]:  # noqa: ANN401 - any argument
    """Builds a database of these generations; `changes` replace single arguments."""

    def build(world: World) -> Database:
        args = DatabaseArgs(
            instances=instances,
            sites={
                region: DatabaseSite(**store(world, region, "database"), backup_key_arn=world.key(region, "backups"))
                for region in (HOME, OTHER)
            },
            home=HOME,
            version="16.8",
            instance_class="db.r6g.large",
            standby_instance_class="db.r6g.medium",
            storage_gib=100,
            database="app",
            username="lifeboat",
            password=PASSWORD,
            retention_days=14,
            window="02:00-03:00",
            lag_alarm_seconds=900,
        )
        return Database("orders", dataclasses.replace(args, **changes))

    return build


EXAMPLES = [
    Example(name="database-alone", build=database(OLD, replicate_backups=True)),
    Example(name="database-replica", build=database(OLD, REPLICA)),
    Example(name="database-failback", build=database(OLD, REPLICA, NEW, replicate_backups=True)),
]
