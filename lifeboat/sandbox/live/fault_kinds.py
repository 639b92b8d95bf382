"""The kinds of faults, as data: what each breaks, where, for how long.

The first line of a kind's docstring and the descriptions of its parameters are what `lifeboat sandbox fault list`
shows. The rest of a docstring says what the kind imitates, and what it does not.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from pydantic import Field, model_validator

from lifeboat.sandbox.gateway.conditions import Blackout
from lifeboat.sandbox.gateway.planes import Plane  # noqa: TC001 - pydantic reads it
from lifeboat.sandbox.live.fault_api import (
    ApiErrors,
    ApiHang,
    ApiSlow,
    ApiThrottle,
    CredentialsExpired,
    StandbyCapacity,
)
from lifeboat.sandbox.live.fault_base import BaseFault, InRegion
from lifeboat.sandbox.live.fault_links import AsymmetricPartition, Link, RegionPartition, cut_off
from lifeboat.sandbox.live.fault_steps import Damage, FileLimit, Frozen, Held, Met, Offset, Setting, Step, Way
from lifeboat.sandbox.live.fault_world import Family, World, servers
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

_FAMILIES: Final[tuple[Family, ...]] = ("warden", "site", "cache", "database")
"""In the order in which a region's servers are lost: whoever uses another first."""


class _OfDatabase(InRegion):
    database: str | None = Field(default=None, description="Which database server; by default each of the region.")

    def databases(self, world: World, *, replicas: bool = False) -> Sequence[str]:
        """The database servers that it means.

        Raises:
            SandboxError: when there are none.
        """
        kind = "replicas" if replicas else "databases"
        keys = world.databases.keys(self.region)
        found = [key for key in keys if not replicas or world.databases.source_region(key) is not None]
        return _chosen(found, self.database, f"{kind} in {self.region}")


class RegionBlackout(InRegion):
    """A region is gone: its API, its servers and the ways to it.

    API calls get no answer, whatever region they ask for one of its buckets, and a lost us-east-1 takes the global
    control planes along; names are answered, and their health checked, as ever. Servers end as they do when
    power fails, so that clients are refused at once; ``frozen`` lets them stand still instead: clients wait, and when
    the region is back, its servers go on where they were, still believing what they believed.
    """

    kind: Literal["region-blackout"]
    plane: Plane | None = Field(default=None, description="Only the API of this plane: control or data; no servers.")
    servers: Literal["down", "frozen"] = Field(default="down", description="What its servers are: down or frozen.")

    def steps(self, world: World, part: str) -> list[Step]:
        """API first, then the ways, then the servers."""
        blackout = Blackout(effect="blackout", region=self.region, plane=self.plane)
        api: list[Step] = [Met(id=f"{part}-api", condition=blackout)]
        if self.plane is not None:
            return api
        return [*api, *cut_off(world, self.region), *self._servers(world)]

    def _servers(self, world: World) -> list[Step]:
        step = Frozen if self.servers == "frozen" else Held
        return [
            step(family=family, key=key) for family in _FAMILIES for key in servers(world, family).keys(self.region)
        ]


class ReplicationLag(_OfDatabase):
    """Replicas in a region fall behind.

    With ``seconds`` a replica applies each commit that much later: exact, and of any length, where latency on the link
    would end connections beyond a second or two. It has received what it has not applied, so that a promotion loses
    nothing. With ``bytes_per_s`` the link is too narrow: lag grows with what is written, and what has not come through
    is lost with the source. The link's other traffic shares that bandwidth.
    """

    kind: Literal["replication-lag"]
    seconds: float | None = Field(default=None, gt=0, le=2_000_000, description="Commits are applied so much later.")
    bytes_per_s: float | None = Field(default=None, gt=0, description="Or: what the link from the source carries.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.seconds is None) == (self.bytes_per_s is None):
            raise ValueError("give either seconds or bytes_per_s")
        return self

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """A setting on each replica, or the bandwidth of the ways to them."""
        replicas = self.databases(world, replicas=True)
        if self.seconds is not None:
            value = str(round(self.seconds * 1000))
            return [Setting(key=key, name="recovery_min_apply_delay", value=value) for key in replicas]
        sources = {world.databases.source_region(key) or self.region for key in replicas} - {self.region}
        if not sources:
            raise SandboxError(f"replicas in {self.region} follow servers of the same region: give seconds")
        return [
            Way(source_region=source, target_region=self.region, bytes_per_s=self.bytes_per_s)
            for source in sorted(sources)
        ]


class ReplicationBreak(_OfDatabase):
    """Replicas in a region stop following their source; everything else works.

    A replica's connection to its source ends and is not made again. The source keeps a limited amount of log for it, as
    AWS does: a replica that was broken for longer has to be copied anew.
    """

    kind: Literal["replication-break"]

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """A setting on each replica."""
        return [Setting(key=key, name="primary_conninfo", value="") for key in self.databases(world, replicas=True)]


class SlowDisk(_OfDatabase):
    """Commits of databases in a region take longer.

    Each commit waits before its log is flushed, as on a disk that is slow to confirm; the writer that would flush it in
    the background meanwhile sleeps for 10 s at a time. Reads, checkpoints and the time that a disk needs for more data
    stay as they are. PostgreSQL waits for a tenth of a second at most.
    """

    kind: Literal["slow-disk"]
    commit_ms: float = Field(default=100, gt=0, le=100, description="Milliseconds added to each commit.")

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """Three settings on each."""
        delay = str(round(self.commit_ms * 1000))
        values = (("wal_writer_delay", "10000"), ("commit_siblings", "0"), ("commit_delay", delay))
        return [Setting(key=key, name=name, value=value) for key in self.databases(world) for name, value in values]


class FullDisk(_OfDatabase):
    """Databases in a region cannot write more: writers get an error.

    No file of the server may grow beyond `file_kib`. Its log is in files of 1,024 KiB, so that with this much it can
    still be written, as on a database whose log has a reserve; tables up to that size can too. With less, the server
    stops at its next commit, as with a log that has no space. Writing again what is beyond the limit fails as well,
    which it would not on a full disk. A server that is started anew while this lasts has the same
    limit, and may not come up before it is over.
    """

    kind: Literal["full-disk"]
    file_kib: int = Field(default=1024, ge=0, description="KiB that each file may have.")

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """A limit on each."""
        return [FileLimit(key=key, bytes=self.file_kib * 1024) for key in self.databases(world)]


class CorruptedTable(_OfDatabase):
    """Pages of a table of one database on disk are not what was written; whoever reads them gets an error.

    Data checksums find it. The server is restarted, or it would go on with the pages that it has in memory. Its
    replicas have pages of their own, which are whole.
    """

    kind: Literal["corrupted-table"]
    table: str = Field(description="Which table.")
    pages: int = Field(default=1, ge=1, description="How many pages of 8 KiB.")

    def steps(self, world: World, part: str) -> list[Step]:
        """The damage of one server: the one named, or the only one that follows none."""
        found = self.databases(world)
        primaries = [key for key in found if world.databases.source_region(key) is None]
        keys = found if self.database else primaries or found
        if len(keys) > 1:
            raise SandboxError(f"{self.region} has several databases: name one of {', '.join(keys)}")
        return [Damage(id=part, key=keys[0], table=self.table, pages=self.pages, seed=self.seed)]


class ProcessKilled(InRegion):
    """One server is killed, and stays down until this heals."""

    kind: Literal["process-killed"]
    process: Family = Field(description="What it is: database, cache, site or warden.")
    key: str | None = Field(default=None, description="Which one; by default the seed chooses.")

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """The one server."""
        found = servers(world, self.process).keys(self.region)
        keys = _chosen(found, self.key, f"{self.process} servers in {self.region}")
        chosen = random.Random(self.seed).choice(keys)  # noqa: S311 - no secret
        return [Held(family=self.process, key=chosen)]


class ClockSkew(BaseFault):
    """An agent's clock is wrong by so many seconds; the machine's and the servers' clocks are right.

    Agents are the sites: `/health` shows what time it is to one, and so does each answer's `Date`; orders have the time
    of their database. And the wardens, with the runs that they begin: what they tell people of when. Nothing else of
    theirs goes by it, which is to be tried.
    """

    kind: Literal["clock-skew"]
    agent: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Whose, such as site-us-east-1.")
    offset_s: float = Field(description="Seconds ahead; behind when negative.")

    @property
    def regions(self) -> tuple[str, ...]:
        """None."""
        return ()

    def steps(self, world: World, part: str) -> list[Step]:  # noqa: ARG002 - one shape for all kinds
        """The offset."""
        return [Offset(agent=self.agent, seconds=self.offset_s)]


Fault: TypeAlias = (
    RegionBlackout
    | RegionPartition
    | AsymmetricPartition
    | Link
    | ReplicationLag
    | ReplicationBreak
    | SlowDisk
    | FullDisk
    | CorruptedTable
    | StandbyCapacity
    | CredentialsExpired
    | ApiSlow
    | ApiThrottle
    | ApiErrors
    | ApiHang
    | ProcessKilled
    | ClockSkew
)


def _chosen(found: Sequence[str], wanted: str | None, what: str) -> Sequence[str]:
    """Those wanted, by key or by the last part of it, which people know: ``orders`` of ``us-east-1/db/orders``."""
    named = [key for key in found if wanted in {key, key.rpartition("/")[2]}]
    if wanted is not None and not named:
        raise SandboxError(f"{wanted} is none of the {what}: {', '.join(found) or 'there are none'}")
    if not found:
        raise SandboxError(f"there are no {what}")
    return named or found
