"""Our middleware: every AWS request passes it before moto answers.

Invariants:
1. A call for a lost region gets no answer at all, and neither do the global control planes that live in it.
   What else a region's conditions do to a call, and in which order, `conditions` says; moto sees what comes through.
2. What moto lacks is answered 400 with the operation's name: an SDK raises at once. A 500 would be retried for minutes.
3. Every AWS call is in the ledger once it has ended, whatever became of it.
4. Only loopback is served: a foreign Host header, or a browser's Origin, is refused.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from moto.core.exceptions import ServiceException
from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]  # typed, but not marked so
    DomainDispatcherApplication,
    create_backend_app,
)

from lifeboat.sandbox.gateway.answers import INTERNAL_FAILURE, NOT_IMPLEMENTED, RefusalError, send_error, send_json
from lifeboat.sandbox.gateway.calls import UNKNOWN_OPERATION, Call, identify, identify_caller, parameter_names
from lifeboat.sandbox.gateway.conditions import Fate, Request
from lifeboat.sandbox.gateway.control import LOST, PREFIX, Control, Refused
from lifeboat.sandbox.gateway.ledger import Outcome
from lifeboat.sandbox.gateway.quorum import lacks_quorum
from lifeboat.sandbox.gateway.waiting import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

_log = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_MOTO_CONTROL = "/moto-api"
# Flask's own page for a path that no handler of the service claims.
_UNROUTED = b"<!doctype html>"


class RegionLostError(ConnectionError):
    """The connection must end without an answer; the server closes it."""


def _unheard(_call: Call, _answer: str) -> None:
    """Told of every answer when nobody wants to know."""


def loopback(host: str) -> bool:
    """Whether a Host header names this machine; a bucket may stand before `localhost`."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name in _LOOPBACK or name.endswith(".localhost")


class Answer:
    """A WSGI `start_response` that only remembers, since a refusal may still replace what moto said."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def __call__(
        self, status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        """Remember; bodies are returned, never written."""
        self.status, self.headers = status, headers
        return _never_written


def _never_written(_data: bytes) -> None:
    raise RuntimeError("no handler writes its body: all return it")


class Application:
    """WSGI: control calls to `control`, AWS calls to moto, each noted.

    Args:
        control: The gateway's own state.
    """

    def __init__(self, control: Control) -> None:
        self.control = control
        self.patience = Patience()
        self.answered: Callable[[Call, str], None] = _unheard
        """Told every AWS call that moto answered, and the HTTP status, before the client has the answer."""
        self.dispatcher = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not loopback(environ.get("HTTP_HOST", "")) or "HTTP_ORIGIN" in environ:
            return send_json(
                start_response, 403, {"error": "the sandbox answers loopback clients only, and no web page"}
            )
        path: str = environ["PATH_INFO"]
        if path.startswith(PREFIX):
            return self.control(environ, start_response)
        if path.startswith(_MOTO_CONTROL):
            return self._moto_control(environ, start_response)
        return self._serve(environ, start_response)

    def _moto_control(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self.control.authorize(environ)
        except Refused as refusal:
            return send_json(start_response, refusal.status, {"error": str(refusal)})
        return self.dispatcher(environ, start_response)

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        arrived, started = time.time(), time.monotonic()
        call, caller = identify(environ), identify_caller(environ)
        request = Request(
            call=call,
            caller=caller.region,
            access_key=caller.access_key,
            principal=caller.principal,
            parameters=parameter_names(environ),
        )
        fate = self.control.conditions.judge(request)
        status = LOST
        try:
            self._wait(request, fate, environ)
            answer = Answer()
            if fate.refusal is None:
                body = self._carry_out(call, environ, answer)
                self.answered(call, answer.status[:3])
            else:
                body = send_error(environ, answer, call.service, fate.refusal)
            status = answer.status[:3]
        finally:
            seconds = time.monotonic() - started
            self.control.ledger.add(
                call, caller, Outcome(answer=status, time=arrived, seconds=seconds, conditions=fate.ids)
            )
        start_response(answer.status, answer.headers)
        return body

    def _wait(self, request: Request, fate: Fate, environ: WSGIEnvironment) -> None:
        """Keep a call waiting for as long as its fate says.

        Raises:
            RegionLostError: when it gets no answer.
        """
        call = request.call
        if fate.lost:
            raise RegionLostError(f"{call.region} is lost")
        if lacks_quorum(self.control.conditions, call, environ):
            raise RegionLostError(f"{call.region} alone cannot answer for its table")
        for placed in fate.hangs:
            if not self.patience.wait(environ, placed.lifted):
                raise RegionLostError(f"{call.operation} hung for longer than its client waited, or too many hang")
        for placed, seconds in fate.delays:
            if not self.patience.wait(environ, placed.lifted, seconds):
                raise RegionLostError(f"{call.operation} took longer than its client waited, or too many wait")
        if (fate.hangs or fate.delays) and self.control.conditions.blacked_out(request):
            raise RegionLostError(f"{call.region} was lost meanwhile")

    def _carry_out(self, call: Call, environ: WSGIEnvironment, answer: Answer) -> Iterable[bytes]:
        try:
            return self._answer(call, environ, answer)
        except NotImplementedError as gap:
            return self._not_implemented(call, environ, answer, str(gap))
        except ServiceException as refusal:
            # AWS's own errors: some handlers of moto let those of their models pass.
            return send_error(environ, answer, call.service, RefusalError(refusal.code, refusal.message))
        # Whatever moto's handlers raise must become an answer, or the client would wait for one.
        except Exception as fault:  # noqa: BLE001  # see above
            _log.exception("%s %s in %s failed", call.service, call.operation, call.region)
            message = f"{call.operation}: {type(fault).__name__}: {fault}".splitlines()[0]
            return send_error(environ, answer, call.service, RefusalError(INTERNAL_FAILURE, message, 500))

    def _answer(self, call: Call, environ: WSGIEnvironment, answer: Answer) -> Iterable[bytes]:
        if not call.known:
            return self._not_implemented(call, environ, answer, "the sandbox does not have this service")
        body: Iterable[bytes] = self.dispatcher(environ, answer)
        if answer.status.startswith("404"):
            # Only now is the body worth looking at: it tells an unrouted path from a missing resource.
            content = b"".join(body)
            unrouted = content.startswith(_UNROUTED) or (not content and call.operation == UNKNOWN_OPERATION)
            if unrouted and environ["REQUEST_METHOD"] != "HEAD":
                return self._not_implemented(call, environ, answer, f"nothing serves {environ['PATH_INFO']}")
            body = [content]
        return body

    def _not_implemented(self, call: Call, environ: WSGIEnvironment, answer: Answer, why: str) -> Iterable[bytes]:
        message = f"the sandbox does not implement {call.service} {call.operation}: {why}"
        return send_error(environ, answer, call.service, RefusalError(NOT_IMPLEMENTED, message))
