"""`lifeboat readiness`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import show, show_json, tell

Lost = Annotated[
    str | None,
    typer.Option("--lost", metavar="REGION", help="As if this site were lost; both sites answer if not told."),
]
_WORDS = {True: "ok", False: "NO", None: "unknown"}


def readiness(stack: Stack, *, lost: Lost = None, json: Json = False) -> None:
    """Say whether the site that would take over could: copies and their lag, backups, keys, secrets, quotas.

    Exits with 3, and the reasons, when it could not. Nothing is changed.

    For example:

      lifeboat readiness reskflow

      lifeboat readiness reskflow --lost us-east-1 --json
    """
    from rich.table import Table

    from lifeboat.cli import recovery
    from lifeboat.cli.faults import REFUSED
    from lifeboat.model.plan.graph import Mode

    reached = recovery.reach(stack)
    if lost is not None:
        plan = reached.plan(Mode.FAILOVER, lost=frozenset({lost}))
    else:
        plan = reached.plan(Mode.SWITCHOVER, source=recovery.active(reached))
    made, reasons = reached.runner(plan).readiness(plan.target, recovery.consent(None))
    if json:
        show_json(
            {"stack": stack, "site": plan.target, "ready": not reasons, "checks": [asdict(each) for each in made]}
        )
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "check", "found"):
            table.add_column(heading)
        for check in made:
            table.add_row(_WORDS[check.passed], check.name, check.said)
        show(table)
    if reasons:
        for reason in reasons:
            tell(f"lifeboat: {plan.target} is not ready: {reason}")
        raise typer.Exit(REFUSED)
