"""The switches' levels: which site gets traffic, as the metric says that their alarms watch.

1 is an open circuit: no traffic. A site is closed, 0, only while it holds the lease, is not fenced, and is the one that
serves: a service with data never flips before its stores take writes. Levels are published right after a read of the
lease, and not at all when it cannot be read: silence is not a decision, and a switch keeps its last state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lifeboat.recovery.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lifeboat.recovery.lease_record import LeaseRecord

METRIC: Final = "SwitchOpen"
DIMENSION: Final = "Site"
PERIOD: Final = 60.0
"""Protocol seconds between publications: the period of the switches' alarms."""
BEAT_METRIC: Final = "WardenBeat"
"""Published with the value 1 by each warden that lives; its absence is an alarm."""
BEAT_DIMENSION: Final = "Warden"
_PATIENCE: Final = 2.0
"""Real seconds for which CloudWatch is asked again that throttles or fails: the next turn is a period away."""
_Client: TypeAlias = Any
"""A CloudWatch client: its methods are made at run time."""


def levels(record: LeaseRecord, sites: Collection[str]) -> Mapping[str, int]:
    """The level of each site's switch: 0 lets traffic through, 1 takes it away."""
    return {site: 0 if record.may_write(site) and record.serving == site else 1 for site in sites}


class SwitchMetrics:
    """Publishes to the witness region, where the alarms are.

    Args:
        client: Of CloudWatch there; one attempt, 5 s.
        namespace: The stack's, which only its wardens may write.
        patience: With a region that throttles or fails by itself.
    """

    def __init__(self, client: _Client, namespace: str, patience: Patience | None = None) -> None:
        self._patience = patience or Patience(seconds=_PATIENCE)
        self._client = client
        self._namespace = namespace

    def publish(self, of: Mapping[str, int]) -> None:
        """Publish levels by site.

        Raises:
            BotoCoreError, ClientError: when the witness region takes no metrics now.
        """
        self._put([_point(METRIC, DIMENSION, site, level) for site, level in of.items()])

    def beat(self, warden: str) -> None:
        """Say that a region's warden lives.

        Raises:
            BotoCoreError, ClientError: the same.
        """
        self._put([_point(BEAT_METRIC, BEAT_DIMENSION, warden, 1)])

    def _put(self, points: list[dict[str, Any]]) -> None:
        # A point that is there twice says the same.
        self._patience.ask(lambda _: self._client.put_metric_data(Namespace=self._namespace, MetricData=points))


def _point(metric: str, dimension: str, value: str, level: int) -> dict[str, Any]:
    return {"MetricName": metric, "Dimensions": [{"Name": dimension, "Value": value}], "Value": float(level)}
