"""What a failover may do, as a policy document: the wardens' role has it, and that of people in an emergency.

Made of names alone. A role then needs no other region to be created, and what it may touch can be read without a
deployment. Creating what a rejoin rebuilds is not in it: that is an update, by those who deploy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lifeboat.model.naming import lease_table, switch_namespace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Statement = dict[str, object]

NEVER = (
    "backup:Delete*",
    "cloudwatch:Delete*",
    "dynamodb:Delete*",
    "ec2:Delete*",
    "elasticache:Delete*",
    "kms:DisableKey",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "rds:Delete*",
    "route53:Delete*",
    "s3:Delete*",
    "secretsmanager:Delete*",
    "secretsmanager:PutSecretValue",
    "sns:Delete*",
)
"""Denied whatever else is attached: a failover that goes wrong must leave everything to start again from."""
FORMER_SIZE = "lifeboat:former-size"
"""The one tag that a failover writes: what an Auto Scaling group had before."""


@dataclass(frozen=True, kw_only=True)
class FailoverScope:
    """What one stack's failover touches. Names, each as its service has it."""

    account: str
    prefix: str
    sites: Sequence[str]
    """Regions of the sites."""
    witness: str
    lease_buckets: Mapping[str, str] = field(default_factory=dict[str, str])
    """Buckets of the lease and its stand-ins, by region; empty where it lives in a table."""
    global_clusters: Sequence[str] = ()
    """Aurora global clusters."""
    clusters: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """Their clusters, by region."""
    instances: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """Plain instances by region; a final ``*`` stands for the generation."""
    restored: bool = False
    """Some database comes back from backups, which makes instances."""
    vaults: bool = False
    """Of some, the backups are in vaults."""
    backup_roles: Sequence[str] = ()
    """Roles that AWS Backup restores from these with."""
    datastores: Sequence[str] = ()
    """Global Datastores; ``*`` stands for the part of AWS's choice."""
    replication_groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """Their groups, by region."""
    made_groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """Groups of other caches that a failover makes, by region."""
    buckets: Sequence[str] = ()
    secrets: Sequence[str] = ()
    """Secrets with what connects to stores; the same names in each site."""
    routing_controls: bool = False
    """Traffic is switched by routing controls."""
    record_names: Sequence[str] = ()
    """Names whose records a failover edits; empty where it edits none."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the stack's compute is found by, which a failover brings to size."""

    def arn(self, service: str, region: str, resource: str) -> str:
        """The ARN of a resource in this account; the region is empty for what spans them."""
        return f"arn:aws:{service}:{region}:{self.account}:{resource}"

    def arns(self, service: str, kind: str, names: Mapping[str, Sequence[str]]) -> list[str]:
        """The ARNs of names by region."""
        return [self.arn(service, region, f"{kind}{name}") for region, each in names.items() for name in each]

    @property
    def regions(self) -> tuple[str, ...]:
        """Sites and witness."""
        return (*self.sites, self.witness)


def failover_policy(scope: FailoverScope) -> dict[str, object]:
    """The policy document."""
    return {"Version": "2012-10-17", "Statement": failover_statements(scope)}


def failover_statements(scope: FailoverScope) -> list[Statement]:
    """Its statements, the denial last."""
    return [
        _look(scope),
        *_databases(scope),
        *_vaults(scope),
        *_caches(scope),
        *_lease(scope),
        _switches(scope),
        *_routing(scope),
        *_objects(scope),
        *_compute(scope),
        *_secrets(scope),
        _allow("TellPeople", ["sns:Publish"], [_topic(scope, region) for region in scope.regions]),
        *_keys(scope),
        *_never_change_rights(scope),
        {"Sid": "NeverDestroy", "Effect": "Deny", "Action": list(NEVER), "Resource": "*"},
    ]


def _look(scope: FailoverScope) -> Statement:
    """Reading, where AWS has no narrower permission, in the regions of the stack only."""
    return _allow(
        "Look",
        [
            "autoscaling:DescribeAutoScalingGroups",
            "backup:DescribeRestoreJob",
            "backup:ListRecoveryPointsByBackupVault",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetMetricData",
            "ec2:DescribeSecurityGroups",
            "elasticache:DescribeGlobalReplicationGroups",
            "elasticache:DescribeReplicationGroups",
            "kms:DescribeKey",
            "rds:DescribeDBClusters",
            "rds:DescribeDBInstanceAutomatedBackups",
            "rds:DescribeDBInstances",
            "rds:DescribeDBSnapshots",
            "rds:DescribeGlobalClusters",
            "servicequotas:ListServiceQuotas",
        ],
        "*",
        {"StringEquals": {"aws:RequestedRegion": list(scope.regions)}},
    )


def _databases(scope: FailoverScope) -> list[Statement]:
    found: list[Statement] = []
    if scope.global_clusters:
        found.append(
            _allow(
                "FailAuroraOver",
                ["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"],
                [
                    *(scope.arn("rds", "", f"global-cluster:{name}") for name in scope.global_clusters),
                    *scope.arns("rds", "cluster:", scope.clusters),
                ],
            )
        )
    instances = scope.arns("rds", "db:", scope.instances)
    if instances:
        found.append(_allow("PromoteInstances", ["rds:ModifyDBInstance", "rds:PromoteReadReplica"], instances))
    if instances and scope.restored:
        # A planned move takes a last snapshot, named by the instance, and copies it to the other site.
        names = dict.fromkeys(name for each in scope.instances.values() for name in each)
        snapshots = [scope.arn("rds", region, f"snapshot:{name}-*") for region in scope.sites for name in names]
        found.append(
            _allow(
                "TakeLastSnapshots",
                ["rds:AddTagsToResource", "rds:CopyDBSnapshot", "rds:CreateDBSnapshot"],
                [*instances, *snapshots],
            )
        )
        # A restored instance takes the groups that stand ready for it.
        ready = [
            scope.arn("rds", region, f"{kind}:{scope.prefix}-*") for region in scope.sites for kind in ("pg", "subgrp")
        ]
        backups = [scope.arn("rds", region, "auto-backup:*") for region in scope.sites]
        found.append(
            _allow(
                "RestoreInstances",
                [
                    "rds:AddTagsToResource",
                    "rds:RestoreDBInstanceFromDBSnapshot",
                    "rds:RestoreDBInstanceToPointInTime",
                ],
                [*instances, *snapshots, *ready, *backups],
            )
        )
    return found


def _vaults(scope: FailoverScope) -> list[Statement]:
    """Restores from vaults: AWS Backup makes the instance, with a role of its own that it is handed."""
    if not scope.vaults:
        return []
    points = [scope.arn("rds", region, "snapshot:awsbackup:*") for region in scope.sites]
    return [
        _allow("RestoreFromVaults", ["backup:StartRestoreJob"], points),
        _allow(
            "HandOverTheRestoringRole",
            ["iam:PassRole"],
            _roles(scope),
            {"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
        ),
    ]


def _roles(scope: FailoverScope) -> list[str]:
    return [scope.arn("iam", "", f"role/{name}") for name in scope.backup_roles]


def _never_change_rights(scope: FailoverScope) -> list[Statement]:
    """Nobody gets other rights by a failover; a role that is handed over stays as it is."""
    deny: Statement = {"Sid": "NeverChangeRights", "Effect": "Deny", "Action": ["iam:*"]}
    if not scope.backup_roles:
        return [{**deny, "Resource": "*"}]
    handed = _roles(scope)
    but: Statement = {"Sid": "OnlyHandOver", "Effect": "Deny", "NotAction": ["iam:PassRole"], "Resource": handed}
    return [{**deny, "NotResource": handed}, but]


def _caches(scope: FailoverScope) -> list[Statement]:
    found: list[Statement] = []
    if scope.datastores:
        found.append(
            _allow(
                "FailCachesOver",
                ["elasticache:FailoverGlobalReplicationGroup"],
                [
                    *(scope.arn("elasticache", "", f"globalreplicationgroup:{name}") for name in scope.datastores),
                    *scope.arns("elasticache", "replicationgroup:", scope.replication_groups),
                ],
            )
        )
    if any(scope.made_groups.values()):
        # In the subnets that stand ready, by the engine's own parameters.
        found.append(
            _allow(
                "MakeCaches",
                ["elasticache:CreateReplicationGroup"],
                [
                    *scope.arns("elasticache", "replicationgroup:", scope.made_groups),
                    *scope.arns("elasticache", "subnetgroup:", scope.made_groups),
                    *(scope.arn("elasticache", region, "parametergroup:default.*") for region in scope.made_groups),
                ],
            )
        )
    return found


def _lease(scope: FailoverScope) -> list[Statement]:
    """The lease, the journal and the wardens' views: read and written, never deleted."""
    if not scope.lease_buckets:
        return [
            _allow(
                "HoldTheLease",
                # Scanned for the list of runs.
                ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"],
                [scope.arn("dynamodb", region, f"table/{lease_table(scope.prefix)}") for region in scope.sites],
            )
        ]
    buckets = [f"arn:aws:s3:::{name}" for name in scope.lease_buckets.values()]
    return [
        _allow("HoldTheLease", ["s3:GetObject", "s3:PutObject"], [f"{bucket}/*" for bucket in buckets]),
        _allow("FindTheLease", ["s3:ListBucket"], buckets),
    ]


def _switches(scope: FailoverScope) -> Statement:
    """The namespace that the switches' alarms watch, in the one region where they do."""
    return _allow(
        "SetSwitches",
        ["cloudwatch:PutMetricData"],
        "*",
        {
            "StringEquals": {
                "cloudwatch:namespace": switch_namespace(scope.prefix),
                "aws:RequestedRegion": scope.witness,
            }
        },
    )


def _routing(scope: FailoverScope) -> list[Statement]:
    found: list[Statement] = []
    if scope.routing_controls:
        actions = ["GetRoutingControlState", "ListRoutingControls", "UpdateRoutingControlStates"]
        found.append(
            _allow(
                "TurnRoutingControls",
                [f"route53-recovery-cluster:{action}" for action in actions],
                scope.arn("route53-recovery-control", "", "controlpanel/*"),
            )
        )
        where = [scope.arn("ssm", region, f"parameter/lifeboat/{scope.prefix}/routing") for region in scope.sites]
        found.append(_allow("FindRoutingControls", ["ssm:GetParameter"], where))
    if scope.record_names:
        names = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": list(scope.record_names)}
        # Neither takes a resource, or a condition, that is known before.
        found.append(_allow("FollowRecords", ["route53:GetChange", "route53:ListHostedZonesByName"], "*"))
        found.append(
            _allow(
                "EditRecords",
                ["route53:ChangeResourceRecordSets"],
                "arn:aws:route53:::hostedzone/*",
                {"ForAllValues:StringEquals": names, "Null": {next(iter(names)): "false"}},
            )
        )
    return found


def _objects(scope: FailoverScope) -> list[Statement]:
    """Which objects have arrived: listings, no contents."""
    if not scope.buckets:
        return []
    actions = ["s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ListBucketVersions"]
    return [_allow("CompareBuckets", actions, [f"arn:aws:s3:::{name}" for name in scope.buckets])]


def _compute(scope: FailoverScope) -> list[Statement]:
    if not scope.tags:
        return []
    tagged = {f"aws:ResourceTag/{name}": value for name, value in scope.tags.items()}
    groups = [scope.arn("autoscaling", region, "autoScalingGroup:*") for region in scope.sites]
    remembers = {"StringEquals": tagged, "ForAllValues:StringEquals": {"aws:TagKeys": [FORMER_SIZE]}}
    return [
        _allow("BringToSize", ["autoscaling:UpdateAutoScalingGroup"], groups, {"StringEquals": tagged}),
        _allow("RememberSizes", ["autoscaling:CreateOrUpdateTags"], groups, remembers),
    ]


def _secrets(scope: FailoverScope) -> list[Statement]:
    if not scope.secrets:
        return []
    # Secrets Manager ends each ARN with six characters of its own.
    named = [
        scope.arn("secretsmanager", region, f"secret:{name}-??????") for region in scope.sites for name in scope.secrets
    ]
    return [_allow("ConnectToStores", ["secretsmanager:GetSecretValue"], named)]


def _keys(scope: FailoverScope) -> list[Statement]:
    """What the services do with a purpose's key for whoever asks them; keys are told by alias, which needs no ARN."""
    uses = {
        "ReadSecrets": ("secrets", "secretsmanager", scope.sites, ["kms:Decrypt"]),
        "PublishEncrypted": ("alerts", "sns", scope.regions, ["kms:Decrypt", "kms:GenerateDataKey"]),
        "UseTheLeasesKey": ("lease", "dynamodb", scope.sites, ["kms:Decrypt"]),
    }
    if scope.restored:
        restoring = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"]
        uses |= {
            "EncryptWhatIsRestored": ("database", "rds", scope.sites, restoring),
            "ReadBackups": ("backups", "rds", scope.sites, restoring),
        }
    if scope.lease_buckets:
        uses["UseTheLeasesKey"] = ("lease", "s3", tuple(scope.lease_buckets), ["kms:Decrypt", "kms:GenerateDataKey"])
    return [
        _allow(
            sid,
            actions,
            [scope.arn("kms", region, "key/*") for region in regions],
            {
                "StringEquals": {"kms:ViaService": [f"{service}.{region}.amazonaws.com" for region in regions]},
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{scope.prefix}-{purpose}"},
            },
        )
        for sid, (purpose, service, regions, actions) in uses.items()
    ]


def _topic(scope: FailoverScope, region: str) -> str:
    return scope.arn("sns", region, f"{scope.prefix}-alerts-{region}")


def _allow(
    sid: str, actions: Sequence[str], resource: str | Sequence[str], condition: Mapping[str, object] | None = None
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": resource if isinstance(resource, str) else list(resource),
    }
    return statement if condition is None else {**statement, "Condition": dict(condition)}
