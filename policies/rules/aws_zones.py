"""AWS: what must survive the loss of an availability zone is in two."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.results import attempt, require, undecided, violation
from policies.core.roles import CLUSTER, is_replica
from policies.core.values import UNKNOWN, UnknownPropertyError, at_least, is_set, is_true, mapping, texts, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result

CLUSTER_INSTANCE: Final = "aws:rds/clusterInstance:ClusterInstance"
BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
CLASSIC_BALANCER: Final = "aws:elb/loadBalancer:LoadBalancer"
NAT: Final = "aws:ec2/natGateway:NatGateway"
ROUTE: Final = "aws:ec2/route:Route"
ROUTE_TABLE: Final = "aws:ec2/routeTable:RouteTable"
ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
SUBNET: Final = "aws:ec2/subnet:Subnet"
_TWO: Final = 2
_ZONE: Final = "availabilityZone"


def _rds_multi_az(resource: Resource, context: Context) -> Iterator[Result]:
    if context.parameters["replicas"] or not is_replica(resource, context.index):
        yield from require(resource, "multiAz", is_true, "true")


def _aurora_two_azs(context: Context) -> Iterator[Result]:
    index = context.index
    loose = [
        each
        for each in index.of(CLUSTER_INSTANCE)
        if each.peek("clusterIdentifier") is UNKNOWN and not index.targets(each, "clusterIdentifier", CLUSTER)
    ]
    for cluster in index.of(CLUSTER):
        yield from attempt(cluster, partial(_members, cluster, loose, context))


def _members(cluster: Resource, loose: Sequence[Resource], context: Context) -> Iterator[Result]:
    engine = cluster.get("engine")
    # Clusters of other engines are three instances in three zones by themselves, serverless ones have no instances.
    if not (isinstance(engine, str) and engine.startswith("aurora")) or cluster.get("engineMode") == "serverless":
        return
    members = context.index.companions(cluster, CLUSTER_INSTANCE, "clusterIdentifier")
    follows = is_replica(cluster, context.index)
    least = context.parameters["secondary_instances"] if follows else _TWO
    if len(members) < least:
        if loose:
            yield undecided(loose[0], "clusterIdentifier")
        else:
            message = f"the cluster must have {least:g} or more `aws.rds.ClusterInstance`, in different zones"
            yield violation(cluster, "", message, absent=True)
    elif least >= _TWO:
        yield from _apart(members)


def _apart(members: Sequence[Resource]) -> Iterator[Result]:
    """That instances are in two zones; Aurora itself spreads those that name none."""
    zones = [member.peek(_ZONE) or _placed(member) for member in members]
    names = {zone for zone in zones if isinstance(zone, str)}
    if len(names) >= _TWO:
        return
    if UNKNOWN in zones:
        yield undecided(members[zones.index(UNKNOWN)], _ZONE)
    elif len(names) == 1 and None not in zones:
        for member in members:
            yield violation(member, _ZONE, f"`{_ZONE}` must not be the same for all instances of the cluster")


def _placed(resource: Resource) -> Any:  # noqa: ANN401 - JSON
    """The zone that AWS chose, or None before it has."""
    try:
        return walk(resource.outputs, _ZONE)
    except UnknownPropertyError:
        return None


def _elasticache_multi_az(resource: Resource, _: Context) -> Iterator[Result]:
    for property_ in ("automaticFailoverEnabled", "multiAzEnabled"):
        yield from require(resource, property_, is_true, "true")


def _two_azs(resource: Resource, context: Context) -> Iterator[Result]:
    paths = ("subnets", "subnetMappings") if resource.type == BALANCER else ("vpcZoneIdentifiers", "availabilityZones")
    zones: set[str] = set()
    open_: list[str] = []
    for path in paths:
        value = resource.peek(path)
        items = _items(value)
        subnets = () if path == "availabilityZones" else context.index.targets(resource, path, SUBNET)
        own = [_zone(subnet) for subnet in subnets]
        zones.update(zone for zone in own if zone is not None)
        # Different subnets of another stack are taken to be apart: nothing here says where they are.
        here = {subnet.outputs.get("id") for subnet in subnets} if any(texts(items)) else set[Any]()
        zones.update(item for item in texts(items) if item not in here)
        unseen = not subnets if value is UNKNOWN else items.count(UNKNOWN) > len(subnets)
        if None in own or unseen:
            open_.append(path)
    if len(zones) >= _TWO:
        return
    if open_:
        yield undecided(resource, open_[0])
    else:
        message = f"`{paths[0]}` must be in at least two zones"
        yield violation(resource, paths[0], message, absent=not any(is_set(resource.peek(path)) for path in paths))


def _items(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """IDs or zones of a list, of mappings too, and UNKNOWN for each that is not known; one for a whole list."""
    if not isinstance(value, list):
        return [UNKNOWN] if value is UNKNOWN else []
    items = cast("list[Any]", value)
    return [mapping(item).get("subnetId") if isinstance(item, dict) else item for item in items]


def _zone(subnet: Resource) -> str | None:
    """A subnet's zone, if it is known."""
    for found in (subnet.peek(_ZONE), _placed(subnet), subnet.peek("availabilityZoneId")):
        if isinstance(found, str) and found:
            return found
    return None


def _cross_zone(resource: Resource, _: Context) -> Iterator[Result]:
    if resource.type == CLASSIC_BALANCER:
        yield from require(resource, "crossZoneLoadBalancing", lambda value: value is None or is_true(value), "true")
    elif resource.get("loadBalancerType") in ("network", "gateway"):
        yield from require(resource, "enableCrossZoneLoadBalancing", is_true, "true")


def _efs_regional(resource: Resource, _: Context) -> Iterable[Result]:
    return require(
        resource, "availabilityZoneName", lambda value: not is_set(value), "absent: it keeps data in one zone"
    )


def _search_domain(resource: Resource, context: Context) -> Iterator[Result]:
    masters = context.parameters["masters"]
    yield from require(resource, "clusterConfig.dedicatedMasterEnabled", is_true, "true")
    yield from require(
        resource, "clusterConfig.dedicatedMasterCount", at_least(masters), f"at least {masters:g} (masters)"
    )
    yield from require(resource, "clusterConfig.zoneAwarenessEnabled", is_true, "true")


def _nat_per_az(context: Context) -> Iterator[Result]:
    index = context.index
    tables: dict[Resource, dict[Resource, None]] = defaultdict(dict)
    for route in index.of(ROUTE):
        yield from _routes(route, "natGatewayId", index.targets(route, "routeTableId", ROUTE_TABLE), tables, index)
    for table in index.of(ROUTE_TABLE):
        yield from attempt(table, partial(_inline_routes, table, tables, index))
    served: dict[Resource, set[str]] = defaultdict(set)
    for association in index.of(ASSOCIATION):
        gateways = [nat for table in index.targets(association, "routeTableId") for nat in tables.get(table, ())]
        for subnet in index.targets(association, "subnetId", SUBNET) if gateways else ():
            zone = _zone(subnet)
            if zone is None:
                yield undecided(subnet, _ZONE)
                continue
            for gateway in gateways:
                served[gateway].add(zone)
    for gateway, zones in served.items():
        yield from attempt(gateway, partial(_serves_its_own, gateway, zones, index))


def _inline_routes(table: Resource, tables: Mapping[Resource, dict[Resource, None]], index: Index) -> Iterator[Result]:
    for route in table.items("routes"):
        yield from _routes(table, f"{route.prefix}.natGatewayId", [table], tables, index)


def _routes(
    about: Resource,
    path: str,
    of: Iterable[Resource],
    tables: Mapping[Resource, dict[Resource, None]],
    index: Index,
) -> Iterator[Result]:
    """Note the gateways that a route leads to under each table it is in."""
    value = about.peek(path)
    if not is_set(value):
        return
    gateways = index.targets(about, path, NAT)
    if not gateways and value is UNKNOWN:
        yield undecided(about, path)
    for table in of:
        tables[table].update(dict.fromkeys(gateways))


def _serves_its_own(gateway: Resource, zones: set[str], index: Index) -> Iterator[Result]:
    if gateway.get("availabilityMode") == "regional":
        return
    message = "`subnetId` must be in the zone of all private subnets behind the gateway: each zone needs its own"
    if len(zones) >= _TWO:
        yield violation(gateway, "subnetId", message)
        return
    # A preview does not know the ID of a subnet it makes, but does know the subnet.
    subnets = index.targets(gateway, "subnetId", SUBNET)
    if not subnets:
        # One of another stack may be anywhere.
        yield from require(gateway, "subnetId", is_set, "a subnet in the zone that the gateway serves")
    elif (home := _zone(subnets[0])) is not None and home not in zones:
        yield violation(gateway, "subnetId", message)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rds-multi-az": _rds_multi_az,
    "aurora-two-azs": _aurora_two_azs,
    "elasticache-multi-az": _elasticache_multi_az,
    "lb-asg-two-azs": _two_azs,
    "lb-cross-zone": _cross_zone,
    "efs-not-one-zone": _efs_regional,
    "search-domain-ha": _search_domain,
    "nat-per-az": _nat_per_az,
}
