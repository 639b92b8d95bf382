"""`lifeboat rejoin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from lifeboat.cli.arguments import Abort, ApprovedBy, DryRun, JournalDirectory, Json, Resume, Stack, Yes

if TYPE_CHECKING:
    from lifeboat.cli.recovery import Reached
    from lifeboat.model.plan.graph import Plan


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
    lifted. A site that fenced itself and that nobody replaced writes again where it is, in a new epoch. Exits with 3
    when a check refuses it; then nothing was changed. Killed anywhere, it can be gone on with (--resume).

    For example:

      lifeboat rejoin reskflow --dry-run

      lifeboat rejoin reskflow --yes
    """
    from lifeboat.cli import recovery

    reached, which = recovery.reach(stack), recovery.Which(resume=resume, abort=abort, journal=journal)
    plan = _plan(reached, which.begun)
    who = recovery.consent(approved_by)
    if dry_run:
        recovery.rehearse(reached, plan, who, json=json)
        return
    if which.begun is None and not recovery.confirm(plan, yes=yes):
        raise typer.Exit(1)
    report = recovery.carry_out(reached, plan, who, which)
    recovery.end(report, json=json, command=f"lifeboat rejoin {stack}")


def _plan(reached: Reached, run: str | None) -> Plan:
    """The plan of a run that was begun, else the way back of a site that is fenced: of the holder first, it is active.

    Raises:
        RecoveryRefused: when no site is fenced.
    """
    from lifeboat.model.plan.graph import Mode
    from lifeboat.recovery import holder_rejoin
    from lifeboat.recovery.errors import RecoveryRefused

    if run is not None:
        # Not by the fence: a run that was cut off may have lifted it already.
        return reached.plan_of(run, "rejoin")
    record = reached.lease().read().record
    holder = holder_rejoin.returning(record)
    if holder is not None:
        return holder_rejoin.plan(reached.physical, holder)
    back = [site.region for site in reached.physical.topology.sites if site.region in record.fenced]
    if not back:
        raise RecoveryRefused(f"no site is fenced in epoch {record.epoch}: there is nothing to rejoin")
    return reached.plan(Mode.REJOIN, source=back[0])
