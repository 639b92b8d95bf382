"""The world behind the gateway's APIs: real servers, names, links, metrics and faults, made and ended together.

Invariants:
1. Everything that runs was started by the gateway's keeper: it ends with the gateway, however that ends.
2. A call that changes something is noted by the part that plays it before the call is answered.
3. When the keeper is gone, so is every server; then the gateway ends too, rather than pretend.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.gateway.control import Refused
from lifeboat.sandbox.live import fault_endpoints, world_status
from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.alarms import Alarms
from lifeboat.sandbox.live.caches import Caches
from lifeboat.sandbox.live.clocks import Clocks
from lifeboat.sandbox.live.databases import Databases
from lifeboat.sandbox.live.effects import Effects
from lifeboat.sandbox.live.faults import Faults
from lifeboat.sandbox.live.file_limits import LIMIT_FILE
from lifeboat.sandbox.live.links import Links
from lifeboat.sandbox.live.metrics import INTERVAL, Metrics
from lifeboat.sandbox.live.names import SERVER, Names, Pace
from lifeboat.sandbox.live.network import Network
from lifeboat.sandbox.live.objects import Objects
from lifeboat.sandbox.live.processes import Processes
from lifeboat.sandbox.live.routing_state import Outside
from lifeboat.sandbox.live.sites import Sites
from lifeboat.sandbox.live.world_config import load_network, save_network
from lifeboat.sandbox.live.world_lease import Recovery
from lifeboat.sandbox.live.world_parts import (
    BreakableSites,
    Durations,
    MeasuredDatabases,
    Ways,
)
from lifeboat.sandbox.live.world_sites import Traffic
from lifeboat.sandbox.live.world_writers import move_writers
from lifeboat.sandbox.live.writers import Past, past
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from lifeboat.model.settings import Settings
    from lifeboat.sandbox.gateway.calls import Call
    from lifeboat.sandbox.gateway.conditions import Conditions
    from lifeboat.sandbox.gateway.control import Control
    from lifeboat.sandbox.live.wardens import Wardens
    from lifeboat.sandbox.live.world_config import Live, StackPlan
    from lifeboat.sandbox.state import Directory

_READS: Final = ("Describe", "Get", "List", "Head")
_TICK: Final = 1.0
"""Seconds between looks at what nobody gives notice of."""
_OFTEN: Final = 0.5
"""Seconds between measurements at least, however fast detection is: each asks every server."""
_log = logging.getLogger(__name__)


class World:
    """One sandbox's.

    Args:
        directory: The sandbox's.
        live: How it lives.
        control: The gateway's control channel; the world's own routes are added to it.
        account: AWS account, 12 digits.
        gateway: The gateway's URL.
        token: The sandbox's.
        lost: Called when every server is gone for good.

    Raises:
        SandboxError: when there are no addresses, root has no account to lend, or an earlier life cannot be resumed.
    """

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        directory: Directory,
        live: Live,
        control: Control,
        *,
        account: str,
        gateway: str,
        token: str,
        lost: Callable[[], None],
    ) -> None:
        self._past = past(directory.data, live.regions[0]) if live.resume else Past()
        self.live = live
        self._root = directory
        self._account = account
        self._conditions = control.conditions
        self._lost = lost
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._named = False
        self._saved: object = None
        self._minder = threading.Thread(target=self._mind, name="world", daemon=True)
        lent = lent_account()
        if lent is not None:
            # Entered, not read, by the account that servers run as; every file in it stays its owner's.
            directory.path.chmod(0o711)
        self.network = Network.claim(*(load_network(directory.path) if live.resume else (None, None)))
        self.processes = Processes(directory.path, self._ended)
        self._links = Links(directory.path, self.network, self.processes)
        self.effects = Effects(live.seed, live.time_scale)
        self.durations = Durations(self.effects)
        self._databases = Databases(
            directory.path, self.network, self.processes, lent, self.durations.seconds, self._links
        )
        self._caches = Caches(directory.path, account, self.network, self.processes, lent, self.effects, self._links)
        self.objects = Objects(account, Ways(self._links))
        sites = Sites(directory.path, self.network, self.processes)
        scale = live.detection_scale
        self.traffic = Traffic(sites, self._links, self._databases, account, lambda: control.lost, scale)
        self.recovery = Recovery(directory, self.network, self.processes, self._links, sites)
        self.names = Names(
            processes=self.processes,
            network=self.network,
            control=control,
            directory=directory.path,
            account=account,
            gateway=gateway,
            token=token,
            outside=self._outside,
            pace=Pace.scaled(scale),
        )
        self.metrics = Metrics(
            account,
            MeasuredDatabases(self._databases),
            self._caches,
            [self.objects],
            interval=max(_OFTEN, INTERVAL / scale),
        )
        self.alarms = Alarms(account, scale=scale)
        self._clocks = Clocks(directory.path)
        self.faults = Faults(self)
        # Servers wait until the API says who of them writes: one that followed another would throw its own data away.
        self._played = not self._past
        self._ready = False
        fault_endpoints.serve(control, self.faults, self._require_ready)
        world_status.serve(control, self)

    @property
    def regions(self) -> Sequence[str]:
        """The stack's regions, sites and witness."""
        return self.live.regions

    @property
    def directory(self) -> Path:
        """The sandbox's own, closed to others."""
        return self._root.path

    @property
    def conditions(self) -> Conditions:
        """What API calls meet."""
        return self._conditions

    @property
    def databases(self) -> Databases:
        """The databases."""
        return self._databases

    @property
    def caches(self) -> Caches:
        """The caches."""
        return self._caches

    @property
    def sites(self) -> BreakableSites:
        """The sites, as faults break them."""
        return self.traffic.breakable

    @property
    def wardens(self) -> Wardens:
        """The wardens; none for a stack without a lease."""
        return self.recovery.wardens

    @property
    def name_server(self) -> str:
        """The address of the name server that everybody outside asks."""
        return self.network.name_server

    @property
    def links(self) -> Links:
        """The links."""
        return self._links

    @property
    def clocks(self) -> Clocks:
        """The agents' clocks."""
        return self._clocks

    def start(self) -> None:
        """Start what is there before any stack.

        Raises:
            SandboxError: when a part does not come up.
        """
        if self.live.resume:
            self._tidy()
        self._save_network()
        self._links.start()
        self.names.start()
        if self._played:
            self._play()
        self.objects.start()
        self.metrics.start()
        self.alarms.start()
        self._minder.start()

    def stop(self) -> None:
        """End everything, in the order in which one part needs another; data stay."""
        self._ending.set()
        self._wake.set()
        steps: Iterable[Callable[[], None]] = (
            # Without a keeper every server is gone: once that is noted, nothing waits for one to end politely.
            *(() if self.processes.alive else (self.processes.close,)),
            *([self._minder.join] if self._minder.is_alive() else []),
            self.faults.stop,
            *((self.alarms.stop, self.metrics.stop) if self._minder.ident is not None else ()),
            self.objects.close,
            self.recovery.close,
            self.traffic.close,
            self.names.stop,
            self._databases.close,
            self._caches.close,
            self._links.stop,
            self.processes.close,
            self.network.close,
        )
        for step in steps:
            try:
                step()
            # What cannot be ended politely is ended by the keeper, with all the rest.
            except Exception:  # noqa: BLE001 - see above
                _log.exception("a part did not end politely")

    def open(self, plan: StackPlan, settings: Settings | None = None) -> None:
        """Serve a stack that is deployed; from now on, what the API is asked for takes its time.

        Args:
            plan: What its sites serve.
            settings: What it declares; without, it has no wardens.

        Raises:
            SandboxError: when a site cannot be started.
        """
        if not self._played:
            move_writers(self._account, self._past)
            self._played = True
            self._databases.notify()
            self._caches.notify()
            self._play()
        self.durations.deployed = True
        self.traffic.open(plan, leased=self.recovery.find(settings))
        self.recovery.open(self._databases, self._caches, self.traffic.fronts)

    def make_ready(self) -> None:
        """Let faults begin, those that stood in an earlier life first, now that all is there which they break."""
        if not self._ready:
            self.faults.start()
            self._ready = True

    def forget(self) -> None:
        """Follow a gateway that forgot every resource."""
        with contextlib.suppress(SandboxError):
            self.faults.clear()
        self.recovery.close()
        self.traffic.close()
        self.durations.deployed = False
        if self._played:
            self._databases.notify()
            self._caches.notify()

    def answered(self, call: Call, _status: str) -> None:
        """Note an AWS call that moto answered, before its client has the answer."""
        if call.operation.startswith(_READS):
            return
        try:
            match call.service:
                case "rds" | "elasticache" if not self._played:
                    return
                case "rds":
                    self._databases.notify()
                    self._wake.set()
                case "elasticache":
                    self._caches.notify()
                case "route53" | "cloudwatch" if self._named:
                    self.names.refresh()
                case _:
                    # Objects hear of changes by themselves.
                    return
        # The call is answered already: what goes wrong here must not undo that for its client.
        except Exception:  # noqa: BLE001 - see above
            _log.exception("%s %s was not noted", call.service, call.operation)

    def _play(self) -> None:
        self._databases.start()
        self._caches.start()

    def _require_ready(self) -> None:
        """See that there is a whole world to break.

        Raises:
            Refused: when there is not, so far.
        """
        if not self._ready:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "not ready so far: a fault needs all that it breaks")

    def _outside(self) -> Outside:
        hosts = {**self._databases.names, **self._caches.names}
        return Outside(hosts=hosts, sites=dict(self.traffic.fronts), views=self.recovery.views)

    def _ended(self, name: str, code: int) -> None:
        """Tell who has to know that a process ended."""
        if self._ending.is_set():
            return
        if name == SERVER:
            self._named = False
        _log.info("%s ended with %d", name, code)
        # The first servers may end before the last parts are made.
        if self._minder.is_alive():
            self._databases.ended(name, code)
            self._caches.ended(name, code)
        self._wake.set()

    def _mind(self) -> None:
        while not self._ending.is_set():
            self._wake.wait(_TICK)
            self._wake.clear()
            if self._ending.is_set():
                return
            if not self.processes.alive:
                _log.error("the keeper is gone, and with it every server: the sandbox ends")
                self._lost()
                return
            try:
                self._look()
            # It must outlive whatever a part in the middle of a change surprises it with.
            except Exception:  # noqa: BLE001 - see above
                _log.exception("looking after the world failed")

    def _look(self) -> None:
        self._save_network()
        self.processes.bound_logs()
        if self.processes.pid(SERVER) is None:
            self.names.start()
        # It takes the signal to fetch anew only once it serves; before, the signal would end it.
        self._named = self._named or self.names.answers()
        self.traffic.tend()
        self.recovery.tend(self._databases, self._caches, self.traffic.fronts)

    def _save_network(self) -> None:
        given = self.network.given
        if given != self._saved:
            save_network(self.directory, str(self.network.block), given)
            self._saved = given

    def _tidy(self) -> None:
        """Remove what belonged to a control plane that is gone, and what faults had set: these set it again."""
        shutil.rmtree(self._root.data / "rds-backups", ignore_errors=True)
        for setting in (self._root.data / "rds").glob("*/*/*/faults.conf"):
            setting.unlink()
        for capacity in (self._root.data / "site").glob("*/capacity.json"):
            capacity.unlink()
        for limit in (self._root.data / "rds").glob(f"*/*/*/{LIMIT_FILE}"):
            limit.unlink()
        shutil.rmtree(self._root.path / "clocks", ignore_errors=True)
