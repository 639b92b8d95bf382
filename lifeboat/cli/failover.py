"""`lifeboat failover`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.arguments import Abort, ApprovedBy, DryRun, JournalDirectory, Json, Resume, Stack, Yes

if TYPE_CHECKING:
    from lifeboat.cli.recovery import Reached
    from lifeboat.model.plan.graph import Plan

Lost = Annotated[
    str | None, typer.Option("--lost", metavar="REGION", help="The site that is lost; the other one takes over.")
]
Graceful = Annotated[
    bool, typer.Option("--graceful", help="Both sites answer: stop writes, drain, switch over. Nothing is lost.")
]
AcceptLoss = Annotated[
    bool,
    typer.Option(
        "--accept-loss",
        help="Go on although more writes would be left behind than the objective allows; only where the stack's "
        "`divergence` declares that.",
    ),
]


def failover(  # noqa: PLR0913 - each is an option of the command
    stack: Stack,
    *,
    lost: Lost = None,
    graceful: Graceful = False,
    dry_run: DryRun = False,
    accept_loss: AcceptLoss = False,
    approved_by: ApprovedBy = None,
    resume: Resume = None,
    abort: Abort = None,
    journal: JournalDirectory = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make the other site active: because one is lost (--lost), or planned, while both answer (--graceful).

    Exits with 3 when a check refuses it, or when another run is under way; then nothing was changed. Killed anywhere,
    it can be gone on with (--resume) from any machine; what the run was begun with need not be told again.

    For example:

      lifeboat failover reskflow --lost us-east-1 --dry-run

      lifeboat failover reskflow --lost us-east-1 --approved-by ada --approved-by grace

      lifeboat failover prod --graceful --yes

      lifeboat failover prod --resume failover-20270131T120000Z-1f3a
    """
    from lifeboat.cli import recovery

    reached, which = recovery.reach(stack), recovery.Which(resume=resume, abort=abort, journal=journal)
    plan = _plan(reached, which.begun, lost, graceful=graceful)
    who = recovery.consent(approved_by, loss=accept_loss)
    if dry_run:
        recovery.rehearse(reached, plan, who, json=json)
        return
    if which.begun is None and not recovery.confirm(plan, yes=yes):
        raise typer.Exit(1)
    report = recovery.carry_out(reached, plan, who, which)
    recovery.end(report, json=json, command=f"lifeboat failover {stack}")


def _plan(reached: Reached, run: str | None, lost: str | None, *, graceful: bool) -> Plan:
    """The plan of a run that was begun, else of a new one."""
    from lifeboat.cli import recovery
    from lifeboat.deployment.project import InputError
    from lifeboat.model.plan.graph import Mode

    if (graceful and lost is not None) or (run is None and not graceful and lost is None):
        raise InputError("failover: accepted is either --lost REGION or --graceful")
    if run is not None:
        plan = reached.plan_of(run, "failover")
        way = f"--lost {' and '.join(sorted(plan.lost))}" if plan.mode is Mode.FAILOVER else "--graceful"
        if graceful and plan.mode is Mode.FAILOVER:
            raise InputError(f"--graceful: {run} was begun with {way}: accepted is that, or nothing")
        if lost is not None and lost not in plan.lost:
            raise InputError(f"--lost: {lost}: {run} was begun with {way}: accepted is that, or nothing")
        return plan
    if lost is not None:
        return reached.plan(Mode.FAILOVER, lost=frozenset({lost}))
    return reached.plan(Mode.SWITCHOVER, source=recovery.active(reached))
