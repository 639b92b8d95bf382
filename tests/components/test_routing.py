"""Records never change; a switch decides; nothing flips by itself."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import pulumi_aws as aws
import pytest

from components.aws import routing_alarm
from components.aws.promotion import PROMOTION_CHANGES, RECORD
from tests.components.examples.routing import TOPIC, ZONE, alerts, routing
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, WITNESS, Deployment, deploy

if TYPE_CHECKING:
    from components.aws.routing import RoutingKind

NAMES = ("orders", "payments")


def deployed(kind: RoutingKind = "alarm") -> Deployment:
    return deploy(lambda world: routing(world, kind))


@pytest.mark.parametrize("kind", ["alarm", "routing-control"])
def test_every_name_is_a_pair_that_follows_the_sites_switches(kind: RoutingKind) -> None:
    deployment = deployed(kind)
    switches = {region: switch["health_check_id"] for region, switch in deployment.values["switches"].items()}
    found = sorted(
        (
            record.inputs["name"],
            record.inputs["setIdentifier"],
            record.inputs["failoverRoutingPolicies"][0]["type"],
            record.inputs["records"],
            record.inputs["healthCheckId"],
        )
        for record in deployment.of(aws.route53.Record)
    )
    assert found == [
        (f"{name}.{ZONE}", region, rank, [f"{name}.{region}.{ZONE}"], switches[region])
        for name in NAMES
        for region, rank in ((HOME, "PRIMARY"), (OTHER, "SECONDARY"))
    ]
    assert all(record.inputs["ttl"] == 60 for record in deployment.of(aws.route53.Record))
    assert not any(record.ignore_changes for record in deployment.of(aws.route53.Record))


def test_a_switch_is_an_alarm_in_the_witness_region_that_silence_does_not_move() -> None:
    deployment = deployed()
    for region in (HOME, OTHER):
        switch = deployment.values["switches"][region]
        (alarm,) = [each for each in deployment.children if each.inputs.get("name") == f"{PREFIX}-switch-{region}"]
        assert deployment.region(alarm) == WITNESS
        assert alarm.inputs["treatMissingData"] == "missing"
        assert (alarm.inputs["statistic"], alarm.inputs["period"], alarm.inputs["evaluationPeriods"]) == (
            "Maximum",
            60,
            1,
        )
        assert (alarm.inputs["comparisonOperator"], alarm.inputs["threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
        assert (alarm.inputs["namespace"], alarm.inputs["metricName"], alarm.inputs["dimensions"]) == (
            f"Lifeboat/{PREFIX}",
            "SwitchOpen",
            {"Site": region},
        )
        assert (switch["namespace"], switch["metric"], switch["dimensions"], switch["metric_region"]) == (
            f"Lifeboat/{PREFIX}",
            "SwitchOpen",
            {"Site": region},
            WITNESS,
        )
        check = deployment.named(f"routing-{region}-switch")
        assert check.inputs["type"] == "CLOUDWATCH_METRIC"
        assert check.inputs["cloudwatchAlarmName"] == alarm.inputs["name"]
        assert check.inputs["cloudwatchAlarmRegion"] == WITNESS
        assert check.inputs["insufficientDataHealthStatus"] == "LastKnownStatus"
        assert alarm.urn in check.depends_on


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("METRIC", "Other"),
        ("STATISTIC", "Average"),
        ("COMPARISON", "GreaterThanThreshold"),
        ("THRESHOLD", 2),
        ("PERIODS", 2),
        ("PERIOD", 120),
        ("MISSING_DATA", "breaching"),
    ],
)
def test_a_changed_alarm_makes_its_health_check_copy_it_again(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: object
) -> None:
    before = deployed().named(f"routing-{HOME}-switch").inputs["triggers"]
    monkeypatch.setattr(routing_alarm, setting, value)
    assert deployed().named(f"routing-{HOME}-switch").inputs["triggers"] != before


@pytest.mark.parametrize("region", [HOME, OTHER])
def test_a_target_of_one_site_selects_nothing_that_lives_elsewhere(region: str) -> None:
    deployment = deployed()
    selected = {each.name for each in deployment.children if fnmatch(each.urn, f"*{region}*")}
    assert selected == {each.name for each in deployment.children if deployment.region(each) == region}
    assert f"routing-{WITNESS}-switch-{region.replace('-', '')}" not in selected


def test_endpoints_are_checked_over_https_and_alert_from_the_only_region_with_the_metric() -> None:
    deployment = deployed()
    checks = [each for each in deployment.of(aws.route53.HealthCheck) if each.inputs["type"] == "HTTPS"]
    assert {
        (each.inputs["fqdn"], each.inputs["requestInterval"], each.inputs["failureThreshold"]) for each in checks
    } == {(f"{name}.{region}.{ZONE}", 10, 3) for name in NAMES for region in (HOME, OTHER)}
    alarms = [a for a in deployment.of(aws.cloudwatch.MetricAlarm) if a.inputs["namespace"] == "AWS/Route53"]
    assert {alarm.inputs["dimensions"]["HealthCheckId"] for alarm in alarms} == {f"{check.name}-id" for check in checks}
    for alarm in alarms:
        assert deployment.region(alarm) == "us-east-1"
        assert alarm.inputs["treatMissingData"] == "breaching"
        assert alarm.inputs["alarmActions"] == [TOPIC]
    moving = {record.inputs["healthCheckId"] for record in deployment.of(aws.route53.Record)}
    assert not moving & {f"{check.name}-id" for check in checks}


def test_only_alarms_and_databases_of_this_account_publish_and_only_over_tls() -> None:
    deployment = deploy(alerts)
    (topic,) = deployment.of(aws.sns.Topic)
    (policy,) = deployment.of(aws.sns.TopicPolicy)
    *allowed, deny = json.loads(policy.inputs["policy"])["Statement"]
    assert [allow["Principal"]["Service"] for allow in allowed] == [
        "cloudwatch.amazonaws.com",
        "events.rds.amazonaws.com",
        "events.amazonaws.com",
    ]
    for allow in allowed:
        assert allow["Resource"] == policy.inputs["arn"] == topic.state["arn"]
        if allow["Principal"]["Service"] == "events.amazonaws.com":
            # With any condition, nothing of EventBridge arrives.
            assert (allow["Action"], "Condition" in allow) == ("sns:Publish", False)
        else:
            assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_health_alarms_in_another_region_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^health: us-west-2; accepted: us-east-1"):
        deploy(lambda world: routing(world, health=OTHER))


def test_routing_controls_are_never_all_off() -> None:
    deployment = deployed("routing-control")
    controls = deployment.of(aws.route53recoverycontrol.RoutingControl)
    (rule,) = deployment.of(aws.route53recoverycontrol.SafetyRule)
    assert [deployment.region(control) for control in controls] == [HOME, OTHER]
    assert rule.inputs["assertedControls"] == [control.state["arn"] for control in controls]
    assert rule.inputs["ruleConfig"] == {"inverted": False, "threshold": 1, "type": "ATLEAST"}
    assert [
        each.inputs["routingControlArn"]
        for each in deployment.of(aws.route53.HealthCheck)
        if each.inputs["type"] == "RECOVERY_CONTROL"
    ] == [control.state["arn"] for control in controls]


def test_plain_records_answer_from_home_until_recovery_edits_them() -> None:
    deployment = deployed("record")
    records = deployment.of(aws.route53.Record)
    assert [record.inputs["records"] for record in records] == [[f"{name}.{HOME}.{ZONE}"] for name in NAMES]
    assert deployment.values["switches"] == {}
    for record in records:
        assert record.ignore_changes == tuple(PROMOTION_CHANGES[RECORD])
        assert "failoverRoutingPolicies" not in record.inputs


def test_an_existing_zone_is_used_as_it_is() -> None:
    deployment = deploy(lambda world: routing(world, zone_id="Z0123456789"))
    assert deployment.of(aws.route53.Zone) == ()
    assert {record.inputs["zoneId"] for record in deployment.of(aws.route53.Record)} == {"Z0123456789"}
    assert deployment.values["name_servers"] == []
