"""HTTP/1.1 with connections that stay open: a deployment makes hundreds of calls, and each new connection costs."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any, cast

from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]  # typed, but not marked so
    MotoRequestHandler,
)
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import WSGIApplication

_log = logging.getLogger(__name__)
HOST = "127.0.0.1"


class RequestHandler(MotoRequestHandler):
    """One connection, which werkzeug's own handler would close after every answer: it leaves unread bodies behind."""

    protocol_version = "HTTP/1.1"
    # An answer goes out in one write, at once.
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        """Tell a client that asks first to send its body; it waits a second for that."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        """Read one request whole, answer it whole."""
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self._body())
        environ["wsgi.input_terminated"] = True
        try:
            body = self.server.app(environ, self._start_response)
        except ConnectionError:
            # The region is lost: no answer, and nothing more on this connection.
            self.close_connection = True
            return
        try:
            self._respond(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return DechunkedInput(cast("Any", self.rfile)).readall()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _start_response(self, status: str, headers: list[tuple[str, str]], _exc_info: object = None, /) -> Any:  # noqa: ANN401  # PEP 3333's legacy `write`
        self._status, self._headers = status, headers
        return self.wfile.write

    def _respond(self, body: Iterable[bytes]) -> None:
        content = b"".join(body)
        code, _, phrase = self._status.partition(" ")
        names = {name.lower() for name, _ in self._headers}
        self.send_response_only(int(code), phrase)
        for name, value in self._headers:
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or code in {"204", "304"}
        if "content-length" not in names and code != "204":
            self.send_header("Content-Length", str(len(content)))
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        self.end_headers()
        if not bodiless:
            self.wfile.write(content)
        self.wfile.flush()


def listen(application: WSGIApplication, port: int = 0) -> ThreadedWSGIServer:
    """A server that listens on loopback, on a free port by default; its `port` tells which."""
    server = ThreadedWSGIServer(HOST, port, application, handler=RequestHandler)
    server.daemon_threads = True
    return server
