"""The estimate: sums by hand, and no price invented."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from components.aws.keys import Purpose
from lifeboat.reporting.cost import KEYS_A_SITE, Line, standby_cost
from lifeboat.reporting.prices import Prices, load_prices
from tests.unit.reporting.conftest import FAST, SLOW, subject

if TYPE_CHECKING:
    from tests.unit.reporting.conftest import Subject


def _monthly(subject: Subject, capability: str) -> dict[str, float | None]:
    return {line.item: line.monthly_usd for line in subject.estimate.of(capability)}


def test_a_database_in_aurora_costs_its_instances(fast: Subject) -> None:
    count = fast.topology.databases[0].standby_instances
    assert _monthly(fast, "database orders") == {
        f"{count} x db.r6g.large": pytest.approx(count * 0.26 * 730),
        "1 x lag alarm": pytest.approx(0.1),
        "storage": None,
        "replication traffic": None,
    }


def test_a_plain_replica_is_multi_az_and_so_twice(slow: Subject) -> None:
    assert _monthly(slow, "database media") == {
        "1 x db.r6g.large, Multi-AZ": None,
        "1 x 100 GiB gp3, Multi-AZ": pytest.approx(2 * 100 * 0.137),
        "1 x lag alarm": pytest.approx(0.1),
        "replication traffic": None,
        **({"replicated backups": None} if slow.topology.databases[0].replicate_backups else {}),
    }


@pytest.mark.parametrize(
    ("mechanism", "rpo", "item"),
    [("backups", "25h", "daily copies"), ("replicated-backups", "15m", "replicated backups")],
)
def test_what_is_restored_costs_its_copies_and_no_instance(mechanism: str, rpo: str, item: str) -> None:
    database = {"name": "media", "mechanism": mechanism}
    restored = subject({**SLOW, "objectives": {"stack": {"rto": "8h", "rpo": rpo}}, "databases": [database]})
    assert _monthly(restored, "database media") == {item: None, "replication traffic": None}


def test_a_missing_price_is_named_and_the_sum_is_a_lower_limit(slow: Subject) -> None:
    assert "no price for db.r6g.large in eu-central-1" in slow.estimate.missing
    assert slow.estimate.monthly_usd == pytest.approx(sum(line.monthly_usd or 0 for line in slow.estimate.lines))


def test_the_network_costs_gateways_addresses_and_endpoints(fast: Subject) -> None:
    gateways = 3 if fast.topology.nat == "per-zone" else 1
    endpoints = len(fast.settings.network.interface_endpoints)
    assert list(_monthly(fast, "network").values()) == [
        pytest.approx(gateways * 0.045 * 730),
        pytest.approx(gateways * 0.005 * 730),
        pytest.approx(endpoints * 3 * 0.01 * 730),
    ]


def test_what_goes_by_use_is_a_rate_and_no_sum(fast: Subject) -> None:
    storage = next(line for line in fast.estimate.of("objects uploads") if line.item == "storage")
    assert storage == Line(capability="objects uploads", item="storage", monthly_usd=None, note="$0.023 a GB and month")


def test_what_replicates_costs_its_metrics_and_an_alarm_where_the_lag_is_published(fast: Subject) -> None:
    assert _monthly(fast, "objects uploads") == {
        "2 x lag alarm": pytest.approx(0.2),
        "6 metrics of replication": pytest.approx(1.8),
        "storage": None,
        "replication traffic": None,
        "time control": None,
    }
    assert _monthly(fast, "cache sessions")["1 x lag alarm"] == pytest.approx(0.1)


def test_secrets_keys_caches_and_routing_are_counted(fast: Subject) -> None:
    assert _monthly(fast, "cache sessions")["2 x cache.r6g.large"] == pytest.approx(2 * 0.206 * 730)
    # One declared, a master password, an auth token.
    assert _monthly(fast, "secrets") == {"3 replicas": pytest.approx(1.2)}
    assert _monthly(fast, "keys") == {f"{len(Purpose)} keys": pytest.approx(len(Purpose))}
    routing = _monthly(fast, "routing")
    assert (routing["2 endpoint checks"], routing["6 options of checks"]) == (pytest.approx(1.0), pytest.approx(6.0))
    assert routing["2 alarms on checks"] == pytest.approx(0.2)


def test_keys_are_counted_as_the_components_make_them() -> None:
    assert len(Purpose) == KEYS_A_SITE


def test_an_existing_zone_costs_nothing_more() -> None:
    dns = {"zone": "reskflow.example.com", "zone_id": "Z0123456789", "endpoints": [{"name": "api"}]}
    assert "hosted zone" not in _monthly(subject({**FAST, "dns": dns}), "routing")


def test_the_estimate_knows_only_the_prices_it_is_given(fast: Subject) -> None:
    groups = {name: group.model_copy(update={"regions": {}}) for name, group in fast.prices.groups.items()}
    estimate = standby_cost(fast.settings, fast.topology, Prices(groups=groups))
    assert estimate.monthly_usd == 0
    assert all(line.note.startswith("no price for ") for line in estimate.lines)


def test_every_price_has_a_page_and_a_day_that_has_been() -> None:
    prices = load_prices()
    assert all(group.source.startswith("https://aws.amazon.com/") for group in prices.groups.values())
    assert datetime.date(2024, 1, 1) < prices.oldest() < datetime.datetime.now(tz=datetime.UTC).date()
