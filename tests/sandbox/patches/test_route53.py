"""Route 53: health checks on alarms and routing controls, failover pairs, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")

METRIC = {
    "Type": "CLOUDWATCH_METRIC",
    "AlarmIdentifier": {"Region": "us-east-2", "Name": "switch-us-east-1"},
    "InsufficientDataHealthStatus": "LastKnownStatus",
    "Inverted": False,
    "Disabled": False,
}
CONTROL = {
    "Type": "RECOVERY_CONTROL",
    "RoutingControlArn": "arn:aws:route53-recovery-control::123456789012:controlpanel/p/routingcontrol/c",
    "Disabled": False,
}


def check(clients: Clients, config: dict[str, Any]) -> dict[str, Any]:
    client = clients("route53")
    made = client.create_health_check(CallerReference="switch", HealthCheckConfig=config)["HealthCheck"]
    return client.get_health_check(HealthCheckId=made["Id"])["HealthCheck"]


def change(clients: Clients, zone: str, wanted: str) -> None:
    """Make one change, such as ``CREATE db us-east-1 PRIMARY``."""
    action, name, site, failover = wanted.split()
    record = {
        "Name": f"{name}.example.com",
        "Type": "CNAME",
        "TTL": 60,
        "SetIdentifier": site,
        "Failover": failover,
        "ResourceRecords": [{"Value": f"{name}.{site}.internal"}],
    }
    clients("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    )


@pytest.fixture
def zone(clients: Clients) -> str:
    made = clients("route53").create_hosted_zone(Name="example.com", CallerReference="zone")
    return made["HostedZone"]["Id"]


def records(clients: Clients, zone: str) -> set[tuple[str, str]]:
    found = clients("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(record["Name"].partition(".")[0], record["SetIdentifier"]) for record in found if "Failover" in record}


@pytest.mark.parametrize("config", [METRIC, CONTROL])
def test_create_health_check_keeps_what_it_watches(clients: Clients, config: dict[str, Any]) -> None:
    assert check(clients, config)["HealthCheckConfig"] == config


def test_create_health_check_refuses_a_reference_twice(clients: Clients) -> None:
    check(clients, METRIC)
    with pytest.raises(ClientError, match="HealthCheckAlreadyExists"):
        check(clients, METRIC)


def test_update_health_check_keeps_what_it_watches(clients: Clients) -> None:
    made = check(clients, METRIC)
    client = clients("route53")
    alarm = {"Region": "us-east-2", "Name": "switch-us-west-2"}
    client.update_health_check(HealthCheckId=made["Id"], AlarmIdentifier=alarm)
    changed = client.get_health_check(HealthCheckId=made["Id"])["HealthCheck"]
    assert changed["HealthCheckConfig"] == {**METRIC, "AlarmIdentifier": alarm}
    assert changed["HealthCheckVersion"] == made["HealthCheckVersion"] + 1


def test_health_check_config_of_a_switch_has_no_endpoint(clients: Clients) -> None:
    config = check(clients, CONTROL)["HealthCheckConfig"]
    assert not {"Port", "RequestInterval", "FailureThreshold", "MeasureLatency"} & set(config)


def test_change_resource_record_sets_refuses_two_secondaries(clients: Clients, zone: str) -> None:
    change(clients, zone, "CREATE db us-east-1 PRIMARY")
    change(clients, zone, "CREATE db us-west-2 SECONDARY")
    with pytest.raises(ClientError, match="a SECONDARY of it already exists"):
        change(clients, zone, "CREATE db eu-west-1 SECONDARY")
    with pytest.raises(ClientError, match="a PRIMARY of it already exists"):
        change(clients, zone, "UPSERT db us-west-2 PRIMARY")
    with pytest.raises(ClientError, match="but it already exists"):
        change(clients, zone, "CREATE db us-west-2 SECONDARY")


def test_change_resource_record_sets_deletes_one_names_record(clients: Clients, zone: str) -> None:
    for name in ("db", "cache"):
        change(clients, zone, f"CREATE {name} us-east-1 PRIMARY")
    change(clients, zone, "DELETE db us-east-1 PRIMARY")
    assert records(clients, zone) == {("cache", "us-east-1")}
