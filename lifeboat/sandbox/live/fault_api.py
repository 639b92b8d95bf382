"""The kinds of faults that API calls meet; see `fault_kinds`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from lifeboat.sandbox.gateway.conditions import Capacity, Condition, Errors, Expired, Hang, Slow, Throttle
from lifeboat.sandbox.gateway.planes import Plane  # noqa: TC001 - pydantic reads it
from lifeboat.sandbox.live.fault_base import BaseFault, InRegion, Region
from lifeboat.sandbox.live.fault_steps import Met, SiteLimit, Step

if TYPE_CHECKING:
    from lifeboat.sandbox.live.fault_world import World


class _OfApi(InRegion):
    plane: Plane | None = Field(default=None, description="Only calls of this plane: control or data.")
    services: frozenset[str] | None = Field(default=None, description="Only these services, such as rds.")

    def condition(self) -> Condition:
        """What calls meet."""
        raise NotImplementedError

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """The condition."""
        return [Met(id=f"{part}-api", condition=self.condition())]


class ApiSlow(_OfApi):
    """A region's API answers later."""

    kind: Literal["api-slow"]
    seconds: float = Field(default=2, gt=0, le=3600, description="Seconds added to each answer.")

    def condition(self) -> Condition:
        """What calls meet."""
        return Slow(effect="slow", region=self.region, plane=self.plane, services=self.services, seconds=self.seconds)


class ApiThrottle(_OfApi):
    """A region's API answers that it is asked too often."""

    kind: Literal["api-throttle"]
    fraction: float = Field(default=1, gt=0, le=1, description="Of the calls; the seed chooses which.")

    def condition(self) -> Condition:
        """What calls meet."""
        return Throttle(
            effect="throttle",
            region=self.region,
            plane=self.plane,
            services=self.services,
            fraction=self.fraction,
            seed=self.seed,
        )


class ApiErrors(_OfApi):
    """A region's API answers with faults of its own, HTTP 500 or 503."""

    kind: Literal["api-errors"]
    fraction: float = Field(default=1, gt=0, le=1, description="Of the calls; the seed chooses which.")

    def condition(self) -> Condition:
        """What calls meet."""
        return Errors(
            effect="errors",
            region=self.region,
            plane=self.plane,
            services=self.services,
            fraction=self.fraction,
            seed=self.seed,
        )


class ApiHang(_OfApi):
    """A region's API does not answer until this heals; then it carries out the calls that still wait."""

    kind: Literal["api-hang"]

    def condition(self) -> Condition:
        """What calls meet."""
        return Hang(effect="hang", region=self.region, plane=self.plane, services=self.services)


class StandbyCapacity(InRegion):
    """A region has no machines: calls that create, restore, start or resize a server are refused.

    With `site_per_s` what runs there is small as well: the site answers so many requests a second, and 503 beyond.
    """

    kind: Literal["standby-capacity"]
    services: frozenset[str] | None = Field(default=None, description="Only these services, such as rds.")
    site_per_s: float | None = Field(default=None, ge=0, description="Requests a second that its site can answer.")

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """The condition, then the site."""
        condition = Capacity(effect="capacity", region=self.region, services=self.services)
        small = [] if self.site_per_s is None else [SiteLimit(region=self.region, per_second=self.site_per_s)]
        return [Met(id=f"{part}-api", condition=condition), *small]


class CredentialsExpired(BaseFault):
    """AWS credentials have expired: calls signed with them are refused."""

    kind: Literal["credentials-expired"]
    region: Region | None = Field(default=None, description="Only calls to this region.")
    principals: frozenset[str] | None = Field(
        default=None, description="Access keys or role sessions; by default everyone's."
    )

    @property
    def regions(self) -> tuple[str, ...]:
        """The region, when it names one."""
        return () if self.region is None else (self.region,)

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """The condition."""
        condition = Expired(effect="expired", region=self.region, principals=self.principals)
        return [Met(id=f"{part}-api", condition=condition)]
