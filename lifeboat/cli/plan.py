"""`lifeboat plan`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import as_json, plain, show
from lifeboat.model.plan.graph import Mode

if TYPE_CHECKING:
    from lifeboat.reporting.plan import PlanReport


class Format(StrEnum):
    """How a plan is written."""

    TABLE = "table"
    MERMAID = "mermaid"
    JSON = "json"
    RUNBOOK = "runbook"


Lost = Annotated[
    list[str] | None,
    typer.Option(
        "--lost", metavar="REGION", help="A region that does not answer; home if nothing is told. Repeatable."
    ),
]
Graceful = Annotated[
    bool, typer.Option("--graceful", help="A planned move while both sites answer: --mode switchover.")
]
ModeOption = Annotated[Mode | None, typer.Option("--mode", help="What the plan is for; failover if nothing is told.")]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="REGION", help="The site that is active afterwards; the other if not told."),
]
Form = Annotated[Format | None, typer.Option("--format", help="How the plan is written; a table if not told.")]
Output = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write it there instead of on stdout.")]

_OPTIONS = {"lost": "--lost", "source": "--lost", "target": "--to"}


def plan(  # noqa: PLR0913 - each is an option of the command
    stack: Stack,
    *,
    lost: Lost = None,
    graceful: Graceful = False,
    mode: ModeOption = None,
    to: To = None,
    form: Form = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Say what would happen, in which order, and how long it would take. Nothing is asked of any cloud.

    Exits with 3 when the plan would need an answer from what is lost.

    For example:

      lifeboat plan reskflow --lost us-east-1

      lifeboat plan reskflow --graceful --format mermaid

      lifeboat plan prod --lost eu-west-1 --format runbook --output docs/runbook.md
    """
    from lifeboat.cli.design import load_design, project_records
    from lifeboat.deployment.project import InputError
    from lifeboat.model.plan.derivation import derive
    from lifeboat.model.plan.refusals import Unplannable
    from lifeboat.model.projection import project
    from lifeboat.reporting.plan import PlanReport

    chosen = _mode(mode, lost, graceful=graceful)
    written = _format(form, json=json)
    design = load_design(stack)
    gone = tuple(lost or ())
    if chosen is Mode.FAILOVER and not gone:
        home, standby = design.topology.home.region, design.topology.standby.region
        gone = (standby if to == home else home,)
    # Of a rejoin, `--to` is the site that stays active.
    try:
        derived = derive(design.settings, design.topology, mode=chosen, lost=gone, target=to)
    except Unplannable as fault:
        raise InputError(f"{_OPTIONS[fault.field]}: {fault.value}: accepted is {fault.accepted}") from None
    report = PlanReport(
        settings=design.settings,
        topology=design.topology,
        plan=derived,
        projection=project(derived, records=project_records(design.project)),
    )
    if output is None:
        _print(report, written)
        return
    try:
        output.write_text(_text(report, written), encoding="utf-8")
    except OSError as fault:
        raise InputError(f"--output: {output}: {fault.strerror}") from None


def _mode(mode: Mode | None, lost: list[str] | None, *, graceful: bool) -> Mode:
    from lifeboat.deployment.project import InputError

    if graceful and mode not in {None, Mode.SWITCHOVER, Mode.FAILBACK}:
        raise InputError(f"--graceful: with --mode {mode}: accepted is --mode switchover or failback")
    if graceful and lost:
        raise InputError(f"--graceful: with --lost {lost[0]}: both sites answer in a planned move, or it is a failover")
    return mode or (Mode.SWITCHOVER if graceful else Mode.FAILOVER)


def _format(form: Format | None, *, json: bool) -> Format:
    from lifeboat.deployment.project import InputError

    if json and form not in {None, Format.JSON}:
        raise InputError(f"--format: {form}: with --json accepted is json")
    return Format.JSON if json else form or Format.TABLE


def _text(report: PlanReport, form: Format) -> str:
    from lifeboat.reporting.plan import document, page
    from lifeboat.reporting.plan_drawing import drawing
    from lifeboat.reporting.plan_runbook import runbook

    match form:
        case Format.TABLE:
            return plain(page(report))
        case Format.MERMAID:
            return drawing(report)
        case Format.JSON:
            return as_json(document(report))
        case Format.RUNBOOK:
            return runbook(report)


def _print(report: PlanReport, form: Format) -> None:
    if form is Format.TABLE:
        from lifeboat.reporting.plan import page

        show(page(report))
    else:
        sys.stdout.write(_text(report, form))
