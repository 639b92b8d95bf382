"""What RDS reports in one site: of instances alone, and of clusters too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.database_events import DatabaseEvents, DatabaseEventsArgs
from tests.components.harness import ACCOUNT, OTHER, Example, World

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = f"arn:aws:sns:{OTHER}:{ACCOUNT}:alerts"


def database_events(*, clusters: bool) -> Callable[[World], DatabaseEvents]:
    """Builds the subscriptions of `OTHER`."""

    def build(world: World) -> DatabaseEvents:
        args = DatabaseEventsArgs(site=world.site(OTHER), topic_arn=TOPIC, clusters=clusters)
        return DatabaseEvents(f"database-events-{OTHER}", args)

    return build


EXAMPLES = [
    Example(name="database-events", build=database_events(clusters=False)),
    Example(name="database-events-clusters", build=database_events(clusters=True)),
]
