"""The gateway's side of the name server: what it is told of moto's state, and what it reports back into it.

Route 53 copies an alarm's settings when a health check on it is made, and again when the check is pointed at another
alarm: so does the first snapshot after that. Private zones answer like public ones, since everybody here is inside the
network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from moto.cloudwatch.models import cloudwatch_backends
from moto.route53.models import route53_backends
from pydantic import ValidationError

from lifeboat.sandbox.gateway.calls import read_body
from lifeboat.sandbox.gateway.control import Refused
from lifeboat.sandbox.live.cloudwatch import read, rule_of, series_of
from lifeboat.sandbox.live.zone import HOST_TTL, Alarm, Alias, Check, Record, Report, Snapshot, Zone, canonical
from lifeboat.sandbox.patches.base import Moto, attributes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from wsgiref.types import WSGIEnvironment

    from lifeboat.sandbox.live.alarm_rules import Datapoint, Rule
    from lifeboat.sandbox.live.cloudwatch import Series

METRICS_REGION: Final = "us-east-1"
"""The only region that has Route 53's own metrics."""
FINDING: Final = "lifeboat_finding"
"""The attribute of moto's health check that keeps its last finding."""
_ALARM: Final = "lifeboat_alarm"
_Points: TypeAlias = "Mapping[tuple[str, Series], list[Datapoint]]"
"""Data of a region's metrics."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What the name server must know and moto does not.

    Attributes:
        hosts: Address by host name that AWS would answer for.
        sites: Address by region of what serves there. It answers for ``<region>.<zone>`` and everything below it, and
            for every load balancer of the region.
        views: By an address where the name server answers those in one region: what every address that lies in another
            region is to them.
    """

    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    sites: Mapping[str, str] = field(default_factory=dict[str, str])
    views: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "Mapping[str, str]"])


@dataclass(frozen=True, kw_only=True)
class _Watched:
    """What a health check watches: an alarm's settings, of which it keeps a copy."""

    region: str
    series: Series
    rule: Rule


def snapshot(account: str, outside: Outside, *, now: float, lost: Collection[str] = (), scale: float = 1.0) -> Snapshot:
    """What the name server is told.

    Args:
        account: The AWS account, 12 digits.
        outside: What moto does not know.
        now: Seconds since 1970.
        lost: Regions whose metrics cannot be had.
        scale: How many times faster detection is than declared: divides TTLs, and intervals of checks and alarms.
    """
    backend: Moto = route53_backends[account]["aws"]
    zones = tuple(_zone(zone, scale) for zone in list(backend.zones.values()))
    checks = list(backend.health_checks.values())
    watched = {check.id: found for check in checks if (found := _watched(account, check, scale)) is not None}
    # Of a region that is lost nothing is known, not even that data are missing.
    heard = {name: found for name, found in watched.items() if found.region not in lost}
    points = _points(account, heard.values(), now)
    named = {
        f"{star}{region}.{zone.name}": address
        for zone in zones
        for region, address in outside.sites.items()
        for star in ("", "*.")
    }
    balancers = {f"*.{region}.elb.amazonaws.com": address for region, address in outside.sites.items()}
    return Snapshot(
        zones=zones,
        checks=tuple(_check(check, heard.get(check.id), points, scale) for check in checks),
        hosts={**named, **balancers, **{canonical(host): address for host, address in outside.hosts.items()}},
        host_ttl=_ttl(HOST_TTL, scale),
        views={view: dict(means) for view, means in outside.views.items()},
    )


def report(environ: WSGIEnvironment) -> Report:
    """Read what the name server posted.

    Raises:
        Refused: when it is anything else.
    """
    try:
        return Report.model_validate_json(read_body(environ))
    except ValidationError as fault:
        raise Refused(
            400, f"health-status: {fault.error_count()} faults, the first: {fault.errors()[0]['msg']}"
        ) from fault


def apply_findings(account: str, findings: Report, lost: Collection[str] = ()) -> None:
    """Note every check's status where Route 53's API reads it, and publish it as Route 53 does.

    Args:
        account: The AWS account, 12 digits.
        findings: What the name server posted.
        lost: Regions that take no metrics now.
    """
    known: Mapping[str, Moto] = cast("Any", route53_backends[account]["aws"]).health_checks
    current = [finding for finding in findings.findings if finding.id in known]
    for finding in current:
        attributes(known[finding.id])[FINDING] = finding
    if METRICS_REGION not in lost and current:
        cloudwatch_backends[account][METRICS_REGION].put_metric_data(
            "AWS/Route53",
            [
                {
                    "MetricName": "HealthCheckStatus",
                    "Dimensions": [{"Name": "HealthCheckId", "Value": finding.id}],
                    "Value": float(finding.healthy),
                    "Unit": "None",
                }
                for finding in current
            ],
        )


def _zone(zone: Moto, scale: float) -> Zone:
    records = tuple(_record(record, scale) for record in list(zone.rrsets))
    return Zone(id=zone.resource_id, name=canonical(zone.name), records=records)


def _record(record: Moto, scale: float) -> Record:
    target: dict[str, Any] | None = record.alias_target
    return Record(
        name=canonical(record.name),
        type=record.type,
        ttl=_ttl(int(record.ttl or 0), scale),
        # moto unwraps the values of changes, but not those of the records that it makes itself.
        values=tuple(value if isinstance(value, str) else value["Value"] for value in record.records or ()),
        identifier=record.set_identifier,
        failover=record.failover,
        weight=None if record.weight is None else int(record.weight),
        multivalue=bool(record.multi_value_answer),
        health_check=record.health_check_id,
        alias=Alias(name=canonical(target["DNSName"]), evaluate=bool(target["EvaluateTargetHealth"]))
        if target
        else None,
    )


def _ttl(declared: int, scale: float) -> int:
    """Whole seconds, as they are on the wire; what may be kept for a while still may."""
    return max(1, round(declared / scale)) if declared else 0


def _check(check: Moto, alarm: _Watched | None, points: _Points, scale: float) -> Check:
    watched: dict[str, Any] = attributes(check).get("lifeboat_watched", {})
    finding = attributes(check).get(FINDING)
    return Check(
        id=check.id,
        version=check.health_check_version,
        type=check.type_,
        inverted=bool(watched.get("Inverted") or check.inverted),
        disabled=bool(watched.get("Disabled") or check.disabled),
        last_known=None if finding is None else finding.known,
        fqdn=check.fqdn or None,
        address=check.ip_address or None,
        path=check.resource_path or "/",
        search=check.search_string or None,
        interval=int(check.request_interval) / scale,
        threshold=int(check.failure_threshold),
        alarm=None
        if alarm is None
        else Alarm(rule=alarm.rule, points=tuple(points.get((alarm.region, alarm.series), ()))),
        insufficient=watched.get("InsufficientDataHealthStatus") or "LastKnownStatus",
        children=tuple(check.children or ()),
        healthy_children=int(check.health_threshold or 0),
    )


def _watched(account: str, check: Moto, scale: float) -> _Watched | None:
    """The alarm as it was when the check was pointed at it; None while there is none, or none that Route 53 takes.

    It takes none with percentiles, metric math, or fewer datapoints than periods.
    """
    own = attributes(check)
    identifier: dict[str, str] | None = own.get("lifeboat_watched", {}).get("AlarmIdentifier")
    if identifier is None:
        return None
    if _ALARM not in own or own[_ALARM][0] != identifier:
        alarm: Moto | None = cloudwatch_backends[account][identifier["Region"]].alarms.get(identifier["Name"])
        rule = None if alarm is None else rule_of(alarm, scale)
        if alarm is None or rule is None or rule.datapoints_to_alarm != rule.evaluation_periods:
            return None
        watched = _Watched(region=alarm.region_name, series=series_of(alarm), rule=rule)
        own[_ALARM] = (dict(identifier), watched)
    return own[_ALARM][1]


def _points(account: str, several: Iterable[_Watched], now: float) -> _Points:
    """The data that alarms may look at, each region's read once."""
    wanted: dict[str, list[tuple[Series, float]]] = {}
    for watched in several:
        wanted.setdefault(watched.region, []).append((watched.series, watched.rule.range_start(now)))
    return {
        (region, series): points
        for region, sought in wanted.items()
        for series, points in read(account, region, sought).items()
    }
