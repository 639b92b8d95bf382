"""The contract, published in every site, where app teams find it when the state backend cannot be reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.site import Site

PARAMETER_BYTES = 8192
"""The most that an advanced parameter holds."""


@dataclass(frozen=True, kw_only=True)
class PublicationSite:
    """One site to publish in."""

    site: Site
    bucket: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    """Key of the bucket, of its region."""


@dataclass(frozen=True, kw_only=True)
class PublicationArgs:
    """What `ContractPublication` needs."""

    sites: Sequence[PublicationSite]
    document: pulumi.Input[str]
    """The contract as JSON. Nothing in it is secret."""
    parameter_name: str
    """Such as ``/lifeboat/reskflow-production/contract``, the same in every site."""


class ContractPublication(pulumi.ComponentResource):
    """Publishes one document in every site, as an object and as a parameter.

    The parameter's tier is Intelligent-Tiering: a standard parameter holds 4 KiB, and whether the contract fits is
    known only once AWS has made the endpoints in it. SSM then bills an advanced one (8 KiB) only where it must; a
    document that is longer still is replaced by a pointer to the object, see `parameter_value`.

    Object keys carry the region, because the buckets may replicate into each other.
    """

    object_keys: dict[str, str]
    """S3 key by region."""
    parameter_name: str

    def __init__(self, name: str, args: PublicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:ContractPublication", name, {}, opts)
        self.parameter_name = args.parameter_name
        self.object_keys = {}
        for place in args.sites:
            site = place.site
            child = pulumi.ResourceOptions(parent=self, provider=site.provider)
            key = f"lifeboat/{site.region}/contract.json"
            self.object_keys[site.region] = key
            aws.s3.BucketObjectv2(
                f"{name}-{site.region}-object",
                bucket=place.bucket,
                key=key,
                content=args.document,
                content_type="application/json",
                server_side_encryption="aws:kms",
                kms_key_id=place.key_arn,
                # S3 takes ten tags an object and a stack may have more; the bucket carries them all.
                tags={"Name": site.physical(name)},
                opts=child,
            )
            aws.ssm.Parameter(
                f"{name}-{site.region}-parameter",
                name=args.parameter_name,
                type="String",
                tier="Intelligent-Tiering",
                value=pulumi.Output.all(args.document, place.bucket).apply(
                    lambda known, key=key: parameter_value(known[0], f"s3://{known[1]}/{key}")
                ),
                tags=site.named(args.parameter_name),
                opts=child,
            )
        self.register_outputs({"object_keys": self.object_keys, "parameter_name": self.parameter_name})


def parameter_value(document: str, location: str) -> str:
    """The document itself, or ``{"location": "s3://..."}`` when it is longer than any parameter."""
    if len(document.encode()) <= PARAMETER_BYTES:
        return document
    return json.dumps({"location": location})
