"""An object store: one bucket a site, replicating both ways.

Rules in both directions do not loop: S3 never replicates a replica's creation again. They copy what is written from now
on; objects that existed before need Batch Replication.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.adoption import BUCKET, kept
from components.aws.monitoring import Lag, lag_alarm
from components.aws.objects_policy import REPLICATION_TRUST, bucket_policy, replication_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.aws.site import Site

TIME_CONTROL_MINUTES = 15
"""The one value that S3 accepts."""
RULE = "everything"
"""ID of the one rule of a bucket's replication, which its metrics are named by."""
ABORT_UPLOADS_DAYS = 7
"""Parts of an upload that nobody finished are removed after a week."""
_LATENCY_PERIOD = 300
"""Seconds over which the worst latency counts."""


@dataclass(frozen=True, kw_only=True)
class ObjectsSite:
    """One site of the store."""

    site: Site
    key_arn: pulumi.Input[str]
    """Key of this region that the bucket's objects are encrypted with."""
    alarm_topic_arn: pulumi.Input[str] | None = None
    """Topic of this region that alarms publish to; None leaves them silent."""


@dataclass(frozen=True, kw_only=True)
class LifecycleSpec:
    """When objects move to colder classes, in days since creation; None leaves a step out."""

    standard_ia_days: int | None = None
    glacier_days: int | None = None
    deep_archive_days: int | None = None
    expire_days: int | None = None
    noncurrent_expire_days: int = 90


@dataclass(frozen=True, kw_only=True)
class ObjectLockSpec:
    """Write-once retention that every new version gets."""

    mode: str
    """``GOVERNANCE``, which a permission lifts, or ``COMPLIANCE``, which nobody does."""
    days: int


@dataclass(frozen=True, kw_only=True)
class ObjectStoreArgs:
    """What `ObjectStore` needs."""

    sites: Mapping[str, ObjectsSite]
    """By region."""
    replicate: bool
    """Replicate every bucket to every other one."""
    time_control: bool = False
    """Replicate 99.9 % within 15 minutes, by contract."""
    delete_markers: bool = True
    """Deletions replicate."""
    replica_modifications: bool = True
    """Changes of a replica's metadata replicate back."""
    lag_alarm_seconds: float | None = None
    """Lag of a bucket behind the one that replicates into it, which raises the alarm of its site; None raises none."""
    lifecycle: LifecycleSpec = field(default_factory=LifecycleSpec)
    object_lock: ObjectLockSpec | None = None
    imports: Mapping[str, str] = field(default_factory=dict[str, str])
    """Existing buckets to adopt, by region. Their policy, lifecycle and replication become what is declared here."""


class ObjectStore(pulumi.ComponentResource):
    """Buckets of one store: versioned, encrypted with the site's key, closed to the public, TLS only."""

    buckets: dict[str, pulumi.Output[str]]
    """Bucket name by region."""
    bucket_arns: dict[str, pulumi.Output[str]]
    """By region."""

    def __init__(self, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:ObjectStore", name, {}, opts)
        buckets = {region: self._bucket(name, args, store) for region, store in args.sites.items()}
        versionings = {
            region: aws.s3.BucketVersioning(
                f"{name}-{region}-versioning",
                bucket=bucket.id,
                versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
                opts=self._in(args.sites[region].site),
            )
            for region, bucket in buckets.items()
        }
        for region, bucket in buckets.items():
            self._close(name, args.sites[region], bucket)
            self._age(name, args, region, bucket, versionings[region])
        if args.replicate:
            for region in buckets:
                self._replicate(name, args, region, buckets, list(versionings.values()))
                self._lag_alarm(name, args, region)
        self.buckets = {region: bucket.bucket for region, bucket in buckets.items()}
        self.bucket_arns = {region: bucket.arn for region, bucket in buckets.items()}
        self.register_outputs({"buckets": self.buckets, "bucket_arns": self.bucket_arns})

    def _in(self, site: Site, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=site.provider, depends_on=list(depends_on))

    def _bucket(self, name: str, args: ObjectStoreArgs, store: ObjectsSite) -> aws.s3.Bucket:
        """One site's bucket; the lock can only be switched on when it is made."""
        site = store.site
        adopted = args.imports.get(site.region)
        physical = _bucket_name(name, args, site.region)
        return aws.s3.Bucket(
            f"{name}-{site.region}",
            bucket=physical,
            force_destroy=False,
            object_lock_enabled=args.object_lock is not None,
            tags=site.named(physical),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=site.provider,
                protect=True,
                ignore_changes=kept(BUCKET, adopted),
                import_=adopted,
            ),
        )

    def _close(self, name: str, store: ObjectsSite, bucket: aws.s3.Bucket) -> None:
        """Encrypt one bucket, and close it."""
        site = store.site
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-{site.region}-encryption",
            bucket=bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="aws:kms", kms_master_key_id=store.key_arn
                    ),
                    # One call to KMS a bucket and hour instead of one an object.
                    bucket_key_enabled=True,
                )
            ],
            opts=self._in(site),
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-{site.region}-ownership",
            bucket=bucket.id,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._in(site),
        )
        block = aws.s3.BucketPublicAccessBlock(
            f"{name}-{site.region}-public-access",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._in(site),
        )
        aws.s3.BucketPolicy(
            f"{name}-{site.region}-policy",
            bucket=bucket.id,
            policy=bucket_policy(bucket.arn, store.key_arn),
            # S3 refuses a policy while it is changing the public access block of the same bucket.
            opts=self._in(site, block),
        )

    def _age(
        self,
        name: str,
        args: ObjectStoreArgs,
        region: str,
        bucket: aws.s3.Bucket,
        versioning: aws.s3.BucketVersioning,
    ) -> None:
        """Lifecycle and lock of one bucket. S3 replicates neither, so each site has its own."""
        site = args.sites[region].site
        lifecycle = args.lifecycle
        steps = {
            "STANDARD_IA": lifecycle.standard_ia_days,
            "GLACIER": lifecycle.glacier_days,
            "DEEP_ARCHIVE": lifecycle.deep_archive_days,
        }
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-{region}-lifecycle",
            bucket=bucket.id,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="everything",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    transitions=[
                        aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(storage_class=storage, days=days)
                        for storage, days in steps.items()
                        if days is not None
                    ],
                    expiration=None
                    if lifecycle.expire_days is None
                    else aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=lifecycle.expire_days),
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=lifecycle.noncurrent_expire_days
                    ),
                    abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=ABORT_UPLOADS_DAYS
                    ),
                )
            ],
            opts=self._in(site, versioning),
        )
        if args.object_lock is not None:
            aws.s3.BucketObjectLockConfiguration(
                f"{name}-{region}-lock",
                bucket=bucket.id,
                rule=aws.s3.BucketObjectLockConfigurationRuleArgs(
                    default_retention=aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                        mode=args.object_lock.mode, days=args.object_lock.days
                    )
                ),
                opts=self._in(site, versioning),
            )

    def _replicate(
        self,
        name: str,
        args: ObjectStoreArgs,
        region: str,
        buckets: Mapping[str, aws.s3.Bucket],
        versionings: list[aws.s3.BucketVersioning],
    ) -> None:
        """Rules from one site's bucket to the other's, with a role that can do only this."""
        source = args.sites[region]
        other = _other(args, region)
        destination = args.sites[other]
        physical = f"{source.site.physical(name)}-replication"
        role = aws.iam.Role(
            f"{name}-{region}-replication-role",
            name=physical,
            description=f"S3 replicates {name} from {region}",
            assume_role_policy=json.dumps(REPLICATION_TRUST),
            tags=source.site.named(physical),
            opts=self._in(source.site),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-{region}-replication-policy",
            name=physical,
            role=role.name,
            policy=replication_policy(
                source.site,
                destination.site,
                (buckets[region].arn, source.key_arn, buckets[other].arn, destination.key_arn),
                delete_markers=args.delete_markers,
                object_lock=args.object_lock is not None,
            ),
            opts=self._in(source.site),
        )
        aws.s3.BucketReplicationConfig(
            f"{name}-{region}-replication",
            bucket=buckets[region].id,
            role=role.arn,
            rules=[_rule(args, buckets[other].arn, destination.key_arn)],
            # Both buckets must be versioned first, and the role able to do what the rule says.
            opts=self._in(source.site, policy, *versionings),
        )

    def _lag_alarm(self, name: str, args: ObjectStoreArgs, region: str) -> None:
        """Alarm on how far one site's bucket lags behind the other's, where S3 publishes it: at the destination.

        S3 goes on publishing while nothing replicates, and stops when the destination is gone (S3 User Guide, "Using S3
        Replication metrics"): silence is a failure here too. But it publishes on a best-effort basis, so it is given
        five minutes instead of three.
        """
        if args.lag_alarm_seconds is None:
            return
        store = args.sites[region]
        lag = Lag(
            namespace="AWS/S3",
            metric="ReplicationLatency",
            # Names, not outputs: an alarm can be made and mended with the other site gone.
            dimensions={
                "SourceBucket": _bucket_name(name, args, _other(args, region)),
                "DestinationBucket": _bucket_name(name, args, region),
                "RuleId": RULE,
            },
            threshold=args.lag_alarm_seconds,
            period=_LATENCY_PERIOD,
            periods=1,
        )
        lag_alarm(self, f"{name}-{region}-lag", store.site, store.alarm_topic_arn, lag)


def _bucket_name(name: str, args: ObjectStoreArgs, region: str) -> str:
    return args.imports.get(region) or args.sites[region].site.physical(name)


def _other(args: ObjectStoreArgs, region: str) -> str:
    """The other one of two sites."""
    (other,) = (each for each in args.sites if each != region)
    return other


def _rule(
    args: ObjectStoreArgs, bucket_arn: pulumi.Output[str], key_arn: pulumi.Input[str]
) -> aws.s3.BucketReplicationConfigRuleArgs:
    """Everything, into one bucket, with its key. Metrics are on in any case: unwatched replication has no known lag."""
    return aws.s3.BucketReplicationConfigRuleArgs(
        id=RULE,
        status="Enabled",
        priority=0,
        # An empty prefix is the whole bucket, in the form of rule that can decide about delete markers.
        filter=aws.s3.BucketReplicationConfigRuleFilterArgs(prefix=""),
        delete_marker_replication=aws.s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs(
            status=_switch(args.delete_markers)
        ),
        source_selection_criteria=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs(
            sse_kms_encrypted_objects=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(
                status="Enabled"
            ),
            replica_modifications=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaReplicaModificationsArgs(
                status=_switch(args.replica_modifications)
            ),
        ),
        destination=aws.s3.BucketReplicationConfigRuleDestinationArgs(
            bucket=bucket_arn,
            encryption_configuration=aws.s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
                replica_kms_key_id=key_arn
            ),
            metrics=aws.s3.BucketReplicationConfigRuleDestinationMetricsArgs(
                status="Enabled",
                event_threshold=aws.s3.BucketReplicationConfigRuleDestinationMetricsEventThresholdArgs(
                    minutes=TIME_CONTROL_MINUTES
                )
                if args.time_control
                else None,
            ),
            replication_time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeArgs(
                status="Enabled",
                time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeTimeArgs(minutes=TIME_CONTROL_MINUTES),
            )
            if args.time_control
            else None,
        ),
    )


def _switch(on: bool) -> str:
    return "Enabled" if on else "Disabled"
