"""Alarms on the wardens' signs of life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from lifeboat.model.naming import switch_namespace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

METRIC = "WardenBeat"
DIMENSION = "Warden"
PERIOD = 60
PERIODS = 3
"""Minutes in a row without a sign of life: a task that ECS replaces is back before."""


@dataclass(frozen=True, kw_only=True)
class WardenAlarmsArgs:
    """What `WardenAlarms` needs."""

    witness: Site
    """Where all wardens publish, and so where their alarms are."""
    watched: Sequence[Site]
    """Where a warden stands: both sites and the witness."""
    topic_arn: pulumi.Input[str]
    """Topic of the witness region."""


class WardenAlarms(pulumi.ComponentResource):
    """One alarm a warden, which goes off when it says nothing for three minutes.

    Unlike a switch's: a warden that is silent is no warden. All of them live in the witness region, next to what the
    wardens set there, so that they tell of either site when it is lost. While the witness is lost they are silent too;
    the wardens in the sites still see each other, and nothing fails over.
    """

    alarm_names: dict[str, str]
    """By the region that is watched."""

    def __init__(self, name: str, args: WardenAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:WardenAlarms", name, {}, opts)
        witness = args.witness
        self.alarm_names = {}
        for site in args.watched:
            label = f"{site.prefix}-warden-{site.region}-silent"
            self.alarm_names[site.region] = label
            aws.cloudwatch.MetricAlarm(
                f"{name}-{witness.region}-{site.compact}",
                name=label,
                alarm_description=f"The warden in {site.region} has given no sign of life for {PERIODS} minutes",
                namespace=switch_namespace(site.prefix),
                metric_name=METRIC,
                dimensions={DIMENSION: site.region},
                statistic="Maximum",
                period=PERIOD,
                evaluation_periods=PERIODS,
                datapoints_to_alarm=PERIODS,
                threshold=1,
                comparison_operator="LessThanThreshold",
                treat_missing_data="breaching",
                alarm_actions=[args.topic_arn],
                ok_actions=[args.topic_arn],
                tags=witness.named(label),
                opts=pulumi.ResourceOptions(parent=self, provider=witness.provider),
            )
        self.register_outputs({"alarm_names": self.alarm_names})
