"""Cases of `policies.rules.aws_alarms_lag` about queries, statistics, periods and kinds of replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.core.values import UNKNOWN
from tests.policies.cases.aws_alarms_lag import CLUSTER, INSTANCE, INSTANCES, LAG, ORDERS, WEST, alarm, case
from tests.policies.harness import Case, make

if TYPE_CHECKING:
    from policies.core.resource import Resource


_urgent = make(INSTANCE, "source", {"identifier": "orders", "tags": {"rpo": "1m"}})
_follower = make(
    INSTANCE,
    "replica",
    {"identifier": "orders", "replicateSourceDb": UNKNOWN},
    region=WEST,
    uses={"replicateSourceDb": _urgent},
)
_binlog = make(
    CLUSTER,
    "binlog",
    {"clusterIdentifier": "copy", "replicationSourceIdentifier": "arn:aws:rds:us-east-1:123456789012:cluster:orders"},
    region=WEST,
)
_member = make(CLUSTER, "member", {"clusterIdentifier": "far", "globalClusterIdentifier": "elsewhere"}, region=WEST)
_neptune_reader = {"clusterIdentifier": "neptune-2", "identifier": "n-1"}


def _global(service: str) -> list[Resource]:
    type_, owner = f"aws:{service}/cluster:Cluster", f"{service}-all"
    return [
        make(type_, f"{service}-1", {"globalClusterIdentifier": owner, "masterUsername": "admin"}),
        make(
            type_, f"{service}-2", {"globalClusterIdentifier": owner, "clusterIdentifier": f"{service}-2"}, region=WEST
        ),
    ]


def _queried(*queries: dict[str, object]) -> Resource:
    return alarm(
        "- -", None, 300, namespace=None, metricName=None, period=None, statistic=None, metricQueries=list(queries)
    )


CASES: dict[str, list[Case]] = {
    "replica-lag-alarm": [
        case(
            "passes",
            "the returned one of several queries",
            [*INSTANCES, _queried({"id": "e", "expression": "m*2"}, {"id": "m", "metric": LAG, "returnData": True})],
        ),
        case(
            "fails",
            "a query that is not the returned one",
            [
                *INSTANCES,
                _queried(
                    {"id": "m", "metric": LAG},
                    {"id": "other", "returnData": True, "metric": {**LAG, "metricName": "CPUUtilization"}},
                ),
            ],
            violated=["replica:"],
        ),
        case(
            "unknown",
            "what an expression makes of it, near or far",
            [
                *INSTANCES,
                _queried(
                    {"id": "m", "metric": LAG},
                    {"id": "n", "expression": "FILL(m, 0)"},
                    {"id": "e", "expression": "MAX([n])", "returnData": True},
                ),
            ],
            undecided=["alarm:metricQueries"],
        ),
        case(
            "fails",
            "the least of each period",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, statistic="Minimum")],
            violated=["alarm:statistic"],
        ),
        case(
            "fails",
            "a low percentile",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, statistic=None, extendedStatistic="p10")],
            violated=["alarm:extendedStatistic"],
        ),
        case(
            "fails",
            "after an hour",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, period=300, evaluationPeriods=12)],
            violated=["alarm:period"],
        ),
        case(
            "passes",
            "after some of the periods",
            [
                *INSTANCES,
                alarm("RDS ReplicaLag", ORDERS, 300, evaluationPeriods=60, datapointsToAlarm=5),
            ],
        ),
        case(
            "fails",
            "periods that nobody says",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, evaluationPeriods=None)],
            violated=["alarm:evaluationPeriods"],
        ),
        case(
            "unknown",
            "how long a period is",
            [*INSTANCES, alarm("RDS ReplicaLag", ORDERS, 300, period=UNKNOWN)],
            undecided=["alarm:period"],
        ),
        case(
            "fails",
            "the RPO of its source is stricter",
            [_urgent, _follower, alarm("RDS ReplicaLag", ORDERS, 300)],
            violated=["alarm:threshold"],
        ),
        case(
            "passes",
            "a cluster that reads another one's binary log",
            [_binlog, alarm("RDS AuroraBinlogReplicaLag", {"DBClusterIdentifier": "copy"}, 300)],
        ),
        case("fails", "a binary log that nobody watches", [_binlog], violated=["binlog:"]),
        case("fails", "a member of another stack's global cluster", [_member], violated=["member:"]),
        case(
            "passes",
            "a member of another stack's global cluster, watched",
            [_member, alarm("RDS AuroraGlobalDBRPOLag", {"DBClusterIdentifier": "far"}, 300000)],
        ),
        case(
            "exempt",
            "the member with the data",
            [make(CLUSTER, "head", {"globalClusterIdentifier": "elsewhere", "masterUsername": "admin"})],
        ),
        case(
            "fails",
            "members of DocumentDB and Neptune",
            [each for type_ in ("docdb", "neptune") for each in _global(type_)],
            violated=["docdb-2:", "neptune-2:"],
        ),
        case(
            "passes",
            "a member of DocumentDB in milliseconds",
            [*_global("docdb"), alarm("DocDB GlobalClusterReplicationLag", {"DBClusterIdentifier": "docdb-2"}, 3e5)],
        ),
        case(
            "passes",
            "a member of Neptune by its instance",
            [
                *_global("neptune"),
                make("aws:neptune/clusterInstance:ClusterInstance", "reader", _neptune_reader, region=WEST),
                alarm("Neptune GlobalDbProgressLag", {"DBInstanceIdentifier": "n-1"}, 3e5),
            ],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {}
"""By rule and kind: why there is no such case."""
