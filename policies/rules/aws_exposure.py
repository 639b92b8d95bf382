"""AWS: what holds data is not public, and says whose it is and what is demanded of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from policies.core.objectives import duration, tags_of, tier
from policies.core.results import require, undecided, violation
from policies.core.values import UNKNOWN, is_false, is_true, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.resource import Resource
    from policies.core.results import Result

ACCESS_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
CREATE_VOLUME: Final = "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission"
EKS_CLUSTER: Final = "aws:eks/cluster:Cluster"
_EVERYBODY: Final = "all"
_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_READERS: Final[Mapping[str, tuple[Callable[[Any], Any], str]]] = {
    "rpo": (duration, "a duration such as `15m`"),
    "rto": (duration, "a duration such as `1h`"),
    "tier": (tier, "a tier such as `1`"),
}


def _off(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a switch that is off by default is not on."""
    return value is None or is_false(value)


def _not_public(resource: Resource, _: Context) -> Iterable[Result]:
    return require(resource, "publiclyAccessible", _off, "false")


def _access_block(bucket: Resource, context: Context) -> Iterator[Result]:
    companions = context.index.companions(bucket, ACCESS_BLOCK, "bucket")
    if not companions:
        yield violation(bucket, "", "the bucket must have an `aws.s3.BucketPublicAccessBlock`", absent=True)
    for companion in companions:
        for property_ in _BLOCKS:
            yield from require(companion, property_, is_true, "true")


def _snapshot_shared(resource: Resource, _: Context) -> Iterator[Result]:
    property_ = "accountId" if resource.type == CREATE_VOLUME else "sharedAccounts"
    value = resource.get(property_)
    if _EVERYBODY in texts(value):
        yield violation(resource, property_, f"`{property_}` must not be everybody (`{_EVERYBODY}`)")
    elif isinstance(value, list) and UNKNOWN in value:
        yield undecided(resource, property_)


def _eks_redshift(resource: Resource, context: Context) -> Iterator[Result]:
    if resource.type != EKS_CLUSTER:
        yield from _not_public(resource, context)
        return
    yield from require(resource, "vpcConfig.endpointPublicAccess", is_false, "false")
    yield from require(resource, "vpcConfig.endpointPrivateAccess", is_true, "true")


def _dr_tags(resource: Resource, context: Context) -> Iterator[Result]:
    tags = _tags(resource)
    for key in texts(context.parameters["tags"]):
        path = f"tags.{key}"
        name = key.lower()
        value = tags.get(name)
        read, expected = _READERS.get(name, (_filled, "some text"))
        if value is UNKNOWN:
            yield undecided(resource, path)
        elif read(value) is None:
            yield violation(resource, path, f"the tag `{key}` must be {expected}", absent=value is None)


def _copies_tags(resource: Resource, _: Context) -> Iterable[Result]:
    return require(resource, "copyTagsToSnapshot", is_true, "true")


def _filled(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) and value.strip() else None


def _tags(resource: Resource) -> dict[str, Any]:
    """A resource's tags by their names in lower case, its provider's default tags among them.

    Raises:
        UnknownPropertyError: when they are not known yet.
    """
    return {key.lower(): value for key, value in tags_of(resource).items()}


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rds-not-public": _not_public,
    "s3-public-access-block": _access_block,
    "snapshots-not-public": _snapshot_shared,
    "eks-redshift-not-public": _eks_redshift,
    "dr-tags": _dr_tags,
    "copy-tags-to-snapshots": _copies_tags,
}
