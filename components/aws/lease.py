"""The lease that decides who may write, as one strongly consistent table; where none spans the regions, an object does.

The object needs nothing of its own: it lies in an `ObjectStore` of one site, the witness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from lifeboat.model.naming import lease_table

if TYPE_CHECKING:
    from components.aws.site import Site

PARTITION_KEY = "pk"


@dataclass(frozen=True, kw_only=True)
class LeaseSite:
    """One site with a replica."""

    site: Site
    key_arn: pulumi.Input[str]
    """Key of this region that the replica is encrypted with."""


@dataclass(frozen=True, kw_only=True)
class LeaseTableArgs:
    """What `LeaseTable` needs."""

    home: LeaseSite
    """Whose provider makes the table; afterwards both replicas are equal."""
    other: LeaseSite
    witness: str
    """Region of the witness; it holds the log of writes and nothing that can be read."""


class LeaseTable(pulumi.ComponentResource):
    """A DynamoDB table with multi-Region strong consistency: two replicas and a witness.

    A write is acknowledged once two of the three regions have it, and a consistent read in either replica sees it, so
    that the loss of any one region leaves the lease readable and writable. Each replica is encrypted with its own
    region's key: neither needs the other's. On demand, because a lease is a write each ten seconds.
    """

    table_name: str
    """The same in both regions."""
    arns: dict[str, pulumi.Output[str]]
    """By region."""

    def __init__(self, name: str, args: LeaseTableArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:LeaseTable", name, {}, opts)
        home, other = args.home.site, args.other.site
        self.table_name = lease_table(home.prefix)
        table = aws.dynamodb.Table(
            f"{name}-{home.region}-table",
            name=self.table_name,
            billing_mode="PAY_PER_REQUEST",
            hash_key=PARTITION_KEY,
            attributes=[aws.dynamodb.TableAttributeArgs(name=PARTITION_KEY, type="S")],
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=args.home.key_arn
            ),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=True,
            replicas=[
                aws.dynamodb.TableReplicaArgs(
                    region_name=other.region,
                    kms_key_arn=args.other.key_arn,
                    consistency_mode="STRONG",
                    point_in_time_recovery=True,
                    deletion_protection_enabled=True,
                    propagate_tags=True,
                )
            ],
            global_table_witness=aws.dynamodb.TableGlobalTableWitnessArgs(region_name=args.witness),
            tags=home.named(self.table_name),
            opts=pulumi.ResourceOptions(parent=self, provider=home.provider, protect=True),
        )
        self.arns = {
            home.region: table.arn,
            other.region: table.arn.apply(
                lambda arn: arn.replace(f":{home.region}:", f":{other.region}:", 1),
            ),
        }
        self.register_outputs({"table_name": self.table_name, "arns": self.arns})
