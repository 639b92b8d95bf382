"""The page of a living sandbox's servers."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from lifeboat.reporting.living import state

NAME = "postgres-us-east-1-cluster-reskflow-production-orders-us-east-1"


def page(row: dict[str, Any], width: int, lease: dict[str, Any] | None = None) -> str:
    """The page with one server."""
    live = {
        "name_server": {"address": "127.120.192.1", "port": 5300},
        "network": "127.120.192.0/24",
        "time_scale": "instant",
        "seed": 0,
        "active": "us-east-1",
        "detection_scale": 10.0,
        "lease": lease,
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


def test_who_may_write_and_what_stands_in_the_way_is_told() -> None:
    row = {
        "name": "warden-us-east-2",
        "region": "us-east-2",
        "role": "",
        "address": None,
        "port": None,
        "pid": 7,
        "state": "running",
        "lag_seconds": None,
        "problem": "",
    }
    lease = {
        "holder": "us-west-2",
        "epoch": 2,
        "serving": "us-west-2",
        "fenced": ["us-east-1"],
        "hold": {"by": "ada", "reason": "a drill"},
        "run": "failover-1",
    }
    shown = page(row, 120, lease)
    for line in (
        "detection 10 times as fast as declared",
        "lease     us-west-2 holds epoch 2, us-west-2 serves",
        "fenced    us-east-1, until `lifeboat rejoin`",
        "held      by ada: a drill",
        "run       failover-1",
    ):
        assert line in shown
    assert "lease  " not in page(row, 120)
