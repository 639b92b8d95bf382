"""Cases of `policies.rules.aws_transit`."""

from __future__ import annotations

from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
GROUP = "aws:rds/parameterGroup:ParameterGroup"
CLUSTER_GROUP = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
SEARCH = "aws:opensearch/domain:Domain"
KAFKA = "aws:msk/cluster:Cluster"
WAREHOUSE = "aws:redshift/cluster:Cluster"
WAREHOUSE_GROUP = "aws:redshift/parameterGroup:ParameterGroup"
IN_TRANSIT = "encryptionInfo.encryptionInTransit"


def _forced(name: str, value: object) -> dict[str, object]:
    return {"name": name, "value": value}


_group = make(GROUP, "group", {"family": "postgres14", "name": "shared", "parameters": [_forced("rds.force_ssl", "1")]})
_other_group = make(GROUP, "other-group", {"family": "postgres14", "name": "shared"}, region="eu-west-1")
_open_group = make(GROUP, "open", {"family": "postgres16", "parameters": [_forced("rds.force_ssl", "0")]})
_mysql_group = make(
    GROUP, "mysql", {"family": "mysql8.0", "name": "mysql", "parameters": [_forced("require_secure_transport", "ON")]}
)
_aurora_group = make(
    CLUSTER_GROUP, "aurora", {"family": "aurora-postgresql16", "parameters": [_forced("rds.force_ssl", 1)]}
)
_bare_aurora_group = make(CLUSTER_GROUP, "bare", {"family": "aurora-postgresql16", "name": "bare"})
_hidden_group = make(
    GROUP,
    "hidden",
    {"family": "postgres14", "name": "hidden", "parameters": [UNKNOWN, _forced("log_connections", "1")]},
)
_half_hidden_group = make(
    GROUP,
    "half-hidden",
    {"family": "postgres14", "name": "half-hidden", "parameters": [UNKNOWN, _forced("rds.force_ssl", "1")]},
)
_source = make(INSTANCE, "source", {"engine": "postgres", "engineVersion": "16.8"})
_old_source = make(INSTANCE, "old", {"engine": "postgres", "engineVersion": "13", "parameterGroupName": "shared"})
TLS = {"domainEndpointOptions": {"enforceHttps": True}, "nodeToNodeEncryption": {"enabled": True}}

CASES: dict[str, list[Case]] = {
    "rds-force-tls": [
        Case(
            kind="passes",
            about="versions whose default is on",
            resources=[
                _source,
                make(INSTANCE, "a", {"parameterGroupName": "default.postgres15"}),
                make(CLUSTER, "b", {"engine": "aurora-postgresql", "engineVersion": "17.4"}),
                make(CLUSTER, "c", {"engine": "aurora-mysql", "engineVersion": "8.4.mysql_aurora.8.4.7"}),
                make(CLUSTER, "d", {"engine": "postgres", "engineVersion": 16}),
            ],
        ),
        Case(
            kind="fails",
            about="a default group of an older version",
            resources=[
                make(INSTANCE, "a", {"engine": "postgres", "parameterGroupName": "default.postgres14"}),
                make(INSTANCE, "b", {"parameterGroupName": "default.sqlserver-ex-15.0"}),
                make(CLUSTER, "c", {"dbClusterParameterGroupName": "default.aurora-mysql8.0"}),
                make(CLUSTER, "d", {"dbClusterParameterGroupName": "default.aurora-postgresql16"}),
                make(INSTANCE, "e", {"parameterGroupName": "default.mariadb10.6"}),
            ],
            violated=[
                "a:parameterGroupName",
                "b:parameterGroupName",
                "c:dbClusterParameterGroupName",
                "d:dbClusterParameterGroupName",
                "e:parameterGroupName",
            ],
        ),
        Case(
            kind="absent",
            about="and the default is off",
            resources=[
                make(INSTANCE, "a", {"engine": "postgres", "engineVersion": "14.9"}),
                make(INSTANCE, "b", {"engine": "mysql", "engineVersion": "8.0"}),
                make(INSTANCE, "c", {"engine": "postgres"}, outputs={"engineVersionActual": "14.12"}),
                make(CLUSTER, "d", {"engine": "aurora-postgresql", "engineVersion": "16.8"}),
            ],
            violated=[
                "a:parameterGroupName",
                "b:parameterGroupName",
                "c:parameterGroupName",
                "d:dbClusterParameterGroupName",
            ],
        ),
        Case(
            kind="unknown",
            about="the version that AWS takes, unless it said so",
            resources=[
                make(INSTANCE, "a", {"engine": "postgres"}),
                make(INSTANCE, "b", {"engine": "postgres"}, outputs={"engineVersionActual": "17.5"}),
                make(INSTANCE, "c", {"engine": "mariadb"}),
            ],
            undecided=["a:engineVersion"],
            violated=["c:parameterGroupName"],
        ),
        Case(
            kind="absent",
            about="on a replica in another region",
            resources=[
                _group,
                _old_source,
                make(
                    INSTANCE,
                    inputs={"replicateSourceDb": UNKNOWN},
                    region="eu-west-1",
                    uses={"replicateSourceDb": _old_source},
                ),
            ],
            violated=["it:parameterGroupName"],
        ),
        Case(
            kind="unknown",
            about="group, parameters, engine",
            resources=[
                _hidden_group,
                _half_hidden_group,
                make(INSTANCE, "a", {"engine": "postgres", "parameterGroupName": UNKNOWN}),
                make(INSTANCE, "b", {"parameterGroupName": "hidden"}),
                make(INSTANCE, "c", {"engine": UNKNOWN}),
                make(INSTANCE, "d", {"snapshotIdentifier": "from-here"}),
                make(INSTANCE, "e", {"parameterGroupName": "half-hidden"}),
            ],
            undecided=["a:parameterGroupName", "c:engine", "d:engine", "hidden:parameters.0.name"],
        ),
        Case(
            kind="unknown",
            about="a group of another stack, or only looked up",
            resources=[
                read := make(GROUP, "read", read_only=True),
                make(INSTANCE, "a", {"engine": "postgres", "parameterGroupName": "elsewhere"}),
                make(
                    INSTANCE, "b", {"engine": "postgres", "parameterGroupName": "r"}, uses={"parameterGroupName": read}
                ),
                make(INSTANCE, "c", {"engine": "oracle-ee", "parameterGroupName": "elsewhere"}),
            ],
            undecided=["a:parameterGroupName", "b:parameterGroupName"],
        ),
        Case(
            kind="exempt",
            about="engines without such a parameter",
            resources=[
                oracle := make(GROUP, "oracle", {"family": "oracle-ee-19"}),
                make(INSTANCE, "a", {"engine": "oracle-ee", "engineVersion": "19"}),
                make(INSTANCE, "b", {"engine": "db2-se"}),
                make(INSTANCE, "c", {"parameterGroupName": UNKNOWN}, uses={"parameterGroupName": oracle}),
            ],
        ),
        Case(
            kind="exempt",
            about="a replica in its source's region",
            resources=[
                _group,
                _old_source,
                make(INSTANCE, inputs={"replicateSourceDb": UNKNOWN}, uses={"replicateSourceDb": _old_source}),
            ],
        ),
        Case(
            kind="companion",
            about="by dependency, and by a name that two regions have",
            resources=[
                _other_group,
                _group,
                _mysql_group,
                _aurora_group,
                make(INSTANCE, "a", {"parameterGroupName": UNKNOWN}, uses={"parameterGroupName": _group}),
                make(INSTANCE, "b", {"parameterGroupName": "shared"}),
                make(INSTANCE, "c", {"parameterGroupName": "shared"}, region="eu-west-1"),
                make(INSTANCE, "d", {"parameterGroupName": "mysql"}),
                make(
                    CLUSTER,
                    "e",
                    {"dbClusterParameterGroupName": UNKNOWN},
                    uses={"dbClusterParameterGroupName": _aurora_group},
                ),
            ],
            violated=["c:parameterGroupName"],
        ),
        Case(
            kind="companion",
            about="switched off, or not mentioned where the default is off",
            resources=[
                _open_group,
                _bare_aurora_group,
                make(INSTANCE, "a", {"parameterGroupName": UNKNOWN}, uses={"parameterGroupName": _open_group}),
                make(CLUSTER, "b", {"dbClusterParameterGroupName": "bare"}),
            ],
            violated=["a:parameterGroupName", "b:dbClusterParameterGroupName"],
        ),
        Case(kind="companion", about="a group without any database", resources=[_open_group]),
    ],
    "elasticache-in-transit": [
        Case(
            kind="passes",
            resources=[
                make(CACHE, "a", {"transitEncryptionEnabled": True, "transitEncryptionMode": "required"}),
                make(CACHE, "b", {"transitEncryptionEnabled": "true"}),
            ],
        ),
        Case(
            kind="fails",
            about="off, or with and without",
            resources=[
                make(CACHE, "a", {"transitEncryptionEnabled": False}),
                make(CACHE, "b", {"transitEncryptionEnabled": True, "transitEncryptionMode": "preferred"}),
            ],
            violated=["a:transitEncryptionEnabled", "b:transitEncryptionMode"],
        ),
        Case(kind="absent", resources=[make(CACHE)], violated=["it:transitEncryptionEnabled"]),
        Case(
            kind="unknown",
            resources=[make(CACHE, inputs={"transitEncryptionEnabled": UNKNOWN, "transitEncryptionMode": UNKNOWN})],
            undecided=["it:transitEncryptionEnabled", "it:transitEncryptionMode"],
        ),
        Case(
            kind="exempt",
            about="a secondary",
            resources=[make(CACHE, inputs={"globalReplicationGroupId": "ldgnf-datastore"})],
        ),
    ],
    "search-msk-redshift-tls": [
        Case(
            kind="passes",
            resources=[
                make(SEARCH, inputs=TLS),
                make(SEARCH, "block", {**TLS, "domainEndpointOptions": {"customEndpointEnabled": True}}),
                make(KAFKA, inputs={"encryptionInfo": {"encryptionInTransit": {"clientBroker": "TLS"}}}),
                make(WAREHOUSE_GROUP, inputs={"parameters": [_forced("require_ssl", "true")]}),
                make(WAREHOUSE_GROUP, "new", {"family": "redshift-2.0"}),
            ],
        ),
        Case(
            kind="fails",
            resources=[
                make(
                    SEARCH,
                    "search",
                    {
                        "domainEndpointOptions": {
                            "enforceHttps": False,
                            "tlsSecurityPolicy": "Policy-Min-TLS-1-0-2019-07",
                        },
                        "nodeToNodeEncryption": {"enabled": "no"},
                    },
                ),
                make(
                    KAFKA,
                    "kafka",
                    {"encryptionInfo": {"encryptionInTransit": {"clientBroker": "TLS_PLAINTEXT", "inCluster": False}}},
                ),
                make(WAREHOUSE, "warehouse", {"clusterParameterGroupName": "default.redshift-1.0"}),
                make(
                    WAREHOUSE_GROUP,
                    "group",
                    {"family": "redshift-2.0", "parameters": [_forced("require_ssl", "false")]},
                ),
            ],
            violated=[
                "search:domainEndpointOptions.enforceHttps",
                "search:domainEndpointOptions.tlsSecurityPolicy",
                "search:nodeToNodeEncryption.enabled",
                f"kafka:{IN_TRANSIT}.clientBroker",
                f"kafka:{IN_TRANSIT}.inCluster",
                "warehouse:clusterParameterGroupName",
                "group:parameters",
            ],
        ),
        Case(
            kind="absent",
            about="where the default is off; it is on for Kafka and for new warehouses",
            resources=[
                make(SEARCH, "search"),
                make(KAFKA),
                make(WAREHOUSE),
                make(WAREHOUSE_GROUP, "group", {"family": "redshift-1.0", "parameters": [_forced("other", "true"), 3]}),
            ],
            violated=[
                "group:parameters",
                "search:domainEndpointOptions.enforceHttps",
                "search:nodeToNodeEncryption.enabled",
            ],
        ),
        Case(
            kind="unknown",
            resources=[
                make(SEARCH, "search", {"domainEndpointOptions": UNKNOWN, "nodeToNodeEncryption": {"enabled": True}}),
                make(KAFKA, "kafka", {"encryptionInfo": {"encryptionInTransit": {"clientBroker": UNKNOWN}}}),
                make(WAREHOUSE_GROUP, "a", {"parameters": UNKNOWN}),
                make(WAREHOUSE_GROUP, "b", {"parameters": [_forced("require_ssl", UNKNOWN)]}),
                make(WAREHOUSE_GROUP, "c", {"family": UNKNOWN}),
            ],
            undecided=[
                "a:parameters",
                "b:parameters.0.value",
                "c:family",
                f"kafka:{IN_TRANSIT}.clientBroker",
                "search:domainEndpointOptions.enforceHttps",
                "search:domainEndpointOptions.tlsSecurityPolicy",
            ],
        ),
        Case(
            kind="companion",
            about="a warehouse with a group in a separate resource",
            resources=[
                group := make(WAREHOUSE_GROUP, "group", {"family": "redshift-1.0"}),
                make(
                    WAREHOUSE, inputs={"clusterParameterGroupName": UNKNOWN}, uses={"clusterParameterGroupName": group}
                ),
            ],
            violated=["group:parameters"],
        ),
    ],
}

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "elasticache-in-transit": {"companion": "the encryption is a property of the cache itself"},
    "search-msk-redshift-tls": {"exempt": "no role of them takes connections without TLS"},
}
"""By rule and kind: why there is no such case."""
