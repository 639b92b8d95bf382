"""Sites, networks and routing."""

from __future__ import annotations

import datetime
import ipaddress
import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from lifeboat.model import endpoints, regions
from lifeboat.model.settings.base import Between, Matches, Model, Name, OrAuto, lasting

PRIVATE = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""Ranges nobody else routes (RFC 1918, RFC 6598)."""

_LARGEST, _SMALLEST = 16, 20
"""Prefix lengths of a VPC: what AWS takes at most, and what holds nine subnets."""

FLOW_LOG_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""Retentions that CloudWatch Logs accepts, days."""


class Nat(StrEnum):
    """NAT gateways of a site."""

    SHARED = "shared"
    PER_ZONE = "per-zone"


class RoutingKind(StrEnum):
    """How traffic is switched between the sites."""

    RECORD = "record"
    ALARM = "alarm"
    ROUTING_CONTROL = "routing-control"


class Approval(StrEnum):
    """Who decides a failover."""

    AUTOMATIC = "automatic"
    ONE = "one"
    TWO = "two"


class Strategy(StrEnum):
    """What the recovery site holds before the failure, in order of cost."""

    BACKUP_AND_RESTORE = "backup-and-restore"
    PILOT_LIGHT = "pilot-light"
    WARM_STANDBY = "warm-standby"
    ACTIVE_ACTIVE = "active-active"


class DivergencePolicy(StrEnum):
    """Whether acknowledged writes may be left behind."""

    FORBID = "forbid"
    ACCEPT = "accept"


def _region(value: object) -> object:
    if not isinstance(value, str) or not regions.known(value):
        near = regions.nearest(value) if isinstance(value, str) else None
        raise ValueError(f"an AWS region, such as {near or 'us-east-1'}")
    return value


Region = Annotated[str, BeforeValidator(_region), WithJsonSchema({"type": "string", "enum": sorted(regions.ZONES)})]
"""A region that AWS has."""


def _cidr(value: object) -> object:
    accepted = "a private IPv4 range of /16 to /20 without host bits, such as 10.10.0.0/16"
    try:
        network = ipaddress.IPv4Network(value if isinstance(value, str) and "/" in value else "-")
    except ValueError:
        raise ValueError(accepted) from None
    if not _LARGEST <= network.prefixlen <= _SMALLEST or not any(network.subnet_of(private) for private in PRIVATE):
        raise ValueError(accepted)
    return value


Cidr = Annotated[str, BeforeValidator(_cidr)]
"""A site's range."""

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Hostname = Annotated[
    str, Matches(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+", "a DNS name in lower case, such as api.example.com")
]


def _day(value: object) -> object:
    # Pulumi's engine reads an unquoted day as a moment and writes that: 2027-01-31 00:00:00 +0000 UTC.
    day = value.removesuffix(" 00:00:00 +0000 UTC") if isinstance(value, str) else ""
    try:
        datetime.date.fromisoformat(day if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day, re.ASCII) else "")
    except ValueError:
        raise ValueError("a day such as 2027-01-31") from None
    return day


def _flow_log_days(value: object) -> object:
    if isinstance(value, bool) or value not in FLOW_LOG_DAYS:
        raise ValueError(f"one of CloudWatch's retentions in days: {', '.join(map(str, FLOW_LOG_DAYS))}")
    return value


def _interface_endpoint(value: object) -> object:
    refusal = endpoints.refuses(value)
    if refusal is not None:
        raise ValueError(refusal)
    return value


InterfaceEndpoint = Annotated[
    str,
    BeforeValidator(_interface_endpoint),
    WithJsonSchema({"type": "string", "enum": sorted(endpoints.INTERFACE)}),
]
"""An AWS service that a site can have an interface endpoint of."""


def _no_twice(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("a list in which nothing stands twice")
    return values


class Site(Model):
    """One region where the stack lives."""

    region: Region = Field(description="AWS region, such as us-east-1.")
    cidr: Cidr = Field(
        description="Private IPv4 range of the site's VPC, /16 to /20; the sites' ranges must not overlap."
    )
    zones: tuple[Annotated[str, Matches(r"[a-z0-9-]+[a-z]", "a zone such as us-east-1a")], ...] = Field(
        default=(), description="Three availability zones; absent takes the region's usual ones."
    )


class Network(Model):
    """What every site's network has."""

    nat: Annotated[Nat | None, OrAuto()] = Field(
        default=None, description="shared or per-zone; absent or auto lets the availability objective decide."
    )
    interface_endpoints: Annotated[tuple[InterfaceEndpoint, ...], AfterValidator(_no_twice)] = Field(
        default=("secretsmanager", "kms", "logs", "monitoring", "sts"),
        description="AWS services reached without leaving the VPC.",
    )
    flow_log_days: Annotated[
        int, BeforeValidator(_flow_log_days), WithJsonSchema({"type": "integer", "enum": list(FLOW_LOG_DAYS)})
    ] = Field(default=90, description="Days flow logs are kept; one of the values CloudWatch accepts.")


class Endpoint(Model):
    """One public name that fails over."""

    name: Name = Field(description="Label in the zone; the record is NAME.ZONE.")
    port: Annotated[int, Between(1, 65535)] = Field(default=443, description="Port of the health check.")
    path: Annotated[str, Matches(r"/[!-~]{0,254}", "a path such as /health/ready")] = Field(
        default="/health/ready", description="Path of the health check."
    )
    targets: dict[str, Hostname] = Field(
        default_factory=dict, description="Host name per region; absent means NAME.REGION.ZONE."
    )


class Dns(Model):
    """The zone and the names in it."""

    zone: Hostname = Field(description="DNS zone, such as reskflow.example.com.")
    zone_id: Annotated[str, Matches(r"Z[A-Z0-9]{1,31}", "a hosted zone's ID such as Z0123456789ABC")] | None = Field(
        default=None, description="An existing hosted zone to use; absent creates one."
    )
    ttl: Annotated[int, *lasting(1, 86400)] = Field(default=60, description="TTL of the failover records.")
    endpoints: tuple[Endpoint, ...] = Field(default=(), description="Names that fail over.")

    def target(self, endpoint: Endpoint, region: str) -> str:
        """The host name of an endpoint in one site, which never fails over."""
        return endpoint.targets.get(region, f"{endpoint.name}.{region}.{self.zone}")


class Routing(Model):
    """How traffic is switched."""

    kind: Annotated[RoutingKind | None, OrAuto()] = Field(
        default=None, description="Chosen kind; absent or auto lets the objectives decide."
    )
    waive_record: Annotated[str, Matches(r"(?s).{10,}", "a reason of ten characters or more")] | None = Field(
        default=None, description="Reason to allow `record` although its edits need us-east-1."
    )


class Divergence(Model):
    """Whether acknowledged writes may be left behind in a site that is cut off."""

    policy: DivergencePolicy = Field(
        default=DivergencePolicy.FORBID, description="forbid, or accept with reason, owner and expiry."
    )
    reason: str | None = Field(default=None, description="Why it is accepted.")
    owner: str | None = Field(default=None, description="Who accepts it.")
    expires: Annotated[str, BeforeValidator(_day)] | None = Field(
        default=None, description="The day the acceptance ends, such as 2027-01-31."
    )


class Lease(Model):
    """The lease that decides who may write."""

    ttl: Annotated[int, *lasting(30, 600)] = Field(
        default=60, description="Time without renewal after which the active site stops writes."
    )
    clock_margin: Annotated[int, *lasting(1, 60)] = Field(
        default=5, description="Allowance for clocks that disagree; added before promotion."
    )
    confirm_for: Annotated[int, *lasting(10, 900)] = Field(
        default=60, description="Time a loss must be seen from two of three viewpoints."
    )


class GreyFailure(Model):
    """When an active site that still answers counts as failed; without a limit, never."""

    error_percent: Annotated[int, Between(1, 100, "percent")] | None = Field(
        default=None, description="Share of failed probes from which on it does, 1 to 100."
    )
    latency_ms: Annotated[int, Between(1, 60_000, "milliseconds")] | None = Field(
        default=None, description="Median time of an answered probe from which on it does, in milliseconds."
    )
    sustained: Annotated[int, *lasting(60, 3600)] = Field(
        default=300, description="Time over which two of three viewpoints must see that."
    )


class Failback(Model):
    """When a failback goes back by itself to where it came from."""

    error_percent: Annotated[int, Between(1, 100, "percent")] = Field(
        default=5, description="Share of failed requests at home beyond which it does, 1 to 100."
    )
    window: Annotated[int, *lasting(60, 7200)] = Field(
        default=900, description="Time over which requests are watched once home is active again."
    )
