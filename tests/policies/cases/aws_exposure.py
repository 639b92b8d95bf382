"""Cases of `policies.rules.aws_exposure`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policies.core.resource import Provider
from policies.core.values import UNKNOWN
from tests.policies.harness import Case, make

INSTANCE = "aws:rds/instance:Instance"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
CLUSTER = "aws:rds/cluster:Cluster"
BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
SNAPSHOT = "aws:rds/snapshot:Snapshot"
VOLUME_PERMISSION = "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission"
EKS = "aws:eks/cluster:Cluster"
REDSHIFT = "aws:redshift/cluster:Cluster"

FOUR = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
TAGS = {"tier": "tier-1", "RPO": "15m", "rto": "1h", "Owner": "team", "data-class": "personal"}
DEFAULTS = '{"tags": {"tier": "1", "rpo": "15m", "rto": "1h", "owner": "team", "data-class": "none"}}'

_bucket = make(BUCKET, "data")


def _blocked(**flags: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return [_bucket, make(BLOCK, "block", {"bucket": UNKNOWN, **FOUR, **flags}, uses={"bucket": _bucket})]


def _endpoint(*, public: Any, private: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return [make(EKS, inputs={"vpcConfig": {"endpointPublicAccess": public, "endpointPrivateAccess": private}})]


def _by_default(default_tags: Any, tags: Any = None) -> list[Any]:  # noqa: ANN401 - JSON
    inputs = {} if tags is None else {"tags": tags}
    provider = Provider(urn="p", type="pulumi:providers:aws", inputs={"defaultTags": default_tags})
    return [replace(make(BUCKET, inputs=inputs), provider=provider)]


_ALL_TAGS = ["it:tags.data-class", "it:tags.owner", "it:tags.rpo", "it:tags.rto", "it:tags.tier"]

CASES: dict[str, list[Case]] = {
    "rds-not-public": [
        Case(kind="passes", resources=[make(INSTANCE, inputs={"publiclyAccessible": False})]),
        *(
            Case(
                kind="fails",
                about=type_,
                resources=[make(type_, inputs={"publiclyAccessible": True})],
                violated=["it:publiclyAccessible"],
            )
            for type_ in (INSTANCE, CLUSTER_INSTANCE, CLUSTER)
        ),
        Case(
            kind="fails",
            about="no flag",
            resources=[make(INSTANCE, inputs={"publiclyAccessible": 1})],
            violated=["it:publiclyAccessible"],
        ),
        Case(kind="absent", resources=[make(INSTANCE)]),
        Case(
            kind="unknown",
            resources=[make(INSTANCE, inputs={"publiclyAccessible": UNKNOWN})],
            undecided=["it:publiclyAccessible"],
        ),
    ],
    "s3-public-access-block": [
        Case(kind="passes", resources=_blocked()),
        *(
            Case(kind="fails", about=name, resources=_blocked(**{name: False}), violated=[f"block:{name}"])
            for name in FOUR
        ),
        Case(kind="absent", resources=[_bucket], violated=["data:"]),
        Case(
            kind="absent", about="a flag", resources=_blocked(blockPublicAcls=None), violated=["block:blockPublicAcls"]
        ),
        Case(kind="unknown", resources=_blocked(ignorePublicAcls=UNKNOWN), undecided=["block:ignorePublicAcls"]),
        Case(
            kind="companion",
            about="of another bucket",
            resources=[*_blocked(), make(BUCKET, "other")],
            violated=["other:"],
        ),
        Case(
            kind="companion",
            about="by name",
            resources=[make(BUCKET, inputs={"bucket": "b"}), make(BLOCK, "block", {"bucket": "b", **FOUR})],
        ),
    ],
    "snapshots-not-public": [
        Case(kind="passes", resources=[make(SNAPSHOT, inputs={"sharedAccounts": ["123456789012"]})]),
        Case(
            kind="passes",
            about="one account",
            resources=[make(VOLUME_PERMISSION, inputs={"accountId": "123456789012"})],
        ),
        *(
            Case(
                kind="fails",
                about=type_,
                resources=[make(type_, inputs={"sharedAccounts": ["123456789012", "all"]})],
                violated=["it:sharedAccounts"],
            )
            for type_ in (
                SNAPSHOT,
                "aws:rds/clusterSnapshot:ClusterSnapshot",
                "aws:rds/snapshotCopy:SnapshotCopy",
                "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy",
            )
        ),
        Case(
            kind="fails",
            about="a volume",
            resources=[make(VOLUME_PERMISSION, inputs={"accountId": "all"})],
            violated=["it:accountId"],
        ),
        Case(
            kind="fails",
            about="an unknown does not hide all",
            resources=[make(SNAPSHOT, inputs={"sharedAccounts": [UNKNOWN, "all"]})],
            violated=["it:sharedAccounts"],
        ),
        Case(kind="absent", resources=[make(SNAPSHOT), make(VOLUME_PERMISSION)]),
        Case(
            kind="unknown",
            resources=[make(SNAPSHOT, inputs={"sharedAccounts": [UNKNOWN]})],
            undecided=["it:sharedAccounts"],
        ),
        Case(
            kind="unknown",
            about="a volume",
            resources=[make(VOLUME_PERMISSION, inputs={"accountId": UNKNOWN})],
            undecided=["it:accountId"],
        ),
    ],
    "eks-redshift-not-public": [
        Case(kind="passes", resources=_endpoint(public=False, private=True)),
        Case(kind="passes", about="Redshift", resources=[make(REDSHIFT, inputs={"publiclyAccessible": False})]),
        Case(
            kind="fails", resources=_endpoint(public=True, private=True), violated=["it:vpcConfig.endpointPublicAccess"]
        ),
        Case(
            kind="fails",
            about="none",
            resources=_endpoint(public=False, private=False),
            violated=["it:vpcConfig.endpointPrivateAccess"],
        ),
        Case(
            kind="fails",
            about="Redshift",
            resources=[make(REDSHIFT, inputs={"publiclyAccessible": True})],
            violated=["it:publiclyAccessible"],
        ),
        Case(
            kind="absent",
            resources=[make(EKS), make(REDSHIFT, "redshift")],
            violated=["it:vpcConfig.endpointPrivateAccess", "it:vpcConfig.endpointPublicAccess"],
        ),
        Case(
            kind="unknown",
            resources=_endpoint(public=True, private=UNKNOWN),
            violated=["it:vpcConfig.endpointPublicAccess"],
            undecided=["it:vpcConfig.endpointPrivateAccess"],
        ),
    ],
    "dr-tags": [
        Case(kind="passes", resources=[make(BUCKET, inputs={"tags": TAGS})]),
        Case(kind="passes", about="the provider's", resources=_by_default(DEFAULTS)),
        Case(kind="passes", about="the provider's as an object", resources=_by_default({"tags": TAGS})),
        Case(
            kind="passes",
            about="no provider is known",
            resources=[replace(make(BUCKET, outputs={"tagsAll": TAGS}), provider=None)],
        ),
        Case(kind="passes", about="all of them", resources=[make(BUCKET, inputs={"tagsAll": TAGS})]),
        Case(
            kind="passes",
            about="the team's",
            resources=[make(BUCKET, inputs={"tags": {"team": "a"}})],
            parameters={"tags": ["Team"]},
        ),
        Case(
            kind="fails",
            about="not readable",
            resources=[
                make(BUCKET, inputs={"tags": {**TAGS, "tier": "gold", "RPO": "soon", "rto": ["1h"], "Owner": " "}})
            ],
            violated=["it:tags.owner", "it:tags.rpo", "it:tags.rto", "it:tags.tier"],
        ),
        Case(
            kind="fails",
            about="its own win",
            resources=_by_default(DEFAULTS, {"rpo": "soon"}),
            violated=["it:tags.rpo"],
        ),
        Case(kind="fails", about="no JSON", resources=_by_default("{"), violated=_ALL_TAGS),
        Case(kind="absent", resources=[make(BUCKET)], violated=_ALL_TAGS),
        Case(
            kind="absent",
            about="one",
            resources=[make(BUCKET, inputs={"tags": {k: v for k, v in TAGS.items() if k != "rto"}})],
            violated=["it:tags.rto"],
        ),
        Case(kind="unknown", resources=[make(BUCKET, inputs={"tags": UNKNOWN})], undecided=["it:tags"]),
        Case(
            kind="unknown",
            about="one",
            resources=[make(BUCKET, inputs={"tags": {**TAGS, "rto": UNKNOWN}})],
            undecided=["it:tags.rto"],
        ),
        Case(kind="unknown", about="the provider's", resources=_by_default(UNKNOWN), undecided=["it:tagsAll"]),
        Case(
            kind="exempt",
            about="the SDK has no tags for it",
            resources=[make("aws:elasticache/globalReplicationGroup:GlobalReplicationGroup")],
        ),
    ],
    "copy-tags-to-snapshots": [
        Case(kind="passes", resources=[make(INSTANCE, inputs={"copyTagsToSnapshot": True})]),
        Case(
            kind="fails",
            resources=[make(INSTANCE, inputs={"copyTagsToSnapshot": False})],
            violated=["it:copyTagsToSnapshot"],
        ),
        Case(kind="absent", resources=[make(CLUSTER)], violated=["it:copyTagsToSnapshot"]),
        Case(
            kind="unknown",
            resources=[make(CLUSTER, inputs={"copyTagsToSnapshot": UNKNOWN})],
            undecided=["it:copyTagsToSnapshot"],
        ),
        Case(kind="exempt", about="an instance of a cluster", resources=[make(CLUSTER_INSTANCE)]),
    ],
}

_OWN = "it is a property of the resource itself"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "rds-not-public": {"companion": _OWN, "exempt": "no role needs a database with a public address"},
    "s3-public-access-block": {"exempt": "public content is published through a distribution"},
    "snapshots-not-public": {"companion": _OWN, "exempt": "no role needs everybody"},
    "eks-redshift-not-public": {"companion": _OWN, "exempt": "no role needs a public endpoint"},
    "dr-tags": {"companion": _OWN},
    "copy-tags-to-snapshots": {"companion": _OWN},
}
"""By rule and kind: why there is no such case."""
