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

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do what is shown without asking.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Make every check, and say which calls would be made. Nothing is changed.")
]
Resume = Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run whose runner is dead.")]
Abort = Annotated[
    str | None,
    typer.Option(
        "--abort",
        metavar="RUN",
        help="Take back what a run did, as far as it can be, and end it; not once its target holds the lease.",
    ),
]
ApprovedBy = Annotated[
    list[str] | None,
    typer.Option("--approved-by", metavar="NAME", help="Who approved; you, if nothing is told. Repeatable."),
]
JournalDirectory = Annotated[
    Path | None,
    typer.Option("--journal", metavar="DIR", help="Where the run's log is written; .lifeboat/journal if not told."),
]
