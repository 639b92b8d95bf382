"""Identifiers of what a stack deployed, from its declaration alone: plan and recovery read no Pulumi state.

What was adopted (`import:`) keeps the identifier it had. Two things get theirs from AWS and are looked up where they
are needed: a Global Datastore, whose identifier begins with a part of AWS's choice, and routing controls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifeboat.model.naming import password_of, token_of
from lifeboat.model.settings.base import GLOBAL_IMPORT

if TYPE_CHECKING:
    from lifeboat.model.design import CacheDesign, DatabaseDesign, Instance, ObjectsDesign, Topology
    from lifeboat.model.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Physical:
    """Names in one stack's account."""

    settings: Settings
    topology: Topology

    @property
    def prefix(self) -> str:
        """First part of every name."""
        return self.settings.prefix

    def other(self, region: str) -> str:
        """The site that `region` is not."""
        first, second = (site.region for site in self.topology.sites)
        return second if region == first else first

    def database(self, name: str) -> DatabaseDesign:
        """A database by its logical name.

        Raises:
            LookupError: if there is none.
        """
        for design in self.topology.databases:
            if design.settings.name == name:
                return design
        raise LookupError(f"no database {name!r}")

    def cache(self, name: str) -> CacheDesign:
        """A cache by its logical name.

        Raises:
            LookupError: if there is none.
        """
        for design in self.topology.caches:
            if design.settings.name == name:
                return design
        raise LookupError(f"no cache {name!r}")

    def objects(self, name: str) -> ObjectsDesign:
        """An object store by its logical name.

        Raises:
            LookupError: if there is none.
        """
        for design in self.topology.object_stores:
            if design.settings.name == name:
                return design
        raise LookupError(f"no object store {name!r}")

    def global_cluster(self, database: str) -> str:
        """An Aurora global cluster."""
        own = self.database(database).settings
        return own.import_.get(GLOBAL_IMPORT) or f"{self.prefix}-{database}"

    def cluster(self, database: str, region: str) -> str:
        """An Aurora cluster in one region."""
        own = self.database(database).settings
        return own.import_.get(region) or f"{self.prefix}-{database}-{region}"

    def cluster_arn(self, database: str, region: str) -> str:
        """The same, as other regions name it."""
        return f"arn:aws:rds:{region}:{self.settings.account}:cluster:{self.cluster(database, region)}"

    def newest(self, database: str, region: str) -> Instance:
        """The youngest generation of a plain database in one region.

        Raises:
            LookupError: if the region has none.
        """
        for instance in reversed(self.database(database).instances):
            if instance.region == region:
                return instance
        raise LookupError(f"{region} has no instance of the database {database}")

    def instance(self, database: str, region: str) -> str:
        """The instance of the youngest generation of a plain database in one region.

        Raises:
            LookupError: if the region has none.
        """
        return self._identifier(database, self.newest(database, region))

    def generations(self, database: str, region: str) -> tuple[str, ...]:
        """The instances of every generation of a plain database in one region, the youngest first."""
        instances = reversed(self.database(database).instances)
        return tuple(self._identifier(database, each) for each in instances if each.region == region)

    def _identifier(self, database: str, instance: Instance) -> str:
        adopted = self.database(database).settings.import_.get(instance.region)
        first = instance.key == f"{instance.region}-g1"
        return adopted if adopted and first else f"{self.prefix}-{database}-{instance.key}"

    def next_instance(self, database: str, region: str) -> str:
        """The instance of the generation that comes next in one region: what is restored or built there."""
        # Counted from the youngest: older ones may have been retired.
        numbers = (
            int(each.key.rpartition("-g")[2]) for each in self.database(database).instances if each.region == region
        )
        return f"{self.prefix}-{database}-{region}-g{max(numbers, default=0) + 1}"

    def replica(self, database: str, region: str) -> str:
        """The instance of a plain database that shall copy the other site's again, once a site comes back.

        The next generation; the youngest one, where it was declared already.
        """
        instances = self.database(database).instances
        declared = bool(instances) and instances[-1].region == region
        return self.instance(database, region) if declared else self.next_instance(database, region)

    def instance_arn(self, database: str, region: str) -> str:
        """The same, as other regions name it."""
        return f"arn:aws:rds:{region}:{self.settings.account}:db:{self.instance(database, region)}"

    def replication_group(self, cache: str, region: str) -> str:
        """A cache in one region."""
        return self.cache(cache).settings.import_.get(region) or f"{self.prefix}-{cache}-{region}"

    def is_datastore(self, cache: str, identifier: str) -> bool:
        """Whether an identifier is that of a cache's Global Datastore."""
        adopted = self.cache(cache).settings.import_.get(GLOBAL_IMPORT)
        return identifier == adopted if adopted else identifier.endswith(f"-{self.prefix}-{cache}")

    def bucket(self, store: str, region: str) -> str:
        """An object store's bucket in one region."""
        return self.objects(store).settings.import_.get(region) or f"{self.prefix}-{store}-{region}"

    def password(self, database: str) -> str:
        """The secret with a database's master password; the same name in every site."""
        return f"{self.prefix}-{password_of(database)}"

    def token(self, cache: str) -> str:
        """The secret with a cache's token; the same name in every site."""
        return f"{self.prefix}-{token_of(cache)}"

    def secret(self, name: str) -> str:
        """One of the stack's own secrets."""
        return f"{self.prefix}-{name}"

    def alerts(self, region: str) -> str:
        """ARN of the topic that people are told by, in a site or the witness."""
        return f"arn:aws:sns:{region}:{self.settings.account}:{self.prefix}-alerts-{region}"

    @property
    def lease_table(self) -> str:
        """The table that the lease and the journal live in, where it is a table."""
        return f"{self.prefix}-lease"

    @property
    def lease_bucket(self) -> str:
        """The bucket in the witness region, where it is an object."""
        return f"{self.prefix}-lease-{self.topology.witness}"

    @property
    def switch_namespace(self) -> str:
        """Namespace of the switches' metric."""
        return f"Lifeboat/{self.prefix}"

    def switch(self, region: str) -> str:
        """Name of a site's switch: its alarm, or its routing control."""
        return f"{self.prefix}-switch-{region}"
