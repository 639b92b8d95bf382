"""`lifeboat journal`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import show, show_json

if TYPE_CHECKING:
    from lifeboat.recovery.journal import Entry

Run = Annotated[str | None, typer.Argument(metavar="[RUN]", help="The run; a list of runs if not told.")]


def journal(stack: Stack, run: Run = None, *, json: Json = False) -> None:
    """Print what a run did, entry by entry; or every run there was, oldest first.

    For example:

      lifeboat journal reskflow

      lifeboat journal reskflow failover-20270131T120000Z-1f3a --json
    """
    from lifeboat.cli import recovery
    from lifeboat.deployment.project import InputError
    from lifeboat.recovery.exposure import LEDGER

    store = recovery.reach(stack).journal()
    if run is None:
        runs = [each for each in store.runs() if each != LEDGER]
        if json:
            show_json(runs)
        elif runs:
            show("\n".join(runs))
        else:
            show("no run so far")
        return
    entries = store.read(run)
    if not entries:
        raise InputError(f"{run}: no such run: `lifeboat journal {stack}` lists them")
    if json:
        show_json([entry.document() for entry in entries])
        return
    for entry in entries:
        show(_line(entry))


def _line(entry: Entry) -> str:
    moment = datetime.fromtimestamp(entry.wall, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    detail = ", ".join(f"{name}={value}" for name, value in entry.detail.items())
    return f"{entry.seq:>4} {moment} {entry.event:<8} {entry.step or '-':<28} {detail}"
