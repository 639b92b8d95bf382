"""What a faster detection divides: periods of alarms, intervals of checks, TTLs; and what shuts by itself."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from lifeboat.recovery.gatefile import GateFile
from lifeboat.sandbox.live.alarm_rules import ALARM, OK, Datapoint, Rule, evaluate
from lifeboat.sandbox.live.gate import FileGate
from lifeboat.sandbox.live.lease_seen import left_behind
from lifeboat.sandbox.live.names import Pace
from lifeboat.sandbox.live.routing_state import Outside, snapshot
from lifeboat.sandbox.live.world_config import require_detection_scale
from lifeboat.sandbox.state import SandboxInputError
from tests.live.farm import patch_moto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "123456789012"
SWITCH = Rule(
    statistic="Maximum",
    period=60,
    evaluation_periods=1,
    datapoints_to_alarm=1,
    threshold=1,
    comparison="GreaterThanOrEqualToThreshold",
)


@pytest.mark.parametrize("scale", [1.0, 7.0, 10.0, 30.0])
def test_an_alarm_says_the_same_of_a_metric_that_is_as_many_times_faster(scale: float) -> None:
    rule, minute = replace(SWITCH, scale=scale), 60 / scale
    now = 1_700_000_000 // minute * minute
    # A little inside of their periods, whose bounds are no whole numbers.
    closed, opened = Datapoint.of(now - 1.9 * minute, 0), Datapoint.of(now - 0.1 * minute, 1)
    assert evaluate(rule, [closed], now + 0.01 * minute).state == OK
    assert evaluate(rule, [closed, opened], now - 0.05 * minute).state == OK
    assert evaluate(rule, [closed, opened], now + 0.01 * minute).state == ALARM


@pytest.fixture
def aws() -> Iterator[None]:
    patch_moto()
    with mock_aws():
        yield


def client(service: str) -> Any:  # noqa: ANN401 - its methods are made at run time
    return boto3.client(service, "us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")


@pytest.mark.usefixtures("aws")
def test_ttls_and_intervals_are_divided_and_a_ttl_never_vanishes() -> None:
    route53 = client("route53")
    zone = route53.create_hosted_zone(Name="shop.example.com", CallerReference="z")["HostedZone"]["Id"]
    config = {"Type": "HTTP", "FullyQualifiedDomainName": "a", "RequestInterval": 10, "FailureThreshold": 3}
    route53.create_health_check(CallerReference="c", HealthCheckConfig=config)
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": f"{name}.shop.example.com",
                "Type": "A",
                "TTL": ttl,
                "ResourceRecords": [{"Value": "127.0.0.1"}],
            },
        }
        for name, ttl in (("minute", 60), ("short", 5), ("none", 0))
    ]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    found = snapshot(ACCOUNT, Outside(), now=time.time(), scale=20)
    ttls = {record.name.partition(".")[0]: record.ttl for record in found.zones[0].records if record.type == "A"}
    assert ttls == {"minute": 3, "short": 1, "none": 0}
    assert found.host_ttl == 1
    assert found.checks[0].interval == 0.5


def test_the_name_server_looks_as_often_as_it_is_faster_and_no_more_than_the_gateway_bears() -> None:
    assert Pace.scaled(1) == Pace()
    pace = Pace.scaled(10)
    assert (pace.evaluation, pace.publish, pace.poll) == (6.0, 3.0, 0.25)


@pytest.mark.parametrize("scale", [0.5, 0.0, -1.0, 31.0, float("nan")])
def test_a_scale_that_cannot_be_is_refused(scale: float) -> None:
    with pytest.raises(SandboxInputError, match="a number from 1 to 30"):
        require_detection_scale(scale)


def test_a_site_reads_its_warden_s_gate_which_shuts_by_itself_and_in_another_boot(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    written, read = GateFile(path, time.monotonic), FileGate(path)
    written.open(4, time.monotonic() + 60)
    assert (read.state().open, read.state().epoch) == (True, 4)
    text = path.read_text()
    path.write_text(json.dumps(json.loads(text) | {"boot": "another"}))
    assert read.state().reason == "the machine started anew since the gate was opened"
    path.write_text(json.dumps(json.loads(text) | {"until": time.monotonic()}))
    assert (read.state().open, read.state().reason) == (False, "the lease was not renewed in time")
    written.shut(4, "fenced", fenced=True)
    assert (read.state().open, read.state().reason) == (False, "fenced")
    written.close()


def gates(directory: Path, **told: str) -> dict[str, Path]:
    for region, text in told.items():
        (directory / region).write_text(text)
    return {region: directory / region for region in ("east", "west")}


def gate(*, opened: bool, epoch: int, fenced: bool = False) -> str:
    return json.dumps({"open": opened, "epoch": epoch, "reason": "", "until": 1.0, "fenced": fenced, "boot": "b"})


@pytest.mark.parametrize(
    ("east", "west", "left"),
    [
        (gate(opened=True, epoch=1), gate(opened=False, epoch=1), ("east", 1, [])),
        (gate(opened=False, epoch=2, fenced=True), gate(opened=True, epoch=2), ("west", 2, ["east"])),
        # The old one was cut off: what its file says is of an epoch that is over.
        (gate(opened=True, epoch=1), gate(opened=True, epoch=2), ("west", 2, [])),
        (gate(opened=False, epoch=1, fenced=True), gate(opened=False, epoch=1), ("east", 1, ["east"])),
        ('{"open": true, "epoch": 3, "reason": ""}', "{", None),
    ],
)
def test_gates_tell_the_lease_of_an_earlier_life(
    tmp_path: Path, east: str, west: str, left: tuple[str, int, list[str]] | None
) -> None:
    found = left_behind(gates(tmp_path, east=east, west=west), "east", 60)
    assert (None if found is None else (found.holder, found.epoch, sorted(found.fenced))) == left
