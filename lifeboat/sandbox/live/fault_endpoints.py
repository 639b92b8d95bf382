"""Faults over the gateway's control channel.

GET    faults          {"active": [...], "kinds": [...]}: see `Faults.list` and `fault_documents.catalogue`
POST   faults          a fault or several: {"id"}
DELETE faults?id=I     heals it; without `id` all of them: {"cleared": [ids]}

The last two are answered 503 until all is there that faults break.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from lifeboat.sandbox.gateway.control import Control, Refused, document, query
from lifeboat.sandbox.live.fault_documents import catalogue
from lifeboat.sandbox.state import SandboxError, SandboxInputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIEnvironment

    from lifeboat.sandbox.live.faults import Faults

NAME = "faults"


def serve(control: Control, faults: Faults, require_ready: Callable[[], None] = lambda: None) -> None:
    """Have the control channel answer for `faults`.

    Args:
        control: The gateway's.
        faults: What is asked for.
        require_ready: Raises `Refused` for as long as nothing may be injected or healed.
    """

    def show(_: WSGIEnvironment) -> dict[str, Any]:
        return {"active": faults.list(), "kinds": catalogue()}

    def inject(environ: WSGIEnvironment) -> dict[str, str]:
        require_ready()
        try:
            return {"id": faults.inject(document(environ))}
        except SandboxInputError as refusal:
            raise Refused(HTTPStatus.BAD_REQUEST, str(refusal)) from refusal
        except SandboxError as refusal:
            raise Refused(HTTPStatus.CONFLICT, str(refusal)) from refusal

    def clear(environ: WSGIEnvironment) -> dict[str, list[str]]:
        require_ready()
        try:
            return {"cleared": faults.clear(query(environ, "id"))}
        except SandboxError as refusal:
            raise Refused(HTTPStatus.CONFLICT, str(refusal)) from refusal

    control.route("GET", NAME, show)
    control.route("POST", NAME, inject)
    control.route("DELETE", NAME, clear)
