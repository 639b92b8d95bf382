"""The lease of the deployed stack in the world: its wardens, and how whoever is in one region reaches the others.

A stack whose lease has its place, a table or a bucket, decides by itself who writes: its wardens write the gates and
publish the switches. One without has a stand-in for both, see `world_sites`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, cast

import boto3

from lifeboat.model.physical import Physical
from lifeboat.model.topology import resolve
from lifeboat.recovery.assembly import lease_store
from lifeboat.sandbox.environment import ACCESS_KEY, SECRET_KEY
from lifeboat.sandbox.live import lease_seen
from lifeboat.sandbox.live.inner_ways import InnerWays, Place
from lifeboat.sandbox.live.network import HTTP_PORT
from lifeboat.sandbox.live.wardens import Wardens
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lifeboat.model.settings import Settings
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.ports import Client, Ports
    from lifeboat.sandbox.live.caches import Caches
    from lifeboat.sandbox.live.databases import Databases
    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.network import Network
    from lifeboat.sandbox.live.processes import Processes
    from lifeboat.sandbox.live.sites import Sites
    from lifeboat.sandbox.state import Directory

_CACHE_ROW: Final = ("key", "region", "address", "port")


class Recovery:
    """What recovers the stack, as far as it has a lease.

    Args:
        directory: The sandbox's.
        network: Gives addresses.
        processes: Runs wardens.
        links: The ways between regions.
        sites: Where sites listen, and their gates.
    """

    def __init__(
        self, directory: Directory, network: Network, processes: Processes, links: Links, sites: Sites
    ) -> None:
        self._directory = directory
        self._sites = sites
        self._ways = InnerWays(network, links)
        self._physical: Physical | None = None
        self.wardens = Wardens(directory, processes, gate=sites.gate_path, name_server=self._ways.name_server)

    @property
    def views(self) -> Mapping[str, Mapping[str, str]]:
        """What the regions' own name servers say, see `InnerWays.views`."""
        return self._ways.views

    @property
    def record(self) -> LeaseRecord | None:
        """What the lease says; None before there is one."""
        return None if self._physical is None else lease_seen.seen(self._physical)

    def find(self, settings: Settings | None) -> bool:
        """Note the stack that is deployed; whether it has a lease.

        Args:
            settings: The stack's; None: whoever deployed it did not say.
        """
        self.close()
        physical = None if settings is None else Physical(settings=settings, topology=resolve(settings))
        self._physical = physical if physical is not None and lease_seen.deployed(physical) else None
        return self._physical is not None

    def open(self, databases: Databases, caches: Caches, fronts: Mapping[str, str]) -> None:
        """Bring back the lease that an earlier life left, and start the wardens; nothing happens without a lease.

        Raises:
            SandboxError: when a warden cannot be started.
        """
        physical = self._physical
        record = self._directory.read_record()
        if physical is None:
            return
        if record is None:
            raise SandboxError("wardens cannot be started before the sandbox is recorded")
        self.tend(databases, caches, fronts)
        gates = {site.region: self._sites.gate_path(site.region) for site in physical.topology.sites}
        left = lease_seen.left_behind(gates, physical.settings.home, physical.settings.lease.ttl)
        if left is not None and lease_seen.seen(physical) is None:
            lease_store(physical, cast("Ports", _Apis(record.endpoint))).create(left)
        self.wardens.open(physical, record)

    def tend(self, databases: Databases, caches: Caches, fronts: Mapping[str, str]) -> None:
        """See that every region reaches what is there now, and start wardens again that ended."""
        if self._physical is None:
            return
        self._ways.set(self._regions, _places(self._sites, databases, caches, fronts))
        self.wardens.tend()

    def close(self) -> None:
        """End the wardens and their ways."""
        self.wardens.close()
        self._ways.set((), ())
        self._physical = None

    @property
    def _regions(self) -> Sequence[str]:
        topology = None if self._physical is None else self._physical.topology
        return () if topology is None else (*(site.region for site in topology.sites), topology.witness)


class _Apis:
    """What a store of the lease needs of `Ports`: the sandbox's APIs, and time to ask them again.

    Args:
        endpoint: The gateway's URL.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def client(self, service: str, region: str, **_how: bool) -> Client:
        """A boto3 client."""
        made: Any = boto3.session.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
        return made.client(service, region_name=region, endpoint_url=self._endpoint)

    def clock(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wait(self, _: None, seconds: float) -> None:
        """Wait for real seconds."""
        # Half a second at most, before the one write of a lease that is resumed: nothing could wake it earlier.
        time.sleep(seconds)


def _places(sites: Sites, databases: Databases, caches: Caches, fronts: Mapping[str, str]) -> Iterator[Place]:
    """Everything that has a name and serves."""
    for region, front in fronts.items():
        yield Place(name=f"site-{region}", region=region, public=front, address=sites.address(region), port=HTTP_PORT)
    for unit in databases.servers.values():
        place = unit.server.place
        yield Place(
            name=unit.server.name,
            region=unit.wanted.region,
            public=place.address,
            address=place.address,
            port=place.port,
        )
    for row in caches.status():
        key, region, address, port = (row[name] for name in _CACHE_ROW)
        yield Place(
            name=f"cache-{region}-{key.rpartition('/')[2]}", region=region, public=address, address=address, port=port
        )
