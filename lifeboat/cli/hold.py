"""`lifeboat hold` and `lifeboat release`."""

from __future__ import annotations

from typing import Annotated

import typer

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.lease import document
from lifeboat.cli.output import show, show_json

Reason = Annotated[str, typer.Option("--reason", help="Why; whoever is stopped by it reads this.")]


def hold(stack: Stack, *, reason: Reason, json: Json = False) -> None:
    """Stop wardens from deciding, until `lifeboat release`. A site still fences itself, and people may still decide.

    For example:

      lifeboat hold reskflow --reason "network maintenance until 04:00"
    """
    from lifeboat.cli import recovery
    from lifeboat.deployment.project import InputError
    from lifeboat.recovery.claim import user_name
    from lifeboat.recovery.lease_store import change

    if not reason.strip():
        raise InputError("--reason: empty: accepted is a reason in words")
    seen = change(recovery.reach(stack).lease(), lambda record: record.hold_by(user_name(), reason.strip()))
    if json:
        show_json(document(seen))
    else:
        show(f"held: no warden decides until `lifeboat release {stack}`")


def release(stack: Stack, *, json: Json = False) -> None:
    """Let wardens decide again.

    For example:

      lifeboat release reskflow
    """
    from lifeboat.cli import recovery
    from lifeboat.recovery.lease_store import change

    seen = change(recovery.reach(stack).lease(), lambda record: record.release())
    if json:
        show_json(document(seen))
    else:
        show("released: wardens decide as declared")
