"""`python -m lifeboat.sandbox.gateway --directory D --stack S --account N --home R`: serve until told to stop.

With ``--live REGIONS`` there are real servers behind the APIs, see `lifeboat.sandbox.live.world`.
"""

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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lifeboat.interpreter import collect_seldom
from lifeboat.sandbox.live.world_config import Live
from lifeboat.sandbox.state import Directory, Gateway, Lock, Record, SandboxError, process_identity

if TYPE_CHECKING:
    from lifeboat.sandbox.gateway.assembly import Assembled
    from lifeboat.sandbox.live.bare_world import Apis
    from lifeboat.sandbox.live.world import World

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
    Live.describe(parser)
    arguments = parser.parse_args(argv)
    collect_seldom()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        serve(
            Directory(arguments.directory),
            stack=arguments.stack,
            account=arguments.account,
            home=arguments.home,
            live=Live.read(arguments),
        )
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


def serve(directory: Directory, *, stack: str, account: str, home: str, live: Live | None = None) -> None:
    """Listen, record it, and answer until SIGTERM or SIGINT; then take the record away.

    Args:
        directory: Where it is recorded.
        stack: Whom it is for.
        account: The AWS account that it plays, 12 digits.
        home: The stack's home region.
        live: How it lives; None: APIs alone.

    Raises:
        SandboxError: when another gateway holds the directory, moto is not the pinned version, or a server that a
            living sandbox needs does not start.
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
    # What it and its servers write is their owner's alone, whatever mask its caller has.
    os.umask(0o077)
    os.environ.update(moto_settings(account))
    # moto reads its settings when it is imported.
    from lifeboat.sandbox.gateway.assembly import assemble  # noqa: PLC0415  # see above

    token = secrets.token_urlsafe(32)
    worlds: list[World | Apis] = []

    def forgot() -> None:
        for world in worlds:
            world.forget()

    gateway = assemble(token=token, stack=stack, calls=directory.calls, forgot=forgot)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    threading.Thread(target=gateway.server.serve_forever, daemon=True).start()
    record = Record(
        pid=pid,
        identity=identity,
        port=gateway.server.port,
        token=token,
        stack=stack,
        account=account,
        home=home,
        started=time.time(),
        detection_scale=1.0 if live is None else live.detection_scale,
    )
    gateway.warm()
    try:
        world = _world(gateway, directory, live, record, stopped)
        worlds.append(world)
        world.start()
        gateway.application.answered = world.answered
        directory.write_record(replace(record, name_server=world.name_server))
        # Looking again now and then: a signal just before the wait begins sets the event only when Python runs again.
        while not stopped.wait(_LOOK):
            pass
    finally:
        directory.record_path.unlink(missing_ok=True)
        gateway.server.server_close()
        for world in worlds:
            world.stop()


def _world(
    gateway: Assembled, directory: Directory, live: Live | None, record: Record, stopped: threading.Event
) -> World | Apis:
    if live is None:
        from lifeboat.sandbox.live.bare_world import Apis  # noqa: PLC0415  # after moto's settings

        return Apis(directory.path, gateway.control)
    # As many imports again as moto's, which a sandbox of APIs alone does not need.
    from lifeboat.sandbox.live.world import World  # noqa: PLC0415  # see above

    return World(
        directory,
        live,
        gateway.control,
        account=record.account,
        gateway=record.endpoint,
        token=record.token,
        lost=stopped.set,
    )


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
