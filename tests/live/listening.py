"""Await that a site takes connections."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from lifeboat.sandbox.live.network import HTTP_PORT
from tests.live.waiting import until

if TYPE_CHECKING:
    from lifeboat.sandbox.live.sites import Sites


def listening(sites: Sites, region: str) -> None:
    """Return once a region's site takes connections."""
    until(lambda: socket.create_connection((sites.address(region), HTTP_PORT), timeout=5).close() is None)
