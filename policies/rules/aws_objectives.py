"""AWS: what is declared, and whether the resources can keep it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from policies.core.backups import selections
from policies.core.objectives import DECLARATION_SUFFIX, RESILIENCE_POLICY, tag
from policies.core.results import attempt, undecided, unknown, violation
from policies.core.roles import CLUSTER
from policies.core.stateful import DATA, STATEFUL
from policies.core.values import UnknownPropertyError, number
from policies.rules.aws_copies import STORES, Copies, joins_elsewhere, per_store, plans_of
from policies.rules.aws_losses import Lags, kept, local_loss, loss
from policies.rules.aws_routing_graph import failover_groups
from policies.rules.aws_zones import BALANCER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.objectives import Objectives
    from policies.core.resource import Resource
    from policies.core.results import Result

CLUSTER_INSTANCE: Final = "aws:rds/clusterInstance:ClusterInstance"
SCALING_GROUP: Final = "aws:autoscaling/group:Group"
SERVICE: Final = "aws:ecs/service:Service"
LISTENER: Final = "aws:lb/listener:Listener"
TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
SCALING_TARGET: Final = "aws:appautoscaling/target:Target"

_MEMBERS: Final = ("globalCluster:GlobalCluster", "TableReplica", "GlobalReplicationGroup")
_DATA_TYPES: Final = tuple(
    type_
    for type_, kind in STATEFUL.items()
    if kind in DATA and type_.startswith("aws:") and not type_.endswith(_MEMBERS)
)
"""What holds data itself, and is not only how its members are joined."""
_SIZES: Final = {"nano": 0.25, "micro": 0.5, "small": 1, "medium": 2, "large": 4, "xlarge": 8}
_MANY: Final = re.compile(r"(\d{1,3})xlarge")


def _rpo_declared(context: Context) -> Iterable[Result]:
    whole = _whole_stack(context)

    def check(store: Resource, _: Copies) -> Iterator[Result]:
        demanded = context.objectives(store)
        if demanded.tier is not None and demanded.tier > 1:
            return
        if demanded.source != "declaration":
            for name in ("rpo", "rto", "tier"):
                tag(store, name)
        elif whole is not None and whole.rpo is not None and demanded.rpo is None and demanded.rto is not None:
            # Named by a declaration that leaves its RPO out: what is in it can be made again.
            return
        missing = [name for name, value in (("RPO", demanded.rpo), ("RTO", demanded.rto)) if value is None]
        if missing:
            yield violation(
                store,
                "",
                f"its {' and '.join(missing)} must be declared: by a declaration, by tags or by the pack's settings",
                absent=True,
            )

    yield from per_store(context, check, *_DATA_TYPES)


def _whole_stack(context: Context) -> Objectives | None:
    """What the declarations demand of whatever belongs to none of the stores they name."""
    for resource in context.index:
        if resource.type == RESILIENCE_POLICY or resource.type.endswith(DECLARATION_SUFFIX):
            return context.index.declared.of(resource)
    return None


def _rpo_vs_backup_interval(context: Context) -> Iterable[Result]:
    index = context.index
    lags, chosen = Lags(index), selections(index)

    def check(store: Resource, copies: Copies) -> Iterator[Result]:
        rpo = context.objectives(store).rpo
        if rpo is None:
            return
        lost = context.tier1(store)
        if lost and joins_elsewhere(store, index):
            return
        bounded: dict[str, None] = {}
        waiting: UnknownPropertyError | None = None
        for copy in copies.of(store):
            try:
                if not (copy.leaves(index) or not lost):
                    continue
                bounds = list(loss(copy, index, lags))
            except UnknownPropertyError as fault:
                waiting = fault
                continue
            if any(seconds <= rpo for seconds in bounds):
                return
            bounded[f"{copy.mechanism.value}, {'not soon enough' if bounds else 'whose lag nothing bounds'}"] = None
        if not lost:
            if any(seconds <= rpo for seconds in local_loss(store, index, plans_of(store, chosen, index))):
                return
            bounded["what can be restored in place, not soon enough"] = None
        if waiting is not None:
            yield unknown(store.urn, waiting.path)
            return
        where = "in another region, no more than its RPO may be missing" if lost else "no more than its RPO may be lost"
        yield violation(store, "", f"{where}; there is {'; '.join(bounded) or 'no copy'}", absent=not bounded)

    yield from per_store(context, check, *STORES)


def _retention_vs_declared(context: Context) -> Iterable[Result]:
    index = context.index
    chosen = selections(index)

    def check(store: Resource, _: Copies) -> Iterator[Result]:
        wanted = context.objectives(store).retention_days
        if wanted is None:
            return
        if all(days < wanted for days in kept(store, index, plans_of(store, chosen, index))):
            if chosen.covers(store) is None:
                yield undecided(store, "tags")
                return
            yield violation(
                store, "", "a past state must be restorable for as long as is declared: backups or versions end sooner"
            )

    yield from per_store(context, check, *STORES)


def _dr_capacity_floor(context: Context) -> Iterable[Result]:
    yield from _clusters(context)
    placed: list[tuple[Resource, str]] = []
    for resource in context.index.of(SCALING_GROUP, SERVICE):
        try:
            region = context.index.region(resource)
        except UnknownPropertyError as fault:
            yield unknown(resource.urn, fault.path)
            continue
        if region and not (resource.type == SERVICE and resource.peek("schedulingStrategy") == "DAEMON"):
            placed.append((resource, region))
    for pair in _pairs(placed, context.index):
        yield from attempt(pair[0], lambda pair=pair: _pair(pair, context))


def _pairs(placed: Iterable[tuple[Resource, str]], index: Index) -> Iterator[list[Resource]]:
    """Groups or services of several regions that do the same; one may be in several pairs."""
    named: dict[tuple[str, ...], dict[Resource, str]] = defaultdict(dict)
    alone: dict[tuple[str, ...], dict[Resource, str]] = defaultdict(dict)
    behind = _behind_records(index)
    for resource, region in placed:
        named[resource.type, "logical", _without(resource.name, region)][resource] = region
        declared = resource.peek("name")
        if isinstance(declared, str) and declared:
            named[resource.type, "declared", _without(declared, region)][resource] = region
        parent = next(index.ancestors(resource), None)
        if parent is not None:
            alone[resource.type, "parent", parent.type][resource] = region
        for key in behind.get(resource.urn, ()):
            alone[resource.type, "record", key][resource] = region
    for pair in named.values():
        if len(set(pair.values())) > 1:
            yield list(pair)
    for pair in alone.values():
        # Of several in one region nothing says which one belongs to which.
        if len(set(pair.values())) == len(pair) > 1:
            yield list(pair)


def _behind_records(index: Index) -> dict[str, list[str]]:
    """By URN: the names that fail over between what a service or group stands behind, through load balancers."""
    found: dict[str, list[str]] = defaultdict(list)
    for number_, group in enumerate(failover_groups(index).found):
        for record in (each for records in group.records.values() for each in records):
            for balancer in index.targets(record, "aliases", BALANCER):
                for listener in index.companions(balancer, LISTENER, "loadBalancerArn"):
                    for target in index.targets(listener, "defaultActions", TARGET_GROUP):
                        for member in (
                            *index.companions(target, SERVICE, "loadBalancers"),
                            *index.companions(target, SCALING_GROUP, "targetGroupArns"),
                        ):
                            found[member.urn].append(str(number_))
    return found


def _without(name: str, region: str) -> str:
    return name.replace(region, "*").replace(region.replace("-", ""), "*")


def _pair(pair: list[Resource], context: Context) -> Iterator[Result]:
    """Groups or services that do the same in several regions: the largest is held to be the primary."""
    sizes = [(resource, *_least(resource, context)) for resource in pair]
    most = max(size for _, _, size in sizes)
    share = context.parameters["percent"]
    for resource, path, size in sizes:
        if size * 100 < most * share:
            yield violation(
                resource,
                path,
                f"`{path}` must be at least {share:g} % of the same in the other region",
                absent=size == 0,
            )


def _least(resource: Resource, context: Context) -> tuple[str, float]:
    if resource.type == SCALING_GROUP:
        return "minSize", number(resource.get("minSize")) or 0
    targets = context.index.companions(resource, SCALING_TARGET, "resourceId")
    if targets:
        return "desiredCount", max(number(each.get("minCapacity")) or 0 for each in targets)
    written = resource.get("desiredCount")
    # A service runs one task where no count is declared.
    return "desiredCount", 1 if written is None else number(written) or 0


def _clusters(context: Context) -> Iterator[Result]:
    copies = Copies.of_stack(context.index)
    for cluster in context.index.of(CLUSTER):
        source = copies.followers.get(cluster.urn)
        if source is not None:
            yield from attempt(cluster, lambda cluster=cluster, source=source: _cluster_floor(cluster, source, context))


def _cluster_floor(cluster: Resource, source: Resource, context: Context) -> Iterator[Result]:
    index = context.index
    if index.region(cluster) == index.region(source):
        return
    primary, standby = (index.companions(each, CLUSTER_INSTANCE, "clusterIdentifier") for each in (source, cluster))
    share = context.parameters["percent"]
    sizes = [_units(each.get("instanceClass")) for each in primary]
    needed = max((size for size in sizes if size is not None), default=None)
    if needed is None:
        return
    largest = max((_units(each.get("instanceClass")) or 0 for each in standby), default=0.0)
    if not standby:
        yield violation(cluster, "", "the cluster must have an instance to fail over to", absent=True)
    elif largest * 100 < needed * share and not any(_units(each.get("instanceClass")) is None for each in standby):
        for each in standby:
            yield violation(
                each, "instanceClass", f"`instanceClass` must be at least {share:g} % of the primary's in size"
            )


def _units(instance_class: Any) -> float | None:  # noqa: ANN401 - JSON
    """How large a class is, next to others of its family; None for what has no fixed size."""
    size = instance_class.rpartition(".")[2] if isinstance(instance_class, str) else ""
    many = _MANY.fullmatch(size)
    return _SIZES["xlarge"] * int(many[1]) if many else _SIZES.get(size)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rpo-declared": _rpo_declared,
    "rpo-vs-backup-interval": _rpo_vs_backup_interval,
    "retention-vs-declared": _retention_vs_declared,
    "dr-capacity-floor": _dr_capacity_floor,
}
