"""What copies the data of a store to another place, read from whatever declares it.

Rules about replicas, about regions and about loss ask the same question; here it is answered once for a stack.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from policies.core.arns import arn_region
from policies.core.backups import (
    BACKUPS_REPLICATION,
    DOCUMENTS,
    FILE_SYSTEM,
    FILE_SYSTEM_REPLICATION,
    GRAPH,
    PLAN,
    TABLE,
    VAULT,
    VOLUME,
    WAREHOUSE,
    WAREHOUSE_COPY,
    selections,
)
from policies.core.results import attempt
from policies.core.roles import BUCKET, BUCKET_REPLICATION, CLUSTER, INSTANCE, REPLICATION_GROUP, replica_source
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from policies.core.backups import Selections
    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.core.results import Result

TABLE_REPLICA: Final = "aws:dynamodb/tableReplica:TableReplica"
GLOBAL_DATASTORE: Final = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"

STORES: Final = (
    INSTANCE,
    CLUSTER,
    DOCUMENTS,
    GRAPH,
    TABLE,
    REPLICATION_GROUP,
    FILE_SYSTEM,
    BUCKET,
    WAREHOUSE,
    VOLUME,
)
"""Types that hold data of record, each with some way across regions."""
FOLLOWERS: Final = (INSTANCE, CLUSTER, DOCUMENTS, GRAPH, REPLICATION_GROUP)
"""Types of which one resource can follow another."""
GLOBAL_CLUSTERS: Final = {
    CLUSTER: "aws:rds/globalCluster:GlobalCluster",
    DOCUMENTS: "aws:docdb/globalCluster:GlobalCluster",
    GRAPH: "aws:neptune/globalCluster:GlobalCluster",
}


class Mechanism(Enum):
    """How data is copied."""

    REPLICA = "a replica"
    TABLE = "a replica of the table"
    FILES = "a replicated file system"
    OBJECTS = "object replication"
    BACKUPS = "replicated automated backups"
    PLAN = "copies of a backup plan"
    SNAPSHOTS = "copies of snapshots"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Copy:
    """One copy of a store's data.

    Attributes:
        source: The store.
        mechanism: How it is copied.
        about: What declares it: a resource, or an item in one.
        path: The property that says where it goes.
        place: Where it goes: a region, UNKNOWN, or empty where no property tells.
    """

    source: Resource
    mechanism: Mechanism
    about: Resource | View
    path: str
    place: Any

    def leaves(self, index: Index) -> bool:
        """Whether it lands in another region than the store's.

        Raises:
            UnknownPropertyError: when that cannot be told yet.
        """
        if self.place is UNKNOWN or self.place == "":
            raise UnknownPropertyError(".".join(part for part in (self.about.prefix, self.path) if part))
        return self.place != index.region(self.source)


class Copies:
    """All copies of a stack.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._of: dict[str, list[Copy]] = defaultdict(list)
        self.followers: dict[str, Resource] = {}
        self._destinations: set[str] = set()
        self._senders: set[str] = set()
        for copy in _all(index):
            self._of[copy.source.urn].append(copy)
            if copy.mechanism is Mechanism.REPLICA:
                self.followers[copy.about.urn] = copy.source
            if copy.mechanism is Mechanism.OBJECTS:
                self._senders.add(copy.source.urn)
                self._destinations |= {each.urn for each in destinations(copy.about, index)}

    @classmethod
    def of_stack(cls, index: Index) -> Copies:
        """The copies of a stack, found once for all rules that ask."""
        return index.once("copies", lambda: cls(index))

    def of(self, store: Resource) -> Sequence[Copy]:
        """The copies of one store, whether or not they leave its region."""
        return self._of.get(store.urn, ())

    def is_copy(self, store: Resource) -> bool:
        """Whether a store only holds what another one sends: a replica, or a bucket that replicates nowhere itself."""
        if store.urn in self.followers or follows(store):
            return True
        return store.urn in self._destinations and store.urn not in self._senders


def follows(store: Resource) -> bool:
    """Whether a store names a source, be it in this stack or not."""
    paths = {
        INSTANCE: "replicateSourceDb",
        CLUSTER: "replicationSourceIdentifier",
        REPLICATION_GROUP: "globalReplicationGroupId",
    }
    path = paths.get(store.type)
    return path is not None and (store.peek(path) is UNKNOWN or is_set(store.peek(path)))


def joins_elsewhere(store: Resource, index: Index) -> bool:
    """Whether a cluster is a member of a global cluster that another stack declares, with members nobody sees here."""
    type_ = GLOBAL_CLUSTERS.get(store.type)
    if type_ is None or not is_set(store.peek("globalClusterIdentifier")):
        return False
    return index.target(store, "globalClusterIdentifier", type_) is None


def rules_of(config: Resource) -> Iterator[View]:
    """The enabled rules of a bucket's replication, declared apart or, as older programs do, in the bucket itself.

    Raises:
        UnknownPropertyError: when rules, or whether one is enabled, are not known yet.
    """
    path = "rules" if config.type == BUCKET_REPLICATION else "replicationConfiguration.rules"
    for rule in config.items(path):
        if rule.get("status") == "Enabled":
            yield rule


def destinations(rule: Resource | View, index: Index) -> Sequence[Resource]:
    """The buckets of this stack that a rule may write to: one where its bucket is known, else all its rules name."""
    if rule.peek("destination.bucket") is None:
        return ()
    return index.targets(rule.resource, f"{rule.prefix}.destination.bucket", BUCKET)


def per_store(context: Context, check: Callable[[Resource, Copies], Iterable[Result]], *types: str) -> Iterator[Result]:
    """Run a check for every store that is not itself the copy of another.

    Args:
        context: The stack.
        check: Takes the store and the stack's copies; an unknown value in it concerns this store alone.
        types: Types of stores.
    """
    copies = Copies.of_stack(context.index)
    for store in context.index.of(*types):
        if not copies.is_copy(store):
            yield from attempt(store, lambda store=store: check(store, copies))


def _all(index: Index) -> Iterator[Copy]:
    for part in (_replicas, _tables, _files, _objects, _automated, _planned, _snapshots):
        yield from part(index)


def _replicas(index: Index) -> Iterator[Copy]:
    for replica in index.of(*FOLLOWERS):
        path = "globalClusterIdentifier" if replica.type in GLOBAL_CLUSTERS else "replicateSourceDb"
        if not follows(replica) and replica.peek(path) in (None, ""):
            continue
        source = replica_source(replica, index)
        if replica.type == REPLICATION_GROUP:
            path = "globalReplicationGroupId"
            datastore = index.target(replica, path, GLOBAL_DATASTORE)
            source = index.target(datastore, "primaryReplicationGroupId", replica.type) if datastore else None
        if source is not None and source is not replica:
            yield Copy(
                source=source,
                mechanism=Mechanism.REPLICA,
                about=replica,
                path=path,
                place=index.region_or(replica, UNKNOWN),
            )


def _tables(index: Index) -> Iterator[Copy]:
    for table in index.of(TABLE):
        for replica in _items(table, "replicas"):
            yield Copy(
                source=table,
                mechanism=Mechanism.TABLE,
                about=replica,
                path="regionName",
                place=_region(replica.peek("regionName")),
            )
    yield from _declared_apart(index, TABLE_REPLICA, "globalTableArn", TABLE, Mechanism.TABLE)


def _files(index: Index) -> Iterator[Copy]:
    for config in index.of(FILE_SYSTEM_REPLICATION):
        if (source := index.target(config, "sourceFileSystemId", FILE_SYSTEM)) is not None:
            for destination in _items(config, "destination"):
                yield Copy(
                    source=source,
                    mechanism=Mechanism.FILES,
                    about=destination,
                    path="region",
                    place=file_place(destination),
                )


def file_place(destination: View) -> Any:  # noqa: ANN401 - a region or UNKNOWN
    """Where a file system is replicated to; a zone's name is its region's with a letter."""
    zone = destination.peek("availabilityZoneName")
    found = destination.peek("region")
    if found is None and isinstance(zone, str):
        return zone.rstrip("abcdefghijklmnopqrstuvwxyz")
    return _region(found if found is not None else zone)


def _objects(index: Index) -> Iterator[Copy]:
    for config in index.of(BUCKET_REPLICATION, BUCKET):
        source = config if config.type == BUCKET else index.target(config, "bucket", BUCKET)
        if source is None:
            continue
        try:
            rules = list(rules_of(config))
        except UnknownPropertyError as fault:
            yield Copy(source=source, mechanism=Mechanism.OBJECTS, about=config, path=fault.path, place=UNKNOWN)
            continue
        for rule in rules:
            yield Copy(
                source=source,
                mechanism=Mechanism.OBJECTS,
                about=rule,
                path="destination.bucket",
                place=bucket_place(rule, index),
            )


def bucket_place(rule: View, index: Index) -> Any:  # noqa: ANN401 - a region, UNKNOWN or empty
    """The region of a rule's bucket; empty for a bucket that this stack does not declare.

    Where the bucket itself is not known yet and several may be meant, they must agree.
    """
    places = {index.region_or(bucket, UNKNOWN) for bucket in destinations(rule, index)}
    if len(places) == 1:
        return places.pop()
    return UNKNOWN if places or rule.peek("destination.bucket") is UNKNOWN else ""


def _automated(index: Index) -> Iterator[Copy]:
    yield from _declared_apart(index, BACKUPS_REPLICATION, "sourceDbInstanceArn", INSTANCE, Mechanism.BACKUPS)


def _declared_apart(index: Index, type_: str, path: str, source_type: str, mechanism: Mechanism) -> Iterator[Copy]:
    """Copies by a resource of their own, which names the source and lives where they go."""
    for copy in index.of(type_):
        if (source := index.target(copy, path, source_type)) is not None:
            yield Copy(source=source, mechanism=mechanism, about=copy, path=path, place=index.region_or(copy, UNKNOWN))


def _planned(index: Index) -> Iterator[Copy]:
    chosen = selections(index)
    for store in index.of(*STORES):
        plans = plans_of(store, chosen, index)
        if not plans and chosen.covers(store) is None:
            yield Copy(source=store, mechanism=Mechanism.PLAN, about=store, path="tags", place=UNKNOWN)
        for plan in plans:
            for rule in _items(plan, "rules"):
                for action in _items(rule, "copyActions"):
                    yield Copy(
                        source=store,
                        mechanism=Mechanism.PLAN,
                        about=rule,
                        path=f"{action.prefix.removeprefix(rule.prefix).lstrip('.')}.destinationVaultArn",
                        place=vault_place(action, index),
                    )


def plans_of(store: Resource, chosen: Selections, index: Index) -> list[Resource]:
    """The backup plans that take a store for sure."""
    found = (index.target(selection, "planId", PLAN) for selection in chosen.of(store))
    return list(dict.fromkeys(plan for plan in found if plan is not None))


def vault_place(action: View, index: Index) -> Any:  # noqa: ANN401 - a region, UNKNOWN or empty
    """The region of the vault that a copy goes to: its ARN's, else the vault's in this stack."""
    declared = action.peek("destinationVaultArn")
    if found := arn_region(declared):
        return found
    if declared is None:
        return ""
    vaults = index.targets(action.resource, f"{action.prefix}.destinationVaultArn", VAULT)
    places = {index.region_or(vault, UNKNOWN) for vault in vaults}
    return places.pop() if len(places) == 1 else UNKNOWN


def _snapshots(index: Index) -> Iterator[Copy]:
    for copy in index.of(WAREHOUSE_COPY):
        if (source := index.target(copy, "clusterIdentifier", WAREHOUSE)) is not None:
            yield Copy(
                source=source,
                mechanism=Mechanism.SNAPSHOTS,
                about=copy,
                path="destinationRegion",
                place=_region(copy.peek("destinationRegion")),
            )


def _items(about: Resource | View, path: str) -> Sequence[View]:
    """Items of a list; none while it is not known, since nothing can be said of them."""
    try:
        return about.items(path)
    except UnknownPropertyError:
        return ()


def _region(value: Any) -> Any:  # noqa: ANN401 - a region, UNKNOWN or empty
    return value if isinstance(value, str) or value is UNKNOWN else ""
