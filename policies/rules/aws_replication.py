"""AWS: data is replicated, and into another region."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from policies.core.arns import arn_region
from policies.core.results import attempt, require, undecided, unknown, violation
from policies.core.roles import BUCKET, BUCKET_REPLICATION, CLUSTER, INSTANCE, REPLICATION_GROUP
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set
from policies.rules.aws_copies import (
    FILE_SYSTEM_REPLICATION,
    GLOBAL_DATASTORE,
    STORES,
    TABLE_REPLICA,
    Copies,
    Mechanism,
    bucket_place,
    destinations,
    file_place,
    joins_elsewhere,
    per_store,
    rules_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.core.results import Result
    from policies.rules.aws_copies import Copy

SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
REGISTRY_REPLICATION: Final = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
ELSEWHERE: Final = "in another region than its source"


def _s3_replication(context: Context) -> Iterable[Result]:
    index = context.index
    received: set[str] = set()
    for config in index.of(BUCKET_REPLICATION, BUCKET):
        yield from attempt(config, lambda config=config: _enabled(config))
        try:
            received |= {bucket.urn for rule in rules_of(config) for bucket in destinations(rule, index)}
        except UnknownPropertyError:
            continue
    for bucket in index.of(BUCKET):
        if not (
            bucket.urn in received
            or index.companions(bucket, BUCKET_REPLICATION, "bucket")
            or bucket.peek("replicationConfiguration") is not None
        ):
            yield violation(
                bucket, "", "the bucket must replicate: no `BucketReplicationConfig` of this stack has it", absent=True
            )


def _enabled(config: Resource) -> Iterator[Result]:
    if config.type == BUCKET and config.get("replicationConfiguration") is None:
        return
    if not any(rules_of(config)):
        path = "rules" if config.type == BUCKET_REPLICATION else "replicationConfiguration.rules"
        yield violation(config, path, f"one of `{path}` must have the status `Enabled`")


def _s3_replication_rpo(config: Resource, context: Context) -> Iterable[Result]:
    path = "rules" if config.type == BUCKET_REPLICATION else "replicationConfiguration.rules"
    source = config if config.type == BUCKET else context.index.target(config, "bucket", BUCKET)
    rules = config.items(path)
    judged = [_Rule(rule) for rule in rules]
    enabled = [each for each in judged if each.enabled is not False]
    if enabled and not any(each.whole for each in enabled):
        open_ = [each for each in enabled if each.unknown]
        if not open_:
            yield violation(config, path, f"one of `{path}` must be for the whole bucket, without prefix and tags")
    for each in enabled:
        if each.unknown:
            yield unknown(config.urn, each.unknown)
        if each.enabled:
            yield from require(
                each.view,
                "deleteMarkerReplication.status",
                lambda value: value in ("Enabled", "Disabled"),
                "decided: `Enabled` or `Disabled`",
            )
    # Where the bucket is another stack's, what is demanded of its replication is all that is said here.
    rpo = context.objectives(config if source is None else source).rpo
    if rpo is None or rpo > context.parameters["seconds"]:
        return
    for each in enabled:
        for part in ("replicationTime", "metrics") if each.enabled and each.whole else ():
            yield from require(
                each.view,
                f"destination.{part}.status",
                lambda value: value == "Enabled",
                "`Enabled`: without time control nothing bounds the lag",
            )


class _Rule:
    """One rule of a bucket's replication, as far as it is known; what is not hides nothing of the others."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.enabled: bool | None = None
        self.whole = False
        self.unknown = ""
        try:
            self.enabled = view.get("status") == "Enabled"
            self.whole = self.enabled and _is_whole(view)
        except UnknownPropertyError as fault:
            self.unknown = fault.path


def _is_whole(rule: View) -> bool:
    parts = ("prefix", "filter.prefix", "filter.and.prefix", "filter.and.tags", "filter.tag")
    return not any(is_set(rule.get(part)) for part in parts)


def _replica_in_other_region(context: Context) -> Iterable[Result]:
    index = context.index
    copies = Copies.of_stack(index)
    groups: dict[str, list[tuple[Resource | View, str, Callable[[], bool]]]] = defaultdict(list)
    for replica in index.of(INSTANCE, CLUSTER):
        source = copies.followers.get(replica.urn)
        if source is not None:
            path = _source_path(replica)
            groups[source.urn].append((replica, path, lambda a=replica, b=source: index.region(a) != index.region(b)))
        elif replica.peek(_source_path(replica)) is not None and _names_source(replica):
            groups[replica.urn].append(
                (replica, _source_path(replica), lambda a=replica: _literal_is_elsewhere(a, context))
            )
    for replica in index.of(TABLE_REPLICA):
        groups[replica.urn].append((replica, "globalTableArn", lambda a=replica: _table_is_elsewhere(a, context)))
    for config in index.of(FILE_SYSTEM_REPLICATION):
        for each in _listed(config, "destination"):
            groups[config.urn].append((each, "region", lambda a=each: _files_are_elsewhere(a, context)))
    for urn, group in groups.items():
        # The group's own store: the source, or a replica whose source is in another stack.
        yield from attempt(group[0][0], lambda urn=urn, group=group: _judged(index.find(urn), group, copies, context))
    for config in index.of(BUCKET_REPLICATION):
        yield from attempt(config, lambda config=config: _bucket_elsewhere(config, context))
    for datastore in index.of(GLOBAL_DATASTORE):
        yield from attempt(datastore, lambda datastore=datastore: _member_elsewhere(datastore, context))


def _judged(
    store: Resource | None,
    group: list[tuple[Resource | View, str, Callable[[], bool]]],
    copies: Copies,
    context: Context,
) -> Iterator[Result]:
    results = list(_one_elsewhere(group))
    if results and store is not None and store.type in (INSTANCE, CLUSTER):
        others = [each for each in copies.of(store) if each.mechanism is not Mechanism.REPLICA]
        if not context.tier1(store) or any(_leaves_for_sure(each, context) for each in others):
            return
    yield from results


def _leaves_for_sure(copy: Copy, context: Context) -> bool:
    try:
        return copy.leaves(context.index)
    except UnknownPropertyError:
        return False


def _source_path(replica: Resource) -> str:
    if replica.type == INSTANCE:
        return "replicateSourceDb"
    named = replica.peek("replicationSourceIdentifier")
    return "replicationSourceIdentifier" if named is UNKNOWN or is_set(named) else "globalClusterIdentifier"


def _names_source(replica: Resource) -> bool:
    return _source_path(replica) != "globalClusterIdentifier" and is_set(replica.peek(_source_path(replica)))


def _literal_is_elsewhere(replica: Resource, context: Context) -> bool:
    # RDS takes a bare identifier for a source in the same region only; one elsewhere is named by its ARN.
    return arn_region(replica.get(_source_path(replica))) not in ("", context.index.region(replica))


def _table_is_elsewhere(replica: Resource, context: Context) -> bool:
    named = replica.peek("globalTableArn")
    table = context.index.target(replica, "globalTableArn", "aws:dynamodb/table:Table")
    home = arn_region(named) or (context.index.region(table) if table is not None else "")
    if not home and named is UNKNOWN:
        raise UnknownPropertyError("globalTableArn")
    return home not in ("", context.index.region(replica))


def _files_are_elsewhere(destination: View, context: Context) -> bool:
    found = file_place(destination)
    if found is UNKNOWN:
        raise UnknownPropertyError(f"{destination.prefix}.region")
    return found not in ("", context.index.region(destination.resource))


def _one_elsewhere(group: list[tuple[Resource | View, str, Callable[[], bool]]]) -> Iterator[Result]:
    """A source may have replicas at home, for reading, beside one elsewhere; without one, each is at fault."""
    results: list[Result] = []
    for about, path, is_elsewhere in group:
        try:
            if is_elsewhere():
                return
            full = ".".join(part for part in (about.prefix, path) if part)
            results.append(violation(about, path, f"`{full}`: one replica of a source must be {ELSEWHERE}"))
        except UnknownPropertyError:
            results.append(undecided(about, path))
    # While one may still be elsewhere, the others are not wrong.
    unsettled = [each for each in results if each.kind.value == "undecided"]
    yield from unsettled or results


def _bucket_elsewhere(config: Resource, context: Context) -> Iterator[Result]:
    home = context.index.region(config)
    places: list[object] = []
    for rule in rules_of(config):
        if rule.get("destination") is None or rule.peek("destination.bucket") is None:
            yield violation(
                rule, "destination.bucket", f"`{rule.prefix}.destination.bucket` must be {ELSEWHERE}", absent=True
            )
            continue
        places.append(bucket_place(rule, context.index))
    if not places or any(each not in ("", UNKNOWN, home) for each in places):
        return
    if any(each in ("", UNKNOWN) for each in places):
        yield undecided(config, "rules")
    else:
        yield violation(config, "rules", f"one of `rules` must write to a bucket {ELSEWHERE}")


def _member_elsewhere(datastore: Resource, context: Context) -> Iterator[Result]:
    index = context.index
    path = "primaryReplicationGroupId"
    primary = index.target(datastore, path, REPLICATION_GROUP)
    members = index.companions(datastore, REPLICATION_GROUP, "globalReplicationGroupId")
    if datastore.peek(path) is None:
        yield violation(datastore, path, f"`{path}` must be set", absent=True)
        return
    home = index.region(datastore if primary is None else primary)
    places = [index.region_or(member, UNKNOWN) for member in members]
    if any(each not in (home, UNKNOWN) for each in places):
        return
    if UNKNOWN in places:
        yield undecided(datastore, path)
    else:
        yield violation(datastore, "", f"the datastore must have a member {ELSEWHERE}", absent=not places)


def _tier1_has_cross_region_copy(context: Context) -> Iterable[Result]:
    def check(store: Resource, copies: Copies) -> Iterator[Result]:
        index = context.index
        if not context.tier1(store) or joins_elsewhere(store, index):
            return
        waiting: UnknownPropertyError | None = None
        for copy in copies.of(store):
            try:
                if copy.leaves(index):
                    return
            except UnknownPropertyError as fault:
                waiting = fault
        if waiting is not None:
            yield undecided(store, "")
            return
        yield violation(
            store,
            "",
            "tier 1: its data must be copied to another region, by a replica, a global cluster or datastore, "
            "replication, replicated automated backups or the copies of a backup plan",
            absent=True,
        )

    yield from per_store(context, check, *STORES)


def _secrets_images(resource: Resource, context: Context) -> Iterable[Result]:
    if resource.type == SECRET:
        yield from _leaves(resource, "replicas", "region", context)
    elif resource.type == REGISTRY_REPLICATION:
        for rule in resource.items("replicationConfiguration.rules") or (None,):
            if rule is None:
                yield violation(
                    resource, "replicationConfiguration.rules", "a rule must replicate the registry", absent=True
                )
            else:
                yield from attempt(rule, lambda rule=rule: _leaves(rule, "destinations", "region", context))
    else:
        registries = context.index.once("registry replications", lambda: _Registries(context.index))
        if not registries.take(resource):
            yield violation(
                resource,
                "",
                "images must be in the other region too: no `ReplicationConfiguration` of its region takes them",
                absent=not registries.found,
            )


class _Registries:
    """What the replication of registries takes, by region; a registry has one configuration in a region."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.found = index.of(REGISTRY_REPLICATION)
        self._prefixes: dict[Any, set[str]] = defaultdict(set)
        self._unknown: dict[Any, str] = {}
        for config in self.found:
            region = index.region_or(config, UNKNOWN)
            try:
                for rule in config.items("replicationConfiguration.rules"):
                    self._prefixes[region].update(_prefixes(rule))
            except UnknownPropertyError as fault:
                self._unknown[region] = fault.path

    def take(self, repository: Resource) -> bool:
        """Whether a repository is replicated.

        Raises:
            UnknownPropertyError: when that is not known yet.
        """
        regions = (self._index.region(repository), UNKNOWN)
        if any("" in self._prefixes.get(region, ()) for region in regions):
            return True
        name = repository.computed("name") if any(self._prefixes.get(region) for region in regions) else None
        for region in regions:
            prefixes = self._prefixes.get(region, set[str]())
            if isinstance(name, str) and any(name[:end] in prefixes for end in range(1, len(name) + 1)):
                return True
        for region in regions:
            if region in self._unknown:
                raise UnknownPropertyError(self._unknown[region])
        return False


def _prefixes(rule: View) -> Iterator[str]:
    """The beginnings of names that a rule takes; an empty one, which every name has, for a rule without filters."""
    filters = rule.items("repositoryFilters")
    if not filters:
        yield ""
    for each in filters:
        prefix = each.get("filter")
        if isinstance(prefix, str):
            yield prefix


def _leaves(about: Resource | View, path: str, key: str, context: Context) -> Iterator[Result]:
    home = context.index.region(about.resource)
    copies = about.items(path)
    places = [copy.peek(key) for copy in copies]
    if any(isinstance(each, str) and each not in ("", home) for each in places):
        return
    if UNKNOWN in places:
        yield undecided(about, path)
    else:
        full = ".".join(part for part in (about.prefix, path) if part)
        yield violation(about, path, f"`{full}` must have one in another region", absent=not copies)


def _listed(about: Resource, path: str) -> Iterable[View]:
    try:
        return about.items(path)
    except UnknownPropertyError:
        return ()


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "s3-replication": _s3_replication,
    "s3-replication-rpo": _s3_replication_rpo,
    "replica-in-other-region": _replica_in_other_region,
    "tier1-has-cross-region-copy": _tier1_has_cross_region_copy,
    "secrets-images-in-dr-region": _secrets_images,
}
