"""Evaluation of metric alarms: by the tables that AWS documents, and as boto3 sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from moto import mock_aws

from lifeboat.sandbox.live.alarms import ALARM, INSUFFICIENT_DATA, OK, Alarms, Datapoint, Rule, evaluate
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
    expected = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    found = {treated: evaluate(replace(rule, missing=treated), points(drawn), NOW).state for treated in expected}
    assert found == expected


def test_a_breach_counts_once_its_period_is_over() -> None:
    rule = replace(THREE_OF_THREE, evaluation_periods=1, datapoints_to_alarm=1)
    running = [*points("000"), Datapoint.of(NOW, 1)]
    assert evaluate(rule, running, NOW).state == OK
    assert evaluate(rule, running, NOW + MINUTE).state == ALARM


def test_data_older_than_the_range_is_forgotten() -> None:
    rule = replace(THREE_OF_THREE, evaluation_periods=1, datapoints_to_alarm=1)
    assert evaluate(rule, points("X--"), NOW).state == ALARM
    assert evaluate(rule, points("X---"), NOW).state == INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("statistic", "value"), [("Minimum", 1), ("Maximum", 9), ("Sum", 15), ("SampleCount", 4), ("Average", 3.75)]
)
def test_a_period_is_its_statistic_of_single_values_and_of_sums(statistic: str, value: float) -> None:
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
def test_comparisons_with_the_threshold(comparison: str, below: str, at: str, above: str) -> None:
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


def put_lag(cloudwatch: Client, value: float, instance: str = "orders") -> None:
    minutes = [NOW - minute * MINUTE for minute in (1, 2, 3)]
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
