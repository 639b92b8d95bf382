"""Evaluation of metric alarms: by the tables that AWS documents, and as boto3 sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from moto import mock_aws

from lifeboat.sandbox.live.alarm_rules import (
    ALARM,
    INSUFFICIENT_DATA,
    OK,
    Comparison,
    Datapoint,
    Rule,
    Statistic,
    evaluate,
)
from lifeboat.sandbox.live.alarms import Alarms
from tests.live.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""
Setting: TypeAlias = Any
"""An argument of a boto3 call."""

ACCOUNT = "123456789012"
NOW = 1_800_000_000.0 + 17
"""In the middle of a minute, which does not count yet."""
MINUTE = 60
THREE_OF_THREE = Rule(
    statistic="Maximum",
    period=MINUTE,
    evaluation_periods=3,
    datapoints_to_alarm=3,
    threshold=0.5,
    comparison="GreaterThanThreshold",
)
TWO_OF_THREE = replace(THREE_OF_THREE, datapoints_to_alarm=2)


def points(drawn: str) -> list[Datapoint]:
    """Datapoints as AWS's tables draw them: 0 is fine, X breaches, - is missing; the last is the youngest."""
    ended = NOW // MINUTE * MINUTE
    first = ended - len(drawn) * MINUTE
    return [
        Datapoint.of(first + index * MINUTE + 30, float(sign == "X")) for index, sign in enumerate(drawn) if sign != "-"
    ]


@pytest.mark.parametrize(
    ("rule", "drawn", "missing", "ignore", "breaching", "not_breaching"),
    [
        (THREE_OF_THREE, "0-X-X", OK, OK, OK, OK),
        (THREE_OF_THREE, "0----", OK, OK, OK, OK),
        (THREE_OF_THREE, "-----", INSUFFICIENT_DATA, None, ALARM, OK),
        (THREE_OF_THREE, "0XX-X", ALARM, ALARM, ALARM, ALARM),
        (THREE_OF_THREE, "----X", INSUFFICIENT_DATA, None, ALARM, OK),
        (THREE_OF_THREE, "X----", ALARM, None, ALARM, OK),
        (TWO_OF_THREE, "0-X-X", ALARM, ALARM, ALARM, ALARM),
        (TWO_OF_THREE, "00X0X", ALARM, ALARM, ALARM, ALARM),
        (TWO_OF_THREE, "XX000", OK, OK, OK, OK),
        (TWO_OF_THREE, "0-X--", OK, OK, ALARM, OK),
        (TWO_OF_THREE, "----0", OK, OK, ALARM, OK),
        (TWO_OF_THREE, "----X", INSUFFICIENT_DATA, None, ALARM, OK),
    ],
)
def test_states_are_those_of_the_documented_tables(
    rule: Rule, drawn: str, missing: str, ignore: str | None, breaching: str, not_breaching: str
) -> None:
    ways = ("missing", "ignore", "breaching", "notBreaching")
    found = [evaluate(replace(rule, missing=way), points(drawn), NOW).state for way in ways]
    assert found == [missing, ignore, breaching, not_breaching]


def test_a_breach_counts_once_its_period_is_over() -> None:
    rule = replace(THREE_OF_THREE, evaluation_periods=1, datapoints_to_alarm=1)
    running = [*points("000"), Datapoint.of(NOW, 1)]
    assert evaluate(rule, running, NOW).state == OK
    assert evaluate(rule, running, NOW + MINUTE).state == ALARM


def test_a_longer_period_slides_from_minute_to_minute() -> None:
    """AWS's own example: five minutes are evaluated at the end of minute 5, then minutes 2 to 6."""
    rule = replace(THREE_OF_THREE, period=5 * MINUTE, evaluation_periods=1, datapoints_to_alarm=1)
    # In no step with the clock's own five minutes.
    now = NOW + 2 * MINUTE
    breach = Datapoint.of(now - MINUTE, 1)
    states = [evaluate(rule, [breach], now + minute * MINUTE).state for minute in range(-1, 17)]
    # From the end of its minute on; looked at for three periods, since nothing followed.
    assert states == [INSUFFICIENT_DATA, *[ALARM] * 15, INSUFFICIENT_DATA, INSUFFICIENT_DATA]
    fine = Datapoint.of(now + 4 * MINUTE, 0)
    answered = [evaluate(rule, [breach, fine], now + minute * MINUTE).state for minute in range(7)]
    assert answered == [*[ALARM] * 5, OK, OK]


def test_data_older_than_the_range_is_forgotten() -> None:
    rule = replace(THREE_OF_THREE, evaluation_periods=1, datapoints_to_alarm=1)
    assert evaluate(rule, points("X--"), NOW).state == ALARM
    assert evaluate(rule, points("X---"), NOW).state == INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("statistic", "value"), [("Minimum", 1), ("Maximum", 9), ("Sum", 15), ("SampleCount", 4), ("Average", 3.75)]
)
def test_a_period_is_its_statistic_of_single_values_and_of_sums(statistic: Statistic, value: float) -> None:
    at = NOW - MINUTE
    published = [
        Datapoint.of(at, 2),
        Datapoint.of(at, 3),
        Datapoint(time=at, minimum=1, maximum=9, total=10, count=2),
    ]
    assert evaluate(replace(THREE_OF_THREE, statistic=statistic), published, NOW).values[-1] == value


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("GreaterThanThreshold", OK, OK, ALARM),
        ("GreaterThanOrEqualToThreshold", OK, ALARM, ALARM),
        ("LessThanThreshold", ALARM, OK, OK),
        ("LessThanOrEqualToThreshold", ALARM, ALARM, OK),
    ],
)
def test_comparisons_with_the_threshold(comparison: Comparison, below: str, at: str, above: str) -> None:
    rule = replace(THREE_OF_THREE, evaluation_periods=1, datapoints_to_alarm=1, threshold=5, comparison=comparison)
    found = [evaluate(rule, [Datapoint.of(NOW - MINUTE, value)], NOW).state for value in (4, 5, 6)]
    assert found == [below, at, above]


@pytest.fixture
def cloudwatch() -> Iterator[Client]:
    with mock_aws():
        yield boto3.client("cloudwatch", "us-west-2", aws_access_key_id="test", aws_secret_access_key="test")


def put_alarm(cloudwatch: Client, **changes: Setting) -> None:
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": "lag",
            "Namespace": "AWS/RDS",
            "MetricName": "ReplicaLag",
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders"}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 300,
            "TreatMissingData": "breaching",
            **changes,
        }
    )


def put_lag(cloudwatch: Client, value: float, instance: str = "orders", ago: tuple[float, ...] = (1, 2, 3)) -> None:
    """Publish a lag some minutes ago."""
    minutes = [NOW - minute * MINUTE for minute in ago]
    cloudwatch.put_metric_data(
        Namespace="AWS/RDS",
        MetricData=[
            {
                "MetricName": "ReplicaLag",
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": instance}],
                "Timestamp": datetime.fromtimestamp(at, UTC),
                "Value": value,
                "Unit": "Seconds",
            }
            for at in minutes
        ],
    )


def state(cloudwatch: Client, name: str = "lag") -> str:
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm["StateValue"]


def test_boto3_sees_an_alarm_begin_and_end(cloudwatch: Client) -> None:
    put_alarm(cloudwatch)
    alarms = Alarms(ACCOUNT, clock=lambda: NOW)
    put_lag(cloudwatch, 1, instance="another")
    alarms.evaluate()
    assert state(cloudwatch) == ALARM
    put_lag(cloudwatch, 300)
    alarms.evaluate()
    assert state(cloudwatch) == OK
    put_lag(cloudwatch, 301)
    alarms.evaluate()
    (alarm,) = cloudwatch.describe_alarms(StateValue=ALARM)["MetricAlarms"]
    assert "3 of the 3 datapoints" in alarm["StateReason"]
    assert "GreaterThanThreshold 300" in alarm["StateReason"]


def test_an_alarm_begins_when_a_whole_minute_of_its_life_is_over(cloudwatch: Client) -> None:
    """Else each one that takes silence for a breach would ring before its metric could be there."""
    put_alarm(cloudwatch, Period=300, EvaluationPeriods=1)
    (made,) = cloudwatch.describe_alarms()["MetricAlarms"]
    first = made["AlarmConfigurationUpdatedTimestamp"].timestamp() // MINUTE * MINUTE
    found: list[str] = []
    for minute in (0, 1, 2):
        Alarms(ACCOUNT, clock=lambda: first + minute * MINUTE + 59).evaluate()  # noqa: B023 - called here
        found.append(state(cloudwatch))
    assert found == [INSUFFICIENT_DATA, INSUFFICIENT_DATA, ALARM]


def test_a_metric_that_begins_with_its_alarm_leaves_it_quiet(cloudwatch: Client) -> None:
    put_alarm(cloudwatch, Period=300, EvaluationPeriods=1)
    put_lag(cloudwatch, 1, ago=(0.5,))
    Alarms(ACCOUNT, clock=lambda: NOW).evaluate()
    assert state(cloudwatch) == OK


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(cloudwatch: Client) -> None:
    put_alarm(cloudwatch)
    put_lag(cloudwatch, 1)
    cloudwatch.set_alarm_state(AlarmName="lag", StateValue="ALARM", StateReason="tried", StateReasonData="{}")
    Alarms(ACCOUNT, clock=lambda: NOW).evaluate()
    assert state(cloudwatch) == OK


def test_a_unit_of_another_name_is_another_metric(cloudwatch: Client) -> None:
    put_alarm(cloudwatch, Unit="Milliseconds", TreatMissingData="missing")
    put_lag(cloudwatch, 1)
    Alarms(ACCOUNT, clock=lambda: NOW).evaluate()
    assert state(cloudwatch) == INSUFFICIENT_DATA


def test_missing_data_of_a_table_are_always_ignored(cloudwatch: Client) -> None:
    put_alarm(cloudwatch, Namespace="AWS/DynamoDB")
    Alarms(ACCOUNT, clock=lambda: NOW).evaluate()
    assert state(cloudwatch) == OK


def test_alarms_of_other_kinds_stay_and_do_not_disturb(cloudwatch: Client) -> None:
    stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    cloudwatch.put_metric_alarm(
        AlarmName="math",
        Metrics=[{"Id": "m", "MetricStat": stat, "ReturnData": True}],
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Threshold=1,
        TreatMissingData="breaching",
    )
    put_alarm(cloudwatch, AlarmName="percentile", Statistic="p99")
    put_alarm(cloudwatch)
    Alarms(ACCOUNT, clock=lambda: NOW).evaluate()
    assert [state(cloudwatch, name) for name in ("math", "percentile", "lag")] == [OK, OK, ALARM]


def test_alarms_are_evaluated_again_and_again(cloudwatch: Client) -> None:
    alarms = Alarms(ACCOUNT, interval=0.01, clock=lambda: NOW)
    alarms.start()
    put_alarm(cloudwatch)
    until(lambda: state(cloudwatch) == ALARM)
    put_lag(cloudwatch, 1)
    until(lambda: state(cloudwatch) == OK)
    alarms.stop()
