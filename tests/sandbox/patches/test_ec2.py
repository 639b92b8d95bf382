"""EC2: a peering connection's two sides, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.patches.test_rds import EAST, WEST

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clients

pytestmark = pytest.mark.usefixtures("clean_gateway")


def test_describe_vpc_peering_connections_shows_each_side_its_own_tags(clients: Clients) -> None:
    vpcs = {
        region: clients("ec2", region).create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        for region, cidr in ((EAST, "10.1.0.0/16"), (WEST, "10.2.0.0/16"))
    }
    connection = clients("ec2", EAST).create_vpc_peering_connection(
        VpcId=vpcs[EAST], PeerVpcId=vpcs[WEST], PeerRegion=WEST
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    clients("ec2", WEST).accept_vpc_peering_connection(VpcPeeringConnectionId=connection)
    for region in (EAST, WEST):
        clients("ec2", region).create_tags(Resources=[connection], Tags=[{"Key": "side", "Value": region}])
    for region in (EAST, WEST):
        (found,) = clients("ec2", region).describe_vpc_peering_connections(VpcPeeringConnectionIds=[connection])[
            "VpcPeeringConnections"
        ]
        assert found["Tags"] == [{"Key": "side", "Value": region}]
        assert found["Status"]["Code"] == "active"
