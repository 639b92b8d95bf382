"""What AWS's API says about caches, as moto has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.elasticache.models import elasticache_backends

from lifeboat.sandbox.live.redisserver import Settings, Source
from lifeboat.sandbox.patches.base import Moto, attributes
from lifeboat.sandbox.patches.elasticache import PARAMETER_GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.sandbox.live.cache_roles import Key


def groups(account_id: str) -> dict[Key, Moto]:
    """An account's replication groups without shards."""
    return {
        (region, name): group
        for region, backend in list(elasticache_backends[account_id].items())
        for name, group in list(backend.replication_groups.items())
        if not group.cluster_enabled
    }


def settings(account_id: str, region: str, group: Moto, source: Source | None) -> Settings:
    """What the server is given that plays a group."""
    known = attributes(elasticache_backends[account_id][region]).get(PARAMETER_GROUPS, {})
    chosen = known.get(group.cache_parameter_group_name)
    parameters: dict[str, str] = {} if chosen is None else dict(chosen.parameters)
    return Settings(
        tokens=group.auth_tokens,
        durable=len(group.member_clusters) > 1 or parameters.get("appendonly") == "yes",
        parameters=parameters,
        source=source,
    )


def host_names(group: Moto) -> Iterator[str]:
    """Every host name that the API gives to a group's clients."""
    for node_group in group.node_groups:
        yield node_group["primary_endpoint_address"]
        yield node_group["reader_endpoint_address"]
        for member in node_group["node_group_members"]:
            yield member["read_endpoint"]["address"]
