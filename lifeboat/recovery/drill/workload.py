"""What uses the stack while it is broken: clients and a writer as processes of their own, each with its history.

Two clients order through the service's name: ``ttl`` looks the name up as its TTL demands, ``keepalive`` keeps its
connections. The writer writes the numbers of ``ttl`` to a cache and to objects, so that stores can be compared.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lifeboat.model.settings.stores import CacheMechanism, ObjectMechanism
from lifeboat.recovery.drill.histories import Source, Tail, Told
from lifeboat.recovery.drill.writer import LaneConfig, WriterConfig
from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lifeboat.model.design import Topology
    from lifeboat.model.physical import Physical

TTL, KEEPALIVE = "ttl", "keepalive"
CLIENTS: Final = (TTL, KEEPALIVE)
_LONGEST: Final = 3 * 3600
"""Seconds after which a client ends by itself, should whoever started it have been killed."""
_CACHE_RATE: Final = 20.0
_OBJECT_RATE: Final = 5.0
"""Writes a second at most: the sandbox's API answers for both sites with one process."""
_CONNECTIONS: Final = 4
_LAST_WORDS: Final = 15.0
"""Seconds that a client has for orders on their way."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is sent.

    Attributes:
        rate: Orders a second, of both clients together.
        seed: Shifts each order's time at random.
    """

    rate: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stores that are written to, by logical name; None where a stack has none that reaches the other site."""

    database: str | None
    cache: str | None
    objects: str | None

    @classmethod
    def of(cls, topology: Topology) -> Stores:
        """The database that sites serve from, the first cache, and the bucket with the strictest objective."""
        caches = [each for each in topology.caches if each.mechanism is CacheMechanism.GLOBAL_DATASTORE]
        buckets = [each for each in topology.object_stores if each.mechanism is not ObjectMechanism.NONE]
        buckets.sort(key=lambda each: math.inf if each.rpo is None else each.rpo)
        return cls(
            database=topology.databases[0].settings.name if topology.databases else None,
            cache=caches[0].settings.name if caches else None,
            objects=buckets[0].settings.name if buckets else None,
        )

    @property
    def labels(self) -> dict[str, str]:
        """What each is called in measurements, by kind: ``database orders``."""
        named = {"database": self.database, "cache": self.cache, "objects": self.objects}
        return {kind: f"{kind} {name}" for kind, name in named.items() if name is not None}


def unfit(physical: Physical) -> str | None:
    """Why clients could not use a stack, so that no drill could measure it; None when they could."""
    if not physical.topology.databases:
        return "databases: empty: accepted is one at least, since a drill is measured by its writes"
    dns = physical.settings.dns
    if dns is None or not dns.endpoints:
        return "dns: no endpoint: accepted is one at least, since clients reach the stack by a name that fails over"
    return None


@dataclass(frozen=True, kw_only=True)
class Target:
    """How the stack is reached.

    Attributes:
        url: The service by the name that fails over.
        name_server: ``ADDRESS:PORT``.
        stack_file: The stack's declaration.
        environment: Of the writer: the sandbox's, so that it reaches no other cloud.
    """

    url: str
    name_server: str
    stack_file: Path
    environment: Mapping[str, str]


class Processes:
    """A workload that runs.

    Args:
        directory: Takes histories and logs.
        stores: What is written to.
        load: How much.
        target: Where.
    """

    def __init__(self, directory: Path, *, stores: Stores, load: Load, target: Target) -> None:
        self._directory = directory
        self._stores = stores
        self._load = load
        self._target = target
        labels = stores.labels
        self._sources = [
            Source(path=directory / f"{name}.jsonl", store=labels["database"], honours_ttl=name == TTL)
            for name in CLIENTS
            if "database" in labels
        ]
        self._sources += [
            Source(path=directory / f"{kind}.jsonl", store=labels[kind], honours_ttl=True)
            for kind in ("cache", "objects")
            if kind in labels
        ]
        self._tail = Tail(self._sources)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Begin."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for source in self._sources:
            # A history goes on with what is there: an earlier drill's is none of this one's.
            source.path.unlink(missing_ok=True)
        rate = self._load.rate / len(CLIENTS)
        count = math.ceil(rate * _LONGEST)
        for at, name in enumerate(CLIENTS):
            arguments = {
                "name": name,
                "url": self._target.url,
                "name-server": self._target.name_server,
                "history": self._directory / f"{name}.jsonl",
                "mode": name,
                "rate": rate,
                "count": count,
                "seed": self._load.seed + at,
                "connections": _CONNECTIONS,
            }
            told = [f"--{option}={value}" for option, value in arguments.items()]
            self._begin(name, ["lifeboat.sandbox.live.client", *told])
        if self._stores.cache is not None or self._stores.objects is not None:
            path = self._directory / "writer.json"
            config = WriterConfig(
                stack_file=self._target.stack_file,
                client=TTL,
                rate=rate,
                count=count,
                url=self._target.url,
                cache=self._lane(self._stores.cache, "cache", rate, _CACHE_RATE),
                objects=self._lane(self._stores.objects, "objects", rate, _OBJECT_RATE),
            )
            write_private(path, config.model_dump_json(indent=1) + "\n")
            self._begin("writer", ["lifeboat.recovery.drill.writer", "--config", str(path)])

    def told(self) -> Sequence[Told]:
        """What clients know so far."""
        return self._tail.told()

    def ended(self) -> list[str]:
        """Processes that ended although nobody stopped them, each with its log."""
        return [
            f"{name} ended with {process.returncode}: see {self._log(name)}"
            for name, process in self._running.items()
            if process.poll() is not None
        ]

    def stop(self) -> None:
        """End all of it; orders on their way are waited for."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._running.values():
            try:
                process.wait(_LAST_WORDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _lane(self, store: str | None, kind: str, rate: float, most: float) -> LaneConfig | None:
        if store is None:
            return None
        return LaneConfig(store=store, every=math.ceil(rate / most), history=self._directory / f"{kind}.jsonl")

    def _begin(self, name: str, command: Sequence[str]) -> None:
        log = os.open(self._log(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *command],
                env=dict(self._target.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C at a terminal is the drill's, which ends them in order.
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"
