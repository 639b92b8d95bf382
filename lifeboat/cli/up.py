"""`lifeboat up`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import show, show_json, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifeboat.deployment.changes import Preview

Without = Annotated[
    str | None, typer.Option("--without", metavar="REGION", help="A site that is lost: update the other one only.")
]
Active = Annotated[
    str | None,
    typer.Option("--active", metavar="REGION", help="The site that is active now; the home site if not told."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Carry out what is previewed without asking.")]


def up(stack: Stack, *, without: Without = None, active: Active = None, yes: Yes = False, json: Json = False) -> None:
    """Deploy STACK with the Pulumi CLI: the standby first, verified, then the rest; or without a site that is lost.

    While the stack is failed over, only --without is accepted (exit 3): that is asked of its lease, where it answers.
    With --without, the state of before is kept in a file, only the surviving site is a target, and the command refuses
    (exit 3) when the survivor needs something new in the lost one.

    For example:

      lifeboat up prod

      lifeboat up prod --without eu-west-1 --yes

      lifeboat sandbox exec -- lifeboat up reskflow --yes
    """
    from lifeboat.cli.design import load_design
    from lifeboat.cli.recovery import frozen
    from lifeboat.deployment.engine import Engine
    from lifeboat.deployment.project import InputError
    from lifeboat.deployment.update import Updater, export_file, ordered

    design = load_design(stack)
    if not yes and not sys.stdin.isatty():
        raise InputError("--yes: absent, and there is no terminal to ask on")
    updater = Updater(
        engine=Engine.here(design.project.root, stack),
        sites=ordered((design.topology.home.region, design.topology.standby.region), active),
        tell=tell,
        confirm=_confirm(yes=yes),
        frozen=lambda: frozen(stack),
    )
    if without is None:
        outcome = updater.everything()
    else:
        outcome = updater.without(without, export_file(design.project.root, stack))
    if json:
        show_json({"stack": stack, **asdict(outcome)})
    else:
        for stage in outcome.stages:
            show(f"{stage.scope}: {counted(stage.changes)}")
        if not outcome.stages:
            show("nothing was changed")


def _confirm(*, yes: bool) -> Callable[[str, Preview], bool]:
    def confirm(scope: str, preview: Preview) -> bool:
        for change in preview.changes:
            tell(f"  {change.operation:<10} {change.name}")
        return yes or typer.confirm(f"{scope}: {counted(preview.counts())}. Carry it out?", err=True)

    return confirm


def counted(changes: Mapping[str, int]) -> str:
    """Counts in a line: ``3 create, 1 update``."""
    return ", ".join(f"{count} {operation}" for operation, count in sorted(changes.items()))
