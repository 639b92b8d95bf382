"""Sites, networks and routing."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from lifeboat.model.settings.base import Model, Name, Seconds


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


class Site(Model):
    """One region where the stack lives."""

    region: str = Field(description="AWS region, such as us-east-1.")
    cidr: str = Field(description="IPv4 range of the site's VPC, /16 to /20; the sites' ranges must not overlap.")
    zones: tuple[str, ...] = Field((), description="Three availability zones; absent takes the region's usual ones.")


class Network(Model):
    """What every site's network has."""

    nat: Nat | None = Field(None, description="shared or per-zone; absent lets the availability objective decide.")
    interface_endpoints: tuple[str, ...] = Field(
        ("secretsmanager", "kms", "logs", "monitoring", "sts"),
        description="AWS services reached without leaving the VPC.",
    )
    flow_log_days: int = Field(90, description="Days flow logs are kept; one of the values CloudWatch accepts.")


class Endpoint(Model):
    """One public name that fails over."""

    name: Name = Field(description="Label in the zone; the record is NAME.ZONE.")
    port: int = Field(443, ge=1, le=65535, description="Port of the health check.")
    path: str = Field("/health/ready", pattern=r"^/[!-~]*$", description="Path of the health check.")
    targets: dict[str, str] = Field(default_factory=dict, description="Host name per region; absent means NAME.REGION.ZONE.")


class Dns(Model):
    """The zone and the names in it."""

    zone: str = Field(description="DNS zone, such as reskflow.example.com.")
    zone_id: str | None = Field(None, pattern=r"^Z[A-Z0-9]{1,31}$", description="An existing hosted zone to use; absent creates one.")
    ttl: Seconds = Field(60, ge=1, le=86400, description="TTL of the failover records.", validate_default=True)
    endpoints: tuple[Endpoint, ...] = Field((), description="Names that fail over.")


class Routing(Model):
    """How traffic is switched."""

    kind: RoutingKind | None = Field(None, description="Chosen kind; absent lets the objectives decide.")
    waive_record: str | None = Field(None, min_length=10, description="Reason to allow `record` although it needs us-east-1.")


class Divergence(Model):
    """Whether acknowledged writes may be left behind in a site that is cut off."""

    policy: str = Field("forbid", pattern=r"^(forbid|accept)$", description="forbid or accept.")
    reason: str | None = Field(None, description="Why it is accepted.")
    owner: str | None = Field(None, description="Who accepts it.")
    expires: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$", description="The day the acceptance ends, YYYY-MM-DD.")


class Lease(Model):
    """The lease that decides who may write."""

    ttl: Seconds = Field(60, ge=30, le=600, description="Time without renewal after which the active site stops writes.")
    clock_margin: Seconds = Field(5, ge=1, le=60, description="Allowance for clocks that disagree; added before promotion.")
    confirm_for: Seconds = Field(60, ge=10, le=900, description="Time a loss must be seen from two of three viewpoints.")
