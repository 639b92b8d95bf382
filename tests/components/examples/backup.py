"""Daily copies: of an instance in one site, and of none that exists yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.backup import Backup, BackupArgs, BackupSite
from tests.components.harness import ACCOUNT, HOME, OTHER, Example, World

if TYPE_CHECKING:
    from collections.abc import Callable

INSTANCE_ARN = f"arn:aws:rds:{HOME}:{ACCOUNT}:db:legacy-orders"


def backup(window: str = "02:30-03:30") -> Callable[[World], Backup]:
    """Builds the copies of a database that lives in `HOME`."""

    def build(world: World) -> Backup:
        return Backup(
            "orders",
            BackupArgs(
                sites={
                    region: BackupSite(
                        site=world.site(region),
                        key_arn=world.key(region, "backups"),
                        database_key_arn=world.key(region, "database"),
                        instance_arns=[INSTANCE_ARN] if region == HOME else [],
                        alarm_topic_arn=f"arn:aws:sns:{region}:{ACCOUNT}:alerts",
                    )
                    for region in (HOME, OTHER)
                },
                window=window,
                retention_days=14,
            ),
        )

    return build


EXAMPLES = [Example(name="backup", build=backup())]
