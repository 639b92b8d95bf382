"""Designs of two systems: one that replicates everything, one that replicates little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lifeboat.model.settings.load import load
from lifeboat.model.topology import resolve
from lifeboat.reporting.cost import Estimate, standby_cost
from lifeboat.reporting.prices import Prices, load_prices

if TYPE_CHECKING:
    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings

FAST: dict[str, object] = {
    "system": "reskflow",
    "environment": "production",
    "account": "123456789012",
    "home": "us-east-1",
    "witness": "us-east-2",
    "sites": [{"region": "us-east-1", "cidr": "10.10.0.0/16"}, {"region": "us-west-2", "cidr": "10.20.0.0/16"}],
    "objectives": {"stack": {"rto": "15m", "rpo": "5m", "availability": 99.99}},
    "approval": "automatic",
    "databases": [{"name": "orders", "instance_class": "db.r6g.large"}],
    "caches": [{"name": "sessions", "node_type": "cache.r6g.large", "rebuildable": False}],
    "object_stores": [{"name": "uploads", "rpo": "15m"}],
    "secrets": [{"name": "jwt"}],
    "dns": {"zone": "reskflow.example.com", "endpoints": [{"name": "api"}]},
}

SLOW: dict[str, object] = {
    "system": "streamgate",
    "environment": "production",
    "account": "123456789012",
    "home": "eu-west-1",
    "witness": "eu-west-2",
    "sites": [{"region": "eu-west-1", "cidr": "10.30.0.0/16"}, {"region": "eu-central-1", "cidr": "10.40.0.0/16"}],
    "objectives": {"stack": {"rto": "2h", "rpo": "15m"}},
    "databases": [{"name": "media", "mechanism": "replica", "instance_class": "db.r6g.large", "storage_gib": 100}],
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What every page is made from."""

    settings: Settings
    topology: Topology
    estimate: Estimate
    prices: Prices

    @property
    def parts(self) -> tuple[Settings, Topology, Estimate, Prices]:
        """In the order that pages take them."""
        return self.settings, self.topology, self.estimate, self.prices


def subject(config: dict[str, object]) -> Subject:
    """The design of a configuration, with its estimate."""
    settings = load(config)
    topology, prices = resolve(settings), load_prices()
    estimate = standby_cost(settings, topology, prices)
    return Subject(settings=settings, topology=topology, estimate=estimate, prices=prices)


@pytest.fixture
def fast() -> Subject:
    """Fifteen minutes, in the United States."""
    return subject(FAST)


@pytest.fixture
def slow() -> Subject:
    """Two hours, in Europe."""
    return subject(SLOW)


@pytest.fixture(autouse=True)
def a_file_as_wide_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are laid out as for a file, whatever width the test runner exports."""
    monkeypatch.delenv("COLUMNS", raising=False)
