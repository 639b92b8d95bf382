"""Synthetic clients against real sites: what they note is what the databases have."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.live.client import Load, Mode, RateClient
from lifeboat.sandbox.live.client_history import Attempt, History, Outcome, count, outcomes, read_history
from lifeboat.sandbox.live.network import DNS_PORT
from lifeboat.sandbox.live.resolver import Resolver
from tests.live.listening import listening
from tests.live.shop import AWAY, HOME, HOST, Shop, shop
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = f"http://{HOST}:8080"


@pytest.fixture(scope="module")
def stage() -> Iterator[Shop]:
    with shop() as made:
        for region in (HOME, AWAY):
            made.sites.start(region, made.config(region))
        for region in (HOME, AWAY):
            listening(made.sites, region)
        yield made


@pytest.fixture
def scene(stage: Shop) -> Shop:
    stage.sites.gate(HOME).open(1)
    stage.lead_to(HOME)
    return stage


class Running:
    """A client on a thread of its own."""

    def __init__(self, scene: Shop, path: Path, load: Load) -> None:
        self._path = path
        self._history = History(path)
        self._resolver = Resolver((scene.land.network.name_server, DNS_PORT))
        self._load = load
        self._client: RateClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = RateClient(self._load, resolver=self._resolver, history=self._history)
        await self._client.run()

    def attempts(self) -> list[Attempt]:
        return read_history(self._path)

    def has(self, **wanted: object) -> bool:
        return any(
            all(getattr(attempt, name) == value for name, value in wanted.items()) for attempt in self.attempts()
        )

    def stop(self) -> None:
        assert self._client is not None
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._client.stop)

    def wait(self) -> list[Attempt]:
        self._thread.join()
        self._history.close()
        return self.attempts()


def acknowledged(attempts: list[Attempt]) -> list[int]:
    return sorted(number for (_, number), outcome in outcomes(attempts).items() if outcome is Outcome.ACKNOWLEDGED)


def unknown(attempts: list[Attempt]) -> set[int]:
    return {number for (_, number), outcome in outcomes(attempts).items() if outcome is Outcome.UNKNOWN}


def test_a_thousand_orders_at_200_a_second_are_in_both_databases(scene: Shop, tmp_path: Path) -> None:
    load = Load(name="many", url=URL, mode=Mode.TTL, rate=200, count=1000, seed=1)
    attempts = Running(scene, tmp_path / "history.jsonl", load).wait()
    # On a busy machine an answer, or a connection, may come after its client's patience.
    heard = [attempt for attempt in attempts if attempt.outcome is Outcome.ACKNOWLEDGED]
    assert {(attempt.site, attempt.epoch, attempt.status) for attempt in heard} == {(HOME, 1, 201)}
    stored = scene.numbers(HOME, "many")
    assert set(acknowledged(attempts)) <= set(stored) <= set(acknowledged(attempts)) | unknown(attempts)
    assert len(heard) > len(attempts) / 2
    assert until(lambda: scene.numbers(AWAY, "many") == scene.numbers(HOME, "many"))
    # An open loop: the last one is due when its number says, whatever became of the others.
    dues = {attempt.number: attempt.due_at for attempt in attempts}
    assert dues[1000] - dues[1] == pytest.approx(999 / 200, abs=1 / 200)


def test_a_client_that_honours_ttl_follows_the_name(scene: Shop, tmp_path: Path) -> None:
    load = Load(name="follower", url=URL, mode=Mode.TTL, rate=50)
    running = Running(scene, tmp_path / "history.jsonl", load)
    until(lambda: running.has(site=HOME, outcome=Outcome.ACKNOWLEDGED))
    scene.lead_to(AWAY)
    until(lambda: running.has(site=AWAY))
    running.stop()
    attempts = running.wait()
    assert all(attempt.outcome is Outcome.REFUSED for attempt in attempts if attempt.site == AWAY)
    assert scene.numbers(HOME, "follower") == acknowledged(attempts)


def test_a_client_that_keeps_its_connection_stays_until_the_gate_shuts(scene: Shop, tmp_path: Path) -> None:
    load = Load(name="keeper", url=URL, mode=Mode.KEEPALIVE, rate=50)
    running = Running(scene, tmp_path / "history.jsonl", load)
    until(lambda: running.has(site=HOME))
    scene.lead_to(AWAY)
    so_far = len(running.attempts())
    later = until(lambda: (attempts := running.attempts())[so_far + 10 :] and attempts)
    assert {attempt.site for attempt in later} == {HOME}
    scene.sites.gate(HOME).shut("lease lost")
    until(lambda: running.has(site=AWAY))
    running.stop()
    attempts = running.wait()
    stored = set(scene.numbers(HOME, "keeper"))
    # The gate shuts on whatever is on its way: that is stored or not, and its client does not know.
    assert set(acknowledged(attempts)) <= stored <= set(acknowledged(attempts)) | unknown(attempts)


def test_what_is_unknown_is_sent_again_until_it_is_known(scene: Shop, tmp_path: Path) -> None:
    load = Load(name="stubborn", url=URL, mode=Mode.KEEPALIVE, rate=100, count=60, timeout=0.5)
    running = Running(scene, tmp_path / "history.jsonl", load)
    until(lambda: running.has(outcome=Outcome.ACKNOWLEDGED))
    scene.sites.freeze(HOME)
    until(lambda: running.has(outcome=Outcome.UNKNOWN))
    scene.sites.thaw(HOME)
    attempts = running.wait()
    assert acknowledged(attempts) == list(range(1, 61))
    assert scene.numbers(HOME, "stubborn") == list(range(1, 61))
    unknown = {attempt.number for attempt in attempts if attempt.outcome is Outcome.UNKNOWN}
    again = [attempt for attempt in attempts if attempt.number in unknown and attempt.attempt > 1]
    assert again
    # The frozen site had taken it in, and stored it once: or it had not, and the second time is the first.
    assert {attempt.status for attempt in again} <= {200, 201, None}


def test_a_site_that_is_gone_refuses_and_one_that_dies_leaves_the_unknown(scene: Shop, tmp_path: Path) -> None:
    load = Load(name="witness", url=URL, mode=Mode.TTL, rate=100)
    running = Running(scene, tmp_path / "history.jsonl", load)
    until(lambda: running.has(outcome=Outcome.ACKNOWLEDGED))
    # Frozen first, so that orders are surely on their way when it dies.
    scene.sites.freeze(HOME)
    so_far = len(running.attempts())
    scene.sites.kill(HOME)
    until(lambda: running.has(outcome=Outcome.REFUSED))
    refused = [attempt for attempt in running.attempts() if attempt.outcome is Outcome.REFUSED]
    assert all(attempt.status is None and attempt.reason.startswith("not sent: ") for attempt in refused)
    scene.sites.start(HOME)
    until(lambda: any(attempt.outcome is Outcome.ACKNOWLEDGED for attempt in running.attempts()[so_far + 1 :]))
    running.stop()
    attempts = running.wait()
    stored = scene.numbers(HOME, "witness")
    assert set(acknowledged(attempts)) <= set(stored)
    never = {number for (_, number), outcome in outcomes(attempts).items() if outcome is Outcome.REFUSED}
    assert not never & set(stored)


def test_a_name_without_address_is_a_refusal(scene: Shop, tmp_path: Path) -> None:
    load = Load(name="lost", url="http://other.example:8080", mode=Mode.TTL, rate=100, count=2)
    attempts = Running(scene, tmp_path / "history.jsonl", load).wait()
    assert count(attempts) == {"acknowledged": 0, "refused": 2, "unknown": 0}
    assert "NXDOMAIN" in attempts[0].reason


def test_the_same_seed_sends_at_the_same_times(scene: Shop, tmp_path: Path) -> None:
    def gaps(name: str, seed: int | None) -> list[float]:
        load = Load(name=name, url=URL, mode=Mode.KEEPALIVE, rate=200, count=20, seed=seed)
        attempts = Running(scene, tmp_path / name, load).wait()
        dues = [attempt.due_at for attempt in sorted(attempts, key=lambda attempt: attempt.number)]
        return [round(due - dues[0], 5) for due in dues]

    one, same, other, even = gaps("s1", 1), gaps("s2", 1), gaps("s3", 2), gaps("s4", None)
    assert one == pytest.approx(same, abs=1e-4)
    assert one != pytest.approx(other, abs=1e-4)
    assert even == pytest.approx([position / 200 for position in range(20)], abs=1e-4)


def test_a_client_as_a_process_ends_when_told(scene: Shop, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    command = [sys.executable, "-m", "lifeboat.sandbox.live.client", "--name", "process", "--url", URL, "--rate", "50"]
    command += ["--name-server", f"{scene.land.network.name_server}:{DNS_PORT}", "--history", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        until(lambda: path.exists() and read_history(path))
        os.kill(process.pid, signal.SIGTERM)
        said, _ = process.communicate()
    assert process.returncode == 0
    stored = scene.numbers(HOME, "process")
    assert json.loads(said) == {"acknowledged": len(stored), "refused": 0, "unknown": 0}
    assert acknowledged(read_history(path)) == stored


def attempt(number: int, outcome: Outcome) -> Attempt:
    return Attempt(
        client="c1",
        number=number,
        attempt=1,
        due_at=1.0,
        sent_at=2.0,
        answered_at=3.0,
        sent_monotonic=4.0,
        answered_monotonic=5.0,
        outcome=outcome,
        site=HOME,
        epoch=1,
        status=201,
        reason="",
    )


def test_an_acknowledgement_outweighs_all_and_the_unknown_a_refusal() -> None:
    sent = [
        attempt(1, Outcome.UNKNOWN),
        attempt(1, Outcome.ACKNOWLEDGED),
        attempt(1, Outcome.REFUSED),
        attempt(2, Outcome.UNKNOWN),
        attempt(2, Outcome.REFUSED),
        attempt(3, Outcome.REFUSED),
    ]
    assert list(outcomes(sent).values()) == [Outcome.ACKNOWLEDGED, Outcome.UNKNOWN, Outcome.REFUSED]
    assert count(sent) == {"acknowledged": 1, "refused": 1, "unknown": 1}


def test_a_history_goes_on_and_half_a_line_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    for number in (1, 2):
        with contextlib.closing(History(path)) as history:
            history.add(attempt(number, Outcome.REFUSED))
    with path.open("a") as file:
        file.write('{"client": ')
    assert read_history(path) == [attempt(1, Outcome.REFUSED), attempt(2, Outcome.REFUSED)]
    path.write_text("{}\n")
    with pytest.raises(ValueError, match="no line of a client's history"):
        read_history(path)
