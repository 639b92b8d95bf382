"""What is rehearsed: scenarios as data, one YAML file each in `scenarios/`.

A scenario names regions by what they are for a stack: ``{home}``, ``{standby}``, ``{witness}``.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lifeboat.model.settings.yaml12 import load_yaml
from lifeboat.sandbox.live.fault_documents import parse
from lifeboat.sandbox.state import SandboxInputError

if TYPE_CHECKING:
    from typing import Self

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings

_ROOM: Final = Path(__file__).parent / "scenarios"
_DARK: Final = {"region-blackout", "region-partition"}
"""Kinds of faults after which a region's API answers nobody outside."""


class ScenarioError(ValueError):
    """There is no such scenario, or its file cannot be used; prints one line a fault."""


class Expect(StrEnum):
    """What must happen."""

    FAILOVER = "failover"
    """The wardens move the stack to the standby."""
    SWITCHOVER = "switchover"
    """A person moves it while both sites answer."""
    NOTHING = "nothing"
    """The lease stays where it is, and no run begins."""
    REFUSED = "refused"
    """A failover is tried, and refused; nothing else changes."""
    RESTORE = "restore"
    """A database is restored to the moment before the fault."""
    DECLARED = "declared-rule"
    """A failover where the stack declares when a slow site counts as failed, otherwise nothing."""


class LossClass(StrEnum):
    """What may be lost."""

    NONE = "none"
    """No acknowledged write."""
    OBJECTIVE = "objective"
    """As many seconds of writes as each store's objective allows."""


class Afterwards(StrEnum):
    """What is done once that has happened."""

    HEAL = "heal"
    REJOIN = "rejoin"
    FAILBACK = "failback"


class Roles(BaseModel):
    """The regions of a stack by what they are for it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    home: str
    standby: str
    witness: str

    @classmethod
    def of(cls, topology: Topology) -> Self:
        """A stack's."""
        return cls(home=topology.home.region, standby=topology.standby.region, witness=topology.witness)


class Scenario(BaseModel):
    """One rehearsal."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = Field(description="What happens, in a line.")
    about: str = Field(description="What it is for.")
    prepare: tuple[dict[str, Any], ...] = Field(default=(), description="Faults that stand before the clock starts.")
    faults: tuple[dict[str, Any], ...] = Field(
        default=(), description="Faults as `lifeboat sandbox fault inject --file` reads them; after_s is real seconds."
    )
    expect: Expect
    loss: LossClass
    watch: float = Field(
        default=300, gt=0, description="Declared seconds for which nothing may move, where it may not."
    )
    afterwards: tuple[Afterwards, ...] = ()

    @model_validator(mode="after")
    def _usable(self) -> Self:
        roles = Roles(home="us-east-1", standby="us-west-2", witness="us-east-2")
        try:
            for documents in (self.prepare, self.faults):
                if documents:
                    parse(_filled(list(documents), roles))
        except SandboxInputError as fault:
            raise ValueError(str(fault)) from None
        if not self.faults and self.expect is not Expect.SWITCHOVER:
            raise ValueError(f"faults: empty: accepted where a {Expect.SWITCHOVER} is expected")
        wanted = [step for step in Afterwards if step in self.afterwards]
        if list(self.afterwards) != wanted:
            raise ValueError(f"afterwards: accepted is each once, in the order {', '.join(Afterwards)}")
        return self

    def expectation(self, settings: Settings) -> Expect:
        """What must happen to a stack, now that its declaration is known."""
        if self.expect is not Expect.DECLARED:
            return self.expect
        declared = settings.grey_failure
        ruled = declared.error_percent is not None or declared.latency_ms is not None
        return Expect.FAILOVER if ruled else Expect.NOTHING

    def documents(self, roles: Roles, seed: int) -> list[dict[str, Any]]:
        """The faults, for a stack's regions and a seed."""
        return _seeded(self.faults, roles, seed)

    def preparation(self, roles: Roles, seed: int) -> list[dict[str, Any]]:
        """The faults that stand before, the same way."""
        return _seeded(self.prepare, roles, seed)

    def dark(self, roles: Roles) -> frozenset[str]:
        """Regions whose API answers nobody outside of them while the faults stand."""
        return frozenset(
            document["region"]
            for document in self.documents(roles, 0)
            if document["kind"] in _DARK and document.get("plane") is None
        )


def _seeded(documents: tuple[dict[str, Any], ...], roles: Roles, seed: int) -> list[dict[str, Any]]:
    filled = cast("list[dict[str, Any]]", _filled(list(documents), roles))
    return [{"seed": seed, **document} for document in filled]


def _filled(value: object, roles: Roles) -> object:
    """A document with the names of roles replaced by regions."""
    match value:
        case str():
            for role, region in roles.model_dump().items():
                value = value.replace(f"{{{role}}}", region)
            return value
        case dict():
            return {name: _filled(each, roles) for name, each in cast("dict[str, object]", value).items()}
        case list():
            return [_filled(each, roles) for each in cast("list[object]", value)]
        case _:
            return value


@cache
def scenarios() -> dict[str, Scenario]:
    """Every scenario by name.

    Raises:
        ScenarioError: for a file that is none, with every fault in it.
    """
    return {path.stem: read(path) for path in sorted(_ROOM.glob("*.yaml"))}


def scenario(name: str) -> Scenario:
    """One scenario.

    Raises:
        ScenarioError: when there is none of this name.
    """
    found = scenarios().get(name)
    if found is None:
        raise ScenarioError(f"--scenario: {name}: accepted is one of {', '.join(scenarios())}")
    return found


def read(path: Path) -> Scenario:
    """A scenario's file; its name is the file's.

    Raises:
        ScenarioError: when it is none, with every fault.
    """
    loaded: object = load_yaml(path.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise ScenarioError(f"{path.name}: accepted are the keys of a scenario")
    try:
        return Scenario.model_validate({"name": path.stem, **cast("dict[str, Any]", loaded)})
    except ValidationError as fault:
        faults = (
            f"{path.name}: {'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}" for each in fault.errors()
        )
        raise ScenarioError("\n".join(faults)) from None
