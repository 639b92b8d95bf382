"""Typed outputs over a contract that is still an output itself.

``view(read(reference)).site("us-east-1").databases["orders"].writer_endpoint`` is an ``Output[str]`` to a type checker
and to Pulumi alike, where attributes of a plain ``Output[Contract]`` would be untyped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from lifeboat_contract.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi import Output

    from lifeboat_contract.models import Bucket, Cache, Contract, Database, Dns, Network, Objectives, Site

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True)
class Lookup(Generic[T]):
    """Things by name, in a site whose contract is not known yet. A missing name fails when the contract arrives."""

    _get: Callable[[str], T]

    def __getitem__(self, name: str) -> T:
        return self._get(name)


def _pick(things: Mapping[str, V], name: str, what: str) -> V:
    if name not in things:
        raise ContractError(f"{what} {name} is not in the contract; it has {', '.join(sorted(things)) or 'none'}")
    return things[name]


@dataclass(frozen=True)
class DatabaseView:
    """A `Database`, as outputs."""

    value: Output[Database]

    @property
    def writer_endpoint(self) -> Output[str]:
        """Host that takes writes whenever this site is active."""
        return self.value.apply(lambda database: database.writer_endpoint)

    @property
    def reader_endpoint(self) -> Output[str | None]:
        """Host for reads in this site, where it has one."""
        return self.value.apply(lambda database: database.reader_endpoint)

    @property
    def port(self) -> Output[int]:
        """TCP port."""
        return self.value.apply(lambda database: database.port)

    @property
    def database(self) -> Output[str]:
        """Name of the first database."""
        return self.value.apply(lambda database: database.database)

    @property
    def secret_arn(self) -> Output[str | None]:
        """The site's replica of the secret with the master password."""
        return self.value.apply(lambda database: database.secret_arn)


@dataclass(frozen=True)
class CacheView:
    """A `Cache`, as outputs."""

    value: Output[Cache]

    @property
    def primary_endpoint(self) -> Output[str]:
        """Host that takes writes whenever this site is active."""
        return self.value.apply(lambda cache: cache.primary_endpoint)

    @property
    def reader_endpoint(self) -> Output[str | None]:
        """Host for reads in this site, where it has one."""
        return self.value.apply(lambda cache: cache.reader_endpoint)

    @property
    def port(self) -> Output[int]:
        """TCP port."""
        return self.value.apply(lambda cache: cache.port)

    @property
    def secret_arn(self) -> Output[str | None]:
        """The site's replica of the secret with the auth token."""
        return self.value.apply(lambda cache: cache.secret_arn)


@dataclass(frozen=True)
class BucketView:
    """A `Bucket`, as outputs."""

    value: Output[Bucket]

    @property
    def bucket(self) -> Output[str]:
        """Bucket name."""
        return self.value.apply(lambda bucket: bucket.bucket)

    @property
    def arn(self) -> Output[str]:
        """The bucket."""
        return self.value.apply(lambda bucket: bucket.arn)

    @property
    def key_arn(self) -> Output[str]:
        """The key that encrypts its objects."""
        return self.value.apply(lambda bucket: bucket.key_arn)


@dataclass(frozen=True)
class SiteView:
    """A `Site`, as outputs."""

    value: Output[Site]

    @property
    def network(self) -> Output[Network]:
        """Where to deploy."""
        return self.value.apply(lambda site: site.network)

    @property
    def vpc_id(self) -> Output[str]:
        """The site's VPC."""
        return self.value.apply(lambda site: site.network.vpc_id)

    @property
    def databases(self) -> Lookup[DatabaseView]:
        """By logical name."""
        return Lookup(lambda name: DatabaseView(self.value.apply(lambda site: _pick(site.databases, name, "database"))))

    @property
    def caches(self) -> Lookup[CacheView]:
        """By logical name."""
        return Lookup(lambda name: CacheView(self.value.apply(lambda site: _pick(site.caches, name, "cache"))))

    @property
    def buckets(self) -> Lookup[BucketView]:
        """By logical name."""
        return Lookup(lambda name: BucketView(self.value.apply(lambda site: _pick(site.buckets, name, "bucket"))))

    @property
    def keys(self) -> Lookup[Output[str]]:
        """KMS key ARNs by purpose."""
        return Lookup(lambda purpose: self.value.apply(lambda site: _pick(site.keys, purpose, "key")))

    @property
    def secrets(self) -> Lookup[Output[str]]:
        """ARNs of this site's secret replicas, by logical name."""
        return Lookup(lambda name: self.value.apply(lambda site: _pick(site.secrets, name, "secret")))

    @property
    def gate_url(self) -> Output[str | None]:
        """What a gateway in this site asks before each write; absent from contracts before 1.1."""
        return self.value.apply(lambda site: site.gate_url)


@dataclass(frozen=True)
class ContractView:
    """A `Contract`, as outputs."""

    value: Output[Contract]

    def site(self, region: str) -> SiteView:
        """The site in a region; a region without one fails when the contract arrives, in one line."""
        return SiteView(self.value.apply(lambda contract: contract.site(region)))

    @property
    def home(self) -> Output[str]:
        """The site that is active when nothing is wrong."""
        return self.value.apply(lambda contract: contract.home)

    @property
    def dns(self) -> Output[Dns | None]:
        """Names that follow the active site."""
        return self.value.apply(lambda contract: contract.dns)

    @property
    def objectives(self) -> Lookup[Output[Objectives]]:
        """What is promised, by scope such as ``stack`` or ``services.orders``."""
        return Lookup(lambda scope: self.value.apply(lambda contract: _pick(contract.objectives, scope, "scope")))


def view(contract: Output[Contract]) -> ContractView:
    """Typed outputs over `read`'s result."""
    return ContractView(contract)
