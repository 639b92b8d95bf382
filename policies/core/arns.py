"""Amazon Resource Names: ``arn:partition:service:region:account:resource``."""

from __future__ import annotations

from typing import Any, Final

_PARTS = 6
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""By the beginning of a region; all others are in ``aws``."""
NAMED_ARNS: Final = {
    "aws:s3/bucket:Bucket": ("s3", "", "bucket"),
    "aws:rds/instance:Instance": ("rds", "db:", "identifier"),
    "aws:rds/cluster:Cluster": ("rds", "cluster:", "clusterIdentifier"),
    "aws:docdb/cluster:Cluster": ("rds", "cluster:", "clusterIdentifier"),
    "aws:neptune/cluster:Cluster": ("rds", "cluster:", "clusterIdentifier"),
    "aws:redshift/cluster:Cluster": ("redshift", "cluster:", "clusterIdentifier"),
    "aws:dynamodb/table:Table": ("dynamodb", "table/", "name"),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("elasticache", "replicationgroup:", "replicationGroupId"),
    "aws:elasticache/cluster:Cluster": ("elasticache", "cluster:", "clusterId"),
    "aws:backup/vault:Vault": ("backup", "backup-vault:", "name"),
    "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault": ("backup", "backup-vault:", "name"),
    "aws:sns/topic:Topic": ("sns", "", "name"),
    "aws:sqs/queue:Queue": ("sqs", "", "name"),
    "aws:cloudwatch/logGroup:LogGroup": ("logs", "log-group:", "name"),
    "aws:efs/fileSystem:FileSystem": ("elasticfilesystem", "file-system/", ""),
    "aws:ebs/volume:Volume": ("ec2", "volume/", ""),
    "aws:fsx/lustreFileSystem:LustreFileSystem": ("fsx", "file-system/", ""),
    "aws:fsx/ontapFileSystem:OntapFileSystem": ("fsx", "file-system/", ""),
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": ("fsx", "file-system/", ""),
    "aws:fsx/windowsFileSystem:WindowsFileSystem": ("fsx", "file-system/", ""),
}
"""By type: service, what stands before the name, and the input that has it; none for what AWS names itself."""


def _part(value: Any, position: int) -> str:  # noqa: ANN401 - JSON
    parts = value.split(":", _PARTS - 1) if isinstance(value, str) else []
    return parts[position] if len(parts) == _PARTS and parts[0] == "arn" else ""


def arn_region(value: Any) -> str:  # noqa: ANN401 - JSON
    """The region of an ARN; empty for one without a region, or for what is none."""
    return _part(value, 3)


def arn_account(value: Any) -> str:  # noqa: ANN401 - JSON
    """The account of an ARN; empty for one without an account, or for what is none."""
    return _part(value, 4)


def arn_resource(value: Any) -> str:  # noqa: ANN401 - JSON
    """The last part of an ARN, such as ``key/mrk-1234``; empty for what is none."""
    return _part(value, 5)


def without_account(value: str) -> str:
    """An ARN with its account left out, as `named_arn` makes it where nobody says whose something is."""
    account = arn_account(value)
    return value.replace(f":{account}:", "::", 1) if account else value


def named_arn(type_: str, name: str, region: str, account: str) -> str:
    """The ARN that something will have, from its name; empty for types that are not among `NAMED_ARNS`.

    Args:
        type_: Canonical type token.
        name: Its declared name.
        region: Where it is; buckets' ARNs do not say so.
        account: Whose it is; may be empty.
    """
    service, before, _ = NAMED_ARNS.get(type_, ("", "", ""))
    if not service or not name or (service != "s3" and not region):
        return ""
    partition = next((found for start, found in _PARTITIONS.items() if region.startswith(start)), "aws")
    place = ":" if service == "s3" else f"{region}:{account}"
    return f"arn:{partition}:{service}:{place}:{before}{name}"
