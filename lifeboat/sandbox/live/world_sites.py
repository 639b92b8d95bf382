"""The deployed stack's sites in the world: their processes and front doors, who of them may write, who gets traffic.

A stack with a lease has wardens, which write the gates and publish the switches (`world_lease`). For one without, two
stand-ins do:
1. `writer_region` decides whose gate is open, from the databases' roles alone.
2. `Traffic.publish` sets the level of every site's switch each minute.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from moto.cloudwatch.models import cloudwatch_backends
from moto.secretsmanager.models import secretsmanager_backends

from lifeboat.sandbox.live.cloudwatch import Point, publish
from lifeboat.sandbox.live.databases_model import key_of
from lifeboat.sandbox.live.fault_world import OUTSIDE
from lifeboat.sandbox.live.network import HTTP_PORT
from lifeboat.sandbox.live.site_config import IDLE_LIMIT
from lifeboat.sandbox.live.site_store import Credentials
from lifeboat.sandbox.live.sites import SiteConfig, Sites, SiteStatus
from lifeboat.sandbox.live.world_parts import BreakableSites
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from lifeboat.sandbox.live.databases import Databases
    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.world_config import SitePlan, StackPlan
    from lifeboat.sandbox.patches.base import Moto

SWITCH: Final = "SwitchOpen"
"""The metric of `components.aws.routing_alarm`: 0 lets traffic through, 1 takes it away."""
PUBLISHED_EACH: Final = 60.0
"""Seconds: the period of a switch's alarm."""
_FIRST_EPOCH: Final = 1
_PATIENCE: Final = 2.0
_log = logging.getLogger(__name__)


def writer_region(writers: Collection[str], active: str | None, home: str) -> str | None:
    """The one region whose site may write: a stand-in for the lease.

    Who wrote goes on for as long as its database takes writes; only when it does not, another one whose database does
    takes over, home first. So an Aurora writer that moves takes the gate along, while a plain replica that is promoted
    beside a primary which is still there does not: that takes a decision, which is the lease's.

    Args:
        writers: Regions whose database takes writes, by its role and by what the API says.
        active: The region that may write so far; None at first.
        home: The region that is active when nothing is wrong.
    """
    if active in writers or not writers:
        return active
    return home if home in writers else min(writers)


class Traffic:
    """Sites of the stack that is deployed, none before.

    Args:
        sites: Their processes.
        links: Clients reach a site from outside, by a link of its own.
        databases: Whose roles decide who may write.
        account: 12 digits.
        lost: Tells which regions take no metrics now.
        scale: How many times faster than declared detection is.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it stands between
        self,
        sites: Sites,
        links: Links,
        databases: Databases,
        account: str,
        lost: Callable[[], Collection[str]],
        scale: float = 1.0,
    ) -> None:
        self._sites = sites
        self._links = links
        self._databases = databases
        self._account = account
        self._lost = lost
        self._scale = scale
        self._leased = False
        self._lock = threading.RLock()
        self._published = 0.0
        self._fronts: dict[str, str] = {}
        self.breakable = BreakableSites(sites)
        self.plan: StackPlan | None = None
        self.active: str | None = None
        """The region whose site may write."""

    @property
    def fronts(self) -> Mapping[str, str]:
        """Where clients reach each region's site."""
        return self._fronts

    def status(self) -> Mapping[str, SiteStatus]:
        """How each site is, by region."""
        return self._sites.status()

    def open(self, plan: StackPlan, *, leased: bool = False) -> None:
        """Start the sites of a stack, in place of those of an earlier one.

        Args:
            plan: What they serve.
            leased: The stack has a lease: who may write is not decided here.

        Raises:
            SandboxError: when a site's database is not there, or a site cannot be started.
        """
        with self._lock:
            self._close()
            for site in plan.sites:
                self._sites.start(site.region, self._config(plan, site))
                address = self._sites.address(site.region)
                self._fronts[site.region] = self._links.open(
                    f"front-{site.region}", site.region, OUTSIDE, address, HTTP_PORT
                )
            self.plan, self._leased = plan, leased
        self.tend()

    def close(self) -> None:
        """End all sites; what they serve is forgotten."""
        with self._lock:
            self._close()

    def tend(self) -> None:
        """Start sites again that ended, move the gate and publish the switches' levels, as far as there is reason."""
        with self._lock:
            if self.plan is None:
                return
            for region in self.plan.regions:
                try:
                    self.breakable.revive(region)
                except SandboxError as fault:
                    _log.warning("%s", fault)
            if self._leased:
                states = {region: self._sites.gate(region).state() for region in self.plan.regions}
                self.active = next((region for region, gate in states.items() if gate.open), None)
                return
            moved = self._move_gate(self.plan)
            if moved or time.monotonic() - self._published >= PUBLISHED_EACH / self._scale:
                self.publish()

    def publish(self) -> None:
        """Set each switch's level: traffic goes where writes are taken; a region that is lost takes no metric."""
        now = time.time()
        lost = self._lost()
        for region, backend in list(cloudwatch_backends[self._account].items()):
            alarms: list[Moto] = [alarm for alarm in list(backend.alarms.values()) if alarm.metric_name == SWITCH]
            levels = [self._level(region, alarm) for alarm in alarms if region not in lost]
            if not self._published:
                # As if it had stood so before: nobody goes by a minute until it is over.
                publish(self._account, levels, now - PUBLISHED_EACH / self._scale)
            publish(self._account, levels, now)
        self._published = time.monotonic()

    def ready(self, region: str) -> str:
        """What a site's front door says when it can serve, and write where it may; else why not, after ``!``."""
        connection = http.client.HTTPConnection(self._fronts[region], HTTP_PORT, timeout=_PATIENCE)
        try:
            connection.request("GET", "/health/ready")
            health: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as fault:
            return f"!does not answer: {fault or type(fault).__name__}"
        finally:
            connection.close()
        if not health["database"]["ok"]:
            return f"!{health['database']['reason']}"
        if self.active is None:
            return "!no site may write so far"
        if region == self.active and not health["writable"]:
            return "!its database takes no writes so far"
        return "takes orders" if health["writable"] else "shows orders"

    def _close(self) -> None:
        for region in self._sites.regions:
            self._sites.stop(region)
            self._sites.forget(region)
            self._links.close(f"front-{region}")
        self._fronts.clear()
        self.breakable.held.clear()
        self.plan = self.active = None

    def _config(self, plan: StackPlan, site: SitePlan) -> SiteConfig:
        backend: Moto = secretsmanager_backends[self._account][site.region]
        known = backend.secrets.get(site.secret)
        if known is None:
            raise SandboxError(f"the site in {site.region} has no password: there is no secret {site.secret}")
        password: str = backend.get_secret_value(site.secret, None, None)["SecretString"]
        keys = [key_of(each.database) for each in plan.sites]
        units = [unit for key, unit in self._databases.servers.items() if key in keys]
        # A replica's users are its primary's.
        users = [unit.wanted.owner.user for unit in units if unit.wanted.source is None]
        if not users:
            raise SandboxError(f"the site in {site.region} has no database: none of {', '.join(keys)} takes writes")
        return SiteConfig(
            credentials=Credentials(
                host=site.host, port=site.port, user=users[0], password=password, database=site.name
            ),
            hosts=site.hosts,
            idle_limit=IDLE_LIMIT / self._scale,
        )

    def _move_gate(self, plan: StackPlan) -> bool:
        """Open and shut gates; the answer tells whether that changed anything."""
        servers = self._databases.servers
        units = {site.region: servers.get(key_of(site.database)) for site in plan.sites}
        writers = [
            region for region, unit in units.items() if unit and unit.role == "primary" and unit.wanted.source is None
        ]
        gates = {region: self._sites.gate(region) for region in plan.regions}
        # In a life that resumes, who wrote is who has the gate.
        before = self.active or next((region for region, gate in gates.items() if gate.state().open), None)
        wanted = writer_region(writers, before, plan.home)
        if wanted is None or wanted == self.active:
            return False
        # Shut before another is opened: never two at once.
        for region, gate in gates.items():
            if region != wanted:
                gate.shut(f"{wanted} takes writes")
        epoch = max(gate.state().epoch for gate in gates.values()) + 1
        gates[wanted].open(max(epoch, _FIRST_EPOCH))
        self.active = wanted
        return True

    def _level(self, region: str, alarm: Moto) -> Point:
        dimensions = {str(each.name): str(each.value) for each in alarm.dimensions}
        closed = dimensions.get("Site") == self.active
        return Point(
            region=region,
            namespace=alarm.namespace,
            metric=SWITCH,
            dimensions=dimensions,
            value=0.0 if closed else 1.0,
            unit="None",
        )
