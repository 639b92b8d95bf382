"""What the name server knows: zones, health checks and host names, as the gateway hands them out each second.

Names are in lower case and without a final dot; times are seconds since 1970.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from lifeboat.sandbox.live.alarm_rules import Datapoint, Rule

HOST_TTL: Final = 5
"""Seconds; RDS's own endpoints have it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Alias(_Part):
    """Where an alias record takes its answer from."""

    name: str
    evaluate: bool
    """Whether the record is only as healthy as what it points at."""


class Record(_Part):
    """One record set."""

    name: str
    type: str
    ttl: int = 0
    """Seconds; an alias has its target's."""
    values: tuple[str, ...] = ()
    """In the zone file's notation."""
    identifier: str | None = None
    """Set where several records share name and type."""
    failover: Literal["PRIMARY", "SECONDARY"] | None = None
    weight: int | None = None
    multivalue: bool = False
    health_check: str | None = None
    alias: Alias | None = None


class Zone(_Part):
    """One hosted zone."""

    id: str
    name: str
    records: tuple[Record, ...]


class Alarm(_Part):
    """A metric alarm's settings, as they were when the health check was made, and what its metric said lately."""

    rule: Rule
    points: tuple[Datapoint, ...] = ()


class Check(_Part):
    """One health check.

    Attributes that do not belong to a check's type keep their defaults.
    """

    id: str
    version: int
    type: str
    """As in Route 53's API: ``HTTPS``, ``TCP``, ``CLOUDWATCH_METRIC``, ``CALCULATED``, ..."""
    inverted: bool = False
    disabled: bool = False
    last_known: bool | None = None
    """What the name server last found, before inversion; None when it never knew."""
    fqdn: str | None = None
    address: str | None = None
    path: str = "/"
    search: str | None = None
    interval: float = 30
    """Seconds between requests."""
    threshold: int = 3
    """Requests in a row that must agree before the status changes."""
    alarm: Alarm | None = None
    insufficient: Literal["Healthy", "Unhealthy", "LastKnownStatus"] = "LastKnownStatus"
    children: tuple[str, ...] = ()
    healthy_children: int = 0
    """Children that must be healthy."""


class Snapshot(_Part):
    """All of it."""

    zones: tuple[Zone, ...] = ()
    checks: tuple[Check, ...] = ()
    hosts: dict[str, str] = {}
    """Address by host name that the sandbox itself gives a meaning; ``*.example.com`` stands for all names below."""
    host_ttl: int = HOST_TTL
    """Seconds for which an answer from `hosts` holds."""
    views: dict[str, dict[str, str]] = {}
    """More addresses to answer on: what each address of an answer is to those who ask there, where it is another."""


class Finding(_Part):
    """One health check's status, as the name server reports it."""

    id: str
    healthy: bool
    """What answers go by."""
    known: bool | None
    """Before inversion; None when there never was a finding."""
    reason: str
    checked: float


class Report(_Part):
    """Every check's status."""

    findings: tuple[Finding, ...]


def canonical(name: str) -> str:
    r"""A name as it is compared here; Route 53 writes ``*`` as ``\052``."""
    return name.rstrip(".").lower().replace("\\052", "*")
