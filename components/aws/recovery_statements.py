"""What policies of those who recover a stack are made of: its names, and the statements that several have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lifeboat.model.naming import switch_namespace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Statement = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class FailoverScope:
    """What one stack's failover touches. Names as their services have them; ``*`` in one stands for any characters."""

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
    """Plain instances by region."""
    restored: bool = False
    """Some database comes back from backups, which makes instances."""
    vaults: bool = False
    """Of some, the backups are in vaults."""
    backup_roles: Sequence[str] = ()
    """Roles that AWS Backup restores from these with."""
    datastores: Sequence[str] = ()
    """Global Datastores."""
    replication_groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """Their groups, by region."""
    made_groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """Groups of other caches that a failover makes, by region."""
    buckets: Sequence[str] = ()
    secrets: Sequence[str] = ()
    """Secrets with what connects to stores; the same names in each site, without the end that AWS adds."""
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

    def is_own(self, name: str) -> bool:
        """Whether a name is of the stack's making, or may be: what was adopted keeps its own."""
        return name.startswith(f"{self.prefix}-")

    @property
    def regions(self) -> tuple[str, ...]:
        """Sites and witness."""
        return (*self.sites, self.witness)


def allow(
    sid: str, actions: Sequence[str], resource: str | Sequence[str], condition: Mapping[str, object] | None = None
) -> Statement:
    """A statement that allows actions on resources."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": resource if isinstance(resource, str) else list(resource),
    }
    return statement if condition is None else {**statement, "Condition": dict(condition)}


def set_switches(scope: FailoverScope) -> Statement:
    """Levels and signs of life: the namespace that the switches' alarms watch, in the one region where they do."""
    return allow(
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


def tell_people(scope: FailoverScope) -> Statement:
    """Publishing to the stack's topics, of whichever region answers."""
    topics = [scope.arn("sns", region, f"{scope.prefix}-alerts-{region}") for region in scope.regions]
    return allow("TellPeople", ["sns:Publish"], topics)


def lease_key(scope: FailoverScope) -> Statement:
    """What reading and writing the lease asks of its key."""
    if scope.lease_buckets:
        service, regions, actions = "s3", tuple(scope.lease_buckets), ["kms:Decrypt", "kms:GenerateDataKey"]
    else:
        service, regions, actions = "dynamodb", scope.sites, ["kms:Decrypt"]
    return use_keys(scope, "UseTheLeasesKey", service=service, purposes=["lease"], regions=regions, actions=actions)


def use_alerts_key(scope: FailoverScope) -> Statement:
    """What telling people asks of the topics' key."""
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    return use_keys(
        scope, "PublishEncrypted", service="sns", purposes=["alerts"], regions=scope.regions, actions=actions
    )


def use_keys(  # noqa: PLR0913 - who uses which key for what
    scope: FailoverScope,
    sid: str,
    *,
    service: str,
    purposes: Sequence[str],
    regions: Sequence[str],
    actions: Sequence[str],
) -> Statement:
    """What a service does with purposes' keys for whoever asks it; keys are told by alias, which needs no ARN."""
    return allow(
        sid,
        actions,
        [scope.arn("kms", region, "key/*") for region in regions],
        {
            "StringEquals": {"kms:ViaService": [f"{service}.{region}.amazonaws.com" for region in regions]},
            "ForAnyValue:StringEquals": {
                "kms:ResourceAliases": [f"alias/{scope.prefix}-{purpose}" for purpose in purposes]
            },
        },
    )
