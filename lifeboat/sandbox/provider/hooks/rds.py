"""RDS: an instance has four ways to be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Values


def with_tags(context: Values, arguments: Values) -> Values:
    """Tags for a create call that is not the first in the catalogue."""
    tags = cast("Values", cast("Values", context["in"]).get("tags") or {})
    return {**arguments, "Tags": [{"Key": name, "Value": value} for name, value in tags.items()]} if tags else arguments
