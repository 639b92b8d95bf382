"""Who leads a global datastore: what AWS's API wants, what is so, and when the one becomes the other.

moto's model swaps the roles when it is asked to. Servers follow when AWS would have promoted; meanwhile the API says
``modifying``.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lifeboat.model.timings import Step
from lifeboat.sandbox.patches.elasticache_global import GlobalDatastore, stores

if TYPE_CHECKING:
    from lifeboat.sandbox.live.effects import Effects
    from lifeboat.sandbox.patches.base import Moto

Key: TypeAlias = tuple[str, str]
"""Region and replication group ID."""


@dataclass
class _Change:
    """Roles that are changing."""

    due: float
    """On the monotonic clock."""
    groups: list[Moto]
    """What the API calls ``modifying`` meanwhile."""


class Roles:
    """Leaders by datastore; safe to use from several threads, none of which waits for a server.

    Args:
        account_id: AWS account, 12 digits.
        effects: How long AWS takes.
    """

    def __init__(self, account_id: str, effects: Effects) -> None:
        self._account_id = account_id
        self._effects = effects
        self._lock = threading.Lock()
        self._leading: dict[str, Key] = {}
        self._changes: dict[str, _Change] = {}

    def look(self) -> None:
        """See which datastores are wanted to change their leader, and begin the change."""
        with self._lock:
            known = stores(self._account_id)
            for identifier in self._leading.keys() - known.keys():
                self._end_change(identifier)
                del self._leading[identifier]
            for identifier, store in list(known.items()):
                wanted, leading = _primary(store), self._leading.get(identifier)
                if leading is None or leading not in store.groups:
                    self._end_change(identifier)
                    self._leading[identifier] = wanted
                elif leading != wanted and identifier not in self._changes:
                    self._begin_change(identifier, store)

    def leading(self, identifier: str) -> Key | None:
        """Who leads a datastore now; None when there is no such datastore."""
        with self._lock:
            return self._leading.get(identifier)

    def changing(self) -> list[str]:
        """Datastores whose leader is changing, sorted."""
        with self._lock:
            return sorted(self._changes)

    def due(self) -> dict[str, Key]:
        """Who is to lead by now, by datastore, and does not yet."""
        now = time.monotonic()
        with self._lock:
            known = stores(self._account_id)
            return {
                identifier: _primary(known[identifier])
                for identifier, change in self._changes.items()
                if change.due <= now and identifier in known
            }

    def seconds_to_next(self) -> float:
        """Until a change is due; infinite when none is under way, not above 0 when one is overdue."""
        with self._lock:
            return min((change.due for change in self._changes.values()), default=math.inf) - time.monotonic()

    def settle(self, identifier: str, leading: Key) -> None:
        """Say that a change has come to its end."""
        with self._lock:
            self._end_change(identifier)
            self._leading[identifier] = leading

    def _begin_change(self, identifier: str, store: GlobalDatastore) -> None:
        due = time.monotonic() + self._effects.seconds(Step.CACHE_PROMOTION)
        change = self._changes[identifier] = _Change(due, list(store.groups.values()))
        for group in change.groups:
            group.status = "modifying"

    def _end_change(self, identifier: str) -> None:
        change = self._changes.pop(identifier, None)
        for group in change.groups if change else ():
            group.status = "available"


def _primary(store: GlobalDatastore) -> Key:
    return next(key for key, group in store.groups.items() if group.global_replication_group_member_role == "PRIMARY")
