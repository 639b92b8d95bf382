"""`lifeboat status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.lease import document
from lifeboat.cli.output import show, show_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def status(stack: Stack, *, json: Json = False) -> None:
    """Say who is active, what is under way, how the wardens see the sites, and what has no second copy since when.

    For example:

      lifeboat status reskflow --json
    """
    from lifeboat.cli import recovery
    from lifeboat.recovery.exposure import open_since

    reached = recovery.reach(stack)
    lease = document(reached.lease().read())
    now = reached.ports.wall()
    exposed = {store: round(now - since, 1) for store, since in open_since(reached.journal()).items()}
    sights = _sights(reached.views().views())
    if json:
        show_json({"stack": stack, "lease": lease, "exposed_seconds": exposed, "views": sights})
        return
    home = reached.physical.topology.home.region
    away = "" if lease["holder"] == home else ", away from home"
    show(f"{lease['holder'] or 'nobody'} is active in epoch {lease['epoch']}{away}")
    if lease["fenced"]:
        show(f"fenced: {', '.join(lease['fenced'])}")
    if lease["hold"]:
        show(f"held by {lease['hold']['by']}: {lease['hold']['reason']}")
    if lease["run"]:
        show(f"under way: {lease['run']['id']} by {lease['run']['runner']}")
    for observer, seen in sights.items():
        show(f"{observer} sees {', '.join(f'{site} {how}' for site, how in seen.items())}")
    for store, seconds in exposed.items():
        show(f"{store} has had no second copy for {seconds:.0f} s")


def _sights(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """How each warden sees each site; a text that is no view is left out."""
    from lifeboat.recovery.views import View

    found: dict[str, dict[str, Any]] = {}
    for observer, text in texts.items():
        try:
            view = View.load(text)
        except ValueError:
            continue
        found[observer] = {
            site: "lost" if sight.lost else "grey" if sight.grey else "well" for site, sight in view.sights.items()
        }
    return found
