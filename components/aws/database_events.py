"""What RDS reports of the databases of one region, to that region's alerts.

Subscriptions name no database: what a recovery restores or adds is heard from its first minute, without an `up`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from components.aws.site import Site

INSTANCES = "db-instance"
CLUSTERS = "db-cluster"
CATEGORIES = {
    INSTANCES: (
        "availability",
        "configuration change",
        "deletion",
        "failover",
        "failure",
        "low storage",
        "maintenance",
        "read replica",
        "recovery",
    ),
    CLUSTERS: ("configuration change", "deletion", "failover", "failure", "global-failover", "maintenance"),
}
"""By source. Left out is what comes every day while all is well: ``backup`` is the start and end of each one."""


@dataclass(frozen=True, kw_only=True)
class DatabaseEventsArgs:
    """What `DatabaseEvents` needs."""

    site: Site
    topic_arn: pulumi.Input[str]
    """Topic of this region whose policy admits events of RDS."""
    clusters: bool
    """There are clusters, whose instances report for themselves as well."""


class DatabaseEvents(pulumi.ComponentResource):
    """Subscriptions to events of all instances in one region of the account, and of its clusters."""

    def __init__(self, name: str, args: DatabaseEventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:DatabaseEvents", name, {}, opts)
        site = args.site
        for source in (INSTANCES, CLUSTERS) if args.clusters else (INSTANCES,):
            physical = site.physical(f"{source}-events")
            aws.rds.EventSubscription(
                f"{name}-{source}",
                name=physical,
                sns_topic=args.topic_arn,
                source_type=source,
                event_categories=list(CATEGORIES[source]),
                enabled=True,
                tags=site.named(physical),
                opts=pulumi.ResourceOptions(parent=self, provider=site.provider),
            )
        self.register_outputs({})
