"""The page of a living sandbox's servers."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from lifeboat.reporting.living import state

NAME = "postgres-us-east-1-cluster-reskflow-production-orders-us-east-1"


def page(row: dict[str, Any], width: int) -> str:
    """The page with one server."""
    live = {
        "name_server": {"address": "127.120.192.1", "port": 5300},
        "network": "127.120.192.0/24",
        "time_scale": "instant",
        "seed": 0,
        "active": "us-east-1",
        "processes": [row],
        "buckets": [],
        "faults": [],
    }
    file = io.StringIO()
    Console(file=file, width=width).print(state(live))
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 120, 132])
def test_an_address_stays_whole_however_long_the_name_before_it_is(width: int) -> None:
    row = {
        "name": NAME,
        "region": "us-east-1",
        "role": "primary",
        "address": "127.120.192.100",
        "port": 5432,
        "pid": 4194304,
        "state": "running",
        "lag_seconds": 12.3,
        "problem": None,
    }
    shown = page(row, width)
    assert "us-east-1  primary  127.120.192.100:5432  4194304  running  12.3 s" in shown
    assert NAME in "".join(line.split("  ")[0].strip() for line in shown.splitlines())


@pytest.mark.parametrize(("lag", "before", "told"), [(90.0, 1.2, True), (None, 1.2, True), (1.2, 1.2, False)])
def test_the_lag_at_last_contact_is_told_once_the_source_is_silent(
    lag: float | None, before: float, told: bool
) -> None:
    row = {
        "name": "replica",
        "region": "us-west-2",
        "role": "replica",
        "address": "127.0.0.1",
        "port": 5432,
        "pid": 1,
        "state": "running",
        "lag_seconds": lag,
        "lag_at_last_contact_seconds": before,
        "problem": "",
    }
    assert ("replica: 1.2 s behind when its source last answered" in page(row, 120)) is told
