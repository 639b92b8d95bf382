"""ElastiCache's replication groups as real Redis servers, and global datastores as real replication between regions.

What AWS's API says is what is wanted (moto's model), and `reconcile` brings the servers there: made and removed with
their groups, promoted and made to follow with their global datastore's roles.

Invariants:
1. One server plays a group in its region: the group's replicas in other zones are not real. Both of its endpoints, and
   those of its members, lead to this server. What is written outlives the process when the group has such replicas,
   which would have kept it, or when its parameter group asks for an append-only file.
2. A secondary reaches its primary through a link.
3. A change of roles takes as long as AWS takes; meanwhile the old roles hold, and the API says ``modifying``.
4. A primary that was cut off from its successor is not told: it takes writes until it is reached again, follows then,
   and loses them.

Not played: groups with shards, and clusters outside of a group (Memcached's too).
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import redis

from lifeboat.model.timings import Step
from lifeboat.sandbox.live import cache_model
from lifeboat.sandbox.live.cache_following import Following
from lifeboat.sandbox.live.cache_roles import Key, Roles
from lifeboat.sandbox.live.cache_units import Cache
from lifeboat.sandbox.live.metrics import CacheReplica
from lifeboat.sandbox.live.redisserver import Place, RedisServer, kept_secret
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lifeboat.sandbox.live.account import Account
    from lifeboat.sandbox.live.effects import Effects
    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.network import Network
    from lifeboat.sandbox.live.processes import Processes
    from lifeboat.sandbox.live.redisserver import Source
    from lifeboat.sandbox.patches.base import Moto

_PROCESS: Final = "cache-"
_INTERVAL: Final = 1.0
"""Seconds between looks at servers that nobody gave notice of."""
_log = logging.getLogger(__name__)


class Caches:
    """All caches of a sandbox; safe to use from several threads.

    A cache's key is ``<region>/cache/<replication group>``.

    Args:
        directory: The sandbox's; takes ``data/cache``.
        account_id: AWS account, 12 digits.
        network: Gives addresses.
        processes: Starts servers.
        account: Whom they run as; None for the gateway's own user.
        effects: How long what AWS does takes.
        links: Ways between regions.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the world's parts, each needed
        self,
        directory: Path,
        account_id: str,
        network: Network,
        processes: Processes,
        account: Account | None,
        effects: Effects,
        links: Links,
    ) -> None:
        self._data = directory / "data" / "cache"
        self._account_id = account_id
        self._network = network
        self._processes = processes
        self._account = account
        self._effects = effects
        self._secret = kept_secret(directory / "cache-secret")
        self._roles = Roles(account_id, effects)
        self._caches: dict[Key, Cache] = {}
        self._following = Following(self._caches, self._roles, links)
        self._names: Mapping[str, str] = {}
        self._lock = threading.RLock()
        self._looked = threading.Condition(self._lock)
        self._looks = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._worker = threading.Thread(target=self._work, name="caches", daemon=True)

    def start(self) -> None:
        """Begin to look after them."""
        self._worker.start()

    def close(self) -> None:
        """Stop looking after them, and end them politely; their data stay."""
        self._closing.set()
        self._wake.set()
        if self._worker.is_alive():
            self._worker.join()
        with self._lock:
            for cache in self._caches.values():
                cache.server.stop()

    def notify(self) -> None:
        """Take note of a call that may have changed something, before it is answered."""
        self._roles.look()
        self._wake.set()

    def ended(self, name: str, code: int) -> None:
        """Take note of a process that ended: `name` is any process's, `code` negative for a signal."""
        if name.startswith(_PROCESS):
            _log.info("%s ended with %d", name, code)
            self._wake.set()

    def settle(self, deadline: float) -> None:
        """Wait until everything is as moto says.

        Raises:
            SandboxError: when it is not within `deadline` seconds, naming what is not.
        """
        self.notify()
        with self._looked:
            begun = self._looks
            if not self._looked.wait_for(lambda: self._looks > begun and not self._unsettled(), deadline):
                raise SandboxError(f"caches are not ready after {deadline:g} s: {', '.join(self._unsettled())}")

    @property
    def names(self) -> Mapping[str, str]:
        """Addresses by the host names that AWS gives."""
        return self._names

    def reconcile(self) -> None:
        """Bring the servers to what the model says, as far as possible now; what failed is tried again later."""
        with self._lock:
            self._roles.look()
            wanted = cache_model.groups(self._account_id)
            for key, cache in list(self._caches.items()):
                if wanted.get(key) is not cache.group:
                    self._remove(cache)
            for key, group in wanted.items():
                if key not in self._caches:
                    self._add(key, group)
            # Replaced whole, so that no look-up waits for a server.
            self._names = {
                name: cache.server.place.address
                for cache in self._caches.values()
                for name in cache_model.host_names(cache.group)
            }
            for cache in self._caches.values():
                self._try(cache, self._keep)
            self._promote()
            self._following.measure()
            self._looks += 1
            self._looked.notify_all()

    def status(self) -> list[dict[str, Any]]:
        """One row a cache: key, region, role, address, port, pid, state, source, lag_seconds, problem."""
        # Without the lock, which is held as long as a server takes to start or to answer.
        return [self._row(cache) for _, cache in sorted(self._caches.items())]

    def replicas(self) -> list[CacheReplica]:
        """Those that replicate another region's, for the metrics of their lag."""
        return [
            CacheReplica(
                key=cache.name,
                region=cache.key[0],
                identifier=cache.key[1],
                lag=functools.partial(self.lag, cache.name),
            )
            for cache in list(self._caches.values())
            if cache.server.settings.source is not None
        ]

    def keys(self, region: str) -> list[str]:
        """Those of a region, sorted."""
        return sorted(cache.name for cache in list(self._caches.values()) if cache.key[0] == region)

    def lag(self, key: str) -> float | None:
        """How long a secondary has lacked something that its primary has, seconds, measured now.

        To the second, since the primary is sent a heartbeat each second. None for a primary, when one of both does not
        answer, and for a cache that is gone.
        """
        with self._lock:
            cache = self._known(key)
            self._following.measure()
            return None if cache is None else cache.trail.lag

    def hold(self, key: str) -> None:
        """End a server as a crash does, and start it no more until it is released.

        Raises:
            SandboxError: when there is no such cache.
        """
        with self._lock:
            cache = self._find(key)
            cache.held, cache.frozen = True, False
            cache.server.kill()

    def release(self, key: str) -> None:
        """Let a server that is held start again, with what it has; nothing happens when it is gone for good."""
        with self._lock:
            cache = self._known(key)
            if cache is not None and cache.held:
                cache.held, cache.down_until = False, time.monotonic()
        self._wake.set()

    def freeze(self, key: str) -> None:
        """Stop a server in its tracks until it is thawed.

        Raises:
            SandboxError: when it does not run, or there is no such cache.
        """
        with self._lock:
            cache = self._find(key)
            cache.server.freeze()
            cache.frozen = True

    def thaw(self, key: str) -> None:
        """Let a frozen server go on; nothing happens when it is gone for good."""
        with self._lock:
            cache = self._known(key)
            if cache is not None:
                cache.server.thaw()
                cache.frozen = False
        self._wake.set()

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self.reconcile()
            # The thread must live on: whatever is wrong now may be right in a second.
            except Exception:  # noqa: BLE001 - see above
                _log.exception("looking after caches failed")
            self._wake.wait(self._pause())
            self._wake.clear()

    def _pause(self) -> float:
        soonest = self._roles.seconds_to_next()
        # What is overdue waits for a server to come back.
        return min(soonest, _INTERVAL) if soonest > 0 else _INTERVAL / 10

    def _promote(self) -> None:
        """Bring changes of roles that are due to their end."""
        for identifier, key in self._roles.due().items():
            cache = self._caches.get(key)
            if cache is not None and not (cache.answers and self._try(cache, self._lead)):
                continue
            self._roles.settle(identifier, key)
            # At once, so that two primaries are there no longer than it takes to tell them.
            for follower in self._caches.values():
                self._try(follower, self._keep)

    def _lead(self, cache: Cache) -> None:
        self._configure(cache, None)
        self._following.part(cache)

    def _add(self, key: Key, group: Moto) -> None:
        region, identifier = key
        name = f"{_PROCESS}{region}-{identifier}"
        place = Place(
            name=name,
            directory=self._data / region / identifier,
            address=self._network.address(name),
            secret=self._secret,
            account=self._account,
        )
        self._caches[key] = Cache(key, group, RedisServer(place, self._processes))

    def _remove(self, cache: Cache) -> None:
        self._following.part(cache)
        cache.server.remove()
        del self._caches[cache.key]

    def _keep(self, cache: Cache) -> None:
        """See that a server runs, as it should."""
        if cache.held or cache.frozen:
            return
        if cache.server.pid is None and cache.begun:
            if cache.down_until is None:
                cache.down_until = time.monotonic() + self._effects.seconds(Step.CACHE_FAILOVER)
            if cache.down_until > time.monotonic():
                return
        self._configure(cache, self._following.way(cache))
        if cache.server.pid is None:
            cache.server.start()
            cache.begun, cache.down_until = True, None

    def _configure(self, cache: Cache, source: Source | None) -> None:
        settings = cache_model.settings(self._account_id, cache.key[0], cache.group, source)
        if settings != cache.server.settings:
            cache.configure(settings, self._following.leader(cache))

    def _try(self, cache: Cache, action: Callable[[Cache], None]) -> bool:
        fault = ""
        try:
            action(cache)
        except (SandboxError, redis.RedisError) as failure:
            fault = str(failure) or type(failure).__name__
        if fault and fault != cache.fault:
            _log.warning("%s: %s", cache.server.name, fault)
        cache.fault = fault
        return not fault

    def _unsettled(self) -> list[str]:
        wanted = cache_model.groups(self._account_id).keys()
        return [
            *("/".join((region, "cache", identifier)) for region, identifier in wanted - self._caches.keys()),
            *(f"{name} (roles change)" for name in self._roles.changing()),
            *(
                f"{cache.name} ({cache.fault or cache.state})"
                for cache in self._caches.values()
                if cache.fault or cache.server.pid is None or cache.key not in wanted
            ),
        ]

    def _known(self, key: str) -> Cache | None:
        return next((cache for cache in self._caches.values() if cache.name == key), None)

    def _find(self, key: str) -> Cache:
        found = self._known(key)
        if found is None:
            known = ", ".join(sorted(cache.name for cache in self._caches.values()))
            raise SandboxError(f"no cache {key}; there are: {known or 'none'}")
        return found

    def _row(self, cache: Cache) -> dict[str, Any]:
        source = self._following.followed(cache)
        return {
            "key": cache.name,
            "region": cache.key[0],
            "role": "primary" if cache.server.settings.source is None else "replica",
            "address": cache.server.place.address,
            "port": cache.server.place.port,
            "pid": cache.server.pid,
            "state": cache.state,
            "source": None if source is None else source.name,
            "lag_seconds": cache.trail.lag,
            "problem": cache.fault,
        }
