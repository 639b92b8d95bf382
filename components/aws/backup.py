"""A daily copy of a database in the other site, by AWS Backup.

The automated backups of RDS stay in their region. What survives the region's loss is a snapshot a day, copied into a
vault of the other site. Where the database lives is runtime state, so each site has what the other one has: a vault, a
plan for the instances that live in it, and a role; a database that is restored after a failover is copied back from its
first night on, without an `up`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from components.aws.site import Site

START_WINDOW_MINUTES = 60
"""The shortest that AWS Backup takes. A backup begins somewhere in it, so two may lie a day and an hour apart."""
COMPLETION_WINDOW_MINUTES = 24 * 60
"""Until the next one is due; a backup that takes longer is given up."""
JOB_EVENTS = ("Backup Job State Change", "Copy Job State Change")
"""What AWS Backup calls its events about jobs (AWS Backup developer guide, "Monitoring events using EventBridge")."""
FAILED_STATES = ("ABORTED", "EXPIRED", "FAILED")
"""States that leave no backup; a job expires that could not begin in its window."""


@dataclass(frozen=True, kw_only=True)
class BackupSite:
    """One site of the database."""

    site: Site
    key_arn: pulumi.Input[str]
    """Key of this region, for the vault: copies that arrive are encrypted with it."""
    database_key_arn: pulumi.Input[str]
    """Key of this region that the instances here, and so the snapshots taken here, are encrypted with."""
    instance_arns: Sequence[pulumi.Input[str]] = ()
    """Instances that live here; without any, those that a restore will make."""
    alarm_topic_arn: pulumi.Input[str] | None = None
    """Topic of this region that hears of failed jobs, whose policy admits rules of EventBridge; None leaves them
    silent."""


@dataclass(frozen=True, kw_only=True)
class BackupArgs:
    """What `Backup` needs."""

    sites: Mapping[str, BackupSite]
    """By region; both sites."""
    window: str
    """The database's own daily backup window, UTC, such as ``02:00-03:00``. RDS keeps maintenance out of it, during
    which AWS Backup could not begin; both backups take turns."""
    retention_days: int
    """Days that snapshots and their copies are kept."""


class Backup(pulumi.ComponentResource):
    """Daily snapshots of a database in the site where it lives, each copied into the other site's vault.

    It has the database's own name, of which the names of restored instances are made.
    """

    vault_arns: dict[str, pulumi.Output[str]]
    """By region: where that site's snapshots, and the copies of the other one's, are found."""

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Backup", name, {}, opts)
        vaults = {region: self._vault(name, place) for region, place in args.sites.items()}
        first, second = args.sites.values()
        for place, other in ((first, second), (second, first)):
            plan = self._plan(name, args, place.site, vaults[place.site.region], vaults[other.site.region])
            self._select(name, place, other, plan, [vault.arn for vault in vaults.values()])
            if place.alarm_topic_arn is not None:
                self._tell(name, place.site, place.alarm_topic_arn)
        self.vault_arns = {region: vault.arn for region, vault in vaults.items()}
        self.register_outputs({"vault_arns": self.vault_arns})

    def _vault(self, name: str, place: BackupSite) -> aws.backup.Vault:
        site = place.site
        physical = site.physical(name)
        return aws.backup.Vault(
            f"{name}-{site.region}-vault",
            name=physical,
            kms_key_arn=place.key_arn,
            force_destroy=False,
            tags=site.named(physical),
            opts=pulumi.ResourceOptions(parent=self, provider=site.provider, protect=True),
        )

    def _plan(
        self, name: str, args: BackupArgs, site: Site, vault: aws.backup.Vault, destination: aws.backup.Vault
    ) -> aws.backup.Plan:
        """What is done each day with the instances of one site."""
        physical = site.physical(name)
        return aws.backup.Plan(
            f"{name}-{site.region}-plan",
            name=physical,
            rules=[
                aws.backup.PlanRuleArgs(
                    rule_name="daily",
                    target_vault_name=vault.name,
                    schedule=daily(args.window),
                    schedule_expression_timezone="Etc/UTC",
                    start_window=START_WINDOW_MINUTES,
                    completion_window=COMPLETION_WINDOW_MINUTES,
                    lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=args.retention_days),
                    copy_actions=[
                        aws.backup.PlanRuleCopyActionArgs(
                            destination_vault_arn=destination.arn,
                            # As long as what it is a copy of: after the region's loss it is all there is.
                            lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=args.retention_days),
                        )
                    ],
                )
            ],
            tags=site.named(physical),
            opts=pulumi.ResourceOptions(parent=self, provider=site.provider),
        )

    def _tell(self, name: str, site: Site, topic_arn: pulumi.Input[str]) -> None:
        """Tell people of each backup and copy in one region that did not end well, of whichever vault.

        A pattern that names the vault would say nothing at all, should AWS name it differently in some event: twice
        told is better.
        """
        physical = site.physical(f"{name}-backup-failed")
        opts = pulumi.ResourceOptions(parent=self, provider=site.provider)
        rule = aws.cloudwatch.EventRule(
            f"{name}-{site.region}-backup-failed",
            name=physical,
            description=f"{name} was not backed up, or not copied",
            event_pattern=json.dumps(
                {"source": ["aws.backup"], "detail-type": list(JOB_EVENTS), "detail": {"state": list(FAILED_STATES)}}
            ),
            tags=site.named(physical),
            opts=opts,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-{site.region}-backup-failed-people",
            rule=rule.name,
            target_id="people",
            arn=topic_arn,
            opts=opts,
        )

    def _select(
        self,
        name: str,
        place: BackupSite,
        other: BackupSite,
        plan: aws.backup.Plan,
        vault_arns: Sequence[pulumi.Output[str]],
    ) -> None:
        """Put the instances of one site under its plan, with the role that copies them.

        By ARN: what is selected by tag depends on the account's opt-in for the service, what is named does not.
        """
        site = place.site
        physical = site.physical(name)
        opts = pulumi.ResourceOptions(parent=self, provider=site.provider)
        # A pattern selects nothing while nothing fits it, where the ARN of what does not exist would fail every night.
        resources = place.instance_arns or [site.arn("rds", f"db:{physical}-g*")]
        role = aws.iam.Role(
            f"{name}-{site.region}-backup",
            name=f"{physical}-backup",
            description=f"Daily copies of {name} in {site.region}",
            assume_role_policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "backup.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                            "Condition": {"StringEquals": {"aws:SourceAccount": site.account}},
                        }
                    ],
                }
            ),
            tags=site.named(f"{physical}-backup"),
            opts=opts,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-{site.region}-backup-policy",
            name=f"{physical}-backup",
            role=role.name,
            policy=pulumi.Output.json_dumps(
                copying_policy(
                    (site, other.site), resources, vault_arns, [place.database_key_arn, place.key_arn, other.key_arn]
                )
            ),
            opts=opts,
        )
        aws.backup.Selection(
            f"{name}-{site.region}-selection",
            name=physical,
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=resources,
            # AWS Backup tries the role when it is selected.
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[policy])),
        )


def daily(window: str) -> str:
    """The schedule of what begins once a day with a window such as ``02:30-03:30``."""
    hour, minute = window.partition("-")[0].split(":")
    return f"cron({int(minute)} {int(hour)} * * ? *)"


def copying_policy(
    sites: tuple[Site, Site],
    instances: Sequence[pulumi.Input[str]],
    vaults: Sequence[pulumi.Input[str]],
    keys: Sequence[pulumi.Input[str]],
) -> dict[str, object]:
    """What AWS Backup may do to copy instances from the first site to the second, and to restore copies in the first.

    AWS's managed policy for this reaches every service and resource that AWS Backup knows.
    """
    snapshots = [site.arn("rds", "snapshot:awsbackup:*") for site in sites]
    here, _ = sites
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "FindWhatIsSelected",
                "Effect": "Allow",
                "Action": ["tag:GetResources", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots"],
                # The first of them knows no resources.
                "Resource": "*",
            },
            {
                "Sid": "Snapshot",
                "Effect": "Allow",
                "Action": ["rds:CreateDBSnapshot", "rds:AddTagsToResource", "rds:ListTagsForResource"],
                "Resource": [*instances, *snapshots],
            },
            {
                "Sid": "CopyAndExpire",
                "Effect": "Allow",
                "Action": ["rds:CopyDBSnapshot", "rds:DeleteDBSnapshot"],
                "Resource": snapshots,
            },
            {
                "Sid": "Vaults",
                "Effect": "Allow",
                "Action": ["backup:DescribeBackupVault", "backup:CopyIntoBackupVault"],
                "Resource": list(vaults),
            },
            {
                "Sid": "Restore",
                "Effect": "Allow",
                "Action": ["rds:AddTagsToResource", "rds:RestoreDBInstanceFromDBSnapshot"],
                "Resource": [here.arn("rds", f"{kind}:{here.prefix}-*") for kind in ("db", "pg", "subgrp")] + snapshots,
            },
            {"Sid": "Keys", "Effect": "Allow", "Action": "kms:DescribeKey", "Resource": list(keys)},
            {
                "Sid": "GrantsForCopies",
                "Effect": "Allow",
                "Action": "kms:CreateGrant",
                "Resource": list(keys),
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        ],
    }
