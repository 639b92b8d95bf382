"""The contract's shape, version 1: what a platform stack promises to the teams that deploy on it.

Wire format: JSON with these field names. Durations are seconds. Regions are names such as ``us-east-1``. Values of
secrets are never in it, only their ARNs. Which site is active is not in it either: that changes without an update of
the platform, so it is read at run time (from DNS, or from the lease), never from a deployment's outputs.

Within version 1 a document may gain fields; a reader ignores what it does not know. Nothing is removed, renamed,
retyped or newly required before version 2 (`lifeboat_contract.compatibility` holds us to it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lifeboat_contract.errors import ContractError

VERSION: Final = "1.1"
"""Version of the documents that this package writes: MAJOR.MINOR."""


def _whole(value: object) -> object:
    """An int, restored from the float that Pulumi's wire format made of it: 5432.0 is 5432, 5432.5 is refused."""
    if isinstance(value, bool):
        raise ValueError("a whole number, not true or false")
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError("a whole number")
        return int(value)
    return value


Text = Annotated[str, Field(min_length=1)]
"""Text that is never empty."""

Arn = Annotated[
    str, Field(pattern=r"^arn:[a-z0-9-]+:[a-z0-9-]+:", examples=["arn:aws:kms:us-east-1:123456789012:key/0a1b"])
]
"""An Amazon resource name."""

Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(_whole)]
"""A TCP port."""

Seconds = Annotated[int, Field(ge=0), BeforeValidator(_whole)]
"""A duration."""


class Part(BaseModel):
    """A part of the contract: frozen; fields of later minor versions are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Promise(Part):
    """One objective beside what the platform gives for it."""

    objective_seconds: Seconds = Field(description="What was demanded.")
    bound_seconds: Seconds = Field(
        description="What the mechanism gives, rounded up: the worst loss, or the p95 of a projected recovery."
    )
    bound_class: Literal["enforced", "documented", "alarmed", "typical"] = Field(
        description="How sure: a setting enforces it, the vendor documents it, an alarm watches it, or it is typical."
    )


class Objectives(Part):
    """The objectives of one scope. Absent ones make no promise."""

    rto: Promise | None = Field(None, description="Recovery time: from the fault to the first durable write.")
    rpo: Promise | None = Field(None, description="Recovery point: the most data, as time, that may be lost.")
    availability: float | None = Field(None, gt=0, lt=100, description="Percent of time, such as 99.99.")


class Database(Part):
    """A PostgreSQL database as one site has it."""

    mechanism: Text = Field(description="How its data reaches the other site, such as aurora-global.")
    engine: Text = Field(description="Engine and version, such as aurora-postgresql 16.8.")
    arn: Arn = Field(description="The cluster or the instance in this site.")
    writer_endpoint: Text = Field(description="Host that takes writes whenever this site is active.")
    reader_endpoint: Text | None = Field(None, description="Host for reads in this site, where it has one.")
    port: Port = Field(description="TCP port.")
    database: Text = Field(description="Name of the first database.")
    secret_arn: Arn | None = Field(None, description="This site's replica of the secret with the master password.")


class Cache(Part):
    """A Redis-compatible cache as one site has it."""

    mechanism: Text = Field(description="How its data reaches the other site, such as global-datastore.")
    primary_endpoint: Text = Field(description="Host that takes writes whenever this site is active.")
    reader_endpoint: Text | None = Field(None, description="Host for reads in this site, where it has one.")
    port: Port = Field(description="TCP port.")
    tls: bool = Field(description="Whether clients must use TLS.")
    secret_arn: Arn | None = Field(None, description="This site's replica of the secret with the auth token.")


class Bucket(Part):
    """A bucket of one site."""

    bucket: Text = Field(description="Bucket name.")
    arn: Arn = Field(description="The bucket.")
    key_arn: Arn = Field(description="The key that encrypts its objects.")


class Network(Part):
    """A site's network."""

    vpc_id: Text = Field(description="The VPC.")
    cidr: Text = Field(description="Its IPv4 range.")
    availability_zones: tuple[Text, ...] = Field(description="Zones, in the order of the subnet lists.")
    public_subnet_ids: tuple[Text, ...] = Field(description="Subnets with a route to the internet.")
    private_subnet_ids: tuple[Text, ...] = Field(description="Subnets that reach the internet through NAT.")
    isolated_subnet_ids: tuple[Text, ...] = Field(description="Subnets without the internet, where the stores live.")


class Site(Part):
    """One region where the platform lives."""

    region: Text = Field(description="AWS region.")
    network: Network = Field(description="Where to deploy in it.")
    databases: Mapping[str, Database] = Field(default_factory=dict, description="By logical name.")
    caches: Mapping[str, Cache] = Field(default_factory=dict, description="By logical name.")
    buckets: Mapping[str, Bucket] = Field(default_factory=dict, description="By logical name.")
    keys: Mapping[str, Arn] = Field(default_factory=dict, description="KMS keys by purpose, such as logs.")
    secrets: Mapping[str, Arn] = Field(default_factory=dict, description="This site's replicas, by logical name.")
    gate_url: Text | None = Field(
        None,
        description="What a gateway in this site asks before each write, from inside its network; absent before 1.1.",
    )


class Dns(Part):
    """The zone, and the names that follow the active site."""

    zone: Text = Field(description="DNS zone.")
    zone_id: Text = Field(description="Hosted zone.")
    names: Mapping[str, Text] = Field(default_factory=dict, description="Host name that fails over, by endpoint.")
    targets: Mapping[str, Mapping[str, Text]] = Field(
        default_factory=dict, description="Host name that never fails over, by endpoint and region."
    )


class Contract(Part):
    """What a platform stack promises, in every site that it lives in."""

    version: str = Field(pattern=r"^1\.\d+$", description="Version of this document.")
    system: Text = Field(description="The system, such as reskflow.")
    environment: Text = Field(description="The environment, such as production.")
    stack: Text = Field(description="The platform's stack.")
    account: str = Field(pattern=r"^\d{12}$", description="AWS account.")
    objectives: Mapping[str, Objectives] = Field(
        description="By scope: stack, services.NAME, failures.NAME, databases.NAME, caches.NAME, object_stores.NAME."
    )
    home: Text = Field(description="The site that is active when nothing is wrong. It does not change in a failover.")
    witness: Text = Field(description="Third region, with the lease's witness and the routing switches.")
    sites: Mapping[str, Site] = Field(description="By region.")
    dns: Dns | None = Field(None, description="Names that follow the active site; absent without a zone.")

    @model_validator(mode="after")
    def _sites_agree(self) -> Contract:
        if self.home not in self.sites:
            raise ValueError(f"home {self.home} is not among the sites: {', '.join(sorted(self.sites))}")
        for region, site in self.sites.items():
            if site.region != region:
                raise ValueError(f"site {region} says that it is {site.region}")
        return self

    def site(self, region: str) -> Site:
        """The site in a region.

        Raises:
            ContractError: if the platform does not live there; the message lists where it does.
        """
        if region not in self.sites:
            raise ContractError(f"{self.stack} has no site {region}; it has {', '.join(sorted(self.sites))}")
        return self.sites[region]

    def document(self) -> dict[str, Any]:
        """The contract as plain JSON values: what a stack exports as its output."""
        return self.model_dump(mode="json")

    def text(self) -> str:
        """The document as JSON with sorted keys: the copy that is published in each site."""
        return json.dumps(self.document(), sort_keys=True, separators=(",", ":"))
