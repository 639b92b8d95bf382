"""One cache: a replication group, the server that plays it, and what faults and time made of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis

from lifeboat.sandbox.live.cache_lag import Trail
from lifeboat.sandbox.live.writers import parted, took_over

if TYPE_CHECKING:
    from lifeboat.sandbox.live.cache_roles import Key
    from lifeboat.sandbox.live.redisserver import Position, RedisServer, Settings
    from lifeboat.sandbox.patches.base import Moto


@dataclass
class Cache:
    """One replication group and the server that plays it.

    Attributes:
        key: Region and group.
        group: As moto has it.
        server: Its server.
        trail: How far it is behind.
        held: A fault holds it down.
        frozen: A fault has stopped it in its tracks.
        begun: It ran, and so was given a role.
        down_until: When AWS will have replaced the node that ended, on the monotonic clock; None: nothing ended.
        fault: What keeps it from what is wanted, one line, or empty.
        followed: Name of what it followed last, or empty.
    """

    key: Key
    group: Moto
    server: RedisServer
    trail: Trail = field(default_factory=Trail)
    held: bool = False
    frozen: bool = False
    begun: bool = False
    down_until: float | None = None
    fault: str = ""
    followed: str = ""

    @property
    def name(self) -> str:
        """Its key, for others."""
        return "/".join((self.key[0], "cache", self.key[1]))

    @property
    def answers(self) -> bool:
        """Whether there is a point in asking it."""
        return self.server.pid is not None and not self.frozen

    @property
    def state(self) -> str:
        """In one word, for people."""
        if self.server.pid is not None:
            return "frozen" if self.frozen else "running"
        if self.held:
            return "held"
        return "down" if self.begun else "starting"

    def configure(self, settings: Settings, leader: Cache | None) -> None:
        """Give its server settings; one that ceases to follow does so once it is on the disk that it writes.

        Args:
            settings: What is wanted.
            leader: Who leads its datastore so far, maybe itself; None: it is in none, or nobody does.

        Raises:
            SandboxError: when that cannot be kept.
            redis.RedisError: when the server does not take it.
        """
        if leader is not None and leader is not self:
            self.followed = leader.name
        if settings.source is None and self.server.settings.source is not None:
            # The directories between are its region and group.
            family = self.server.place.directory.parents[1]
            if leader is None:
                parted(family, self.name)
            else:
                took_over(family, self.name, self.followed)
        self.server.configure(settings)

    def position(self, *, beat: bool = False) -> Position | None:
        """How far its data are, after a heartbeat if asked for; None when it does not answer."""
        if not self.answers:
            return None
        try:
            if beat:
                self.server.beat()
            return self.server.position()
        except redis.RedisError:
            return None

    def lead(self) -> None:
        """Forget how far it was behind."""
        self.trail = Trail()
