"""Each kind of fault on a sandbox that really runs: what stock clients meet, and that clearing it heals."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.live.fault_documents import catalogue
from tests.live import fault_probes as probes
from tests.live.fault_cases import CASES, Case
from tests.live.fault_scene import WELL, Scene, met
from tests.live.living import HOME, ORDERS, STANDBY, project
from tests.live.waiting import until
from tests.moving import fail_over_database, switch_database_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.fault_probes import Probe, Words

DEADLINE = 60.0
"""Seconds; servers that were down start again one after the other."""
MOVED = 150.0
"""Seconds; a switch's metric counts whole minutes, and Route 53 looks at it each minute."""


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with project() as sandbox:
        sandbox.up()
        made = Scene(sandbox)
        yield made
        made.close()


def comes_to(scene: Scene, probe: Probe, expected: Words) -> None:
    """Wait until a probe finds these troubles and no others."""
    found: Words = {}

    def asked() -> bool:
        nonlocal found
        found = {name: word for name, word in probe(scene).items() if word != WELL}
        return found == expected

    try:
        until(asked, DEADLINE)
    except AssertionError:
        assert found == expected
        raise


def accepted(scene: Scene, name: str = ORDERS) -> int:
    """The number of an order that a site accepted, as soon as one did."""
    return until(lambda: (posted := scene.order(scene.resolve(name)))[0] == WELL and posted[1], DEADLINE)


def test_there_is_a_case_for_every_kind() -> None:
    assert {case.kind for case in CASES} == {row["kind"] for row in catalogue()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_clients_meet_a_fault_until_it_is_cleared(scene: Scene, case: Case) -> None:
    comes_to(scene, case.probe, {})
    identifier = scene.inject(case.kind, **case.given)
    try:
        comes_to(scene, case.probe, case.broken)
    finally:
        assert scene.clear(identifier) == [identifier]
    comes_to(scene, case.probe, {})


def test_a_session_goes_on_where_its_region_stood_still(scene: Scene) -> None:
    with scene.database(HOME) as connection:
        connection.execute("CREATE TEMPORARY TABLE kept AS SELECT 1 AS number")
        identifier = scene.inject("region-blackout", region=HOME, servers="frozen")
        try:
            assert scene.sql(HOME, "SELECT 1") == "silence"
        finally:
            scene.clear(identifier)
        assert connection.execute("SELECT number FROM kept").fetchone() == (1,)
    comes_to(scene, probes.region, {})


def test_a_call_that_hangs_is_carried_out_once_that_is_over(scene: Scene) -> None:
    # Its client waits for longer than the others do.
    topics = scene.sandbox.client("sns", HOME)
    identifier = scene.inject("api-hang", region=HOME)
    with ThreadPoolExecutor() as clients:
        waiting = clients.submit(topics.create_topic, Name="hung")
        try:
            comes_to(scene, probes.planes, {"home rds": "ReadTimeoutError", "home s3": "ReadTimeoutError"})
            assert not waiting.done()
        finally:
            scene.clear(identifier)
        arn = waiting.result(DEADLINE)["TopicArn"]
    assert topics.get_topic_attributes(TopicArn=arn)["Attributes"]["TopicArn"] == arn


def test_a_disk_stays_full_when_the_server_crashes_and_is_started_again(scene: Scene) -> None:
    identifier = scene.inject("full-disk", region=HOME)
    try:
        before = scene.sandbox.process("database", HOME)["pid"]
        os.kill(before, signal.SIGKILL)
        until(lambda: scene.sandbox.process("database", HOME)["pid"] not in {None, before}, DEADLINE)
        comes_to(scene, probes.room, {"big": "disk full"})
    finally:
        scene.clear(identifier)
    comes_to(scene, probes.room, {})


def test_a_disk_without_room_for_the_log_keeps_the_server_down_until_it_is_cleared(scene: Scene) -> None:
    number = accepted(scene)
    identifier = scene.inject("full-disk", region=HOME, file_kib=0)
    try:
        assert scene.order()[0] != WELL
        until(lambda: scene.sql(HOME, "SELECT 1") != WELL)
        assert number in scene.numbers(STANDBY)
    finally:
        scene.clear(identifier)
    comes_to(scene, probes.region, {})
    assert number in scene.numbers(HOME)


def endpoint_name(scene: Scene) -> str:
    """Make a failover pair that follows the sites' readiness, as any user of Route 53 does."""
    route53 = scene.api("route53", HOME)
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    name = f"shop.{zone['Name']}"
    for region, role in ((HOME, "PRIMARY"), (STANDBY, "SECONDARY")):
        site = f"orders.{region}.{zone['Name']}"
        check = route53.create_health_check(
            CallerReference=f"shop-{region}",
            HealthCheckConfig={
                "Type": "HTTP",
                "FullyQualifiedDomainName": site,
                "ResourcePath": "/health/ready",
                "RequestInterval": 10,
                "FailureThreshold": 1,
            },
        )["HealthCheck"]
        record = {
            "Name": name,
            "Type": "CNAME",
            "TTL": 60,
            "SetIdentifier": region,
            "Failover": role,
            "HealthCheckId": check["Id"],
            "ResourceRecords": [{"Value": site}],
        }
        changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=changes)
    return name


def stack_name(_: Scene) -> str:
    """The stack's own pair, which follows switches in the witness."""
    return ORDERS


@pytest.mark.parametrize(
    "named",
    [
        endpoint_name,
        pytest.param(
            stack_name,
            marks=pytest.mark.skipif(
                "LIFEBOAT_SWITCHES" not in os.environ,
                reason="two minutes: switches' metrics count whole minutes; set LIFEBOAT_SWITCHES=1 to wait for them",
            ),
        ),
    ],
)
def test_orders_go_on_by_name_in_the_other_region_when_one_is_lost(scene: Scene, named: Callable[[Scene], str]) -> None:
    name = named(scene)
    until(lambda: scene.resolve(name) == scene.fronts[HOME], MOVED)
    before = accepted(scene, name)
    until(lambda: before in scene.numbers(STANDBY))
    identifier = scene.inject("region-blackout", region=HOME)
    try:
        assert scene.order(scene.fronts[HOME])[0] == "silence"
        fail_over_database(scene.api, STANDBY)
        # The name follows without the control plane of Route 53, which is lost.
        until(lambda: scene.resolve(name) == scene.fronts[STANDBY], MOVED)
        assert met(scene.api("route53", STANDBY).list_hosted_zones) == "ConnectionClosedError"
        after = accepted(scene, name)
        assert {before, after} <= scene.numbers(STANDBY)
    finally:
        scene.clear(identifier)
    # What was lost comes back behind the one that took over, and takes nothing back by itself.
    until(lambda: {before, after} <= scene.numbers(HOME), DEADLINE)
    until(lambda: scene.order(scene.fronts[HOME])[0] == "503", DEADLINE)
    assert scene.order(scene.fronts[STANDBY])[0] == WELL
    switch_database_over(scene.api, HOME)
    until(lambda: scene.order(scene.fronts[HOME])[0] == WELL, DEADLINE)
