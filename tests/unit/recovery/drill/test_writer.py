"""The writer beside the clients: it writes where the service says that it is active, and nowhere once it is silent."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import redis
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from lifeboat.recovery.drill.writer import ActiveSite, Answer, BucketStore, CacheStore, Lane, LaneConfig, WriterConfig
from lifeboat.recovery.ports import HttpAnswer
from lifeboat.sandbox.live.client_history import Outcome, read_history
from tests.unit.recovery.drill.parts import HOME

if TYPE_CHECKING:
    from lifeboat.recovery.ports import Ports


class PlayedPorts:
    """A clock that moves when somebody waits, a service that says what it is told to, stores that fail as told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.health: dict[str, object] | None = {"writable": True}
        self.fault: Exception | None = None
        self.written: list[str] = []

    def clock(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + 1000

    def wait(self, event: threading.Event | None, seconds: float) -> bool:
        self.now += max(0.0, seconds)
        return event is not None and event.is_set()

    def http(self, url: str, *, timeout: float) -> HttpAnswer:
        assert url.endswith("/health")
        assert timeout
        if self.health is None:
            raise ConnectionRefusedError
        headers = {"x-lifeboat-site": HOME, "x-lifeboat-epoch": "3"}
        return HttpAnswer(status=200, body=json.dumps(self.health).encode(), headers=headers)

    def redis(self, region: str, cache: str, *, best_effort: bool) -> PlayedPorts:
        assert (region, cache, best_effort) == (HOME, "sessions", True)
        return self

    def client(self, service: str, region: str, *, once: bool) -> PlayedPorts:
        assert (service, region, once) == ("s3", HOME, True)
        return self

    def set(self, key: str, value: str) -> None:
        assert json.loads(value)["epoch"] == 3
        self._write(key)

    def put_object(self, **request: object) -> None:
        assert request["Bucket"] == "uploads-bucket"
        self._write(str(request["Key"]))

    def _write(self, key: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.written.append(key)


@pytest.fixture
def ports() -> PlayedPorts:
    return PlayedPorts()


def asked(ports: PlayedPorts) -> ActiveSite:
    """Asked once."""
    stopped = threading.Event()
    site = ActiveSite(cast("Ports", ports), "http://orders.example.com:8080", stopped)
    once = ports.wait
    ports.wait = lambda event, _: stopped.set() or once(event, 0)  # type: ignore[method-assign]
    site.follow()
    ports.wait = once  # type: ignore[method-assign]
    return site


def test_an_answer_holds_for_a_second_from_when_it_was_asked_for(ports: PlayedPorts) -> None:
    site = asked(ports)
    assert site.now is not None
    assert (site.now.region, site.now.epoch) == (HOME, 3)
    ports.now = 1.0
    assert site.now is None


@pytest.mark.parametrize("health", [None, {"writable": False}, {}])
def test_a_site_that_takes_no_writes_is_not_active(ports: PlayedPorts, health: dict[str, object] | None) -> None:
    ports.health = health
    assert asked(ports).now is None


def test_numbers_are_the_clients_own_and_silence_is_a_refusal(ports: PlayedPorts, tmp_path: Path) -> None:
    lane = LaneConfig(store="sessions", every=2, history=tmp_path / "cache.jsonl")
    config = WriterConfig(stack_file=Path("x"), client="ttl", rate=2, count=7, url="http://x", cache=lane)
    store = CacheStore(cast("Ports", ports), "sessions")
    Lane(cast("Ports", ports), config, lane, store, asked(ports)).run(0.0, threading.Event())
    found = read_history(lane.history)
    assert [(each.number, each.due_at, each.outcome) for each in found] == [
        (2, 1000.5, Outcome.ACKNOWLEDGED),
        (4, 1001.5, Outcome.REFUSED),
        (6, 1002.5, Outcome.REFUSED),
    ]
    assert ports.written == ["drill/ttl/2"]
    assert (found[0].site, found[0].epoch, found[1].site) == (HOME, 3, None)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (redis.ReadOnlyError("READONLY"), Outcome.REFUSED),
        (redis.TimeoutError("timed out"), Outcome.UNKNOWN),
        (redis.ConnectionError("closed"), Outcome.UNKNOWN),
    ],
)
def test_what_a_cache_says_of_a_write(ports: PlayedPorts, fault: Exception, outcome: Outcome) -> None:
    ports.fault = fault
    assert CacheStore(cast("Ports", ports), "sessions").write(HOME, "k", '{"epoch": 3}').outcome is outcome


def denied(status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": "No", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "PutObject",
    )


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (denied(403), Outcome.REFUSED),
        (denied(503), Outcome.UNKNOWN),
        (EndpointConnectionError(endpoint_url="http://x"), Outcome.REFUSED),
        (ReadTimeoutError(endpoint_url="http://x"), Outcome.UNKNOWN),
    ],
)
def test_what_a_bucket_says_of_a_write(ports: PlayedPorts, fault: Exception, outcome: Outcome) -> None:
    ports.fault = fault
    assert BucketStore(cast("Ports", ports), {HOME: "uploads-bucket"}).write(HOME, "k", "{}").outcome is outcome
    ports.fault = None
    assert BucketStore(cast("Ports", ports), {HOME: "uploads-bucket"}).write(HOME, "k", "{}") == Answer(
        outcome=Outcome.ACKNOWLEDGED
    )
