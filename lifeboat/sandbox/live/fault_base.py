"""What all kinds of faults have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from lifeboat.sandbox.gateway.conditions import REGION

if TYPE_CHECKING:
    from lifeboat.sandbox.live.fault_steps import Step
    from lifeboat.sandbox.live.fault_world import World

Region: TypeAlias = Annotated[str, Field(pattern=f"^{REGION}$")]


class BaseFault(BaseModel):
    """What all kinds have."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    after_s: float = Field(default=0, ge=0, description="Seconds from the injection until it begins.")
    for_s: float | None = Field(default=None, ge=0, description="Seconds until it heals; until cleared when left out.")
    seed: int = Field(default=0, description="Another seed is another choice where the fault has one.")

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that it names."""
        raise NotImplementedError

    def steps(self, world: World, part: str) -> list[Step]:
        """What it does to a sandbox as it is now, in this order; it is healed in the opposite one.

        Args:
            world: The sandbox; only asked, not changed.
            part: A name that no other fault's part has.

        Raises:
            SandboxError: when the sandbox has nothing that could be broken so.
        """
        raise NotImplementedError


class InRegion(BaseFault):
    """What those have that break something in one region."""

    region: Region = Field(description="Where.")

    @property
    def regions(self) -> tuple[str, ...]:
        """The region."""
        return (self.region,)
