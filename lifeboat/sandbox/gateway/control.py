"""What Lifeboat itself asks of the gateway, under `/_lifeboat/`.

    GET  health            no token: {"status", "pid", "stack"}
    POST token             {"pid", "stack"} when the presented token is this sandbox's, else 403
    GET  calls             every call so far: [{"service", "operation", "region", "answer", "count"}]
    GET  regions           the table of lost regions
    POST regions           sets it: {"us-east-1": "lost"}; a region left out works
    POST reset             forgets every resource, call and lost region

All but `health` want `Authorization: Bearer <token>`.
"""

from __future__ import annotations

import hmac
import json
import os
import re
from typing import TYPE_CHECKING, Any, cast

from lifeboat.sandbox.gateway.answers import send_json
from lifeboat.sandbox.gateway.calls import Ledger, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

PREFIX = "/_lifeboat/"
LOST = "lost"
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


class Refused(Exception):  # noqa: N818  # a refusal, not a fault
    """A control call that is answered with a status and one line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """The gateway's own state, and the endpoints that read and change it."""

    def __init__(self, *, token: str, stack: str, reset: Callable[[], None]) -> None:
        self.ledger = Ledger()
        self.lost: frozenset[str] = frozenset()
        """Regions that answer nothing; replaced whole, so that readers need no lock."""
        self._token = token
        self._stack = stack
        self._reset = reset
        self._routes: dict[tuple[str, str], Callable[[WSGIEnvironment], object]] = {
            ("POST", "token"): lambda _: self._identity(),
            ("GET", "calls"): lambda _: self.ledger.rows(),
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

    def _set_regions(self, environ: WSGIEnvironment) -> dict[str, str]:
        try:
            table: object = json.loads(read_body(environ))
        except ValueError as fault:
            raise Refused(400, f"regions: not JSON: {fault}") from fault
        if not isinstance(table, dict):
            raise Refused(400, 'regions: an object such as {"us-east-1": "lost"}')
        for region, state in cast("dict[str, object]", table).items():
            if not _REGION.fullmatch(region):
                raise Refused(400, f"regions: {region} is no region")
            if state != LOST:
                raise Refused(400, f"regions: {region}: {state}: only {LOST!r} is known")
        self.lost = frozenset(cast("dict[str, str]", table))
        return self._table()

    def _forget(self) -> dict[str, str]:
        self._reset()
        self.ledger.clear()
        self.lost = frozenset()
        return {"status": "ok"}
