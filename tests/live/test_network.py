"""The sandbox's own block of loopback addresses."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from lifeboat.sandbox.live.network import POSTGRES_PORT, Network
from lifeboat.sandbox.state import SandboxError


def test_a_name_keeps_its_address_and_no_two_share_one() -> None:
    network = Network.claim()
    first, second = network.address("orders"), network.address("sessions")
    assert first != second
    assert network.address("orders") == first
    assert all(ipaddress.ip_address(each) in network.block for each in (first, second, network.name_server))
    assert network.name_server not in (first, second)
    network.close()


def test_two_sandboxes_have_different_blocks() -> None:
    one = Network.claim()
    two = Network.claim(str(one.block), {"orders": "127.0.0.1"})
    assert one.block != two.block
    # Addresses of the other's life mean nothing in this block.
    assert two.given == {}
    one.close()
    two.close()


def test_a_block_is_taken_again_with_its_addresses() -> None:
    one = Network.claim()
    address = one.address("orders")
    one.close()
    again = Network.claim(str(one.block), one.given)
    assert (again.block, again.address("orders")) == (one.block, address)
    again.close()


def test_servers_of_two_sandboxes_have_the_same_usual_port() -> None:
    networks = [Network.claim(), Network.claim()]
    listening: list[socket.socket] = []
    for network in networks:
        server = socket.socket()
        server.bind((network.address("orders"), POSTGRES_PORT))
        server.listen()
        listening.append(server)
    assert len({server.getsockname() for server in listening}) == 2
    for each in (*listening, *networks):
        each.close()


def test_a_block_has_an_end() -> None:
    network = Network.claim()
    for number in range(network.block.num_addresses - 11):
        network.address(f"server {number}")
    with pytest.raises(SandboxError, match="all addresses are given out"):
        network.address("one more")
    network.close()
