"""What sets a site's switch: the vocabulary that routing shares with recovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One site's switch. The health check is what its records follow; the rest says how to set it."""

    health_check_id: pulumi.Output[str]
    alarm_name: pulumi.Output[str] | None = None
    """Kind ``alarm``: the alarm in the witness region that the health check watches."""
    metric_region: str | None = None
    """Kind ``alarm``: where the metric is published."""
    namespace: str | None = None
    metric: str | None = None
    dimensions: Mapping[str, str] | None = None
    routing_control_arn: pulumi.Output[str] | None = None
    """Kind ``routing-control``: the control that the cluster's data plane sets."""
