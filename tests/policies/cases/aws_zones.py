"""Cases of `policies.rules.aws_zones`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
MEMBER = "aws:rds/clusterInstance:ClusterInstance"
GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
CLASSIC = "aws:elb/loadBalancer:LoadBalancer"
SCALING = "aws:autoscaling/group:Group"
EFS = "aws:efs/fileSystem:FileSystem"
DOMAIN = "aws:opensearch/domain:Domain"
NAT = "aws:ec2/natGateway:NatGateway"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
SUBNET = "aws:ec2/subnet:Subnet"

_source = make(INSTANCE, "source", {"multiAz": True})
_replica = make(INSTANCE, inputs={"replicateSourceDb": UNKNOWN}, uses={"replicateSourceDb": _source})

_aurora = make(CLUSTER, inputs={"engine": "aurora-mysql", "globalClusterIdentifier": "g", "masterUsername": "u"})
_second = make(CLUSTER, "second", {"engine": "aurora-mysql", "globalClusterIdentifier": "g"})


def _member(name: str, zone: Any = None, of: Resource = _aurora, **outputs: Any) -> Resource:  # noqa: ANN401 - JSON
    inputs = {"clusterIdentifier": UNKNOWN, **({} if zone is None else {"availabilityZone": zone})}
    return make(MEMBER, name, inputs, uses={"clusterIdentifier": of}, outputs=outputs)


_a, _a2, _b = (
    make(SUBNET, name, {"availabilityZone": zone}) for name, zone in (("a", "z-a"), ("a2", "z-a"), ("b", "z-b"))
)
_anywhere = make(SUBNET, "anywhere")


def _in(type_: str, path: str, *subnets: Resource) -> list[Resource]:
    return [*subnets, make(type_, inputs={path: UNKNOWN}, uses={path: subnets})]


def _domain(**changed: Any) -> list[Resource]:  # noqa: ANN401 - JSON
    ready = {"dedicatedMasterEnabled": True, "dedicatedMasterCount": 3, "zoneAwarenessEnabled": True}
    return [make(DOMAIN, inputs={"clusterConfig": {**ready, **changed}})]


def _nat(name: str, subnet: Resource | None, **inputs: Any) -> Resource:  # noqa: ANN401 - JSON
    if subnet is None:
        return make(NAT, name, inputs)
    return make(NAT, name, {"subnetId": UNKNOWN, **inputs}, uses={"subnetId": subnet})


def _behind(nat: Resource, *subnets: Resource, inline: bool = False) -> list[Resource]:
    """A route table that leads to a gateway, and the subnets that follow it."""
    name = f"{nat.name}-{'-'.join(each.name for each in subnets)}"
    if inline:
        table = make(ROUTE_TABLE, name, {"routes": [{"natGatewayId": UNKNOWN}]}, uses={"routes": nat})
        routes: list[Resource] = []
    else:
        table = make(ROUTE_TABLE, name)
        inputs = {"routeTableId": UNKNOWN, "natGatewayId": UNKNOWN}
        routes = [make(ROUTE, f"{name}-route", inputs, uses={"routeTableId": table, "natGatewayId": nat})]
    associations = [
        make(
            ASSOCIATION,
            f"{name}-{each.name}",
            {"routeTableId": UNKNOWN, "subnetId": UNKNOWN},
            uses={"routeTableId": table, "subnetId": each},
        )
        for each in subnets
    ]
    return [nat, *_HOMES.get(nat.name, ()), table, *routes, *associations, *subnets]


_HOMES = {"nat-a": [_a2], "nat-b": [_b]}
_nat_a, _nat_b = (_nat(name, *subnets) for name, subnets in _HOMES.items())
_loose_table = make(ROUTE_TABLE, "table")

CASES: dict[str, list[Case]] = {
    "rds-multi-az": [
        Case(kind="passes", resources=[_source]),
        Case(kind="fails", resources=[make(INSTANCE, inputs={"multiAz": False})], violated=["it:multiAz"]),
        Case(
            kind="fails",
            about="a replica when asked",
            resources=[_source, _replica],
            parameters={"replicas": True},
            violated=["it:multiAz"],
        ),
        Case(kind="absent", resources=[make(INSTANCE)], violated=["it:multiAz"]),
        Case(kind="unknown", resources=[make(INSTANCE, inputs={"multiAz": UNKNOWN})], undecided=["it:multiAz"]),
        Case(kind="exempt", about="a replica", resources=[_source, _replica]),
    ],
    "aurora-two-azs": [
        Case(kind="passes", resources=[_aurora, _member("one", "z-a"), _member("two", "z-b")]),
        Case(kind="passes", about="Aurora spreads them", resources=[_aurora, _member("one"), _member("two", "z-a")]),
        Case(
            kind="passes",
            about="where AWS put them",
            resources=[_aurora, _member("one", availabilityZone="z-b"), _member("two", "z-a")],
        ),
        Case(
            kind="fails",
            about="one zone",
            resources=[_aurora, _member("one", "z-a"), _member("two", availabilityZone="z-a")],
            violated=["one:availabilityZone", "two:availabilityZone"],
        ),
        Case(kind="fails", about="one instance", resources=[_aurora, _member("one", "z-a")], violated=["it:"]),
        Case(
            kind="fails",
            about="a follower when asked",
            resources=[_aurora, _member("one"), _member("two"), _second, _member("three", of=_second)],
            parameters={"secondary_instances": 2},
            violated=["second:"],
        ),
        Case(kind="absent", resources=[_aurora], violated=["it:"]),
        Case(
            kind="unknown",
            resources=[_aurora, _member("one", "z-a"), _member("two", UNKNOWN)],
            undecided=["two:availabilityZone"],
        ),
        Case(
            kind="unknown",
            about="whose instance",
            resources=[_aurora, _member("one"), make(MEMBER, "loose", {"clusterIdentifier": UNKNOWN})],
            undecided=["loose:clusterIdentifier"],
        ),
        Case(
            kind="unknown",
            about="an engine",
            resources=[make(CLUSTER, inputs={"engine": UNKNOWN})],
            undecided=["it:engine"],
        ),
        Case(
            kind="companion",
            about="of another cluster",
            resources=[_aurora, _member("one"), _second, _member("two", of=_second)],
            violated=["it:"],
        ),
        Case(kind="exempt", about="another engine", resources=[make(CLUSTER, inputs={"engine": "mysql"})]),
        Case(
            kind="exempt",
            about="serverless",
            resources=[make(CLUSTER, inputs={"engine": "aurora", "engineMode": "serverless"})],
        ),
        Case(
            kind="exempt",
            about="a follower",
            resources=[_aurora, _member("one"), _member("two"), _second, _member("three", of=_second)],
        ),
    ],
    "elasticache-multi-az": [
        Case(kind="passes", resources=[make(GROUP, inputs={"automaticFailoverEnabled": True, "multiAzEnabled": True})]),
        Case(
            kind="fails",
            about="failover alone",
            resources=[make(GROUP, inputs={"automaticFailoverEnabled": True, "multiAzEnabled": False})],
            violated=["it:multiAzEnabled"],
        ),
        Case(kind="absent", resources=[make(GROUP)], violated=["it:automaticFailoverEnabled", "it:multiAzEnabled"]),
        Case(
            kind="unknown",
            about="one does not hide the other",
            resources=[make(GROUP, inputs={"automaticFailoverEnabled": UNKNOWN})],
            violated=["it:multiAzEnabled"],
            undecided=["it:automaticFailoverEnabled"],
        ),
    ],
    "lb-asg-two-azs": [
        Case(kind="passes", resources=_in(BALANCER, "subnets", _a, _b)),
        Case(kind="passes", about="mapped", resources=_in(BALANCER, "subnetMappings", _a, _b)),
        Case(kind="passes", about="a group", resources=_in(SCALING, "vpcZoneIdentifiers", _a, _a2, _b)),
        Case(
            kind="passes",
            about="zones by name",
            resources=[make(SCALING, inputs={"availabilityZones": ["z-a", "z-b"]})],
        ),
        Case(
            kind="passes", about="elsewhere", resources=[make(BALANCER, inputs={"subnets": ["subnet-1", "subnet-2"]})]
        ),
        Case(
            kind="passes",
            about="where AWS put them",
            resources=_in(SCALING, "vpcZoneIdentifiers", _a, make(SUBNET, "c", outputs={"availabilityZone": "z-c"})),
        ),
        Case(
            kind="fails",
            about="one zone",
            resources=_in(SCALING, "vpcZoneIdentifiers", _a, _a2),
            violated=["it:vpcZoneIdentifiers"],
        ),
        Case(
            kind="fails",
            about="one subnet",
            resources=[make(BALANCER, inputs={"subnets": ["subnet-1"]})],
            violated=["it:subnets"],
        ),
        Case(
            kind="fails",
            about="one zone by name",
            resources=[make(SCALING, inputs={"availabilityZones": ["z-a", "z-a"]})],
            violated=["it:vpcZoneIdentifiers"],
        ),
        Case(
            kind="fails",
            about="no list",
            resources=[make(BALANCER, inputs={"subnets": {"a": 1}})],
            violated=["it:subnets"],
        ),
        Case(kind="absent", resources=[make(BALANCER)], violated=["it:subnets"]),
        Case(kind="unknown", resources=[make(BALANCER, inputs={"subnets": UNKNOWN})], undecided=["it:subnets"]),
        Case(
            kind="unknown",
            about="one of its subnets, said twice",
            resources=[make(BALANCER, inputs={"subnets": [UNKNOWN, UNKNOWN]})],
            undecided=["it:subnets"],
        ),
        Case(
            kind="unknown",
            about="zones",
            resources=[make(SCALING, inputs={"availabilityZones": ["z-a", UNKNOWN]})],
            undecided=["it:availabilityZones"],
        ),
        Case(
            kind="fails",
            about="one subnet of this stack, said twice by its ID",
            resources=[
                make(SUBNET, "a", {"availabilityZone": "z-a"}, outputs={"id": "subnet-1"}),
                make(BALANCER, inputs={"subnetMappings": [{"subnetId": "subnet-1"}] * 2}),
            ],
            violated=["it:subnets"],
        ),
        Case(kind="companion", resources=_in(BALANCER, "subnets", _a, _anywhere), undecided=["it:subnets"]),
    ],
    "lb-cross-zone": [
        Case(
            kind="passes",
            resources=[make(BALANCER, inputs={"loadBalancerType": "network", "enableCrossZoneLoadBalancing": True})],
        ),
        Case(
            kind="fails",
            resources=[make(BALANCER, inputs={"loadBalancerType": "gateway", "enableCrossZoneLoadBalancing": False})],
            violated=["it:enableCrossZoneLoadBalancing"],
        ),
        Case(
            kind="fails",
            about="classic",
            resources=[make(CLASSIC, inputs={"crossZoneLoadBalancing": False})],
            violated=["it:crossZoneLoadBalancing"],
        ),
        Case(
            kind="absent",
            resources=[make(BALANCER, inputs={"loadBalancerType": "network"}), make(CLASSIC, "classic")],
            violated=["it:enableCrossZoneLoadBalancing"],
        ),
        Case(
            kind="unknown",
            resources=[make(BALANCER, inputs={"loadBalancerType": UNKNOWN})],
            undecided=["it:loadBalancerType"],
        ),
        Case(kind="exempt", about="an application load balancer", resources=[make(BALANCER)]),
    ],
    "efs-not-one-zone": [
        Case(kind="passes", resources=[make(EFS, inputs={"availabilityZoneName": ""})]),
        Case(
            kind="fails",
            resources=[make(EFS, inputs={"availabilityZoneName": "z-a"})],
            violated=["it:availabilityZoneName"],
        ),
        Case(kind="absent", resources=[make(EFS)]),
        Case(
            kind="unknown",
            resources=[make(EFS, inputs={"availabilityZoneName": UNKNOWN})],
            undecided=["it:availabilityZoneName"],
        ),
    ],
    "search-domain-ha": [
        Case(kind="passes", resources=_domain()),
        Case(
            kind="fails",
            resources=_domain(dedicatedMasterCount="2"),
            violated=["it:clusterConfig.dedicatedMasterCount"],
        ),
        Case(
            kind="fails",
            about="no masters",
            resources=_domain(dedicatedMasterEnabled=False),
            violated=["it:clusterConfig.dedicatedMasterEnabled"],
        ),
        Case(
            kind="fails",
            about="the team's",
            resources=_domain(),
            parameters={"masters": 5},
            violated=["it:clusterConfig.dedicatedMasterCount"],
        ),
        Case(
            kind="absent",
            resources=[make(DOMAIN)],
            violated=[
                "it:clusterConfig.dedicatedMasterCount",
                "it:clusterConfig.dedicatedMasterEnabled",
                "it:clusterConfig.zoneAwarenessEnabled",
            ],
        ),
        Case(
            kind="unknown",
            resources=_domain(dedicatedMasterCount=UNKNOWN, zoneAwarenessEnabled=False),
            violated=["it:clusterConfig.zoneAwarenessEnabled"],
            undecided=["it:clusterConfig.dedicatedMasterCount"],
        ),
    ],
    "nat-per-az": [
        Case(kind="passes", resources=[*_behind(_nat_a, _a), *_behind(_nat_b, _b)]),
        Case(kind="passes", about="no gateway", resources=[_a, _b]),
        Case(kind="passes", about="inline routes", resources=_behind(_nat_a, _a, inline=True)),
        Case(
            kind="passes", about="of another stack", resources=_behind(make(NAT, "nat", {"subnetId": "subnet-1"}), _a)
        ),
        Case(kind="fails", about="two zones", resources=_behind(_nat_a, _a, _b), violated=["nat-a:subnetId"]),
        Case(
            kind="fails",
            about="two tables",
            resources=[*_behind(_nat_a, _a), *_behind(_nat_a, _b)],
            violated=["nat-a:subnetId"],
        ),
        Case(kind="fails", about="crossed", resources=_behind(_nat_b, _a), violated=["nat-b:subnetId"]),
        Case(kind="fails", about="inline", resources=_behind(_nat_b, _a, inline=True), violated=["nat-b:subnetId"]),
        Case(
            kind="fails",
            about="two zones of another stack's gateway subnet",
            resources=_behind(make(NAT, "nat", {"subnetId": "subnet-1"}), _a, _b),
            violated=["nat:subnetId"],
        ),
        Case(kind="absent", resources=_behind(_nat("nat", None), _a), violated=["nat:subnetId"]),
        Case(
            kind="unknown",
            about="a zone",
            resources=_behind(_nat_a, _anywhere),
            undecided=["anywhere:availabilityZone"],
        ),
        Case(
            kind="unknown",
            about="a gateway",
            resources=[
                _loose_table,
                make(
                    ROUTE,
                    "route",
                    {"routeTableId": UNKNOWN, "natGatewayId": UNKNOWN},
                    uses={"routeTableId": _loose_table},
                ),
            ],
            undecided=["route:natGatewayId"],
        ),
        Case(
            kind="unknown",
            about="inline routes",
            resources=[make(ROUTE_TABLE, "table", {"routes": UNKNOWN})],
            undecided=["table:routes"],
        ),
        Case(
            kind="unknown",
            about="a gateway's subnet",
            resources=_behind(make(NAT, "nat", {"subnetId": UNKNOWN}), _a),
            undecided=["nat:subnetId"],
        ),
        Case(kind="companion", about="subnets without a way out", resources=[*_behind(_nat_a, _a), _b]),
        Case(
            kind="exempt",
            about="a regional gateway",
            resources=_behind(_nat("nat", None, availabilityMode="regional"), _a, _b),
        ),
    ],
}

_OWN = "it is a property of the resource itself"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "rds-multi-az": {"companion": _OWN},
    "elasticache-multi-az": {"companion": _OWN, "exempt": "a follower serves when it is promoted, in its zones"},
    "lb-asg-two-azs": {"exempt": "no role makes one zone enough"},
    "lb-cross-zone": {"companion": _OWN},
    "efs-not-one-zone": {"companion": _OWN, "exempt": "no role makes one zone enough"},
    "search-domain-ha": {"companion": _OWN, "exempt": "no role makes one zone enough"},
}
"""By rule and kind: why there is no such case."""
