"""The ledger of calls: every one of them, in order, bounded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.gateway.calls import Call, Caller
from lifeboat.sandbox.gateway.ledger import Ledger, Outcome
from tests.live.calls import ledger
from tests.sandbox.conftest import Clients, clean_gateway, clients, gateway, sandbox_directory

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.sandbox.state import Directory, Record

__all__ = ["clean_gateway", "clients", "gateway", "sandbox_directory"]

REGION = "us-east-1"


def test_the_ledger_has_every_call_in_order_and_nothing_of_a_body(
    clean_gateway: Record, clients: Clients, sandbox_directory: Directory
) -> None:
    before = supervisor.control(clean_gateway, "GET", "ledger")["last"]
    clients("secretsmanager").create_secret(Name="s", SecretString="hunter2")
    clients("secretsmanager").get_secret_value(SecretId="s")
    rows = ledger(clean_gateway, before)
    assert [(row["number"] - before, row["operation"], row["plane"], row["answer"]) for row in rows] == [
        (1, "CreateSecret", "control", "200"),
        (2, "GetSecretValue", "data", "200"),
    ]
    assert {row["principal"] for row in rows} == {"AKIAIOSFODNN7EXAMPLE"}
    assert rows[0]["time"] <= rows[1]["time"]
    text = sandbox_directory.calls.read_text()
    assert [json.loads(line) for line in text.splitlines()[-2:]] == rows
    assert "hunter2" not in text
    assert ledger(clean_gateway, rows[-1]["number"]) == []


def _numbers(directory: Path) -> list[int]:
    files = [directory / name for name in ("calls.1.jsonl", "calls.jsonl")]
    return [json.loads(line)["number"] for file in files if file.exists() for line in file.read_text().splitlines()]


def test_the_ledger_is_bounded_on_disk_and_goes_on_counting(tmp_path: Path) -> None:
    call, caller = Call("rds", REGION, "DescribeDBInstances", known=True), Caller("AKIA", "AKIA", "")
    outcome = Outcome(answer="200", time=1.0, seconds=0.1)
    book = Ledger(tmp_path / "calls.jsonl", file_bytes=600)
    for _ in range(20):
        book.add(call, caller, outcome)
    again = Ledger(tmp_path / "calls.jsonl", file_bytes=600)
    again.add(call, caller, outcome)
    kept = _numbers(tmp_path)
    assert len(kept) < 10
    assert kept == list(range(22 - len(kept), 22))
    page = again.page(2)
    assert ([row["number"] for row in page["calls"]], page["next"], page["forgotten"]) == ([21], 21, 18)
