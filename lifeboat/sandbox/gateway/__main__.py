"""`python -m lifeboat.sandbox.gateway --directory D --stack S --account N`: serve until told to stop."""

from __future__ import annotations

import argparse
import importlib.metadata
import logging
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

from lifeboat.sandbox.state import Directory, Gateway, Lock, Record, SandboxError, process_identity

MOTO_VERSION = "5.2.5"
_LOOK = 1.0
"""Seconds between two looks at whether it was told to stop."""


def main(argv: list[str] | None = None) -> int:
    """Serve a sandbox; the exit code is 0 after a stop, 1 when it could not start."""
    parser = argparse.ArgumentParser(
        prog="python -m lifeboat.sandbox.gateway", description="Serve AWS's APIs on loopback."
    )
    parser.add_argument("--directory", type=Path, required=True, help="the .sandbox directory to record it in")
    parser.add_argument("--stack", required=True, help="the stack that it is for")
    parser.add_argument("--account", required=True, help="the AWS account that it plays, 12 digits")
    parser.add_argument("--home", required=True, help="the stack's home region")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        serve(Directory(arguments.directory), stack=arguments.stack, account=arguments.account, home=arguments.home)
    except SandboxError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0


def require_moto(installed: str) -> None:
    """Patches go in by method name: another version may have renamed what they replace.

    Raises:
        SandboxError: when `installed` is not the pinned version.
    """
    if installed != MOTO_VERSION:
        raise SandboxError(
            f"moto {installed} is installed, the sandbox's patches are for {MOTO_VERSION}: run make down up"
        )


def serve(directory: Directory, *, stack: str, account: str, home: str) -> None:
    """Listen, record it, and answer until SIGTERM or SIGINT; then take the record away.

    Raises:
        SandboxError: when another gateway holds the directory or moto is not the pinned version.
    """
    if os.getsid(0) != os.getpid():
        # Ctrl-C at the terminal ends the command that started it, not the sandbox.
        os.setsid()
    require_moto(importlib.metadata.version("moto"))
    directory.create()
    lock = Lock(directory.lock_path)
    if not lock.acquire():
        raise SandboxError(f"{directory.path}: another gateway runs here")
    pid = os.getpid()
    identity = process_identity(pid) or ""
    lock.sign(Gateway(pid=pid, identity=identity, stack=stack))
    os.environ.update(moto_settings(account))
    # moto reads its settings when it is imported.
    from lifeboat.sandbox.gateway.assembly import assemble  # noqa: PLC0415  # see above

    token = secrets.token_urlsafe(32)
    server, warm = assemble(token=token, stack=stack)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    directory.write_record(
        Record(
            pid=pid,
            identity=identity,
            port=server.port,
            token=token,
            stack=stack,
            account=account,
            home=home,
            started=time.time(),
        )
    )
    warm()
    # Looking again now and then: a signal just before the wait begins sets the event only when Python runs again.
    while not stopped.wait(_LOOK):
        pass
    directory.record_path.unlink(missing_ok=True)
    server.server_close()


def moto_settings(account: str) -> dict[str, str]:
    """What moto reads from its environment, for one account of 12 digits."""
    return {
        "MOTO_ACCOUNT_ID": account,
        # Attaching a policy that AWS manages finds it.
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        # No web page may read the sandbox.
        "MOTO_DISABLE_GLOBAL_CORS": "true",
        # Unknown machine images are of no interest here, and loading hundreds costs seconds a region.
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }


if __name__ == "__main__":
    sys.exit(main())
