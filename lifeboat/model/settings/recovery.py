"""What recovers: the wardens, and the way in for people when nothing else is left."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from lifeboat.model.settings.base import Model, lasting

REGION_PLACEHOLDER = "{region}"
ACCOUNT_PLACEHOLDER = "{account}"
DEFAULT_IMAGE = f"{ACCOUNT_PLACEHOLDER}.dkr.ecr.{REGION_PLACEHOLDER}.amazonaws.com/lifeboat-warden:1"

_REFERENCE = re.compile(
    r"[a-z0-9{}][a-z0-9{}._/:-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})", re.ASCII
)
_LONGEST = 255
_ECR = ".dkr.ecr."
_PRINCIPAL = re.compile(r"arn:aws:iam::\d{12}:(user|role)/[A-Za-z0-9+=,.@_/-]{1,128}", re.ASCII)
_SIGNED_IN = "AWSReservedSSO_"
"""How roles begin that IAM Identity Center hands out."""


def _image(value: object) -> object:
    if not isinstance(value, str) or len(value) > _LONGEST or not _REFERENCE.fullmatch(value):
        raise ValueError(f"an image with its tag or digest, such as {DEFAULT_IMAGE}")
    if set(re.findall(r"\{[^}]*\}", value)) - {REGION_PLACEHOLDER, ACCOUNT_PLACEHOLDER}:
        raise ValueError(f"an image whose only placeholders are {ACCOUNT_PLACEHOLDER} and {REGION_PLACEHOLDER}")
    if _ECR in value and REGION_PLACEHOLDER not in value:
        raise ValueError(
            f"an image that every region pulls from a registry of its own: {REGION_PLACEHOLDER} in place of the region"
        )
    return value


def _principal(value: object) -> object:
    if not isinstance(value, str) or not _PRINCIPAL.fullmatch(value):
        raise ValueError("an IAM user or role, such as arn:aws:iam::123456789012:user/break-glass")
    if _SIGNED_IN in value:
        raise ValueError("an IAM user or role that signs in without IAM Identity Center, which lives in one region")
    return value


def _no_twice(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("a list in which nobody stands twice")
    return values


class Warden(Model):
    """The process that watches, decides and recovers: one in each site and one in the witness."""

    image: Annotated[str, BeforeValidator(_image), WithJsonSchema({"type": "string", "maxLength": _LONGEST})] = Field(
        default=DEFAULT_IMAGE,
        description="Container image with its tag or digest; {account} and {region} are filled in, so that each region "
        "pulls from its own registry.",
    )

    def image_in(self, region: str, account: str) -> str:
        """The image that one region's warden runs."""
        return self.image.replace(REGION_PLACEHOLDER, region).replace(ACCOUNT_PLACEHOLDER, account)


class Breakglass(Model):
    """Operator access when neither the home region nor what people usually sign in with is left."""

    principals: Annotated[
        tuple[Annotated[str, BeforeValidator(_principal), WithJsonSchema({"type": "string"})], ...],
        AfterValidator(_no_twice),
    ] = Field(default=(), description="IAM users and roles that may take the role, with MFA; empty makes no role.")
    session: Annotated[int, *lasting(3600, 43200)] = Field(
        default=3600, description="Longest session, 1h to 12h, as IAM takes it."
    )
