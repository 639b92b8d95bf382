"""``python -m lifeboat.sandbox.plugin PACKAGE``: what the plugin executables run."""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from lifeboat.sandbox.plugin.servicer import Servicer

if TYPE_CHECKING:
    from types import FrameType

# Engines send whole states in one message; gRPC's own limit is 4 MB.
_MESSAGE_BYTES = 400 * 1024 * 1024
_WORKERS = 16
_GRACE_SECONDS = 5
_LOOK_SECONDS = 1


def main(package: str) -> None:
    """Serve one package until the engine ends the process or cancels.

    Args:
        package: ``aws`` or ``random``.
    """
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        stopped.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    server = grpc.server(
        ThreadPoolExecutor(_WORKERS),
        options=[("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(package, stopped.set), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # The engine reads the port from the first line, and nothing else may come before it.
    print(port, flush=True)  # noqa: T201 - the protocol
    # Looking again now and then: a signal just before the wait begins sets the event only when Python runs again.
    while not stopped.wait(_LOOK_SECONDS):
        pass
    server.stop(_GRACE_SECONDS).wait()


if __name__ == "__main__":
    main(sys.argv[1])
