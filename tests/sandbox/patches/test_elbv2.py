"""Load balancers, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")

NAME = "acme-production-gate"
TAG = {"Key": "System", "Value": "acme"}


@pytest.fixture
def network(clients: Clients) -> str:
    return clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def subnet(clients: Clients, network: str) -> str:
    return clients("ec2").create_subnet(VpcId=network, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]


def balancer(clients: Clients, subnet: str, kind: str = "network") -> dict[str, Any]:
    elb = clients("elbv2")
    (made,) = elb.create_load_balancer(Name=NAME, Type=kind, Scheme="internal", Subnets=[subnet], Tags=[TAG])[
        "LoadBalancers"
    ]
    return made


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


def test_create_load_balancer_calls_a_network_balancer_as_one(clients: Clients, subnet: str) -> None:
    made = balancer(clients, subnet)
    assert f":loadbalancer/net/{NAME}/" in made["LoadBalancerArn"]
    assert made["DNSName"].startswith(f"{NAME}-")
    assert made["DNSName"].endswith(".elb.us-east-1.amazonaws.com")
    elb = clients("elbv2")
    (found,) = elb.describe_load_balancers(LoadBalancerArns=[made["LoadBalancerArn"]])["LoadBalancers"]
    assert found["DNSName"] == made["DNSName"]
    (tags,) = elb.describe_tags(ResourceArns=[made["LoadBalancerArn"]])["TagDescriptions"]
    assert tags["Tags"] == [TAG]
    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    assert ":loadbalancer/app/" in balancer(clients, subnet, "application")["LoadBalancerArn"]


def test_create_load_balancer_refuses_a_name_in_use(clients: Clients, subnet: str) -> None:
    balancer(clients, subnet)
    with pytest.raises(ClientError) as caught:
        balancer(clients, subnet)
    assert refusal(caught) == "DuplicateLoadBalancerName"


def test_delete_load_balancer_heeds_its_protection(clients: Clients, network: str, subnet: str) -> None:
    elb, made = clients("elbv2"), balancer(clients, subnet)["LoadBalancerArn"]
    (group,) = elb.create_target_group(Name=NAME, Protocol="TCP", Port=80, VpcId=network, TargetType="ip")[
        "TargetGroups"
    ]
    forward = {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}
    elb.create_listener(LoadBalancerArn=made, Protocol="TCP", Port=80, DefaultActions=[forward])

    def protect(value: str) -> None:
        attributes = [{"Key": "deletion_protection.enabled", "Value": value}]
        elb.modify_load_balancer_attributes(LoadBalancerArn=made, Attributes=attributes)

    protect("true")
    with pytest.raises(ClientError) as caught:
        elb.delete_load_balancer(LoadBalancerArn=made)
    assert refusal(caught) == "OperationNotPermitted"
    protect("false")
    elb.delete_load_balancer(LoadBalancerArn=made)
    (left,) = elb.describe_target_groups(TargetGroupArns=[group["TargetGroupArn"]])["TargetGroups"]
    assert not left.get("LoadBalancerArns")
