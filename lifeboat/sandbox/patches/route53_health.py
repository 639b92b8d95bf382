"""Route 53: what its health checks found, as far as the sandbox's name server looked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.route53.responses import Route53

from lifeboat.sandbox.patches.base import Moto, Patches, attributes

PATCHES = Patches("route53_health")


@PATCHES.fixes(Route53)
def get_health_check_status(original: Moto, self: Moto) -> ActionResult:
    """Says that every check succeeds, always."""
    answer: ActionResult = original(self)
    check: Moto = self.backend.get_health_check(self._get_param("HealthCheckId"))
    finding: Any = attributes(check).get("lifeboat_finding")
    if finding is None:
        return answer
    report = {"Status": finding.reason, "CheckedTime": datetime.fromtimestamp(finding.checked, UTC)}
    return ActionResult({"HealthCheckObservations": [{"Region": "us-east-1", "StatusReport": report}]})
