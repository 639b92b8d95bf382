"""What a warden is told: a JSON file, checked as a whole before anything begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from lifeboat.model.settings.base import Between
from lifeboat.model.settings.load import load
from lifeboat.model.settings.root import Settings


class ConfigError(Exception):
    """The file cannot be used; its text has one line a fault."""


def _settings(value: object) -> object:
    # The same door as a stack's file: durations as text, every fault at once.
    return load(cast("dict[str, object]", value)) if isinstance(value, dict) else value


class WardenConfig(BaseModel):
    """One warden's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str = Field(description="Where it stands: a site or the witness.")
    settings: Annotated[Settings, BeforeValidator(_settings)] = Field(
        description="The stack's keys as its file has them, without `lifeboat:`."
    )
    gate: Path | None = Field(default=None, description="The site's gate file; the witness's warden has none.")
    address: str = Field(default="127.0.0.1", description="Where it answers `/gate` and `/healthz`.")
    port: Annotated[int, Between(0, 65535)] = Field(default=0, description="The same; 0 takes any that is free.")
    failover_command: tuple[str, ...] = Field(
        default=(),
        description="What begins a run, in a site; `--target`, `--reason`, `--resume` or `--confirmed` are added.",
    )

    @model_validator(mode="after")
    def _fits(self) -> WardenConfig:
        sites = [site.region for site in self.settings.sites]
        if self.region not in {*sites, self.settings.witness}:
            raise ValueError(f"region {self.region}: accepted is one of {', '.join([*sites, self.settings.witness])}")
        if (self.region in sites) != (self.gate is not None):
            raise ValueError(f"gate {self.gate}: accepted is a path in a site, and none in the witness")
        return self

    @classmethod
    def read(cls, path: Path) -> WardenConfig:
        """Read a file.

        Raises:
            ConfigError: with every fault.
        """
        try:
            loaded: Any = json.loads(path.read_bytes())
            return cls.model_validate(loaded)
        except ValidationError as fault:
            lines = (f"{'.'.join(map(str, each['loc'])) or path.name}: {each['msg']}" for each in fault.errors())
            raise ConfigError("\n".join(lines)) from None
        except (OSError, ValueError) as fault:
            raise ConfigError(f"{path}: {fault}") from None
