"""One KMS key per site and purpose.

Single-Region keys: S3 treats a multi-Region key as single-Region, and copies of databases, snapshots and secrets take a
key of their destination region in any case. So a site's data never needs a key of another region.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

DELETION_WINDOW_DAYS = 30
"""The longest that KMS accepts: a scheduled deletion can be seen and cancelled for a month."""


class Purpose(StrEnum):
    """What a key encrypts."""

    DATABASE = "database"
    CACHE = "cache"
    OBJECTS = "objects"
    SECRETS = "secrets"
    LOGS = "logs"
    BACKUPS = "backups"
    ALERTS = "alerts"
    LEASE = "lease"


VIA_SERVICES: dict[Purpose, tuple[str, ...]] = {
    Purpose.DATABASE: ("rds",),
    Purpose.CACHE: ("elasticache",),
    Purpose.OBJECTS: ("s3",),
    Purpose.SECRETS: ("secretsmanager", "ssm"),
    Purpose.LOGS: (),
    # Automated backups that were replicated here, and vaults.
    Purpose.BACKUPS: ("rds", "backup"),
    Purpose.ALERTS: ("sns",),
    # A table, or an object where no table spans the regions.
    Purpose.LEASE: ("dynamodb", "s3"),
}
"""Services through which principals of the account may use a purpose's key; never directly."""

_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """What `SiteKeys` needs."""

    site: Site
    purposes: Sequence[Purpose]
    """One key each; no purpose twice."""


class SiteKeys(pulumi.ComponentResource):
    """The keys of one site, each with rotation, an alias and a policy that admits one purpose.

    Aliases are ``alias/PREFIX-PURPOSE``: the region is already part of where they are found.
    """

    arns: dict[str, pulumi.Output[str]]
    """Key ARN by purpose."""

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:SiteKeys", name, {}, opts)
        site = args.site
        self.arns = {}
        for purpose in args.purposes:
            alias = f"{site.prefix}-{purpose}"
            key = aws.kms.Key(
                f"{name}-{purpose}",
                description=f"{site.prefix} {purpose} in {site.region}",
                deletion_window_in_days=DELETION_WINDOW_DAYS,
                enable_key_rotation=True,
                multi_region=False,
                policy=key_policy(site, purpose),
                tags=site.named(alias),
                opts=pulumi.ResourceOptions(parent=self, provider=site.provider, protect=True),
            )
            aws.kms.Alias(
                f"{name}-{purpose}-alias",
                name=f"alias/{alias}",
                target_key_id=key.key_id,
                opts=pulumi.ResourceOptions(parent=self, provider=site.provider),
            )
            self.arns[purpose] = key.arn
        self.register_outputs({"arns": self.arns})


def key_policy(site: Site, purpose: Purpose) -> str:
    """The policy document of one key.

    The account's root administers it, which hands the rest to IAM, and is the one principal with ``kms:*``: a key whose
    policy locks everybody out cannot be recovered. Everybody else comes through the purpose's services only.
    """
    statements: list[dict[str, object]] = [
        {
            "Sid": "AccountAdministersThroughIam",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{site.account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    if services := VIA_SERVICES[purpose]:
        through = {
            "kms:CallerAccount": site.account,
            "kms:ViaService": [f"{service}.{site.region}.amazonaws.com" for service in services],
        }
        statements.append(
            {
                "Sid": "UseThroughServices",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": _USE,
                "Resource": "*",
                "Condition": {"StringEquals": through},
            }
        )
        statements.append(
            {
                "Sid": "GrantsThroughServices",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"StringEquals": through, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            }
        )
    if purpose is Purpose.LOGS:
        statements.append(_log_delivery(site))
    if purpose is Purpose.ALERTS:
        statements.append(
            _delivery("Alarms", "cloudwatch.amazonaws.com", site.account, site.arn("cloudwatch", "alarm:*"))
        )
        statements.append(_delivery("DatabaseEvents", "events.rds.amazonaws.com", site.account, site.arn("rds", "*")))
        statements.append(_event_rules())
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _log_delivery(site: Site) -> dict[str, object]:
    """CloudWatch Logs, for log groups of this account and region only: it names the group in the encryption context."""
    return {
        "Sid": "LogGroupsOfThisSite",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{site.region}.amazonaws.com"},
        "Action": _USE,
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": site.arn("logs", "log-group:*")}},
    }


def _event_rules() -> dict[str, object]:
    """EventBridge, which names no source to a topic's key: conditions would shut it out."""
    return {
        "Sid": "EventRulesToEncryptedTopics",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }


def _delivery(what: str, service: str, account: str, sources: str) -> dict[str, object]:
    """A service that publishes to encrypted topics by itself, for `sources` of this account and region only."""
    return {
        "Sid": f"{what}ToEncryptedTopics",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": sources}},
    }
