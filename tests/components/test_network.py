"""Subnets that never overlap, and the ways out of each tier."""

from __future__ import annotations

import ipaddress
import json
from itertools import combinations

import pulumi_aws as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.aws.network import NetworkArgs, SiteNetwork, carve
from components.aws.network_access import GATEWAY_SERVICES
from lifeboat.model.endpoints import GATEWAY
from tests.components.examples.network import network, peering
from tests.components.harness import ACCOUNT, HOME, OTHER, PREFIX, Deployment, Registration, deploy


def shared() -> Deployment:
    return deploy(lambda world: network(world, HOME))


def per_zone() -> Deployment:
    return deploy(lambda world: network(world, HOME, nat_per_zone=True))


def routes(deployment: Deployment, tier: str) -> list[Registration]:
    return [route for route in deployment.of(aws.ec2.Route) if f"-{tier}-" in route.name]


def test_carving_of_the_widest_and_the_narrowest() -> None:
    wide, narrow = carve("10.0.0.0/16"), carve("10.1.16.0/20")
    assert wide.private == ("10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18")
    assert wide.public == ("10.0.192.0/21", "10.0.200.0/21", "10.0.208.0/21")
    assert wide.isolated == ("10.0.224.0/21", "10.0.232.0/21", "10.0.240.0/21")
    assert narrow.isolated == ("10.1.30.0/25", "10.1.30.128/25", "10.1.31.0/25")


@given(st.integers(16, 20), st.integers(0, 2**32 - 1))
def test_subnets_lie_apart_inside_their_range(prefix: int, address: int) -> None:
    whole = ipaddress.ip_network((address, prefix), strict=False)
    carving = carve(str(whole))
    subnets = [ipaddress.ip_network(each) for each in (*carving.public, *carving.private, *carving.isolated)]
    assert len(subnets) == 9
    assert all(subnet.subnet_of(whole) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@pytest.mark.parametrize("cidr", ["10.0.0.0/15", "10.0.0.0/21"])
def test_other_sizes_are_refused(cidr: str) -> None:
    with pytest.raises(ValueError, match=r"^cidr: 10\.0\.0\.0/\d\d is a /\d\d; accepted: /16 to /20$"):
        carve(cidr)


def test_two_zones_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^zones: us-east-1a, us-east-1b; accepted: 3 zones of us-east-1$"):
        deploy(
            lambda world: SiteNetwork(
                f"network-{HOME}",
                NetworkArgs(
                    site=world.site(HOME),
                    cidr="10.0.0.0/16",
                    zones=("us-east-1a", "us-east-1b"),
                    nat_per_zone=False,
                    interface_endpoints=(),
                    flow_log_days=90,
                    logs_key_arn=world.key(HOME, "logs"),
                ),
            )
        )


def test_isolated_subnets_have_no_way_out() -> None:
    deployment = per_zone()
    assert routes(deployment, "isolated") == []
    assert [route.inputs.get("gatewayId") is not None for route in routes(deployment, "public")] == [True]


def test_a_gateway_a_zone_serves_its_own_zone() -> None:
    deployment = per_zone()
    assert len(deployment.of(aws.ec2.NatGateway)) == 3
    by_zone = {route.name: route.inputs["natGatewayId"] for route in routes(deployment, "private")}
    assert by_zone == {
        f"network-{HOME}-private-{letter}-default": f"network-{HOME}-nat-{letter}-id" for letter in "abc"
    }


def test_a_shared_gateway_serves_every_zone() -> None:
    deployment = shared()
    assert len(deployment.of(aws.ec2.NatGateway)) == 1
    assert {route.inputs["natGatewayId"] for route in routes(deployment, "private")} == {f"network-{HOME}-nat-a-id"}


def test_one_gateway_a_zone_only_adds_gateways() -> None:
    before, after = ({each.urn for each in deployment.resources} for deployment in (shared(), per_zone()))
    assert before < after
    assert all("-nat-" in urn for urn in after - before)


def test_addresses_and_gateways_wait_for_the_internet_gateway() -> None:
    deployment = shared()
    gateway = deployment.of(aws.ec2.InternetGateway)[0].urn
    for resource in (*deployment.of(aws.ec2.Eip), *deployment.of(aws.ec2.NatGateway)):
        assert gateway in resource.depends_on


def test_nothing_gets_a_public_address_by_itself() -> None:
    assert not any(subnet.inputs["mapPublicIpOnLaunch"] for subnet in shared().of(aws.ec2.Subnet))


def test_the_default_group_admits_nothing() -> None:
    (group,) = shared().of(aws.ec2.DefaultSecurityGroup)
    assert "ingress" not in group.inputs
    assert "egress" not in group.inputs


def test_gateway_endpoints_serve_private_and_isolated_subnets() -> None:
    deployment = shared()
    gateways = [each for each in deployment.of(aws.ec2.VpcEndpoint) if each.inputs["vpcEndpointType"] == "Gateway"]
    tables = set(deployment.values["private_route_table_ids"]) | set(deployment.values["isolated_route_table_ids"])
    assert {each.inputs["serviceName"] for each in gateways} == {
        f"com.amazonaws.{HOME}.s3",
        f"com.amazonaws.{HOME}.dynamodb",
    }
    assert all(set(each.inputs["routeTableIds"]) == tables for each in gateways)


def test_settings_know_which_services_have_gateways() -> None:
    assert frozenset(GATEWAY_SERVICES) == GATEWAY


def test_interface_endpoints_answer_https_of_this_vpc_only() -> None:
    deployment = shared()
    interfaces = [each for each in deployment.of(aws.ec2.VpcEndpoint) if each.inputs["vpcEndpointType"] == "Interface"]
    assert {each.inputs["serviceName"].rpartition(".")[2] for each in interfaces} == {"secretsmanager", "kms"}
    (rule,) = deployment.of(aws.vpc.SecurityGroupIngressRule)
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"], rule.inputs["toPort"]) == ("10.0.0.0/16", 443, 443)
    for endpoint in interfaces:
        assert endpoint.inputs["privateDnsEnabled"] is True
        assert endpoint.inputs["securityGroupIds"] == [rule.inputs["securityGroupId"]]
        assert endpoint.inputs["subnetIds"] == deployment.values["private_subnet_ids"]


def test_every_flow_is_logged_by_a_role_that_can_do_nothing_else() -> None:
    deployment = shared()
    (log,) = deployment.of(aws.ec2.FlowLog)
    (group,) = deployment.of(aws.cloudwatch.LogGroup)
    assert (log.inputs["trafficType"], log.inputs["logDestination"]) == ("ALL", group.state["arn"])
    assert group.inputs["retentionInDays"] == 90
    own = f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:/lifeboat/{PREFIX}-flow-logs-{HOME}"
    (policy,) = deployment.of(aws.iam.RolePolicy)
    for statement in json.loads(policy.inputs["policy"])["Statement"]:
        if statement["Action"] != "logs:DescribeLogGroups":
            assert all(resource.startswith(own) for resource in statement["Resource"])
    (role,) = deployment.of(aws.iam.Role)
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_peering_routes_both_ways_once_it_is_accepted() -> None:
    deployment = deploy(peering)
    (connection,) = deployment.of(aws.ec2.VpcPeeringConnection)
    (acceptance,) = deployment.of(aws.ec2.VpcPeeringConnectionAccepter)
    assert connection.inputs["peerRegion"] == OTHER
    assert deployment.region(acceptance) == OTHER
    assert acceptance.inputs["autoAccept"] is True
    found = deployment.of(aws.ec2.Route)
    destinations = {HOME: "10.1.0.0/20", OTHER: "10.0.0.0/16"}
    # Three private tables and an isolated one on each side.
    assert len(found) == 8
    assert len({route.inputs["routeTableId"] for route in found}) == 8
    for route in found:
        assert route.inputs["destinationCidrBlock"] == destinations[deployment.region(route)]
        assert acceptance.urn in route.property_dependencies["vpcPeeringConnectionId"]
