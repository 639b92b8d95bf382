"""ECS: how a service is deployed, as boto3 sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client, Clients, Request

pytestmark = pytest.mark.usefixtures("clean_gateway")

CLUSTER = NAME = "warden"
DEPLOYED = {"maximumPercent": 100, "minimumHealthyPercent": 0}


def create(clients: Clients, **more: Request) -> Client:
    ecs = clients("ecs")
    ecs.create_cluster(clusterName=CLUSTER)
    ecs.register_task_definition(family=NAME, containerDefinitions=[{"name": NAME, "image": "warden:1", "memory": 64}])
    ecs.create_service(cluster=CLUSTER, serviceName=NAME, taskDefinition=NAME, desiredCount=1, **more)
    return ecs


def describe(ecs: Client) -> dict[str, Any]:
    (service,) = ecs.describe_services(cluster=CLUSTER, services=[NAME])["services"]
    return service


def test_create_service_keeps_how_it_is_deployed(clients: Clients) -> None:
    ecs = create(clients, deploymentConfiguration=DEPLOYED, enableExecuteCommand=True, enableECSManagedTags=True)
    service = describe(ecs)
    assert service["deploymentConfiguration"] == DEPLOYED
    assert service["enableExecuteCommand"]
    assert service["enableECSManagedTags"]
    changed = {**DEPLOYED, "maximumPercent": 200}
    ecs.update_service(cluster=CLUSTER, service=NAME, deploymentConfiguration=changed)
    assert describe(ecs)["deploymentConfiguration"] == changed


def test_create_service_wants_targets_that_a_balancer_listens_for(clients: Clients) -> None:
    ec2, elb = clients("ec2"), clients("elbv2")
    network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    made = elb.create_load_balancer(Name=NAME, Type="network", Subnets=[subnet])["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(Name=NAME, Protocol="TCP", Port=80, VpcId=network, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    registered = [{"targetGroupArn": arn, "containerName": NAME, "containerPort": 80}]
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        create(clients, loadBalancers=registered)
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    elb.create_listener(LoadBalancerArn=made, Protocol="TCP", Port=80, DefaultActions=forward)
    assert describe(create(clients, loadBalancers=registered))["loadBalancers"] == registered


def test_create_service_refuses_a_name_in_use(clients: Clients) -> None:
    ecs = create(clients)
    with pytest.raises(ClientError, match="not idempotent"):
        ecs.create_service(cluster=CLUSTER, serviceName=NAME, taskDefinition=NAME, desiredCount=2)
    assert describe(ecs)["desiredCount"] == 1


def test_delete_cluster_wants_its_services_gone(clients: Clients) -> None:
    ecs = create(clients)
    with pytest.raises(ClientError) as caught:
        ecs.delete_cluster(cluster=CLUSTER)
    assert caught.value.response["Error"]["Code"] == "ClusterContainsServicesException"
    ecs.delete_service(cluster=CLUSTER, service=NAME, force=True)
    assert ecs.delete_cluster(cluster=CLUSTER)["cluster"]["status"] == "INACTIVE"
