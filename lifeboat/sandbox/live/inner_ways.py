"""How whoever is in one region reaches the servers of another: by links, at addresses of their own.

Every region has a name server of its own, at an address where the sandbox's one name server answers too. It says what
the other says, but for addresses that lie in another region: in their place it has the link from there. A site's
address is its front door, which clients from outside use; within its region it is the site itself.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.network import Network

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server that is reached by name.

    Attributes:
        name: Unique; part of the names of its links.
        region: Where it is.
        public: The address that names lead to.
        address: Where it listens.
        port: The same.
    """

    name: str
    region: str
    public: str
    address: str
    port: int


class InnerWays:
    """The links between the regions of a stack, and what each region's name server says.

    Args:
        network: Gives name servers and links their addresses.
        links: The links.
    """

    def __init__(self, network: Network, links: Links) -> None:
        self._network = network
        self._links = links
        self._lock = threading.Lock()
        self._opened: dict[str, str] = {}
        self._views: Mapping[str, Mapping[str, str]] = {}

    @property
    def views(self) -> Mapping[str, Mapping[str, str]]:
        """By a name server's address: what public addresses are to those who ask it, where they are others."""
        return self._views

    def name_server(self, region: str) -> str:
        """The address of a region's name server."""
        return self._network.address(f"nameserver-{region}")

    def set(self, regions: Sequence[str], places: Iterable[Place]) -> None:
        """See that every region reaches every place, and no other; what fails is tried again by the next call."""
        with self._lock:
            views: dict[str, Mapping[str, str]] = {}
            known = tuple(places)
            wanted: set[str] = set()
            for region in regions:
                means: dict[str, str] = {}
                for place in known:
                    name = f"{place.name}-from-{region}"
                    if place.region == region:
                        means[place.public] = place.address
                        continue
                    wanted.add(name)
                    address = self._open(name, place, region)
                    if address is not None:
                        means[place.public] = address
                views[self.name_server(region)] = means
            for name in self._opened.keys() - wanted:
                del self._opened[name]
                self._links.close(name)
            self._views = views

    def _open(self, name: str, place: Place, region: str) -> str | None:
        try:
            self._opened[name] = self._links.open(name, place.region, region, place.address, place.port)
        except SandboxError as fault:
            _log.warning("%s", fault)
            return None
        return self._opened[name]
