"""Cloud Map: namespaces with their zones, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")

NAME = "acme-production-us-east-1.lifeboat.internal"
RECORD = {"DnsRecords": [{"Type": "A", "TTL": 5}], "RoutingPolicy": "MULTIVALUE"}


@pytest.fixture
def network(clients: Clients) -> str:
    return clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def namespace(clients: Clients, network: str) -> dict[str, Any]:
    client = clients("servicediscovery")
    operation = client.create_private_dns_namespace(Name=NAME, Vpc=network)["OperationId"]
    made = client.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    return client.get_namespace(Id=made)["Namespace"]


def service(clients: Clients, namespace: str) -> dict[str, Any]:
    client = clients("servicediscovery")
    return client.create_service(Name="warden", DnsConfig={**RECORD, "NamespaceId": namespace})["Service"]


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


def test_create_private_dns_namespace_makes_a_zone_of_its_name_in_its_network(
    clients: Clients, namespace: dict[str, Any], network: str
) -> None:
    (zone,) = clients("route53").list_hosted_zones()["HostedZones"]
    assert (zone["Name"], zone["Config"]["PrivateZone"]) == (f"{NAME}.", True)
    assert zone["Id"].endswith(namespace["Properties"]["DnsProperties"]["HostedZoneId"])
    networks = clients("route53").get_hosted_zone(Id=zone["Id"])["VPCs"]
    assert networks == [{"VPCId": network, "VPCRegion": "us-east-1"}]


def test_delete_namespace_takes_its_zone_along_and_wants_its_services_gone(
    clients: Clients, namespace: dict[str, Any]
) -> None:
    client = clients("servicediscovery")
    made = service(clients, namespace["Id"])
    with pytest.raises(ClientError) as caught:
        client.delete_namespace(Id=namespace["Id"])
    assert refusal(caught) == "ResourceInUse"
    client.delete_service(Id=made["Id"])
    client.delete_namespace(Id=namespace["Id"])
    assert clients("route53").list_hosted_zones()["HostedZones"] == []


def test_create_service_is_of_the_namespace_that_its_records_are_in(
    clients: Clients, namespace: dict[str, Any]
) -> None:
    assert service(clients, namespace["Id"])["NamespaceId"] == namespace["Id"]
    with pytest.raises(ClientError) as caught:
        service(clients, "ns-gone")
    assert refusal(caught) == "NamespaceNotFound"


def test_delete_service_wants_its_instances_gone(clients: Clients, namespace: dict[str, Any]) -> None:
    client = clients("servicediscovery")
    made = service(clients, namespace["Id"])["Id"]
    client.register_instance(ServiceId=made, InstanceId="task", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.9"})
    with pytest.raises(ClientError) as caught:
        client.delete_service(Id=made)
    assert refusal(caught) == "ResourceInUse"
    client.deregister_instance(ServiceId=made, InstanceId="task")
    client.delete_service(Id=made)
    with pytest.raises(ClientError) as caught:
        client.delete_service(Id=made)
    assert refusal(caught) == "ServiceNotFound"
