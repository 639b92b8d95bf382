"""Who follows whom among the caches: over which way between regions, and how far behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lifeboat.sandbox.live.redisserver import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.sandbox.live.cache_roles import Key, Roles
    from lifeboat.sandbox.live.cache_units import Cache
    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.redisserver import Position


class Following:
    """The leaders of all caches. Whoever calls `way`, `part` or `measure` has the caches' lock.

    Args:
        caches: All of them.
        roles: Who leads a global datastore.
        links: Ways between regions.
    """

    def __init__(self, caches: Mapping[Key, Cache], roles: Roles, links: Links) -> None:
        self._caches = caches
        self._roles = roles
        self._links = links

    def leader(self, cache: Cache) -> Cache | None:
        """Who leads a cache's datastore, maybe itself; None: it is in none, or its leader has no server so far."""
        key = self._roles.leading(cache.group.global_replication_group_id)
        return None if key is None else self._caches.get(key)

    def followed(self, cache: Cache) -> Cache | None:
        """What a server follows now, if anything."""
        return None if cache.server.settings.source is None else self.leader(cache)

    def way(self, cache: Cache) -> Source | None:
        """Where a server reaches what it is to follow; None: it leads.

        One that is cut off from a new leader is not told of it, and goes on as it is.

        Raises:
            SandboxError: when there is no link to open.
        """
        leader = self.leader(cache)
        if leader is None or leader is cache:
            return None
        if cache.begun and self._apart(cache, leader):
            return cache.server.settings.source
        there = leader.server.source()
        address = self._links.open(cache.server.name, leader.key[0], cache.key[0], there.host, there.port)
        return Source(address, there.port)

    def part(self, cache: Cache) -> None:
        """Close the way of one that follows nobody any more."""
        self._links.close(cache.server.name)

    def measure(self) -> None:
        """Note how far every cache is behind its leader, which is asked once."""
        leaders: dict[Key, Position | None] = {}
        for cache in self._caches.values():
            leader = self.leader(cache)
            if leader is None or leader is cache:
                cache.lead()
                continue
            now = time.monotonic()
            if leader.key not in leaders:
                leaders[leader.key] = leader.position(beat=True)
            cache.trail.note(now, leaders[leader.key], cache.position())

    def _apart(self, one: Cache, other: Cache) -> bool:
        ways = ((one.key[0], other.key[0]), (other.key[0], one.key[0]))
        shapes = [self._links.shape_of(*way) for way in ways]
        return any(shape.cut or shape.reset for shape in shapes)
