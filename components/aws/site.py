"""One region of one account, as components see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where children are created and how they are named there.

    The region is a plain string, so that logical names never wait for an output.
    """

    region: str
    """AWS region, such as ``us-east-1``."""
    account: str
    """AWS account, 12 digits."""
    prefix: str
    """First part of every physical name, such as ``reskflow-production``."""
    provider: aws.Provider
    """The region's explicit provider; default providers are disabled."""
    tags: Mapping[str, str]
    """Tags of every resource, beside its ``Name``."""

    @property
    def compact(self) -> str:
        """The region without dashes, such as ``useast1``.

        For logical names of what serves this region but lives in another one: a target such as ``**us-east-1**`` must
        select what lives in the region, and nothing else.
        """
        return self.region.replace("-", "")

    def physical(self, logical: str) -> str:
        """The physical name of something called `logical` here, such as ``reskflow-production-orders-us-east-1``.

        A name that already carries the region is only prefixed, so that a resource can be found without any state.
        """
        name = f"{self.prefix}-{logical}"
        return name if self.region in logical else f"{name}-{self.region}"

    def named(self, name: str) -> dict[str, str]:
        """All tags of a resource called `name`."""
        return {**self.tags, "Name": name}

    def arn(self, service: str, resource: str) -> str:
        """The ARN of `resource` (such as ``secret:x``) of a regional `service` in this account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
