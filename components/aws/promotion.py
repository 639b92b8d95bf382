"""Inputs that a promotion changes behind Pulumi's back, and why each is left alone.

Roles are runtime state: a failover, a failback or a retirement moves them without an `up`. What the provider then reads
back differs from the program in exactly the properties below. Every ``ignoreChanges`` of a component comes from this
table, or from `adoption` where a resource is imported, and from nowhere else, so that a preview is empty wherever the
active site is, and nothing else is masked.

The engine applies ``ignoreChanges`` to a resource that exists, by keeping the value it had; a new resource is still
created with what the program says.
"""

from __future__ import annotations

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
GLOBAL_CLUSTER = "aws:rds/globalCluster:GlobalCluster"
GLOBAL_DATASTORE = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"
RECORD = "aws:route53/record:Record"

PROMOTION_CHANGES: dict[str, dict[str, str]] = {
    INSTANCE: {
        "replicateSourceDb": "A promotion clears it and nothing can put it back: the provider refuses with `cannot "
        "elect new source database`. Once the source was retired, the program no longer names one either.",
        "username": "A replica takes it from its source. When the source was retired, the promoted replica stands "
        "first in the chain with the first one's arguments; a user name that appears would replace it.",
        "password": "As the user name. It is written when the chain begins; a rotation has to reach the writer, "
        "whichever that is, and is a step of its own.",
        "dbName": "As the user name; a database name that appears would replace the instance.",
    },
    CLUSTER: {
        "replicationSourceIdentifier": "Aurora sets it on whichever cluster is not the writer. The program sets it "
        "nowhere, which the provider would take as the order to promote the cluster out of its global cluster.",
        "globalClusterIdentifier": "During a failover the cluster that was lost leaves the global cluster until Aurora "
        "has rebuilt it, and the provider reads nothing back. It refuses to put an existing cluster into a global one.",
    },
    GLOBAL_CLUSTER: {
        "engineVersion": "It is read from the current writer, whose minor version is its cluster's. Versions are "
        "declared on the clusters, which are upgraded one site at a time, standby first.",
    },
    GLOBAL_DATASTORE: {
        "primaryReplicationGroupId": "The provider reads the promoted group back, and a difference replaces the whole "
        "datastore (terraform-provider-aws#46121).",
    },
    RECORD: {
        "records": "Routing kind `record` only: recovery edits the name to the active site's target. The failover "
        "pairs of the other kinds are constant, and ignore nothing.",
    },
}
"""Reason by type token and property, by the property's wire name."""


def ignored(token: str) -> list[str]:
    """Properties of a type that a promotion changes, for ``ResourceOptions(ignore_changes=...)``.

    Raises:
        KeyError: for a type that no promotion changes; it has nothing to ignore.
    """
    return sorted(PROMOTION_CHANGES[token])
