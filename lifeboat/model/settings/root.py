"""The whole of a stack's settings: every ``lifeboat:`` key of a ``Pulumi.<stack>.yaml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lifeboat.model.settings.base import Matches, Model, Name, OrAuto
from lifeboat.model.settings.objectives import Objectives
from lifeboat.model.settings.recovery import Breakglass, Warden
from lifeboat.model.settings.sites import (
    Approval,
    Divergence,
    Dns,
    Failback,
    GreyFailure,
    Lease,
    Network,
    Region,
    Routing,
    Site,
    Strategy,
)
from lifeboat.model.settings.stores import Cache, Database, ObjectStore, Secret


class Settings(Model):
    """A stack's whole declaration. Keys of ``Pulumi.<stack>.yaml`` are these names behind ``lifeboat:``."""

    system: Name = Field(description="The system, such as reskflow; resources are named by it.")
    environment: Name = Field(description="The environment, such as production.")
    account: Annotated[str, Matches(r"\d{12}", "an AWS account: 12 digits in quotes, such as '123456789012'")] = Field(
        description="AWS account that this stack may touch; any other is refused."
    )
    objectives: Objectives = Field(description="What must be survived, and how fast.")
    home: Region = Field(description="The site that is active when nothing is wrong. It does not change in a failover.")
    sites: tuple[Site, ...] = Field(description="The two regions the stack lives in.")
    witness: Region = Field(
        description="A third region, which holds the lease's witness and the routing switches.",
    )
    strategy: Annotated[Strategy | None, OrAuto()] = Field(
        default=None, description="Chosen strategy; absent or auto lets the objectives decide."
    )
    network: Network = Field(default_factory=Network, description="What every site's network has.")
    databases: tuple[Database, ...] = Field(default=(), description="PostgreSQL databases.")
    caches: tuple[Cache, ...] = Field(default=(), description="Redis-compatible caches.")
    object_stores: tuple[ObjectStore, ...] = Field(default=(), description="Replicated buckets.")
    secrets: tuple[Secret, ...] = Field(default=(), description="Generated secrets, replicated to every site.")
    dns: Dns | None = Field(default=None, description="The zone, and the names that fail over.")
    routing: Routing = Field(default_factory=Routing, description="How traffic is switched.")
    approval: Approval = Field(
        default=Approval.ONE, description="Who decides a failover: automatic, one or two people."
    )
    divergence: Divergence = Field(default_factory=Divergence, description="Whether writes may be left behind.")
    lease: Lease = Field(default_factory=Lease, description="The lease that decides who may write.")
    grey_failure: GreyFailure = Field(
        default_factory=GreyFailure,
        description="When an active site that is slow or errs, but answers, counts as failed.",
    )
    failback: Failback = Field(
        default_factory=Failback, description="When a failback goes back by itself to where it came from."
    )
    warden: Warden = Field(default_factory=Warden, description="The process that watches, decides and recovers.")
    breakglass: Breakglass = Field(
        default_factory=Breakglass, description="Operator access when nothing else is left to sign in with."
    )
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of every resource.")

    def document(self) -> str:
        """What was declared, as JSON text that `lifeboat.model.settings.load.load` takes once it is parsed.

        Sites come by region: their order in a file says nothing, and changes nothing here.
        """
        ordered = tuple(sorted(self.sites, key=lambda site: site.region))
        return self.model_copy(update={"sites": ordered}).model_dump_json(exclude_unset=True, by_alias=True)

    @property
    def prefix(self) -> str:
        """First part of every physical name, such as ``reskflow-production``."""
        return f"{self.system}-{self.environment}"
