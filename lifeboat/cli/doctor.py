"""`lifeboat doctor`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lifeboat.cli.arguments import Json
from lifeboat.cli.output import show, show_json

if TYPE_CHECKING:
    from lifeboat.diagnosis import Check


def doctor(*, json: Json = False) -> None:
    """Say what is here, what each missing thing costs, and how to get it. Asks no network, prints no secret.

    Exits with 1 when something is missing that nothing works without, or is here and endangers real stacks.

    For example:

      lifeboat doctor

      lifeboat doctor --json | jq '.checks[] | select(.state != "ok")'
    """
    from lifeboat.diagnosis import State, diagnose
    from lifeboat.reporting.checks import checklist

    checks = (*diagnose(os.environ, Path.home()), _sandbox())
    if json:
        show_json({"checks": [asdict(check) for check in checks]})
    else:
        show(checklist(checks))
    if any(check.state in {State.MISSING, State.DANGER} for check in checks):
        raise typer.Exit(1)


def _sandbox() -> Check:
    from lifeboat.cli.faults import system_line
    from lifeboat.diagnosis import Check, State
    from lifeboat.sandbox.state import Directory, NoProjectError
    from lifeboat.sandbox.supervisor import status

    try:
        found = status(Directory.of_project())
    except NoProjectError as fault:
        return Check(name="sandbox", state=State.OPTIONAL, found=str(fault), costs="`lifeboat sandbox`")
    except OSError as fault:
        return Check(name="sandbox", state=State.OPTIONAL, found=system_line(fault), costs="`lifeboat sandbox`")
    if found.running:
        return Check(name="sandbox", state=State.OK, found=found.summary)
    return Check(name="sandbox", state=State.OPTIONAL, found=found.summary, get="lifeboat sandbox up STACK")
