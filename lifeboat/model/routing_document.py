"""Where a stack's routing controls are: a document that each site has, written beside them and read by a failover."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def routing_parameter(prefix: str) -> str:
    """Name of the SSM parameter that holds it, the same in each site: ``/lifeboat/reskflow-production/routing``."""
    return f"/lifeboat/{prefix}/routing"


@dataclass(frozen=True, kw_only=True)
class RoutingDocument:
    """What a failover needs to turn controls, without an API of the control plane. Nothing in it is secret."""

    endpoints: Mapping[str, str]
    """URL of the cluster's data plane by region; it answers from five."""
    controls: Mapping[str, str]
    """ARN of the routing control by site."""

    def text(self) -> str:
        """As it is stored."""
        return json.dumps({"endpoints": dict(self.endpoints), "controls": dict(self.controls)}, sort_keys=True)

    @classmethod
    def of(cls, text: str) -> RoutingDocument:
        """As it was stored.

        Raises:
            ValueError: when it is something else.
        """
        try:
            found = json.loads(text)
            return cls(endpoints=dict(found["endpoints"]), controls=dict(found["controls"]))
        except (KeyError, TypeError, ValueError) as fault:
            raise ValueError(
                f"{type(fault).__name__}: {fault}: accepted is JSON with endpoints by region, controls by site"
            ) from None
