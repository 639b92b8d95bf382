"""ReskFlow alive, as its users see it: everything here is asked from outside, with stock clients."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.live.living import HOME, ORDERS, STANDBY, WITNESS, Sandbox, processes_in, project
from tests.live.waiting import until
from tests.moving import PREFIX, switch_database_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINUTE = 60.0
HEALED = 60.0
"""Seconds; servers that were down start again one after the other."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with project() as made:
        made.up()
        yield made


def test_an_order_posted_by_name_is_read_back_in_the_other_region(sandbox: Sandbox) -> None:
    status, answer = sandbox.post(sandbox.resolve(ORDERS), "reader", 7)
    assert (status, answer["site"], answer["epoch"]) == (201, HOME, 1)
    assert until(lambda: sandbox.numbers(STANDBY, "reader")) == [7]


def test_only_the_active_site_takes_orders(sandbox: Sandbox) -> None:
    status, answer = sandbox.post(sandbox.process("site", STANDBY)["address"], "reader", 8)
    assert (status, answer["reason"]) == (503, f"this site may not write: {HOME} takes writes")


def test_lag_shows_in_cloudwatch(sandbox: Sandbox) -> None:
    watched = {
        "AuroraGlobalDBReplicationLag": ("AWS/RDS", "DBClusterIdentifier", f"{PREFIX}-orders-{STANDBY}", 60_000),
        "GlobalDatastoreReplicationLag": ("AWS/ElastiCache", "ReplicationGroupId", f"{PREFIX}-sessions-{STANDBY}", 60),
    }
    for metric, (namespace, dimension, identifier, most) in watched.items():
        dimensions = [{"Name": dimension, "Value": identifier}]
        wanted = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
        (point, *_) = until(lambda: datapoints(sandbox, STANDBY, wanted))  # noqa: B023
        assert 0 <= point["Maximum"] < most


def datapoints(sandbox: Sandbox, region: str, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    answer = sandbox.client("cloudwatch", region).get_metric_statistics(
        Namespace=wanted["Namespace"],
        MetricName=wanted["MetricName"],
        Dimensions=wanted["Dimensions"],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    return answer["Datapoints"]


def lag_alarms(sandbox: Sandbox) -> dict[tuple[str, str], dict[str, Any]]:
    """The alarms that were deployed for lag, as boto3 lists them, by region and name."""
    return {
        (region, alarm["AlarmName"]): alarm
        for region in (HOME, STANDBY)
        for alarm in sandbox.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
        if alarm["AlarmName"].endswith("-lag")
    }


def test_every_alarm_on_lag_finds_its_metric_and_is_content(sandbox: Sandbox) -> None:
    alarms = lag_alarms(sandbox)
    assert {(region, alarm["MetricName"]) for (region, _), alarm in alarms.items()} == {
        (STANDBY, "AuroraGlobalDBRPOLag"),
        (STANDBY, "GlobalDatastoreReplicationLag"),
        (HOME, "ReplicationLatency"),
        (STANDBY, "ReplicationLatency"),
    }
    for (region, _), alarm in alarms.items():
        assert until(lambda: datapoints(sandbox, region, alarm))  # noqa: B023
    # A bucket's alarm looks at five minutes that are over, for which nobody waits here.
    soon = [key for key, alarm in alarms.items() if alarm["Period"] <= MINUTE]
    assert len(soon) == 2
    assert until(lambda: {lag_alarms(sandbox)[key]["StateValue"] for key in soon} == {"OK"}, 3 * MINUTE)


def test_the_switches_let_traffic_to_the_active_site_alone(sandbox: Sandbox) -> None:
    # Both are open until somebody writes; the other region's was never shut since.
    assert until(lambda: least_levels(sandbox)[HOME] == 0.0)
    assert least_levels(sandbox) == {HOME: 0.0, STANDBY: 1.0}


def least_levels(sandbox: Sandbox) -> dict[str, float]:
    """The lowest level of each region's switch so far."""
    now, client = datetime.now(UTC), sandbox.client("cloudwatch", WITNESS)
    levels: dict[str, float] = {}
    for alarm in client.describe_alarms(AlarmNamePrefix=f"{PREFIX}-switch")["MetricAlarms"]:
        (region,) = [each["Value"] for each in alarm["Dimensions"]]
        wanted = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions", "Period")}
        points = client.get_metric_statistics(
            StartTime=now - timedelta(minutes=10), EndTime=now + timedelta(minutes=1), Statistics=["Minimum"], **wanted
        )
        levels[region] = min((point["Minimum"] for point in points["Datapoints"]), default=math.nan)
    return levels


def test_a_thousand_orders_at_200_a_second_replicate_with_none_missing(sandbox: Sandbox, tmp_path: Path) -> None:
    server = sandbox.live["name_server"]
    command = [
        *(sys.executable, "-m", "lifeboat.sandbox.live.client", "--name", "thousand", "--mode", "keepalive"),
        *("--url", f"http://{ORDERS}:8080", "--name-server", f"{server['address']}:{server['port']}"),
        *("--rate", "200", "--count", "1000", "--connections", "8", "--history", str(tmp_path / "history.jsonl")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["acknowledged"] == 1000
    expected = list(range(1, 1001))
    assert until(lambda: (found := sandbox.numbers(STANDBY, "thousand")) == expected and found)


def test_an_object_appears_in_the_other_region(sandbox: Sandbox) -> None:
    bucket = f"{PREFIX}-uploads"
    for near, far, key in ((HOME, STANDBY, "to-west"), (STANDBY, HOME, "to-east")):
        here, there = sandbox.client("s3", near), sandbox.client("s3", far)
        here.put_object(Bucket=f"{bucket}-{near}", Key=key, Body=b"proof")

        def status(client: Any, region: str, name: str) -> str | None:  # noqa: ANN401 - boto3's
            try:
                return client.head_object(Bucket=f"{bucket}-{region}", Key=name).get("ReplicationStatus")
            except ClientError:
                return None

        assert until(lambda: status(there, far, key) == "REPLICA")  # noqa: B023
        assert until(lambda: status(here, near, key) == "COMPLETED")  # noqa: B023
        assert there.get_object(Bucket=f"{bucket}-{far}", Key=key)["Body"].read() == b"proof"


def test_a_key_of_redis_appears_in_the_other_region(sandbox: Sandbox) -> None:
    with sandbox.cache(HOME) as here, sandbox.cache(STANDBY) as there:
        here.set("session", "alive")
        assert until(lambda: there.get("session")) == "alive"


def test_status_tells_processes_with_ports_lag_and_faults(sandbox: Sandbox) -> None:
    status = sandbox.ask("status")
    assert (status["running"], status["stack"]) == (True, "reskflow")
    rows = {(row["kind"], row["region"]): row for row in status["live"]["processes"]}
    assert {(kind, region): (row["role"], row["port"]) for (kind, region), row in rows.items()} == {
        ("database", HOME): ("primary", 5432),
        ("database", STANDBY): ("replica", 5432),
        ("cache", HOME): ("primary", 6379),
        ("cache", STANDBY): ("replica", 6379),
        ("site", HOME): ("active", 8080),
        ("site", STANDBY): ("standby", 8080),
        ("name server", None): ("", 5300),
        ("links", None): ("", None),
    }
    running = processes_in(sandbox.directory.path)
    assert {row["pid"] for row in rows.values()} <= running.keys()
    assert {row["state"] for row in rows.values()} == {"running"}
    assert until(lambda: sandbox.process("database", STANDBY)["lag_seconds"] is not None)
    assert status["live"]["faults"] == []
    said = sandbox.command("status").stdout
    assert f"{rows['database', HOME]['address']}:5432" in said
    assert "no faults" in said


def test_files_are_their_owners_alone(sandbox: Sandbox) -> None:
    # Root's servers run as another account, which may go through, not look.
    allowed = 0o711 if os.geteuid() == 0 else 0o700
    path = sandbox.directory.path
    modes = {entry.name: entry.stat().st_mode & 0o777 for entry in path.iterdir() if not entry.is_dir()}
    assert {name for name, mode in modes.items() if mode & 0o077} == set()
    assert path.stat().st_mode & 0o777 == allowed


def test_no_secret_is_in_arguments_logs_or_status(sandbox: Sandbox) -> None:
    site = sandbox.contract["sites"][HOME]
    secrets = [sandbox.secret(site[kind][name]["secret_arn"]) for kind, name in PARTS] + [sandbox.record.token]
    texts = {
        "arguments": "\n".join(processes_in(sandbox.directory.path).values()),
        "status": json.dumps(sandbox.ask("status")),
        **{log.name: log.read_text(errors="replace") for log in sandbox.directory.logs.iterdir()},
    }
    assert [name for name, text in texts.items() if any(secret in text for secret in secrets)] == []


PARTS = (("databases", "orders"), ("caches", "sessions"))


def test_a_site_that_dies_is_started_again(sandbox: Sandbox) -> None:
    before = sandbox.process("site", HOME)["pid"]
    os.kill(before, signal.SIGKILL)
    assert until(lambda: sandbox.process("site", HOME)["pid"] not in {None, before})
    front = sandbox.resolve(ORDERS)
    assert until(lambda: sandbox.post(front, "restarted", 1)[0] == 201)


def test_a_region_that_is_lost_is_missed_by_everybody_and_heals(sandbox: Sandbox) -> None:
    front = sandbox.resolve(ORDERS)
    sandbox.ask("fault", "inject", "region-blackout", "--region", HOME)
    try:
        with pytest.raises(OSError, match=r"timed out|refused|reset"):
            sandbox.post(front, "lost", 1)
        with pytest.raises(BotoCoreError):
            sandbox.client("rds", HOME).describe_db_clusters()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            sandbox.database(HOME)
        # The other region has everything so far, and its API answers.
        assert sandbox.numbers(STANDBY, "reader") == [7]
        assert sandbox.client("rds", STANDBY).describe_db_clusters()["DBClusters"]
        assert {row["kind"] for row in sandbox.live["faults"]} == {"region-blackout"}
    finally:
        sandbox.ask("fault", "clear")
    assert sandbox.client("rds", HOME).describe_db_clusters()["DBClusters"]
    assert until(lambda: sandbox.post(front, "lost", 2)[0] in {200, 201}, HEALED)
    assert until(lambda: 2 in sandbox.numbers(STANDBY, "lost"), HEALED)


def test_a_writer_that_moves_takes_the_orders_along(sandbox: Sandbox) -> None:
    fronts = {region: sandbox.process("site", region)["address"] for region in (HOME, STANDBY)}
    for number, (target, other) in enumerate(((STANDBY, HOME), (HOME, STANDBY))):
        before = sandbox.live["active"]
        switch_database_over(sandbox.client, target)
        _, answer = until(
            lambda: (posted := sandbox.post(fronts[target], "moved", number))[0] in {200, 201} and posted,  # noqa: B023
            HEALED,
        )
        assert (before, answer["site"]) == (other, target)
        assert until(lambda: sandbox.refusal(fronts[other], "moved", number))  # noqa: B023
        assert until(lambda: number in sandbox.numbers(other, "moved"), HEALED)  # noqa: B023
    assert until(lambda: all(part["ready"] for part in sandbox.parts), HEALED)


def test_a_sandbox_that_was_killed_resumes_with_its_data_and_faults(sandbox: Sandbox) -> None:
    kept = sandbox.numbers(HOME, "thousand")
    fault = sandbox.ask("fault", "inject", "process-killed", "--region", STANDBY, "--param", "process=cache")["id"]
    os.kill(sandbox.record.pid, signal.SIGKILL)
    answer = sandbox.up("--resume")
    assert answer["live"]["active"] == HOME
    assert [row["id"] for row in sandbox.live["faults"]] == [fault]
    assert until(lambda: sandbox.process("cache", STANDBY)["state"] == "held")
    sandbox.ask("fault", "clear", fault)
    assert until(lambda: sandbox.process("cache", STANDBY)["state"] == "running")
    for region in (HOME, STANDBY):
        assert until(lambda: sandbox.numbers(region, "thousand")) == kept == list(range(1, 1001))  # noqa: B023
    assert until(lambda: sandbox.post(sandbox.resolve(ORDERS), "resumed", 1)[0] == 201)
    assert until(lambda: sandbox.numbers(STANDBY, "resumed")) == [1]


def test_down_leaves_nothing(sandbox: Sandbox) -> None:
    assert sandbox.ask("down") == {"stopped": "reskflow"}
    assert processes_in(sandbox.directory.path) == {}
    assert {path.name for path in sandbox.directory.path.iterdir()} == {"gateway.lock", "keeper.lock", "logs"}
