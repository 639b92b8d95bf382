"""What a living sandbox is told, and who may write; without any server."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import pytest
from lifeboat_contract import Contract

from components.aws import routing_alarm
from lifeboat.sandbox.live.effects import INSTANT
from lifeboat.sandbox.live.world_config import (
    Live,
    load_network,
    parse_time_scale,
    plan_of,
    save_network,
    sites_first,
)
from lifeboat.sandbox.live.world_sites import PUBLISHED_EACH, SWITCH, writer_region
from lifeboat.sandbox.state import SandboxInputError

if TYPE_CHECKING:
    from pathlib import Path

HOME, AWAY = "us-east-1", "us-west-2"
DATABASE = {
    "mechanism": "aurora-global",
    "engine": "aurora-postgresql 16.8",
    "port": 5432,
    "database": "shop",
}


@pytest.mark.parametrize(
    "live",
    [
        Live(regions=(HOME, AWAY)),
        Live(regions=(HOME,), seed=7, time_scale=0.5, resume=True),
        Live(regions=(HOME, AWAY, "us-east-2"), time_scale=None),
    ],
)
def test_the_gateway_reads_what_it_is_told(live: Live) -> None:
    parser = argparse.ArgumentParser()
    Live.describe(parser)
    assert Live.read(parser.parse_args(live.arguments())) == live
    assert Live.read(parser.parse_args([])) is None


def test_a_time_scale_is_a_positive_number_or_instant() -> None:
    assert (parse_time_scale("60"), parse_time_scale("0.5"), parse_time_scale(INSTANT)) == (60.0, 0.5, None)
    for text in ("0", "-1", "nan", "inf", "fast"):
        with pytest.raises(SandboxInputError, match=f"--time-scale: {text}: a positive number such as 60, or"):
            parse_time_scale(text)


def test_home_comes_first_and_each_region_once() -> None:
    assert sites_first(HOME, [AWAY, HOME], "us-east-2") == (HOME, AWAY, "us-east-2")
    assert sites_first(HOME, [AWAY], AWAY) == (HOME, AWAY)
    assert sites_first(HOME, [AWAY], None) == (HOME, AWAY)


@pytest.mark.parametrize(
    ("writers", "active", "expected"),
    [
        ([], None, None),
        ([HOME], None, HOME),
        ([AWAY], None, AWAY),
        ([HOME, AWAY], None, HOME),
        # It moved.
        ([AWAY], HOME, AWAY),
        # Nobody takes writes just now: nothing changes.
        ([], HOME, HOME),
        # One was promoted beside it: that alone moves nothing.
        ([HOME, AWAY], HOME, HOME),
        ([HOME, AWAY], AWAY, AWAY),
    ],
)
def test_who_writes_goes_on_until_another_takes_over(
    writers: list[str], active: str | None, expected: str | None
) -> None:
    assert writer_region(writers, active, HOME) == expected


def test_the_switch_is_the_one_that_production_has() -> None:
    assert (SWITCH, PUBLISHED_EACH) == (routing_alarm.METRIC, routing_alarm.PERIOD)


def contract(**changed: Any) -> Contract:  # noqa: ANN401 - any part of a document
    def site(region: str) -> dict[str, Any]:
        return {
            "region": region,
            "network": {
                "vpc_id": "vpc-1",
                "cidr": "10.0.0.0/16",
                "availability_zones": [],
                "public_subnet_ids": [],
                "private_subnet_ids": [],
                "isolated_subnet_ids": [],
            },
            "databases": {
                "orders": {
                    **DATABASE,
                    "arn": f"arn:aws:rds:{region}:123456789012:cluster:orders",
                    "writer_endpoint": f"orders.{region}.example",
                    "secret_arn": f"arn:aws:secretsmanager:{region}:123456789012:secret:orders-abcdef",
                }
            },
        }

    document: dict[str, Any] = {
        "version": "1.0",
        "system": "shop",
        "environment": "test",
        "stack": "shop",
        "account": "123456789012",
        "home": HOME,
        "witness": "us-east-2",
        "objectives": {},
        "sites": {HOME: site(HOME), AWAY: site(AWAY)},
        "dns": {
            "zone": "example.com",
            "zone_id": "Z1",
            "names": {"shop": "shop.example.com"},
            "targets": {"shop": {region: f"shop.{region}.example.com" for region in (HOME, AWAY)}},
        },
        **changed,
    }
    return Contract.model_validate(document)


def test_sites_serve_from_their_own_databases() -> None:
    plan = plan_of(contract())
    assert (plan.home, plan.names, plan.regions) == (HOME, ("shop.example.com",), (HOME, AWAY))
    assert [(site.host, site.hosts) for site in plan.sites] == [
        (f"orders.{region}.example", (f"shop.{region}.example.com",)) for region in (HOME, AWAY)
    ]


def test_without_names_there_is_nothing_to_serve() -> None:
    assert plan_of(contract(dns=None)).sites == ()


def test_addresses_are_kept_for_a_later_life(tmp_path: Path) -> None:
    assert load_network(tmp_path) == (None, {})
    save_network(tmp_path, "127.80.1.0/24", {"site": "127.80.1.10"})
    assert load_network(tmp_path) == ("127.80.1.0/24", {"site": "127.80.1.10"})
    (tmp_path / "network.json").write_text("half a {")
    assert load_network(tmp_path) == (None, {})
