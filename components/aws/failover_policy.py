"""What a failover may do, as a policy document: the role of the sites' wardens has it, and that of people in need.

Made of names alone. A role then needs no other region to be created, and what it may touch can be read without a
deployment. Creating what a rejoin rebuilds is not in it: that is an update, by those who deploy. The stack's own names
are patterns, since all that a role may do has to fit into 10,240 characters however many stores there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.recovery_statements import (
    allow,
    lease_key,
    set_switches,
    tell_people,
    use_alerts_key,
    use_keys,
)
from lifeboat.model.naming import lease_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.recovery_statements import FailoverScope, Statement

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
        set_switches(scope),
        *_routing(scope),
        *_objects(scope),
        *_compute(scope),
        *_secrets(scope),
        tell_people(scope),
        *_keys(scope),
        *_never_change_rights(scope),
        {"Sid": "NeverDestroy", "Effect": "Deny", "Action": list(NEVER), "Resource": "*"},
    ]


def _look(scope: FailoverScope) -> Statement:
    """Reading, where AWS has no narrower permission, in the regions of the stack only."""
    return allow(
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
            allow(
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
        found.append(allow("PromoteInstances", ["rds:ModifyDBInstance", "rds:PromoteReadReplica"], instances))
    if instances and scope.restored:
        found.append(_restore(scope, instances))
    return found


def _restore(scope: FailoverScope, instances: Sequence[str]) -> Statement:
    """Making instances from backups; a planned move takes a last snapshot, and copies it to the other site."""
    # A snapshot is named by its instance. What is restored takes the groups that stand ready, and the engine's options.
    adopted = dict.fromkeys(name for each in scope.instances.values() for name in each if not scope.is_own(name))
    names = [
        *(f"snapshot:{name}-*" for name in (scope.prefix, *adopted)),
        *(f"{kind}:{scope.prefix}-*" for kind in ("pg", "subgrp")),
        "og:default*",
        "auto-backup:*",
    ]
    return allow(
        "RestoreInstances",
        [
            "rds:AddTagsToResource",
            "rds:CopyDBSnapshot",
            "rds:CreateDBSnapshot",
            "rds:RestoreDBInstanceFromDBSnapshot",
            "rds:RestoreDBInstanceToPointInTime",
        ],
        [*instances, *(scope.arn("rds", region, name) for region in scope.sites for name in names)],
    )


def _vaults(scope: FailoverScope) -> list[Statement]:
    """Restores from vaults: AWS Backup makes the instance, with a role of its own that it is handed."""
    if not scope.vaults:
        return []
    points = [scope.arn("rds", region, "snapshot:awsbackup:*") for region in scope.sites]
    return [
        allow("RestoreFromVaults", ["backup:StartRestoreJob"], points),
        allow(
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
            allow(
                "FailCachesOver",
                ["elasticache:FailoverGlobalReplicationGroup"],
                [
                    *(scope.arn("elasticache", "", f"globalreplicationgroup:{name}") for name in scope.datastores),
                    *scope.arns("elasticache", "replicationgroup:", scope.replication_groups),
                ],
            )
        )
    if any(scope.made_groups.values()):
        # Its members are named by it. In the subnets that stand ready, by the engine's own parameters.
        members = {region: [f"{name}-*" for name in names] for region, names in scope.made_groups.items()}
        places = {region: [f"{scope.prefix}-*-{region}"] for region in scope.made_groups}
        found.append(
            allow(
                "MakeCaches",
                ["elasticache:CreateReplicationGroup"],
                [
                    *scope.arns("elasticache", "replicationgroup:", scope.made_groups),
                    *scope.arns("elasticache", "cluster:", members),
                    *scope.arns("elasticache", "subnetgroup:", places),
                    *(scope.arn("elasticache", region, "parametergroup:default.*") for region in scope.made_groups),
                ],
            )
        )
    return found


def _lease(scope: FailoverScope) -> list[Statement]:
    """The lease, the journal and the wardens' views: read and written, never deleted."""
    if not scope.lease_buckets:
        return [
            allow(
                "HoldTheLease",
                # Scanned for the list of runs.
                ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"],
                [scope.arn("dynamodb", region, f"table/{lease_table(scope.prefix)}") for region in scope.sites],
            )
        ]
    buckets = [f"arn:aws:s3:::{name}" for name in scope.lease_buckets.values()]
    return [
        allow("HoldTheLease", ["s3:GetObject", "s3:PutObject"], [f"{bucket}/*" for bucket in buckets]),
        allow("FindTheLease", ["s3:ListBucket"], buckets),
    ]


def _routing(scope: FailoverScope) -> list[Statement]:
    found: list[Statement] = []
    if scope.routing_controls:
        actions = ["GetRoutingControlState", "ListRoutingControls", "UpdateRoutingControlStates"]
        found.append(
            allow(
                "TurnRoutingControls",
                [f"route53-recovery-cluster:{action}" for action in actions],
                scope.arn("route53-recovery-control", "", "controlpanel/*"),
            )
        )
        where = [scope.arn("ssm", region, f"parameter/lifeboat/{scope.prefix}/routing") for region in scope.sites]
        found.append(allow("FindRoutingControls", ["ssm:GetParameter"], where))
    if scope.record_names:
        names = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": list(scope.record_names)}
        # Neither takes a resource, or a condition, that is known before.
        found.append(allow("FollowRecords", ["route53:GetChange", "route53:ListHostedZonesByName"], "*"))
        found.append(
            allow(
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
    return [allow("CompareBuckets", actions, [f"arn:aws:s3:::{name}" for name in scope.buckets])]


def _compute(scope: FailoverScope) -> list[Statement]:
    if not scope.tags:
        return []
    tagged = {f"aws:ResourceTag/{name}": value for name, value in scope.tags.items()}
    groups = [scope.arn("autoscaling", region, "autoScalingGroup:*") for region in scope.sites]
    remembers = {"StringEquals": tagged, "ForAllValues:StringEquals": {"aws:TagKeys": [FORMER_SIZE]}}
    return [
        allow("BringToSize", ["autoscaling:UpdateAutoScalingGroup"], groups, {"StringEquals": tagged}),
        allow("RememberSizes", ["autoscaling:CreateOrUpdateTags"], groups, remembers),
    ]


def _secrets(scope: FailoverScope) -> list[Statement]:
    if not scope.secrets:
        return []
    # Secrets Manager ends each ARN with six characters of its own.
    named = [
        scope.arn("secretsmanager", region, f"secret:{name}-??????") for region in scope.sites for name in scope.secrets
    ]
    return [allow("ConnectToStores", ["secretsmanager:GetSecretValue"], named)]


def _keys(scope: FailoverScope) -> list[Statement]:
    sites = scope.sites
    found = [
        use_keys(
            scope,
            "ReadSecrets",
            service="secretsmanager",
            purposes=["secrets"],
            regions=sites,
            actions=["kms:Decrypt"],
        ),
        use_alerts_key(scope),
        lease_key(scope),
    ]
    if scope.restored:
        actions = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"]
        purposes = ["database", "backups"]
        found.append(
            use_keys(scope, "RestoreEncrypted", service="rds", purposes=purposes, regions=sites, actions=actions)
        )
    return found
