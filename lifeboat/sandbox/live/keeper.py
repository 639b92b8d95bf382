"""`python -m lifeboat.sandbox.live.keeper LOCK`: starts and ends the sandbox's servers, and outlives none of them.

A process of its own with one thread, so that it can fork safely; the gateway speaks to it in JSON lines on its standard
input and output (see `processes`). Invariants:
1. When the gateway is gone, by whatever end, its input ends: then every server is ended, and the keeper goes too.
2. When the keeper itself is killed, the kernel ends every server.
3. It holds its lock until the last server is gone: whoever gets the lock finds no server of an earlier life.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from typing import Any, Final, cast

_PR_SET_PDEATHSIG: Final = 1
_LAST_WORDS: Final = 3.0
"""Seconds that servers have to end when the gateway is gone."""
_CHUNK: Final = 65536
_UMASK: Final = 0o077
"""What a server writes is its own account's, whatever mask the gateway was started with."""
_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Polite ends are the gateway's business. Servers, which would inherit the deafness, get them back."""


class Keeper:
    """The servers by name.

    Args:
        commands: File descriptor that requests are read from.
        events: File descriptor that answers and ends are written to.
    """

    def __init__(self, commands: int, events: int) -> None:
        self._commands = commands
        self._events = events
        self._servers: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self._selector = selectors.DefaultSelector()
        # Loaded before any fork: a child may only make calls that need no lock.
        self._libc = ctypes.CDLL(None, use_errno=True)

    def serve(self) -> None:
        """Take requests until the gateway is gone, then end everything."""
        self._selector.register(self._commands, selectors.EVENT_READ)
        pending = b""
        while True:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._bury(cast("str", key.data), key.fd)
                    continue
                received = os.read(self._commands, _CHUNK)
                if not received:
                    self._end_all()
                    return
                *lines, pending = (pending + received).split(b"\n")
                for line in lines:
                    self._answer(json.loads(line))

    def _answer(self, request: dict[str, Any]) -> None:
        try:
            result = self._start(request["start"]) if "start" in request else self._signal(**request["signal"])
        except OSError as fault:
            result = {"error": f"{fault.filename or request.get('start', {}).get('argv', ['?'])[0]}: {fault.strerror}"}
        self._tell({"id": request["id"], **result})

    def _start(self, spec: dict[str, Any]) -> dict[str, Any]:
        if spec["name"] in self._servers:
            return {"error": f"{spec['name']}: runs already"}
        account, parent, libc = spec["account"], os.getpid(), self._libc
        last_signal = int(spec["last_signal"])
        limits = [(getattr(resource, name), int(limit)) for name, limit in spec["limits"].items()]

        def prepare() -> None:
            os.setsid()
            os.umask(_UMASK)
            for number in _IGNORED:
                signal.signal(number, signal.SIG_DFL)
            for number, limit in limits:
                # The hard limit stays, so that the soft one can be raised again while it runs.
                resource.setrlimit(number, (limit, resource.getrlimit(number)[1]))
            if limits:
                # A write beyond a limit is an error, as on a full disk, from the first one on.
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            if account is not None:
                os.setgroups([])
                os.setgid(account[1])
                os.setuid(account[0])
            # After the change of user, which would undo it.
            libc.prctl(_PR_SET_PDEATHSIG, last_signal)
            if os.getppid() != parent:
                os._exit(1)

        log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 - the gateway's own servers
                spec["argv"],
                cwd=spec["cwd"],
                env=spec["env"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=True,
                preexec_fn=prepare,  # noqa: PLW1509 - one thread
            )
        finally:
            os.close(log)
        self._servers[spec["name"]] = (process, last_signal)
        self._selector.register(os.pidfd_open(process.pid), selectors.EVENT_READ, spec["name"])
        return {"started": spec["name"], "pid": process.pid}

    def _signal(self, name: str, number: int) -> dict[str, Any]:
        if name not in self._servers:
            return {"error": f"no server {name}"}
        self._servers[name][0].send_signal(number)
        return {"pid": self._servers[name][0].pid}

    def _bury(self, name: str, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)
        process, _ = self._servers.pop(name)
        self._tell({"ended": name, "pid": process.pid, "code": process.wait()})

    def _end_all(self) -> None:
        for process, last_signal in self._servers.values():
            process.send_signal(last_signal)
            # One that is stopped would not notice.
            process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + _LAST_WORDS
        for process, _ in self._servers.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _tell(self, event: dict[str, Any]) -> None:
        try:
            os.write(self._events, json.dumps(event).encode() + b"\n")
        except BrokenPipeError:
            # The gateway went while this was written; its input ends next.
            return


def main(argv: list[str]) -> int:
    """Keep servers; the argument is the lock's file."""
    os.setsid()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    # Held until the process ends: whoever gets the lock next finds no server.
    fcntl.flock(os.open(argv[0], os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), fcntl.LOCK_EX)
    Keeper(0, 1).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
