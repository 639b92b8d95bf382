"""`lifeboat rejoin`."""

from __future__ import annotations

import typer

from lifeboat.cli.arguments import Abort, ApprovedBy, DryRun, JournalDirectory, Json, Resume, Stack, Yes


def rejoin(  # noqa: PLR0913 - each is an option of the command
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
    """Make the site that was lost the standby again.

    What it had acknowledged and the active site never got is reported; every store gets its second copy; the fence is
    lifted. Exits with 3 when a check refuses it; then nothing was changed.

    For example:

      lifeboat rejoin reskflow --dry-run

      lifeboat rejoin reskflow --yes
    """
    from lifeboat.cli import recovery
    from lifeboat.model.plan.graph import Mode
    from lifeboat.recovery.errors import RecoveryRefused

    reached, which = recovery.reach(stack), recovery.Which(resume=resume, abort=abort, journal=journal)
    record = reached.lease().read().record
    sites = [site.region for site in reached.physical.topology.sites]
    back = [site for site in sites if site in record.fenced and site != record.holder]
    if not back and which.begun:
        # The fence is lifted already; what comes after it was cut off.
        back = [site for site in sites if site != record.holder]
    if not back:
        raise RecoveryRefused(f"no site is fenced in epoch {record.epoch}: there is nothing to rejoin")
    plan = reached.plan(Mode.REJOIN, source=back[0])
    who = recovery.consent(approved_by)
    if dry_run:
        recovery.rehearse(reached, plan, who, json=json)
        return
    if which.begun is None and not recovery.confirm(plan, yes=yes):
        raise typer.Exit(1)
    report = recovery.carry_out(reached, plan, who, which)
    recovery.end(report, json=json, command=f"lifeboat rejoin {stack}")
