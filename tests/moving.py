"""ReskFlow's writers, moved as recovery moves them: by calls that no program knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "123456789012"
PREFIX = "reskflow-production"
GLOBAL = f"{PREFIX}-orders"


def cluster_arn(region: str) -> str:
    """The database's cluster in a region."""
    return f"arn:aws:rds:{region}:{ACCOUNT}:cluster:{GLOBAL}-{region}"


def fail_over_database(client: Callable[[str, str], Any], region: str) -> None:
    """Make a region's cluster the writer, whatever the one before still has.

    Args:
        client: Makes boto3's client of a service in a region.
        region: Where.
    """
    client("rds", region).failover_global_cluster(
        GlobalClusterIdentifier=GLOBAL, TargetDbClusterIdentifier=cluster_arn(region), AllowDataLoss=True
    )


def switch_database_over(client: Callable[[str, str], Any], region: str) -> None:
    """Make a region's cluster the writer once it has everything; arguments as above."""
    client("rds", region).switchover_global_cluster(
        GlobalClusterIdentifier=GLOBAL, TargetDbClusterIdentifier=cluster_arn(region)
    )


def fail_over_cache(client: Callable[[str, str], Any], region: str) -> None:
    """Make a region's cache the primary; arguments as above."""
    cache = client("elasticache", region)
    (datastore,) = cache.describe_global_replication_groups()["GlobalReplicationGroups"]
    cache.failover_global_replication_group(
        GlobalReplicationGroupId=datastore["GlobalReplicationGroupId"],
        PrimaryRegion=region,
        PrimaryReplicationGroupId=f"{PREFIX}-sessions-{region}",
    )
