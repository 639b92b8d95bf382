"""`python -m lifeboat.recovery.drill.writer --config FILE`: writes a client's numbers to a cache and to objects.

It stands for the application in the active site, which writes its cache and its bucket beside the database: it asks the
service, by the name that fails over, which site is active, and writes there only while that answer is fresh. An open
loop like the clients', and histories of the same form.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import redis
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError
from pydantic import BaseModel, ConfigDict

from lifeboat.model.physical import Physical
from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.recovery.journal import told_of
from lifeboat.recovery.system_ports import Surroundings, SystemPorts
from lifeboat.sandbox.live.client_history import Attempt, History, Outcome
from lifeboat.sandbox.live.site_config import EPOCH_HEADER, SITE_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.recovery.ports import Ports

_LOOK: Final = 0.2
"""Seconds between two questions which site is active."""
_FRESH: Final = 1.0
"""Seconds for which an answer holds, from when it was asked for."""
_REACHED: Final = (ConnectTimeoutError, EndpointConnectionError)


def key(client: str, number: int) -> str:
    """What a write is called, in the cache and in the bucket."""
    return f"{prefix(client)}{number}"


def prefix(client: str) -> str:
    """How the names of a client's writes begin."""
    return f"drill/{client}/"


class LaneConfig(BaseModel):
    """What is written to one store."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    store: str
    """Its logical name."""
    every: int
    """Each n-th number of the client's is written."""
    history: Path


class WriterConfig(BaseModel):
    """What a writer is told; no secret is in it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    stack_file: Path
    client: str
    """Whose numbers are written."""
    rate: float
    """Numbers a second, as the client counts them."""
    count: int
    """Numbers in all; then it ends by itself."""
    url: str
    """The service by the name that fails over, such as ``http://orders.example.com:8080``."""
    cache: LaneConfig | None = None
    objects: LaneConfig | None = None


@dataclass(frozen=True, kw_only=True)
class Active:
    """The site that answered for the service.

    Attributes:
        region: Which.
        epoch: The epoch that its gate knows.
        until: Monotonic seconds until which that holds.
    """

    region: str
    epoch: int
    until: float


class ActiveSite:
    """Which site the service's name leads to, and whether it takes writes.

    Args:
        ports: The outside.
        url: The service.
        stopped: Ends it.
    """

    def __init__(self, ports: Ports, url: str, stopped: threading.Event) -> None:
        self._ports = ports
        self._url = url
        self._stopped = stopped
        self._active: Active | None = None

    @property
    def now(self) -> Active | None:
        """The active site; None when none has said so freshly."""
        found = self._active
        return found if found is not None and self._ports.clock() < found.until else None

    def follow(self) -> None:
        """Ask until it is stopped."""
        while not self._stopped.is_set():
            self._active = self._asked() or self._active
            self._ports.wait(self._stopped, _LOOK)

    def _asked(self) -> Active | None:
        began = self._ports.clock()
        try:
            answer = self._ports.http(f"{self._url}/health", timeout=_FRESH)
            said: dict[str, Any] = json.loads(answer.body)
            region, epoch = answer.headers[SITE_HEADER.lower()], int(answer.headers[EPOCH_HEADER.lower()])
        except (OSError, ValueError, KeyError):
            return None
        if answer.status != HTTPStatus.OK or not said.get("writable"):
            return None
        return Active(region=region, epoch=epoch, until=began + _FRESH)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one write."""

    outcome: Outcome
    reason: str = ""


class Store(Protocol):
    """What a lane writes to."""

    def write(self, region: str, key: str, value: str) -> Answer:
        """Write one thing in one region."""
        ...


class CacheStore:
    """A cache.

    Args:
        ports: The outside.
        name: Its logical name.
    """

    def __init__(self, ports: Ports, name: str) -> None:
        self._ports = ports
        self._name = name
        self._clients: dict[str, Any] = {}

    def write(self, region: str, key: str, value: str) -> Answer:
        """Set a key."""
        try:
            client = self._clients.get(region) or self._ports.redis(region, self._name, best_effort=True)
        except (redis.RedisError, BotoCoreError, ClientError, OSError, LookupError) as fault:
            return Answer(outcome=Outcome.REFUSED, reason=f"not sent: {told_of(fault)}")
        self._clients[region] = client
        try:
            client.set(key, value)
        except redis.ResponseError as fault:
            return Answer(outcome=Outcome.REFUSED, reason=told_of(fault))
        except redis.RedisError as fault:
            # The next one finds out anew where the cache is.
            del self._clients[region]
            refused = isinstance(fault.__cause__, ConnectionRefusedError)
            return Answer(outcome=Outcome.REFUSED if refused else Outcome.UNKNOWN, reason=told_of(fault))
        return Answer(outcome=Outcome.ACKNOWLEDGED)


class BucketStore:
    """An object store.

    Args:
        ports: The outside.
        buckets: Its bucket by region.
    """

    def __init__(self, ports: Ports, buckets: Mapping[str, str]) -> None:
        self._ports = ports
        self._buckets = buckets

    def write(self, region: str, key: str, value: str) -> Answer:
        """Put an object."""
        try:
            self._ports.client("s3", region, once=True).put_object(
                Bucket=self._buckets[region], Key=key, Body=value.encode()
            )
        except ClientError as fault:
            status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            return Answer(outcome=Outcome.REFUSED if refused else Outcome.UNKNOWN, reason=told_of(fault))
        except BotoCoreError as fault:
            refused = isinstance(fault, _REACHED)
            return Answer(outcome=Outcome.REFUSED if refused else Outcome.UNKNOWN, reason=told_of(fault))
        return Answer(outcome=Outcome.ACKNOWLEDGED)


class Lane:
    """Writes to one store, one after the other.

    Args:
        ports: The clocks.
        config: The writer's.
        lane: What is written where.
        store: The same, as it is reached.
        active: Which site is active.
    """

    def __init__(self, ports: Ports, config: WriterConfig, lane: LaneConfig, store: Store, active: ActiveSite) -> None:
        self._ports = ports
        self._config = config
        self._lane = lane
        self._store = store
        self._active = active
        # Read together once: a clock that is set meanwhile must not disorder the history.
        self._wall = ports.wall() - ports.clock()

    def run(self, start: float, stopped: threading.Event) -> None:
        """Write each number at its time, or as soon as it can be after that.

        Args:
            start: Monotonic seconds at which the client began to count.
            stopped: Ends it.
        """
        history = History(self._lane.history)
        try:
            for number in range(self._lane.every, self._config.count + 1, self._lane.every):
                due = start + (number - 1) / self._config.rate
                if self._ports.wait(stopped, due - self._ports.clock()):
                    return
                history.add(self._written(number, due))
        finally:
            history.close()

    def _written(self, number: int, due: float) -> Attempt:
        sent = self._ports.clock()
        active = self._active.now
        if active is None:
            answer = Answer(outcome=Outcome.REFUSED, reason="not sent: no site says that it is active")
        else:
            value = json.dumps({"number": number, "epoch": active.epoch, "site": active.region})
            answer = self._store.write(active.region, key(self._config.client, number), value)
        answered = self._ports.clock()
        return Attempt(
            client=self._config.client,
            number=number,
            attempt=1,
            due_at=self._wall + due,
            sent_at=self._wall + sent,
            answered_at=self._wall + answered,
            sent_monotonic=sent,
            answered_monotonic=answered,
            outcome=answer.outcome,
            site=None if active is None else active.region,
            epoch=None if active is None else active.epoch,
            status=None,
            reason=answer.reason,
        )


def run(config: WriterConfig, physical: Physical, ports: Ports, stopped: threading.Event) -> None:
    """Write until it is stopped, or all numbers are written."""
    active = ActiveSite(ports, config.url, stopped)
    lanes: list[Lane] = []
    if config.cache is not None:
        lanes.append(Lane(ports, config, config.cache, CacheStore(ports, config.cache.store), active))
    if config.objects is not None:
        name = config.objects.store
        buckets = {site.region: physical.bucket(name, site.region) for site in physical.topology.sites}
        lanes.append(Lane(ports, config, config.objects, BucketStore(ports, buckets), active))
    start = ports.clock()
    threads = [threading.Thread(target=lane.run, args=(start, stopped)) for lane in lanes]
    follower = threading.Thread(target=active.follow, daemon=True)
    for thread in (follower, *threads):
        thread.start()
    for thread in threads:
        thread.join()


def main(arguments: list[str]) -> int:
    """Run the writer that a file describes."""
    parser = argparse.ArgumentParser(prog="writer", description="Write a client's numbers to a cache and to objects.")
    parser.add_argument("--config", type=Path, required=True, help="file of the writer's configuration")
    config = WriterConfig.model_validate_json(parser.parse_args(arguments).config.read_bytes())
    settings = from_stack_file(config.stack_file.read_text(encoding="utf-8"), config.stack_file.name)
    physical = Physical(settings=settings, topology=resolve(settings))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    run(config, physical, SystemPorts(physical, Surroundings.of(os.environ)), stopped)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
