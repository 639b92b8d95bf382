"""Arguments that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def complete_stack(incomplete: str) -> list[str]:
    """Stacks of the project around the current directory that begin so; none outside of a project."""
    from lifeboat.deployment.project import InputError, Project

    try:
        return [stack for stack in Project.find(Path.cwd()).stacks() if stack.startswith(incomplete)]
    except InputError:
        return []


_STACK = typer.Argument(
    help="The stack: STACK names a Pulumi.STACK.yaml.", autocompletion=complete_stack, metavar="STACK"
)

Stack = Annotated[str, _STACK]
"""The stack a command is about; completed from the files there are."""

OptionalStack = Annotated[str | None, _STACK]
"""The same where a command can do without."""

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout, and nothing else there.")]
"""Whether the result is for a program."""
