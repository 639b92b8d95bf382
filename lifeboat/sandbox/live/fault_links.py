"""The kinds of faults that part regions; see `fault_kinds`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from lifeboat.sandbox.gateway.conditions import REGION, Blackout
from lifeboat.sandbox.live.fault_base import BaseFault, InRegion, Region
from lifeboat.sandbox.live.fault_steps import Met, Step, Way
from lifeboat.sandbox.live.fault_world import OUTSIDE, World
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from typing import Self

End: TypeAlias = Annotated[str, Field(pattern=f"^({REGION}|{OUTSIDE})$")]
"""An end of a link: a region, or `OUTSIDE`."""


class RegionPartition(InRegion):
    """A region lives but is cut off from all others and from the internet.

    Links to and from it carry nothing, its API answers only callers that say they are in it, and these reach no other
    region's. Route 53 hears nothing of its metrics. A client that goes to a server's own address on this machine, past
    name server and links, counts as inside.
    """

    kind: Literal["region-partition"]

    def steps(self, world: World, part: str) -> list[Step]:
        """The API both ways, then the ways."""
        inward = Blackout(effect="blackout", region=self.region, caller=f"!{self.region}")
        outward = Blackout(effect="blackout", region=f"!{self.region}", caller=self.region)
        return [
            Met(id=f"{part}-inward", condition=inward),
            Met(id=f"{part}-outward", condition=outward),
            *cut_off(world, self.region),
        ]


class AsymmetricPartition(BaseFault):
    """What one region sends does not arrive in another, while the opposite way is open.

    On links, bytes vanish one way; new connections fail in both directions, since a handshake goes both ways. The API
    of the second region does not answer callers in the first.
    """

    kind: Literal["asymmetric-partition"]
    from_region: Region = Field(description="Whose packets vanish.")
    to_region: Region = Field(description="Where they do not arrive.")

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.from_region == self.to_region:
            raise ValueError("from_region and to_region are the same")
        return self

    @property
    def regions(self) -> tuple[str, ...]:
        """Both."""
        return (self.from_region, self.to_region)

    def steps(self, world: World, part: str) -> list[Step]:
        """The API, then the way."""
        blackout = Blackout(effect="blackout", region=self.to_region, caller=self.from_region)
        way = Way(source_region=self.from_region, target_region=self.to_region, cut=True)
        return [Met(id=f"{part}-api", condition=blackout), *([] if world.links is None else [way])]


class Link(BaseFault):
    """The way from one region to another is slow, narrow, cut or reset.

    It is for all traffic between the two over the sandbox's links: replication, and with ``internet`` as one of them
    the clients of a site. The API does not travel over them. Bandwidth does not
    hold objects up; the rest does.
    """

    kind: Literal["link"]
    source_region: End = Field(description="Where the bytes come from: a region, or internet.")
    target_region: End = Field(description="Where they go: the same.")
    both: bool = Field(default=False, description="The opposite way too.")
    latency_ms: float = Field(default=0, ge=0, le=60_000, description="Milliseconds that bytes take longer, one way.")
    bytes_per_s: float | None = Field(default=None, gt=0, description="What all connections of a way share.")
    cut: bool = Field(default=False, description="Nothing arrives; connections hang, and what was sent comes later.")
    reset: bool = Field(default=False, description="Connections end, and new ones are refused.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.source_region == self.target_region:
            raise ValueError("source_region and target_region are the same")
        if not (self.latency_ms or self.bytes_per_s or self.cut or self.reset):
            raise ValueError("say what is wrong with it: latency_ms, bytes_per_s, cut or reset")
        return self

    @property
    def regions(self) -> tuple[str, ...]:
        """Those of the two that are regions."""
        return tuple(end for end in (self.source_region, self.target_region) if end != OUTSIDE)

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """A way, or both."""
        if world.links is None:
            raise SandboxError("this sandbox has no links")
        ends = (self.source_region, self.target_region)
        return [
            Way(
                source_region=source,
                target_region=target,
                latency_s=self.latency_ms / 1000,
                bytes_per_s=self.bytes_per_s,
                cut=self.cut,
                reset=self.reset,
            )
            for source, target in ((ends, ends[::-1]) if self.both else (ends,))
        ]


def cut_off(world: World, region: str) -> list[Step]:
    """Cut every way to and from a region, where there are any."""
    if world.links is None:
        return []
    others = [*(other for other in world.regions if other != region), OUTSIDE]
    ways = [way for other in others for way in ((other, region), (region, other))]
    return [Way(source_region=source, target_region=target, cut=True) for source, target in ways]
