"""`lifeboat contract`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from lifeboat.cli.arguments import Json, OptionalStack
from lifeboat.cli.output import show, show_json, tell


class Origin(StrEnum):
    """Which deployment of the stack is meant."""

    SANDBOX = "sandbox"
    PULUMI = "pulumi"


From = Annotated[
    Origin | None,
    typer.Option(
        "--from",
        help="The sandbox's in-process deployment, or the Pulumi CLI's; the sandbox's if it runs and none is told.",
    ),
]
Schema = Annotated[bool, typer.Option("--schema", help="Print the contract's JSON Schema instead.")]


def contract(stack: OptionalStack = None, *, origin: From = None, schema: Schema = False, json: Json = False) -> None:
    """Show what STACK promises app teams: endpoints, buckets, keys and secrets' ARNs per site, objectives, names.

    For example:

      lifeboat contract reskflow

      lifeboat contract prod --from pulumi --json > contract.json

      lifeboat contract --schema
    """
    if schema:
        from lifeboat_contract.schema import published, render

        sys.stdout.write(render(published()))
        return
    from pathlib import Path

    from lifeboat.deployment.project import InputError, Project
    from lifeboat.deployment.promises import deployed, recorded
    from lifeboat.reporting.contract import promises
    from lifeboat.sandbox.state import Directory

    project = Project.find(Path.cwd())
    if stack is None:
        raise InputError(f"STACK: absent: accepted is one of {', '.join(project.stacks()) or 'none'}")
    project.text(stack)
    directory = Directory.of_project()
    if origin is None:
        running = directory.running()
        origin = Origin.SANDBOX if running and running.stack == stack else Origin.PULUMI
    tell(f"from the {'sandbox' if origin is Origin.SANDBOX else 'Pulumi CLI'}")
    sandboxed = origin is Origin.SANDBOX
    found = recorded(directory.deployment(stack), stack) if sandboxed else deployed(project.root, stack)
    if json:
        show_json(found.document())
    else:
        show(promises(found))
