"""`lifeboat failback`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lifeboat.cli.arguments import Abort, ApprovedBy, DryRun, JournalDirectory, Json, Resume, Stack, Yes
from lifeboat.cli.output import tell

if TYPE_CHECKING:
    from lifeboat.cli.recovery import Reached
    from lifeboat.recovery.run_state import Consent


def failback(  # noqa: PLR0913 - each is an option of the command
    stack: Stack,
    *,
    dry_run: DryRun = False,
    approved_by: ApprovedBy = None,
    resume: Resume = None,
    abort: Abort = None,
    journal: JournalDirectory = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make the home site active again: resynchronise, compare, stop writes, drain, switch over, verify.

    Then it watches the services; when too many requests fail, it goes back by itself to where it came from, and exits
    with 1, also when the way there is refused or fails: stderr says why. Exits with 3 when a check refuses the move
    home; then nothing was changed.

    For example:

      lifeboat failback reskflow --dry-run

      lifeboat failback reskflow --yes
    """
    from lifeboat.cli import recovery
    from lifeboat.model.plan.graph import Mode

    reached, which = recovery.reach(stack), recovery.Which(resume=resume, abort=abort, journal=journal)
    plan = reached.plan(Mode.FAILBACK) if which.begun is None else reached.plan_of(which.begun, "failback")
    who = recovery.consent(approved_by)
    if dry_run:
        recovery.rehearse(reached, plan, who, json=json)
        return
    if which.begun is None and not recovery.confirm(plan, yes=yes):
        raise typer.Exit(1)
    report = recovery.carry_out(reached, plan, who, which)
    if report.go_back:
        tell(f"going back to {plan.source}: {'; '.join(report.faults)}")
        _go_back(reached, plan.target, who, journal)
    recovery.end(report, json=json, command=f"lifeboat failback {stack}")


def _go_back(reached: Reached, home: str, who: Consent, journal: Path | None) -> None:
    """Move away from home again. Tells how that ended, and raises for no fault that a user can act on.

    Home is active by now, whatever becomes of this: the report of the run that moved there is what the command ends
    with.
    """
    from lifeboat.cli import recovery
    from lifeboat.cli.faults import judge
    from lifeboat.model.plan.graph import Mode

    command = f"lifeboat failover {reached.stack}"
    try:
        plan = reached.plan(Mode.SWITCHOVER, source=home)
        back = recovery.carry_out(reached, plan, who, recovery.Which(journal=journal))
    except Exception as fault:
        judged = judge(fault)
        if judged is None:
            raise
        for line in judged[1]:
            tell(f"lifeboat: not gone back: {line}")
        tell(
            f"lifeboat: {home} may still be active: see `lifeboat status {reached.stack}`, then `{command} --graceful`"
        )
        return
    tell(f"{back.run}: {back.result}")
    for line in (*back.faults, *back.warnings):
        tell(f"  {line}")
    if back.result != "done":
        tell(f"  go on with: {command} --resume {back.run}")
