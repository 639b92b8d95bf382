"""The `lifeboat` command.

Exit codes: 0 done, 1 failed, 2 bad input (nothing done), 3 refused by a safety check (nothing changed).
"""

from __future__ import annotations

import contextlib
import os
import sys

import typer

from lifeboat.cli import (
    backups,
    check,
    contract,
    doctor,
    drill,
    explain,
    failback,
    failover,
    hold,
    journal,
    lease,
    plan,
    readiness,
    rejoin,
    sandbox,
    status,
    up,
)
from lifeboat.cli.output import tell
from lifeboat.interpreter import collect_seldom

app = typer.Typer(
    name="lifeboat",
    help="Multi-region disaster recovery as code: declared, built, judged, rehearsed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: lifeboat sandbox up reskflow",
)
app.command("explain")(explain.explain)
app.command("plan")(plan.plan)
app.add_typer(sandbox.app, name="sandbox")
app.command("contract")(contract.contract)
app.command("check")(check.check)
app.command("up")(up.up)
app.add_typer(backups.app, name="backups")
app.command("readiness")(readiness.readiness)
app.command("failover")(failover.failover)
app.command("rejoin")(rejoin.rejoin)
app.command("failback")(failback.failback)
app.command("status")(status.status)
app.command("journal")(journal.journal)
app.command("lease")(lease.lease)
app.command("hold")(hold.hold)
app.command("release")(hold.release)
app.command("drill")(drill.drill)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command; a fault of the user's is lines on stderr and an exit code, never a traceback."""
    collect_seldom()
    _open_closed_streams()
    try:
        try:
            app()
        finally:
            # Here, not at the interpreter's end, which tells of a closed pipe or a full disk in a way of its own.
            sys.stdout.flush()
    except Exception as fault:
        from lifeboat.cli.faults import judge

        judged = judge(fault)
        if judged is None:
            raise
        code, lines = judged
        with contextlib.suppress(OSError):
            for line in lines:
                tell(f"lifeboat: {line}")
        _drop_unwritten()
        sys.exit(code)


def _open_closed_streams() -> None:
    """Give a stream that the caller closed (`>&-`) a place to go; the next file opened would take its number."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            _to_nowhere(number)
            setattr(sys, name, os.fdopen(number, "w"))


def _drop_unwritten() -> None:
    """What a stream could not take would be tried again at the interpreter's end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _to_nowhere(stream.fileno())


def _to_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
