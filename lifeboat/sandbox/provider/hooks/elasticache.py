"""ElastiCache: the provider counts members, the API counts replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Values


def replicas(_: Values, arguments: Values) -> Values:
    """One member is the primary."""
    return {**arguments, "NewReplicaCount": cast("int", arguments["NewReplicaCount"]) - 1}
