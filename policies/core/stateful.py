"""What holds something that a deployment cannot make again: the types, by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policies.core.resource import Resource

_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "database": (
        "aws:rds/instance:Instance",
        "aws:rds/cluster:Cluster",
        "aws:rds/globalCluster:GlobalCluster",
        "aws:docdb/cluster:Cluster",
        "aws:docdb/globalCluster:GlobalCluster",
        "aws:neptune/cluster:Cluster",
        "aws:neptune/globalCluster:GlobalCluster",
        "aws:dsql/cluster:Cluster",
        "aws:dynamodb/table:Table",
        "aws:dynamodb/tableReplica:TableReplica",
        "aws:keyspaces/table:Table",
        "aws:memorydb/cluster:Cluster",
        "aws:opensearch/domain:Domain",
        "aws:redshift/cluster:Cluster",
        "aws:redshiftserverless/namespace:Namespace",
        "aws:timestreamwrite/table:Table",
        "gcp:alloydb/cluster:Cluster",
        "gcp:bigquery/dataset:Dataset",
        "gcp:bigquery/table:Table",
        "gcp:bigtable/instance:Instance",
        "gcp:bigtable/table:Table",
        "gcp:firestore/database:Database",
        "gcp:spanner/database:Database",
        "gcp:spanner/instance:Instance",
        "gcp:sql/databaseInstance:DatabaseInstance",
    ),
    "cache": (
        "aws:elasticache/cluster:Cluster",
        "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:elasticache/serverlessCache:ServerlessCache",
        "gcp:memorystore/instance:Instance",
        "gcp:redis/cluster:Cluster",
        "gcp:redis/instance:Instance",
    ),
    "objects": (
        "aws:s3/bucket:Bucket",
        "aws:s3/directoryBucket:DirectoryBucket",
        "aws:s3tables/tableBucket:TableBucket",
        "gcp:storage/bucket:Bucket",
    ),
    "files": (
        "aws:efs/fileSystem:FileSystem",
        "aws:fsx/lustreFileSystem:LustreFileSystem",
        "aws:fsx/ontapFileSystem:OntapFileSystem",
        "aws:fsx/openZfsFileSystem:OpenZfsFileSystem",
        "aws:fsx/windowsFileSystem:WindowsFileSystem",
        "gcp:filestore/instance:Instance",
        "gcp:netapp/volume:Volume",
    ),
    "disk": ("aws:ebs/volume:Volume", "gcp:compute/disk:Disk", "gcp:compute/regionDisk:RegionDisk"),
    "stream": ("aws:kinesis/stream:Stream", "aws:msk/cluster:Cluster", "aws:msk/serverlessCluster:ServerlessCluster"),
    "images": ("aws:ecr/repository:Repository", "gcp:artifactregistry/repository:Repository"),
    "users": ("aws:cognito/userPool:UserPool",),
    "vault": (
        "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault",
        "aws:backup/vault:Vault",
        "gcp:backupdisasterrecovery/backupVault:BackupVault",
    ),
    "key": ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "gcp:kms/cryptoKey:CryptoKey"),
    "secret": ("aws:secretsmanager/secret:Secret", "gcp:secretmanager/secret:Secret"),
    "zone": ("aws:route53/zone:Zone", "gcp:dns/managedZone:ManagedZone"),
}

STATEFUL: Final[Mapping[str, str]] = {type_: kind for kind, types in _KINDS.items() for type_ in types}
"""Kind by canonical type token: what cannot be had back by deploying again.

Instances of a cluster are not among them: the cluster holds the data. Neither are queues, whose messages are on their
way to somewhere else. A zone counts for its name servers, which another one would not get.
"""
DATA: Final = frozenset({"database", "cache", "objects", "files", "disk", "stream", "users"})
"""The kinds that hold what users entrusted."""


def is_stateful(resource: Resource) -> bool:
    """Whether a resource is of a stateful type."""
    return resource.type in STATEFUL
