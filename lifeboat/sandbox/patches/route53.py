"""Route 53: health checks on alarms and routing controls, failover pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.route53.models import HealthCheck, Route53Backend
from moto.route53.responses import Route53

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes

if TYPE_CHECKING:
    from moto.core.responses import ActionResult

PATCHES = Patches("route53")

# These checks watch something else than an endpoint, and have none of an endpoint's settings.
_WATCHED = {
    "CLOUDWATCH_METRIC": ("AlarmIdentifier", "InsufficientDataHealthStatus", "Inverted", "Disabled"),
    "RECOVERY_CONTROL": ("RoutingControlArn", "Disabled"),
}


@PATCHES.fixes(Route53)
def create_health_check(original: Moto, self: Moto) -> Moto:
    """Loses a metric check's alarm and its word on missing data, and a recovery control's ARN."""
    wanted: dict[str, Any] = self._get_param("HealthCheckConfig")
    reference: str = self._get_param("CallerReference")
    if any(known.caller_reference == reference for known in self.backend.health_checks.values()):
        message = f"A health check with the caller reference {reference} exists already."
        raise RefusedError("HealthCheckAlreadyExists", message)
    answer: ActionResult = original(self)
    made: Any = answer.result
    _keep(made["HealthCheck"], wanted)
    return answer


@PATCHES.fixes(Route53)
def update_health_check(original: Moto, self: Moto) -> Moto:
    """Loses the same on an update, and never counts the check's version up."""
    answer: ActionResult = original(self)
    made: Any = answer.result
    names = [name for kept in _WATCHED.values() for name in kept]
    _keep(made["HealthCheck"], {name: self._get_param(name) for name in names if self._get_param(name) is not None})
    made["HealthCheck"].health_check_version += 1
    return answer


def _keep(check: Moto, wanted: dict[str, Any]) -> None:
    kept: dict[str, Any] = attributes(check).setdefault("lifeboat_watched", {"Inverted": False, "Disabled": False})
    kept.update({name: wanted[name] for name in _WATCHED.get(check.type_, ()) if name in wanted})


@PATCHES.fixes(HealthCheck)
def health_check_config(original: Moto, self: Moto) -> dict[str, Any]:
    """Answers an endpoint's port, interval and threshold for a check that watches none."""
    if self.type_ in _WATCHED:
        kept = attributes(self).get("lifeboat_watched", {})
        return {"Type": self.type_, **{name: kept[name] for name in _WATCHED[self.type_] if name in kept}}
    config: dict[str, Any] = original(self)
    return config


@PATCHES.fixes(Route53Backend)
def change_resource_record_sets(original: Moto, self: Moto, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    """Takes two PRIMARY or two SECONDARY records of a name, and creates what exists.

    It also deletes every name's record of a set identifier where one name's was meant.
    """
    zone = self.get_hosted_zone(zoneid)
    deleted = {_identity(change["ResourceRecordSet"]) for change in change_list if change["Action"] == "DELETE"}
    for change in change_list:
        record = change["ResourceRecordSet"]
        if change["Action"] == "DELETE":
            continue
        name, kind, identifier = _identity(record)
        what = f"[name='{name}', type='{kind}', set identifier='{identifier}']"
        for known in zone.rrsets:
            other = (known.name, known.type, known.set_identifier)
            if other in deleted or other[:2] != (name, kind):
                continue
            if other[2] == identifier:
                if change["Action"] == "CREATE":
                    message = f"[Tried to create resource record set {what} but it already exists]"
                    raise RefusedError("InvalidChangeBatch", message)
            elif record.get("Failover") and record["Failover"] == known.failover:
                message = f"[Tried to create resource record set {what} but a {known.failover} of it already exists]"
                raise RefusedError("InvalidChangeBatch", message)
    survivors = [known for known in zone.rrsets if (known.name, known.type, known.set_identifier) not in deleted]
    original(self, zoneid, change_list)
    wrongly = [known for known in survivors if known not in zone.rrsets and _named_again(known, zone.rrsets) is None]
    zone.rrsets.extend(wrongly)


def _named_again(record: Moto, records: list[Any]) -> Moto | None:
    same = (record.name, record.type, record.set_identifier)
    return next((known for known in records if (known.name, known.type, known.set_identifier) == same), None)


def _identity(record: dict[str, Any]) -> tuple[str, str, str | None]:
    return f"{record['Name'].rstrip('.')}.", record["Type"], record.get("SetIdentifier")
