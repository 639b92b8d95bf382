"""`lifeboat failback`."""

from __future__ import annotations

import typer

from lifeboat.cli.arguments import Abort, ApprovedBy, DryRun, JournalDirectory, Json, Resume, Stack, Yes
from lifeboat.cli.output import tell


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
    with 1. Exits with 3 when a check refuses it; then nothing was changed.

    For example:

      lifeboat failback reskflow --dry-run

      lifeboat failback reskflow --yes
    """
    from lifeboat.cli import recovery
    from lifeboat.model.plan.graph import Mode

    reached, which = recovery.reach(stack), recovery.Which(resume=resume, abort=abort, journal=journal)
    home = reached.physical.topology.home.region
    plan = reached.plan(Mode.FAILBACK)
    who = recovery.consent(approved_by)
    if dry_run:
        recovery.rehearse(reached, plan, who, json=json)
        return
    if which.begun is None and not recovery.confirm(plan, yes=yes):
        raise typer.Exit(1)
    report = recovery.carry_out(reached, plan, who, which)
    if report.go_back:
        tell(f"going back to {plan.source}: {'; '.join(report.faults)}")
        again = reached.plan(Mode.SWITCHOVER, source=home)
        back = recovery.carry_out(reached, again, who, recovery.Which(journal=journal))
        tell(f"{back.run}: {back.result}")
    recovery.end(report, json=json, command=f"lifeboat failback {stack}")
