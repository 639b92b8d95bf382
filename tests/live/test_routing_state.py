"""What the name server is told of alarms, made with boto3."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from moto import mock_aws

from lifeboat.sandbox.live.routing_state import Outside, snapshot
from tests.live.farm import patch_moto

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.sandbox.live.zone import Alarm

ACCOUNT = "123456789012"
WITNESS = "us-east-2"
Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""


def client(service: str) -> Client:
    return boto3.client(service, WITNESS, aws_access_key_id="key", aws_secret_access_key="secret")


@pytest.fixture
def cloudwatch() -> Iterator[Client]:
    patch_moto()
    with mock_aws():
        yield client("cloudwatch")


def watch(cloudwatch: Client, **changes: object) -> None:
    """Make an alarm and a health check on it, and publish a value for it."""
    wanted: dict[str, Any] = {
        "AlarmName": "switch",
        "Namespace": "Shop",
        "MetricName": "Open",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "breaching",
        **changes,
    }
    cloudwatch.put_metric_alarm(**{name: value for name, value in wanted.items() if value is not None})
    config = {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": WITNESS, "Name": "switch"},
        "InsufficientDataHealthStatus": "LastKnownStatus",
    }
    client("route53").create_health_check(CallerReference="switch", HealthCheckConfig=config)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Open", "Value": 7}])


def told(*lost: str) -> Alarm | None:
    (check,) = snapshot(ACCOUNT, Outside(), now=time.time(), lost=lost).checks
    return check.alarm


def test_an_alarm_comes_with_its_rule_and_data(cloudwatch: Client) -> None:
    watch(cloudwatch)
    alarm = told()
    assert alarm is not None
    assert (alarm.rule.evaluation_periods, alarm.rule.datapoints_to_alarm, alarm.rule.missing) == (3, 3, "breaching")
    assert [point.maximum for point in alarm.points] == [7]


def test_of_a_lost_region_nothing_is_known_not_even_that_data_are_missing(cloudwatch: Client) -> None:
    watch(cloudwatch)
    assert told(WITNESS) is None


@pytest.mark.parametrize(
    "change", [{"DatapointsToAlarm": 2}, {"Statistic": None, "ExtendedStatistic": "p99"}], ids=["M of N", "percentile"]
)
def test_what_route_53_does_not_take_gives_no_data(cloudwatch: Client, change: dict[str, object]) -> None:
    watch(cloudwatch, **change)
    assert told() is None
