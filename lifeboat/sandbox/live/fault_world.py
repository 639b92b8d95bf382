"""What faults need of the sandbox's parts: as little as they can do with, so that each part stays free in how it works.

A *key* names one server of a family, such as ``orders-us-east-1``; a region may have several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from lifeboat.sandbox.live.clocks import agent_of, warden_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    import psycopg

    from lifeboat.sandbox.gateway.conditions import Conditions
    from lifeboat.sandbox.live.clocks import Clocks
    from lifeboat.sandbox.live.links import Shape

OUTSIDE: Final = "internet"
"""Where whoever is in no region is: clients and health checkers reach a site over the link from here to its region."""

Family: TypeAlias = Literal["database", "cache", "site", "warden"]


class Servers(Protocol):
    """The servers of one family. A method for a state that holds already does nothing."""

    def keys(self, region: str) -> Sequence[str]:
        """Those of a region, sorted."""
        ...

    def hold(self, key: str) -> None:
        """End a server as a crash does, and let nobody start it again."""
        ...

    def release(self, key: str) -> None:
        """Start a server that was held, with its data."""
        ...

    def freeze(self, key: str) -> None:
        """Stop all of a server's processes in their tracks."""
        ...

    def thaw(self, key: str) -> None:
        """Let a frozen server go on."""
        ...


class Databases(Servers, Protocol):
    """The PostgreSQL servers."""

    def source_region(self, key: str) -> str | None:
        """The region of the server that this one follows; None when it follows none."""
        ...

    def directory(self, key: str) -> Path:
        """Where its ``server.conf`` is, which includes ``faults.conf`` beside it, and its ``data/``."""
        ...

    def pids(self, key: str) -> Sequence[int]:
        """All of its processes, the first one first; empty when it does not run."""
        ...

    def connect(self, key: str, dbname: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the superuser's that commits each statement.

        Raises:
            psycopg.OperationalError: when it does not answer.
        """
        ...


class Sites(Servers, Protocol):
    """The sites' HTTP services; the region is the key."""

    def limit(self, region: str, per_second: float | None) -> None:
        """Let a site answer so many requests a second, and refuse what is beyond; None takes the limit away."""
        ...


class Links(Protocol):
    """The ways between regions."""

    def shape(self, source_region: str, target_region: str, shape: Shape) -> None:
        """Shape one way, whatever its shape was."""
        ...


class World(Protocol):
    """A sandbox."""

    @property
    def regions(self) -> Sequence[str]:
        """The stack's regions, sites and witness; `OUTSIDE` is not among them."""
        ...

    @property
    def directory(self) -> Path:
        """The sandbox's own, closed to others."""
        ...

    @property
    def conditions(self) -> Conditions:
        """What API calls meet."""
        ...

    @property
    def databases(self) -> Databases:
        """The databases."""
        ...

    @property
    def caches(self) -> Servers:
        """The caches."""
        ...

    @property
    def sites(self) -> Sites:
        """The sites."""
        ...

    @property
    def wardens(self) -> Servers:
        """The wardens."""
        ...

    @property
    def links(self) -> Links | None:
        """The links; None when it has none."""
        ...

    @property
    def clocks(self) -> Clocks:
        """The agents' clocks."""
        ...


def agents(world: World) -> Sequence[str]:
    """Whoever has a clock of its own: each site, each warden."""
    sites = [agent_of(region) for region in world.regions if world.sites.keys(region)]
    return [*sites, *(warden_of(region) for region in world.regions if world.wardens.keys(region))]


def servers(world: World, family: Family) -> Servers:
    """The servers of a family."""
    families: dict[Family, Servers] = {
        "database": world.databases,
        "cache": world.caches,
        "site": world.sites,
        "warden": world.wardens,
    }
    return families[family]
