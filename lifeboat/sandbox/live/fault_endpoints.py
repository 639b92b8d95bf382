"""Faults over the gateway's control channel.

GET    faults          {"active": [...], "kinds": [...]}: see `Faults.list` and `fault_documents.catalogue`
POST   faults          a fault or several: {"id"}
DELETE faults?id=I     heals it; without `id` all of them: {"cleared": [ids]}
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from lifeboat.sandbox.gateway.control import Control, Refused, document, query
from lifeboat.sandbox.live.fault_documents import catalogue
from lifeboat.sandbox.state import SandboxError, SandboxInputError

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from lifeboat.sandbox.live.faults import Faults

NAME = "faults"


def serve(control: Control, faults: Faults) -> None:
    """Have the control channel answer for `faults`."""

    def show(_: WSGIEnvironment) -> dict[str, Any]:
        return {"active": faults.list(), "kinds": catalogue()}

    def inject(environ: WSGIEnvironment) -> dict[str, str]:
        try:
            return {"id": faults.inject(document(environ))}
        except SandboxInputError as refusal:
            raise Refused(HTTPStatus.BAD_REQUEST, str(refusal)) from refusal
        except SandboxError as refusal:
            raise Refused(HTTPStatus.CONFLICT, str(refusal)) from refusal

    def clear(environ: WSGIEnvironment) -> dict[str, list[str]]:
        try:
            return {"cleared": faults.clear(query(environ, "id"))}
        except SandboxError as refusal:
            raise Refused(HTTPStatus.CONFLICT, str(refusal)) from refusal

    control.route("GET", NAME, show)
    control.route("POST", NAME, inject)
    control.route("DELETE", NAME, clear)
