"""List prices as dated data, and what is said where there is none."""

from __future__ import annotations

import datetime  # pydantic reads the annotation when the model is made
from functools import cache
from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

HOURS_A_MONTH = 730
"""What the vendor's own calculator multiplies with."""

ANYWHERE = "*"


class Group(BaseModel):
    """Prices of one kind of thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: Literal["hour", "month", "gb-month", "gb"] = Field(description="What one price buys.")
    date: datetime.date = Field(description="The day the prices stood on the page.")
    source: str = Field(pattern=r"^https://", description="The page.")
    regions: dict[str, dict[str, Annotated[float, Field(gt=0)]]] = Field(description="USD by region and item.")


class Prices(BaseModel):
    """All of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: dict[str, Group]

    def usd(self, group: str, item: str, region: str) -> float | None:
        """The price of one unit, None where none is known."""
        regions = self.groups[group].regions
        return regions.get(region, {}).get(item, regions.get(ANYWHERE, {}).get(item))

    def oldest(self) -> datetime.date:
        """The date to print below an estimate."""
        return min(group.date for group in self.groups.values())


@cache
def load_prices() -> Prices:
    """The prices in this package."""
    text = resources.files("lifeboat.reporting").joinpath("prices.yaml").read_text(encoding="utf-8")
    return Prices.model_validate(yaml.safe_load(text))
