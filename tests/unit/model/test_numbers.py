"""Durations, budgets, timings and bounds: the numbers that decisions rest on."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.model import regions, timings
from lifeboat.model.bounds import Phase, judge, longest, loss, total, weakest, why_not
from lifeboat.model.design import Bound, BoundClass, Demand, Quantity
from lifeboat.model.objectives import MONTH, YEAR, budget, demands
from lifeboat.model.settings import format_duration, parse_duration
from lifeboat.model.settings.load import load
from lifeboat.model.settings.objectives import Failure
from lifeboat.model.timings import TIMINGS, Evidence, Step
from tests.unit.model.declarations import changed


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15m", 900), ("1h", 3600), ("24h5m", 86_700), ("7d", 604_800), ("1h30m", 5400), ("0s", 0), ("90s", 90)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "1.5h", "-1m", "1w", "1h ", "\uff11h", True, 5, None, ["1h"]])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"^a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(86_700, "24h05m"), (900, "15m"), (90, "90s"), (3600, "1h"), (0, "0s"), (3605, "1h00m05s"), (259.2, "4m19s")],
)
def test_durations_are_written_as_people_write_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 10**8))
def test_what_is_written_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("availability", "month", "year"),
    [(99.9, 2592, 31_536), (99.99, 259.2, 3153.6), (99.95, 1296, 15_768), (99.5, 12_960, 157_680)],
)
def test_an_availability_leaves_a_budget(availability: float, month: float, year: float) -> None:
    assert budget(availability, MONTH) == pytest.approx(month)
    assert budget(availability, YEAR) == pytest.approx(year)


def test_a_months_budget_bounds_zones_and_a_years_a_region() -> None:
    found = demands(
        load(
            changed(
                ("objectives.stack", {"availability": 99.99, "rpo": "1h"}),
                ("objectives.services", []),
                ("databases.0.services", []),
                ("caches.0.services", []),
            )
        )
    )
    budgets = {demand.failure: demand.seconds for demand in found if demand.quantity is Quantity.RTO}
    assert budgets == {Failure.INSTANCE: 259.2, Failure.ZONE: 259.2, Failure.REGION: 3153.6}


def test_a_service_inherits_the_phases_it_does_not_declare() -> None:
    found = demands(
        load(
            changed(
                ("objectives.stack.phases", {"detect": "5m", "decide": "5m"}),
                ("objectives.services.0.phases", {"decide": "1m"}),
                ("objectives.failures", [{"failure": "zone", "rto": "1h"}]),
            )
        )
    )
    declared = {demand.scope: demand.declared for demand in found if demand.quantity is Quantity.RTO}
    assert (declared["objectives.services.orders"].detect, declared["objectives.services.orders"].decide) == (300, 60)
    assert declared["objectives.failures.zone"].detect is None


def test_every_step_has_a_timing_in_order() -> None:
    assert set(TIMINGS) == set(Step)
    for timing in TIMINGS.values():
        assert 0 < timing.p50 <= timing.p95
        assert timing.evidence
        assert timing.source


def test_only_what_is_wholly_documented_counts_as_documented() -> None:
    for timing in TIMINGS.values():
        documented = set(timing.evidence) == {Evidence.DOCUMENTED}
        assert (timing.klass is BoundClass.DOCUMENTED) is documented


def test_strong_consistency_spans_known_regions() -> None:
    assert all(regions.known(region) for members in regions.STRONG_CONSISTENCY for region in members)
    assert regions.strongly_consistent(frozenset({"us-east-1", "us-west-2", "us-east-2"}))
    assert not regions.strongly_consistent(frozenset({"us-east-1", "eu-west-1", "us-east-2"}))


def test_phases_add_up_and_are_as_sure_as_the_least_sure() -> None:
    bound = total(
        [Phase("a", 60, BoundClass.ENFORCED), Phase("b", 0, BoundClass.TYPICAL), Phase("c", 30, BoundClass.DOCUMENTED)]
    )
    assert (bound.seconds, bound.klass, bound.arithmetic) == (90, BoundClass.DOCUMENTED, "a 1m + c 30s")


def test_side_by_side_the_longest_counts() -> None:
    bounds = [
        Bound(quantity=Quantity.RPO, seconds=s, klass=k, arithmetic=str(s))
        for s, k in ((5, BoundClass.TYPICAL), (9, BoundClass.ENFORCED))
    ]
    assert (longest(bounds).seconds, longest(bounds).klass) == (9, BoundClass.TYPICAL)


def test_classes_are_ordered() -> None:
    assert weakest([BoundClass.ALARMED, BoundClass.ENFORCED]) is BoundClass.ALARMED
    assert weakest([]) is BoundClass.ENFORCED


@pytest.mark.parametrize(
    ("klass", "met"),
    [
        (BoundClass.ENFORCED, True),
        (BoundClass.DOCUMENTED, True),
        (BoundClass.ALARMED, False),
        (BoundClass.TYPICAL, False),
    ],
)
def test_strict_judges_the_class(klass: BoundClass, met: bool) -> None:
    demand = Demand(quantity=Quantity.RPO, seconds=60, scope="objectives.stack", strict=True)
    bound = Bound(quantity=Quantity.RPO, seconds=60, klass=klass, arithmetic="x")
    assert judge(demand, bound).met is met


def test_an_unbounded_loss_is_said_to_be() -> None:
    demand = Demand(quantity=Quantity.RPO, seconds=60, scope="objectives.stack", strict=False)
    bound = loss(timings.NOTHING_COPIED)
    assert math.isinf(bound.seconds)
    assert why_not(demand, bound, "nothing").endswith("worst loss unbounded (nothing reaches the other region)")
