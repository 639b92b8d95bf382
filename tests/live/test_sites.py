"""Sites as their clients see them: real processes before real databases, and what may be done to them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.live.site_store import Credentials
from lifeboat.sandbox.live.sites import Running, SiteConfig, Sites
from lifeboat.sandbox.state import SandboxError, process_identity
from tests.live.farm import farm
from tests.live.listening import listening
from tests.live.shop import AWAY, HOME, HOST, PASSWORD, Shop, ask, shop
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def stage() -> Iterator[Shop]:
    with shop() as made:
        for region in (HOME, AWAY):
            made.sites.start(region, made.config(region))
        for region in (HOME, AWAY):
            listening(made.sites, region)
        yield made


@pytest.fixture
def scene(stage: Shop) -> Iterator[Shop]:
    """Home's gate is open, and everything is whole again afterwards."""
    stage.sites.gate(HOME).open(1)
    yield stage
    for region in (HOME, AWAY):
        stage.sites.limit(region, None)


def test_an_order_is_committed_and_found_in_both_regions(scene: Shop) -> None:
    answer = scene.order(HOME, "c1", 7)
    assert answer.status == 201
    assert answer.body == {
        "client": "c1",
        "number": 7,
        "site": HOME,
        "epoch": 1,
        "committed_at": answer.body["committed_at"],
    }
    assert (answer.headers["X-Lifeboat-Site"], answer.headers["X-Lifeboat-Epoch"]) == (HOME, "1")
    assert scene.numbers(HOME, "c1") == [7]
    found = until(lambda: (away := scene.ask(AWAY, "GET", "/orders/c1/7")).status == 200 and away)
    assert found.body == {**answer.body, "payload": {"n": 7}}
    assert found.headers["X-Lifeboat-Site"] == AWAY


def test_an_order_that_is_sent_again_is_stored_once(scene: Shop) -> None:
    first = scene.order(HOME, "again", 1)
    scene.sites.gate(HOME).open(2)
    second = scene.order(HOME, "again", 1)
    assert (first.status, second.status) == (201, 200)
    # As it was stored, in the epoch of then; the site itself is in the next one.
    assert second.body == first.body
    assert second.headers["X-Lifeboat-Epoch"] == "2"


def test_orders_are_listed_in_their_order(scene: Shop) -> None:
    for number in (3, 1, 2, 4):
        scene.order(HOME, "listed", number)
    listed = scene.ask(HOME, "GET", "/orders?client=listed&after=1&limit=2")
    assert [order["number"] for order in listed.body["orders"]] == [2, 3]
    assert scene.ask(HOME, "GET", "/orders?client=nobody").body == {"orders": []}


def test_a_standby_refuses_writes_and_serves_reads(scene: Shop) -> None:
    scene.order(HOME, "standby", 1)
    gate = scene.sites.gate(AWAY)
    # Its database decides, should the gate be wrong.
    gate.open(1)
    try:
        refused = scene.order(AWAY, "standby", 2)
    finally:
        gate.shut("standby")
    assert refused.status == 503
    assert refused.body == {"reason": "the database takes no writes: it is in recovery or read-only"}
    assert refused.headers["Retry-After"] == "1"
    until(lambda: scene.ask(AWAY, "GET", "/orders/standby/1").status == 200)
    assert scene.ask(AWAY, "GET", "/orders/standby/2").status == 404


def test_a_shut_gate_refuses_writes_and_ends_connections(scene: Shop) -> None:
    idle, used = scene.connect(HOME), scene.connect(HOME)
    with contextlib.closing(idle), contextlib.closing(used):
        for connection in (idle, used):
            assert not ask(connection, "GET", "/health/live").closes
        scene.sites.gate(HOME).shut("lease lost")
        # The site hangs up on who says nothing: first on these two, or it might be on the next one before it asks.
        for connection in (idle, used):
            assert connection.sock is not None
            assert connection.sock.recv(1) == b""
        refused = scene.order(HOME, "shut", 1)
        assert refused.status == 503
        assert refused.body == {"reason": "this site may not write: lease lost"}
        assert refused.closes
    assert scene.ask(HOME, "GET", "/orders/shut/1").status == 404
    scene.sites.gate(HOME).open(1)
    assert scene.order(HOME, "shut", 1).status == 201


def test_an_order_under_way_when_the_gate_shuts_is_answered_and_its_connection_ends(scene: Shop) -> None:
    scene.order(HOME, "way", 1)
    answers: list[tuple[int, bool]] = []
    with scene.databases[HOME].connect(dbname="shop") as holder, contextlib.closing(scene.connect(HOME)) as client:
        ask(client, "GET", "/health/live")
        with holder.transaction():
            # The same order, held by another: the site's write waits for it.
            holder.execute("INSERT INTO orders VALUES ('way', 2, '{}', 'x', 1)")

            def order() -> None:
                answer = ask(client, "POST", "/orders", {"client": "way", "number": 2})
                answers.append((answer.status, answer.closes))

            sender = threading.Thread(target=order)
            sender.start()
            waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with scene.databases[HOME].connect() as watcher:
                until(lambda: watcher.execute(waiting).rowcount == 1)
            scene.sites.gate(HOME).shut("lease lost")
        sender.join()
    # Not acknowledged, although it was there: the gate shut before the site could look.
    assert answers == [(503, True)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body is not an object"),
        ({"client": "", "number": 1}, "client: expected are"),
        ({"client": "c1", "number": True}, "number: expected is an integer"),
        ({"client": "c1", "number": -1}, "number: expected is an integer"),
        ({"client": "c1", "number": 2**63}, "number: expected is an integer"),
        ({"client": "c1", "number": 1, "payload": []}, "payload: expected is an object"),
    ],
)
def test_what_is_no_order_is_refused(scene: Shop, body: object, said: str) -> None:
    answer = scene.ask(HOME, "POST", "/orders", body)
    assert answer.status == 400
    assert answer.body["reason"].startswith(said)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", "/orders", 405),
        ("GET", "/orders", 400),
        ("GET", "/orders/c1/x", 400),
        ("GET", "/orders?client=c1&after=x", 400),
        ("GET", "/orders?client=c1&limit=-1", 400),
    ],
)
def test_what_is_not_offered_is_refused_in_the_same_form(scene: Shop, method: str, path: str, status: int) -> None:
    answer = scene.ask(HOME, method, path)
    assert answer.status == status
    assert answer.body["reason"]
    assert answer.headers["X-Lifeboat-Site"] == HOME


def test_health_tells_writer_from_reader(scene: Shop) -> None:
    home, away = (scene.ask(region, "GET", "/health") for region in (HOME, AWAY))
    assert (home.status, away.status) == (200, 200)
    assert (home.body["role"], home.body["writable"]) == ("writer", True)
    assert (away.body["role"], away.body["writable"]) == ("reader", False)
    assert home.body["database"]["ok"]
    assert home.body["database"]["latency_seconds"] > 0
    assert home.body["gate"] == {"open": True, "reason": ""}
    assert home.body["epoch"] == 1
    assert home.body["connections"]["clients"] >= 1
    assert home.body["connections"]["database"] >= 1
    assert scene.ask(HOME, "GET", "/health/ready").body["site"] == HOME


def test_a_site_survives_its_database(scene: Shop) -> None:
    scene.order(HOME, "killed", 1)
    pid = scene.sites.status()[HOME].pid
    database = scene.databases[HOME]
    database.kill()
    until(lambda: database.pid is None)
    refused = scene.order(HOME, "killed", 2)
    assert refused.status == 503
    assert scene.ask(HOME, "GET", "/orders/killed/1").status == 503
    health = scene.ask(HOME, "GET", "/health/ready")
    assert (health.status, health.body["writable"]) == (503, False)
    assert scene.ask(HOME, "GET", "/health/live").status == 200
    database.start()
    until(lambda: scene.order(HOME, "killed", 2).status in {200, 201})
    assert scene.numbers(HOME, "killed") == [1, 2]
    assert scene.sites.status()[HOME].pid == pid


def test_a_name_that_leads_elsewhere_is_followed(scene: Shop) -> None:
    scene.order(HOME, "moved", 1)
    database, zone = scene.databases[HOME], scene.zone.text
    database.kill()
    until(lambda: database.pid is None)
    try:
        scene.zone.text = zone.replace(database.place.address, scene.databases[AWAY].place.address)
        assert (
            until(lambda: (health := scene.ask(HOME, "GET", "/health")).status == 200 and health).body["role"]
            == "reader"
        )
        scene.zone.text = "other.example. 0 IN A 127.0.0.1"
        scene.databases[AWAY].stop("immediate")
        lost = until(lambda: (health := scene.ask(HOME, "GET", "/health")).status == 503 and health)
        assert until(lambda: "NXDOMAIN" in scene.ask(HOME, "GET", "/health").body["database"]["reason"]), lost
    finally:
        scene.zone.text = zone
        database.start()
        scene.databases[AWAY].start()
    until(lambda: scene.order(HOME, "moved", 2).status in {200, 201})


def test_beyond_its_capacity_a_site_refuses(scene: Shop) -> None:
    scene.sites.limit(HOME, 0)
    refused = scene.order(HOME, "limit", 1)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert "capacity" in refused.body["reason"]
    assert scene.ask(HOME, "GET", "/orders?client=limit").status == 503
    assert scene.ask(HOME, "GET", "/health").status == 200
    assert scene.sites.status()[HOME].per_second == 0
    scene.sites.limit(HOME, None)
    assert scene.order(HOME, "limit", 1).status == 201
    with pytest.raises(SandboxError, match="-1 requests a second: give 0 or more"):
        scene.sites.limit(HOME, -1)


def test_a_frozen_site_answers_when_it_thaws(scene: Shop) -> None:
    scene.sites.freeze(HOME)
    try:
        assert scene.sites.status()[HOME].process is Running.FROZEN
        frozen = http.client.HTTPConnection(scene.sites.address(HOME), 8080, timeout=0.2)
        with contextlib.closing(frozen), pytest.raises(TimeoutError):
            ask(frozen, "GET", "/health/live")
    finally:
        scene.sites.thaw(HOME)
    assert scene.ask(HOME, "GET", "/health/live").status == 200
    assert scene.sites.status()[HOME].process is Running.RUNNING


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_site_that_ends_starts_again_as_it_was(scene: Shop, end: str) -> None:
    getattr(scene.sites, end)(HOME)
    status = scene.sites.status()[HOME]
    assert (status.process, status.pid) == (Running.STOPPED, None)
    with pytest.raises(ConnectionRefusedError):
        scene.ask(HOME, "GET", "/health/live")
    scene.sites.start(HOME)
    listening(scene.sites, HOME)
    assert scene.order(HOME, f"after-{end}", 1).status == 201


def test_a_site_that_is_told_to_end_finishes_what_it_has_begun(scene: Shop) -> None:
    scene.order(HOME, "ending", 1)
    statuses: list[int] = []
    with scene.databases[HOME].connect(dbname="shop") as holder:
        with holder.transaction():
            holder.execute("INSERT INTO orders VALUES ('ending', 2, '{}', 'x', 1)")
            sender = threading.Thread(target=lambda: statuses.append(scene.order(HOME, "ending", 2).status))
            sender.start()
            waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with scene.databases[HOME].connect() as watcher:
                until(lambda: watcher.execute(waiting).rowcount == 1)
            ender = threading.Thread(target=scene.sites.stop, args=[HOME])
            ender.start()

            def refuses() -> bool:
                try:
                    scene.ask(HOME, "GET", "/health/live")
                except ConnectionError:
                    return True
                return False

            until(refuses)
        sender.join()
        ender.join()
    assert statuses == [200]
    scene.sites.start(HOME)
    listening(scene.sites, HOME)


def test_a_connection_ends_after_its_number_of_answers(scene: Shop) -> None:
    scene.sites.stop(HOME)
    scene.start(HOME, keepalive_requests=3)
    try:
        with contextlib.closing(scene.connect(HOME)) as connection:
            assert [ask(connection, "GET", "/health/live").closes for _ in range(3)] == [False, False, True]
    finally:
        scene.sites.stop(HOME)
        scene.start(HOME)


def test_a_connection_ends_after_its_time(scene: Shop) -> None:
    scene.sites.stop(HOME)
    scene.start(HOME, keepalive_seconds=0.5)
    try:
        with contextlib.closing(scene.connect(HOME)) as connection:
            ask(connection, "GET", "/health/live")
            assert connection.sock is not None
            assert connection.sock.recv(1) == b""
        with contextlib.closing(scene.connect(HOME)) as connection:
            # One that is never idle is told.
            assert until(lambda: ask(connection, "GET", "/health/live").closes)
    finally:
        scene.sites.stop(HOME)
        scene.start(HOME)


def test_endpoints_have_names(scene: Shop) -> None:
    assert scene.sites.names == {f"{region}.{HOST}": scene.sites.address(region) for region in (HOME, AWAY)}
    assert scene.sites.regions == [HOME, AWAY]


def test_the_password_is_in_its_file_only(scene: Shop) -> None:
    scene.order(HOME, "secret", 1)
    pid = scene.sites.status()[HOME].pid
    secret = PASSWORD.encode()
    # As JSON writes it, too.
    forms = {secret, json.dumps(PASSWORD).strip('"').encode()}
    seen = [Path(f"/proc/{pid}/{part}").read_bytes() for part in ("cmdline", "environ")]
    seen.append(scene.land.processes.log(f"site-{HOME}").read_bytes())
    files = [path for path in (scene.land.directory / "data" / "site").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    seen += [path.read_bytes() for path in files if path.name != "credentials.json"]
    assert not [text for text in seen for form in forms if form in text]


def test_a_site_that_was_never_started_needs_its_configuration(scene: Shop) -> None:
    with pytest.raises(SandboxError, match="eu-west-1 was never started: start it with its configuration first"):
        scene.sites.start("eu-west-1")


def test_a_configuration_that_is_none_is_said_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for content, said in (("{", "Expecting property name"), ('{"site": "x"}', "expected are keys of address, ")):
        path.write_text(content)
        command = [sys.executable, "-m", "lifeboat.sandbox.live.site", "--config", str(path)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1
        assert said in ended.stderr


def test_a_frozen_site_does_not_outlive_its_keeper() -> None:
    with farm() as land:
        sites = Sites(land.directory, land.network, land.processes)
        credentials = Credentials(host="127.0.0.1", port=1, user="u", password="p", database="d")
        sites.start(HOME, SiteConfig(credentials=credentials))
        listening(sites, HOME)
        sites.freeze(HOME)
        pid = sites.status()[HOME].pid
        assert pid is not None
        os.kill(land.processes.keeper_pid, signal.SIGKILL)
        until(lambda: process_identity(pid) is None)
