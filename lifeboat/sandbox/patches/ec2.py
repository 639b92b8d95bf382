"""EC2: a peering connection's tags."""

from __future__ import annotations

import copy

from moto.ec2.models.vpc_peering_connections import VPCPeeringConnectionBackend

from lifeboat.sandbox.patches.base import Moto, Patches

PATCHES = Patches("ec2")


@PATCHES.fixes(VPCPeeringConnectionBackend)
def describe_vpc_peering_connections(
    original: Moto, self: Moto, vpc_peering_ids: list[str] | None = None
) -> list[Moto]:
    """Shows the requester's tags in the accepter's region too; on AWS each side of a connection has its own."""
    return [_seen_from(self, connection) for connection in original(self, vpc_peering_ids)]


def _seen_from(backend: Moto, connection: Moto) -> Moto:
    if connection.ec2_backend is backend:
        return connection
    # One object stands for both sides; it reads its tags from the backend that it names.
    side = copy.copy(connection)
    side.ec2_backend = backend
    return side
