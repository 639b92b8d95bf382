"""Health checks as a state machine: endpoints, metrics, calculated checks, inversion."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeboat.sandbox.live.alarm_rules import Datapoint, Rule
from lifeboat.sandbox.live.health import Health
from lifeboat.sandbox.live.zone import Alarm, Check

NOW = 1_800_000_030.0
"""Half a minute into a minute."""


def check(kind: str, identifier: str = "check", **more: Any) -> Check:  # noqa: ANN401  # any of a check's attributes
    return Check(id=identifier, version=1, type=kind, **more)


def alarm(*minutes: float | None, **more: Any) -> Alarm:  # noqa: ANN401  # any of a rule's attributes
    """A switch's alarm with a value for each of the last minutes that are over; None where nothing came."""
    points = [
        Datapoint.of(NOW - 60 * (len(minutes) - position), value)
        for position, value in enumerate(minutes)
        if value is not None
    ]
    settings: dict[str, Any] = {
        "statistic": "Maximum",
        "period": 60,
        "evaluation_periods": 1,
        "datapoints_to_alarm": 1,
        "comparison": "GreaterThanOrEqualToThreshold",
        "threshold": 1.0,
        **more,
    }
    return Alarm(rule=Rule(**settings), points=tuple(points))


def found(*checks: Check, evaluation: float = 0) -> Health:
    health = Health(evaluation)
    health.learn(checks, NOW)
    return health


def run(health: Health, results: str, identifier: str = "check") -> str:
    """Feed results, ``+`` passed and ``-`` failed; the status after each, likewise."""
    said = ""
    for result in results:
        health.probed(identifier, passed=result == "+", reason="", now=NOW)
        said += "+" if health.healthy(identifier) else "-"
    return said


@pytest.mark.parametrize(
    ("results", "statuses"),
    [
        ("---+++", "++---+"),
        ("--+--+--+", "+++++++++"),
        ("---++-+++", "++------+"),
        ("+---", "+++-"),
    ],
)
def test_an_endpoint_changes_after_its_threshold_in_a_row(results: str, statuses: str) -> None:
    assert run(found(check("HTTP", threshold=3)), results) == statuses


@given(results=st.text("+-", max_size=40), threshold=st.integers(1, 10))
def test_an_endpoint_only_changes_when_the_last_results_agree(results: str, threshold: int) -> None:
    statuses = run(found(check("TCP", threshold=threshold)), results)
    before = "+"
    for position, status in enumerate(statuses):
        agreed = results[max(0, position - threshold + 1) : position + 1] == status * threshold
        assert status == before or agreed
        # And it does not stay when all of them disagree with it.
        opposite = "-" if status == "+" else "+"
        assert results[max(0, position - threshold + 1) : position + 1] != opposite * threshold
        before = status


def test_what_nobody_looked_at_is_healthy() -> None:
    health = found(check("HTTP"), check("CLOUDWATCH_METRIC", "metric", alarm=alarm()))
    assert (health.healthy("check"), health.healthy("metric"), health.healthy("absent")) == (True, True, True)


def test_inversion_comes_last() -> None:
    health = found(
        check("HTTP", "endpoint", inverted=True),
        check("HTTP", "off", inverted=True, disabled=True),
        check("CLOUDWATCH_METRIC", "metric", inverted=True, alarm=alarm(1)),
        check("CALCULATED", "all", inverted=True, children=("metric",), healthy_children=1),
    )
    assert [health.healthy(name) for name in ("endpoint", "off", "metric", "all")] == [False, False, True, False]


def test_a_disabled_check_counts_as_healthy_and_goes_on_where_it_was() -> None:
    health = found(check("HTTP", threshold=1))
    assert run(health, "-") == "-"
    health.learn([check("HTTP", threshold=1, disabled=True)], NOW)
    assert health.healthy("check")
    health.learn([check("HTTP", threshold=1)], NOW)
    assert not health.healthy("check")


@pytest.mark.parametrize(
    ("minutes", "healthy"),
    [
        ([1], False),
        ([0], True),
        ([1, 0], True),
        ([0, 1], False),
        # Two periods more than the alarm's own are looked at when later ones are missing.
        ([1, None, None], False),
    ],
)
def test_a_switch_reads_its_latest_minute_that_is_over(minutes: list[float | None], healthy: bool) -> None:
    health = found(check("CLOUDWATCH_METRIC", alarm=alarm(*minutes), insufficient="Healthy"))
    assert health.healthy("check") is healthy
    # What comes in the minute that runs is not seen so far.
    running = alarm(*minutes)
    point = Datapoint.of(NOW, float(healthy))
    health.learn(
        [check("CLOUDWATCH_METRIC", alarm=running.model_copy(update={"points": (*running.points, point)}))], NOW
    )
    assert health.healthy("check") is healthy


def test_ignored_gaps_keep_the_status() -> None:
    settings: dict[str, Any] = {"evaluation_periods": 3, "datapoints_to_alarm": 3, "missing": "ignore"}
    for before, healthy in ((alarm(1, 1, 1, **settings), False), (alarm(0, **settings), True)):
        health = found(check("CLOUDWATCH_METRIC", alarm=before, insufficient="Unhealthy"))
        health.learn([check("CLOUDWATCH_METRIC", alarm=alarm(1, None, **settings), insufficient="Unhealthy")], NOW)
        assert health.healthy("check") is healthy
    health = found(check("CLOUDWATCH_METRIC", alarm=alarm(1, None, **settings), insufficient="Unhealthy"))
    assert not health.healthy("check"), "there is no status to keep"


@pytest.mark.parametrize(
    ("insufficient", "expected"), [("Healthy", True), ("Unhealthy", False), ("LastKnownStatus", False)]
)
def test_silence_counts_as_the_check_says(insufficient: str, expected: bool) -> None:
    health = found(check("CLOUDWATCH_METRIC", alarm=alarm(1), insufficient=insufficient))
    assert not health.healthy("check")
    health.learn([check("CLOUDWATCH_METRIC", alarm=alarm(), insufficient=insufficient)], NOW)
    assert health.healthy("check") is expected


@given(levels=st.lists(st.sampled_from([0.0, 1.0, None]), max_size=30))
def test_a_latched_switch_is_its_last_level(levels: list[float | None]) -> None:
    health = Health(0)
    last = 0.0
    for step, level in enumerate(levels):
        # Each look comes so late that nothing of the one before is in range.
        now = NOW + 3600 * step
        points = () if level is None else (Datapoint.of(now - 60, level),)
        health.learn([check("CLOUDWATCH_METRIC", alarm=alarm().model_copy(update={"points": points}))], now)
        last = last if level is None else level
        assert health.healthy("check") is (last == 0.0)


def test_a_metric_is_looked_at_no_oftener_than_cloudwatch_does() -> None:
    health = Health()
    health.learn([check("CLOUDWATCH_METRIC", alarm=alarm(0))], NOW)
    health.learn([check("CLOUDWATCH_METRIC", alarm=alarm(1))], NOW + 59)
    assert health.healthy("check")
    health.learn([check("CLOUDWATCH_METRIC", alarm=alarm(1))], NOW + 60)
    assert not health.healthy("check")


def test_a_check_begins_with_what_was_last_known_of_it() -> None:
    health = found(check("CLOUDWATCH_METRIC", alarm=alarm(), last_known=False), check("HTTP", "up", last_known=False))
    assert (health.healthy("check"), health.healthy("up")) == (False, False)


@given(alive=st.lists(st.booleans(), max_size=6), wanted=st.integers(0, 7))
def test_a_calculated_check_counts_its_healthy_children(alive: list[bool], wanted: int) -> None:
    children = [check("HTTP", f"child-{index}", last_known=state) for index, state in enumerate(alive)]
    identifiers = tuple(child.id for child in children)
    parent = check("CALCULATED", "parent", children=identifiers, healthy_children=wanted)
    health = found(parent, *children)
    assert health.healthy("parent") is (sum(alive) >= wanted)
    (finding,) = [finding for finding in health.findings() if finding.id == "parent"]
    assert finding.reason == f"{sum(alive)} of {len(alive)} children healthy, {wanted} wanted"


def test_a_check_that_is_gone_counts_as_healthy() -> None:
    health = found(check("HTTP", last_known=False))
    health.learn([], NOW)
    assert health.healthy("check")
    assert health.findings() == []
