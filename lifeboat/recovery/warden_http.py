"""What a warden answers: `/gate` for gateways of its site, `/healthz` for who watches over the warden."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from socketserver import BaseRequestHandler

    Answer = Callable[[], tuple[HTTPStatus, dict[str, Any]]]

_PATIENCE: Final = 5.0
"""Seconds that a client has to say what it wants."""
AT_ONCE: Final = 64
"""Clients that are served at once: a site's gateways can ask, and a warden has little memory to keep the lease by."""


class _Server(ThreadingHTTPServer):
    """A thread a client, and no more than `AT_ONCE`; further ones are hung up on."""

    daemon_threads = True

    def __init__(self, where: tuple[str, int], handler: type[BaseRequestHandler]) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(where, handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve a client, or hang up."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve it in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


class WardenServer:
    """Serves JSON over HTTP, to GET alone.

    Args:
        address: Where it listens.
        port: The same; 0 takes any that is free.
        answers: What is answered, by path.

    Raises:
        OSError: when it cannot listen there.
    """

    def __init__(self, address: str, port: int, answers: Mapping[str, Answer]) -> None:
        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            timeout = _PATIENCE

            def do_GET(self) -> None:
                """Answer, and remember nothing."""
                answer = answers.get(self.path)
                status, found = answer() if answer else (HTTPStatus.NOT_FOUND, {"reason": "no such page"})
                body = json.dumps(found).encode() + b"\n"
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing: gateways ask many times a second."""

        self._server = _Server((address, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
