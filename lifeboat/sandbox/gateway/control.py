"""What Lifeboat itself asks of the gateway, under `/_lifeboat/`.

    GET  health            no token: {"status", "pid", "stack"}
    POST token             {"pid", "stack"} when the presented token is this sandbox's, else 403
    GET  calls             every call so far: [{"service", "operation", "region", "answer", "count"}]
    GET  ledger?since=N    the calls after number N, in order (see `ledger.Ledger.page`)
    GET  conditions        what calls meet: [{"id", "since", "changed", "effect", ...}] (see `conditions`)
    POST conditions        {"effect": "slow", "region": "us-east-1", "seconds": 2} places one: {"id"}
    DELETE conditions?id=I lifts it; without `id` all of them: {"lifted": [ids]}
    GET  regions           the table of lost regions
    POST regions           sets it: {"us-east-1": "lost"}; a region left out works
    POST reset             forgets every resource, call and condition

Parts add their own (`Control.route`): `fault_endpoints`, `names`, `world_status`. All but `health` want
`Authorization: Bearer <token>`.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from pydantic import ValidationError

from lifeboat.sandbox.gateway.answers import send_json
from lifeboat.sandbox.gateway.calls import read_body
from lifeboat.sandbox.gateway.conditions import REGION, Blackout, Conditions, parse
from lifeboat.sandbox.gateway.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

_log = logging.getLogger(__name__)
PREFIX = "/_lifeboat/"
LOST = "lost"


class Refused(Exception):  # noqa: N818  # a refusal, not a fault
    """A control call that is answered with a status and one line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def query(environ: WSGIEnvironment, name: str) -> str | None:
    """A parameter of a control call's query; None without it."""
    found = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).get(name)
    return None if found is None else found[0]


def document(environ: WSGIEnvironment) -> Any:  # noqa: ANN401  # any JSON
    """A control call's body.

    Raises:
        Refused: when it is not JSON.
    """
    try:
        return json.loads(read_body(environ))
    except ValueError as fault:
        raise Refused(400, f"{environ['PATH_INFO'].removeprefix(PREFIX)}: not JSON: {fault}") from fault


def lines(fault: ValidationError) -> list[str]:
    """What is wrong with a document, a line each: ``seconds: Input should be greater than 0``."""
    return [f"{'.'.join(str(part) for part in each['loc']) or 'it'}: {each['msg']}" for each in fault.errors()]


class Control:
    """The gateway's own state, and the endpoints that read and change it.

    Args:
        token: What callers must present.
        stack: Whom the sandbox is for.
        reset: Makes moto forget everything.
        calls: Takes a line of every call; None: they are kept in memory only.
    """

    def __init__(self, *, token: str, stack: str, reset: Callable[[], None], calls: Path | None = None) -> None:
        self.ledger = Ledger(calls)
        self.conditions = Conditions()
        self._lost: dict[str, str] = {}
        self._token = token
        self._stack = stack
        self._reset = reset
        self._routes: dict[tuple[str, str], Callable[[WSGIEnvironment], object]] = {
            ("POST", "token"): lambda _: self._identity(),
            ("GET", "calls"): lambda _: self.ledger.rows(),
            ("GET", "ledger"): self._page,
            ("GET", "conditions"): lambda _: self.conditions.table(),
            ("POST", "conditions"): self._place,
            ("DELETE", "conditions"): self._lift,
            ("GET", "regions"): lambda _: self._table(),
            ("POST", "regions"): self._set_regions,
            ("POST", "reset"): lambda _: self._forget(),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one control call."""
        method, name = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX)
        try:
            if (method, name) == ("GET", "health"):
                return send_json(start_response, 200, {"status": "ok", **self._identity()})
            self.authorize(environ)
            route = self._routes.get((method, name))
            if route is None:
                known = ", ".join(f"{verb} {path}" for verb, path in self._routes)
                raise Refused(404, f"no {method} {PREFIX}{name}: there are {known}")
            return send_json(start_response, 200, route(environ))
        except Refused as refusal:
            return send_json(start_response, refusal.status, {"error": str(refusal)})
        # A connection that ends without an answer would say that this is no sandbox.
        except Exception as fault:  # noqa: BLE001 - see above
            _log.exception("%s %s failed", method, name)
            said = f"{method} {name}: {type(fault).__name__}: {fault}".splitlines()[0]
            return send_json(start_response, 500, {"error": said})

    @property
    def lost(self) -> frozenset[str]:
        """Regions that answer nobody outside of them."""
        return self.conditions.lost

    def route(self, method: str, name: str, handler: Callable[[WSGIEnvironment], object]) -> None:
        """Have `handler` answer ``METHOD /_lifeboat/name`` with a JSON document; it may raise `Refused`."""
        self._routes[method, name] = handler

    def authorize(self, environ: WSGIEnvironment) -> None:
        """Let the call pass when it presents this sandbox's token.

        Raises:
            Refused: when it does not.
        """
        presented = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        if not hmac.compare_digest(presented.encode(), self._token.encode()):
            raise Refused(403, "this is not the running sandbox's token")

    def _identity(self) -> dict[str, Any]:
        return {"pid": os.getpid(), "stack": self._stack}

    def _table(self) -> dict[str, str]:
        return dict.fromkeys(sorted(self.lost), LOST)

    def _page(self, environ: WSGIEnvironment) -> dict[str, Any]:
        since = query(environ, "since") or "0"
        if not since.isdecimal():
            raise Refused(400, f"ledger: since={since}: the number of the last call that is known, or 0")
        return self.ledger.page(int(since))

    def _place(self, environ: WSGIEnvironment) -> dict[str, str]:
        try:
            return {"id": self.conditions.place(parse(document(environ)))}
        except ValidationError as fault:
            raise Refused(400, f"conditions: {'; '.join(lines(fault))}") from fault

    def _lift(self, environ: WSGIEnvironment) -> dict[str, list[str]]:
        wanted = query(environ, "id")
        every = [placed.id for placed in self.conditions.all()]
        return {"lifted": self.conditions.lift(*(every if wanted is None else [wanted]))}

    def _set_regions(self, environ: WSGIEnvironment) -> dict[str, str]:
        table: object = document(environ)
        if not isinstance(table, dict):
            raise Refused(400, 'regions: an object such as {"us-east-1": "lost"}')
        for region, state in cast("dict[str, object]", table).items():
            if not re.fullmatch(REGION, region):
                raise Refused(400, f"regions: {region} is no region")
            if state != LOST:
                raise Refused(400, f"regions: {region}: {state}: only {LOST!r} is known")
        self.conditions.lift(*self._lost.values())
        self._lost = {
            region: self.conditions.place(Blackout(effect="blackout", region=region))
            for region in cast("dict[str, str]", table)
        }
        return self._table()

    def _forget(self) -> dict[str, str]:
        self._reset()
        self.ledger.clear()
        self.conditions.lift(*(placed.id for placed in self.conditions.all()))
        return {"status": "ok"}
