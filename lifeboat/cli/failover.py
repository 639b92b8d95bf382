"""`lifeboat failover`."""

from __future__ import annotations

from typing import Annotated

import typer

from lifeboat.cli.arguments import Abort, ApprovedBy, DryRun, JournalDirectory, Json, Resume, Stack, Yes

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
    it can be gone on with (--resume) from any machine.

    For example:

      lifeboat failover reskflow --lost us-east-1 --dry-run

      lifeboat failover reskflow --lost us-east-1 --approved-by ada --approved-by grace

      lifeboat failover prod --graceful --yes
    """
    from lifeboat.cli import recovery
    from lifeboat.deployment.project import InputError
    from lifeboat.model.plan.graph import Mode

    if graceful == (lost is not None):
        raise InputError("failover: accepted is either --lost REGION or --graceful")
    reached, which = recovery.reach(stack), recovery.Which(resume=resume, abort=abort, journal=journal)
    away = frozenset({lost}) if lost is not None else frozenset[str]()
    if lost is not None:
        plan = reached.plan(Mode.FAILOVER, lost=away)
    else:
        source = recovery.active(reached, which.begun)
        plan = reached.plan(Mode.SWITCHOVER, source=source)
    who = recovery.consent(approved_by, loss=accept_loss)
    if dry_run:
        recovery.rehearse(reached, plan, who, json=json)
        return
    if which.begun is None and not recovery.confirm(plan, yes=yes):
        raise typer.Exit(1)
    report = recovery.carry_out(reached, plan, who, which)
    how = f"--lost {lost}" if lost is not None else "--graceful"
    recovery.end(report, json=json, command=f"lifeboat failover {stack} {how}")
