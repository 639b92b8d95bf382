"""What whoever runs a recovery sees of a site from where they are: one of three viewpoints, beside the wardens'."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from lifeboat.recovery.gatefile import boot_id
from lifeboat.recovery.lease import HEARTBEAT
from lifeboat.recovery.lease_store import DEADLINE, StoreError
from lifeboat.recovery.ports import BEST_EFFORT_SECONDS
from lifeboat.recovery.views import Probe, Sight, View

if TYPE_CHECKING:
    from lifeboat.model.physical import Physical
    from lifeboat.model.settings.sites import Endpoint
    from lifeboat.recovery.ports import Pace, Ports
    from lifeboat.recovery.run_state import StepRun
    from lifeboat.recovery.views import Confirmed

_FRESH: Final = 3 * HEARTBEAT
"""Protocol seconds after which a view that did not change is left behind; two calls to a store come on top."""
_SILENT: Final = 3 * HEARTBEAT
"""Protocol seconds without a renewal after which a holder is silent."""
_OK: Final = 400
_SOON: Final = 0.5
"""Seconds that the first endpoint has before the others are asked too."""


def fresh_for(pace: Pace) -> float:
    """Real seconds for which a view that does not change, or what a warden confirmed, counts."""
    return pace.real(_FRESH) + 2 * DEADLINE


def standing(confirmed: Confirmed | None, physical: Physical, ports: Ports, site: str) -> Confirmed | None:
    """What a warden of this machine confirmed of a site; None when it is too old or too little."""
    if confirmed is not None and confirmed.stands(
        site,
        seconds=ports.pace.real(physical.settings.lease.confirm_for),
        fresh=fresh_for(ports.pace),
        now=ports.clock(),
        boot=boot_id(),
    ):
        return confirmed
    return None


def look(run: StepRun, site: str) -> View:
    """A site as it is seen from here now: its endpoints, and whether it renews the lease that it holds."""
    # Whatever the endpoints say: who fences the site later has watched its lease from here on.
    silent = _lease(run, site)
    reason = probe(run.physical, run.ports, site).reason or silent
    sight = Sight(lost=bool(reason), reason=reason)
    return View(observer=run.viewpoint, process=run.run or "look", beat=0, sights={site: sight})


def probe(physical: Physical, ports: Ports, site: str) -> Probe:
    """Whether any endpoint of a site serves, by the names that never fail over; true of a stack without endpoints.

    The first endpoint is asked alone; when it does not serve soon, the others too, side by side: of a site that hangs,
    each takes all of its `BEST_EFFORT_SECONDS`.
    """
    dns = physical.settings.dns
    if dns is None or not dns.endpoints:
        return Probe(ready=True, seconds=0.0)

    def ask(endpoint: Endpoint) -> Probe:
        url = ports.site_url(dns.target(endpoint, site), endpoint.port) + endpoint.path
        began = ports.clock()
        try:
            status = ports.http(url, timeout=BEST_EFFORT_SECONDS).status
        except OSError:
            status = None
        reason = "" if status is not None and status < _OK else f"{endpoint.name}: {status or 'no answer'}"
        return Probe(ready=not reason, seconds=ports.clock() - began, reason=reason)

    with ThreadPoolExecutor(len(dns.endpoints)) as pool:
        first = pool.submit(ask, dns.endpoints[0])
        if wait([first], _SOON).done and first.result().ready:
            return first.result()
        others = list(pool.map(ask, dns.endpoints[1:]))
    probes = [first.result(), *others]
    ready = next((each for each in probes if each.ready), None)
    seconds = max(each.seconds for each in probes)
    return ready or Probe(ready=False, seconds=seconds, reason=", ".join(each.reason for each in probes))


def _lease(run: StepRun, site: str) -> str:
    """Why the site does not keep the lease that it holds; empty when it does, or holds none."""
    try:
        seen = run.watch.look(run.lease)
    except StoreError as fault:
        run.progress(str(fault))
        return ""
    whole = seen.record.ttl + run.physical.settings.lease.clock_margin
    silent = whole - run.ports.pace.declared(run.watch.remaining)
    if seen.record.holder == site and silent >= _SILENT:
        return f"no renewal for {silent:.0f} s"
    return ""
