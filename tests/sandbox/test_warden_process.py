"""The warden as a process, beside the sandbox's APIs: it opens its gate, answers, logs, and ends when it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.recovery.gatefile import boot_id, read_gate
from lifeboat.recovery.switches import BEAT_METRIC, METRIC
from tests.live.waiting import until
from tests.unit.model.declarations import sound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifeboat.sandbox.state import Record
    from tests.sandbox.conftest import Clients

HOME, STANDBY, WITNESS = "eu-west-1", "eu-central-1", "eu-west-2"
SCALE = 20
"""A ttl of 60 s is 3 s here."""


def settings() -> dict[str, Any]:
    # Neither databases nor names: nothing behind this gateway lives.
    keep = {"system", "environment", "account", "home", "sites", "witness", "object_stores"}
    return {key: value for key, value in sound().items() if key in keep} | {
        "objectives": {"stack": {"rto": "1h", "rpo": "15m"}}
    }


class Running:
    """A warden's process and what it says."""

    def __init__(self, directory: Path, record: Record, **more: Any) -> None:  # noqa: ANN401 - a file's keys
        self.gate = directory / "gate" / "gate.json"
        self.log = directory / "log"
        config = directory / "warden.json"
        config.write_text(
            json.dumps({"region": HOME, "settings": settings(), "gate": str(self.gate), **more}, default=str)
        )
        environment = os.environ | {
            "AWS_ENDPOINT_URL": record.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "LIFEBOAT_SANDBOX_TOKEN": "any",
            "LIFEBOAT_TIME_SCALE": str(SCALE),
        }
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lifeboat.recovery.warden", "--config", str(config)],
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @property
    def open(self) -> bool:
        return read_gate(self.gate, now=time.monotonic(), boot=boot_id()).open

    def ask(self, path: str) -> dict[str, Any]:
        (port,) = (line["message"].split()[-1] for line in self.lines if "answers on port" in line["message"])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return json.load(answer)


@pytest.fixture
def table(clean_gateway: Record, clients: Clients) -> Record:
    for region in (HOME, STANDBY):
        with contextlib.suppress(clients("dynamodb", region).exceptions.ResourceInUseException):
            clients("dynamodb", region).create_table(
                TableName="shop-test-lease",
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
    return clean_gateway


@pytest.fixture
def warden(tmp_path: Path, table: Record) -> Iterator[Running]:
    running = Running(tmp_path, table)
    yield running
    running.process.kill()
    running.process.wait(10)


def test_a_warden_opens_its_gate_answers_and_ends_leaving_a_gate_that_shuts_by_itself(
    warden: Running, clients: Clients
) -> None:
    until(lambda: warden.open)
    gate = warden.ask("/gate")
    assert (gate["open"], gate["epoch"], gate["reason"]) == (True, 1, "")
    assert 0 < gate["seconds"] <= 10 / SCALE
    until(lambda: warden.ask("/healthz")["holder"] == HOME)
    item = clients("dynamodb", HOME).get_item(TableName="shop-test-lease", Key={"pk": {"S": "lease"}})["Item"]
    assert json.loads(item["record"]["S"])["holder"] == HOME

    def published() -> set[str]:
        found = clients("cloudwatch", WITNESS).list_metrics(Namespace="Lifeboat/shop-test")["Metrics"]
        return {metric["MetricName"] for metric in found}

    until(lambda: published() == {METRIC, BEAT_METRIC})
    warden.process.send_signal(signal.SIGTERM)
    assert warden.process.wait(30) == 0
    assert {"time", "level", "warden", "part", "message"} <= set(warden.lines[-1])
    assert all(line["level"] != "error" for line in warden.lines)
    until(lambda: not warden.open)


def test_the_gate_shuts_while_the_warden_stands_still_and_stays_shut_when_it_wakes(
    warden: Running, clients: Clients
) -> None:
    until(lambda: warden.open)
    warden.process.send_signal(signal.SIGSTOP)
    until(lambda: not warden.open)
    warden.process.send_signal(signal.SIGCONT)

    def stopped() -> bool:
        item = clients("dynamodb", HOME).get_item(TableName="shop-test-lease", Key={"pk": {"S": "lease"}})["Item"]
        return json.loads(item["record"]["S"])["stopped"] == [HOME]

    until(stopped)
    assert not warden.open


def test_a_second_warden_of_a_site_is_refused(warden: Running, table: Record, tmp_path: Path) -> None:
    until(lambda: warden.open)
    other = tmp_path / "other"
    other.mkdir()
    second = Running(other, table, gate=warden.gate)
    assert second.process.wait(60) == 1
    assert "another warden writes the gate" in second.lines[-1]["message"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"region": "eu-north-1"}, "accepted is one of eu-west-1, eu-central-1, eu-west-2"),
        ({"gate": None}, "accepted is a path in a site, and none in the witness"),
        ({"settings": {}}, "settings"),
        ({"more": 1}, "more: Extra inputs"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_line(
    tmp_path: Path, gateway: Record, more: dict[str, Any], said: str
) -> None:
    running = Running(tmp_path, gateway, **more)
    assert running.process.wait(60) == 2
    text = running.log.read_text()
    assert said in text
    assert "Traceback" not in text
