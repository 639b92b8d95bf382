"""`lifeboat check`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.arguments import Json, OptionalStack
from lifeboat.cli.output import as_json, plain, progress, show

if TYPE_CHECKING:
    from lifeboat.checks.report import Report


class Format(StrEnum):
    """How a check is written."""

    HUMAN = "human"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


State = Annotated[
    Path | None,
    typer.Option("--file", metavar="STATE", help="Judge this `pulumi stack export` instead of deploying anything."),
]
Profile = Annotated[str | None, typer.Option("--profile", help="Which rules, and which of them are mandatory.")]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings as JSON, the same as Pulumi's --policy-pack-config."),
]
Suppressions = Annotated[
    Path | None,
    typer.Option("--suppressions", metavar="FILE", help="Instead of policy-suppressions.yaml beside Pulumi.yaml."),
]
Strict = Annotated[bool, typer.Option("--strict", help="What cannot be decided is a violation.")]
Form = Annotated[Format | None, typer.Option("--format", help="How the report is written; for people if not told.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write it there; the page for people, or --json, is printed too."),
]


def check(  # noqa: PLR0913 - each is an option of the command
    stack: OptionalStack = None,
    *,
    file: State = None,
    profile: Profile = None,
    config: Config = None,
    suppressions: Suppressions = None,
    strict: Strict = False,
    form: Form = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Judge STACK by the policy pack. It is deployed into a throw-away local cloud: no Pulumi CLI, nothing real.

    Exits with 1 on a violation of a mandatory rule, an expired or unneeded suppression, or a broken rule. What only
    advises, and what is undecided, is shown and does not fail.

    For example:

      lifeboat check reskflow

      lifeboat check prod --profile pci-dss --format sarif --output lifeboat.sarif

      pulumi stack export | lifeboat check --file /dev/stdin --json
    """
    from lifeboat.checks.run import judge_state, prepare, read_text
    from lifeboat.deployment.project import InputError

    printed = _printed(form, output, json=json)
    # Faults of what was asked come before anything is deployed.
    if file is not None:
        asked = prepare(_directory(), config=config, suppressions=suppressions, profile=profile, strict=strict)
        report = judge_state(asked, read_text("--file", file), name=str(file), stack=stack)
    elif stack is None:
        raise InputError("STACK: absent, and there is no --file either")
    else:
        from lifeboat.checks.deployment import deployed_state
        from lifeboat.cli.design import load_design

        root = load_design(stack).project.root
        asked = prepare(root, config=config, suppressions=suppressions, profile=profile, strict=strict)
        with progress() as line:
            state = deployed_state(root, stack, line)
        report = judge_state(asked, state, name="the deployment", stack=stack)
    if output is not None:
        try:
            output.write_text(_text(report, form or Format.HUMAN), encoding="utf-8")
        except OSError as fault:
            raise InputError(f"--output: {output}: {fault.strerror}") from None
    _print(report, printed)
    if report.failed:
        raise typer.Exit(1)


def _printed(form: Format | None, output: Path | None, *, json: bool) -> Format:
    """What goes to stdout: with a file for the report, the page or --json; otherwise the report itself."""
    from lifeboat.deployment.project import InputError

    if output is not None:
        if not output.parent.is_dir():
            raise InputError(f"--output: {output}: there is no directory {output.parent}")
        try:
            _try_to_write(output)
        except OSError as fault:
            raise InputError(f"--output: {output}: {fault.strerror}") from None
        return Format.JSON if json else Format.HUMAN
    if json and form not in {None, Format.JSON}:
        raise InputError(f"--format: {form}: --json takes stdout; tell an --output for the other")
    return Format.JSON if json else form or Format.HUMAN


def _try_to_write(output: Path) -> None:
    """Open a file as it will be later, without leaving anything."""
    exists = output.exists()
    if exists and not (output.is_file() or output.is_dir()):
        # A pipe ends for its reader once it was closed.
        return
    with output.open("a"):
        pass
    if not exists:
        output.unlink()


def _directory() -> Path:
    """The project's directory, or the current one: a state can be judged anywhere."""
    from lifeboat.deployment.project import InputError, Project

    try:
        return Project.find(Path.cwd()).root
    except InputError:
        return Path.cwd()


def _text(report: Report, form: Format) -> str:
    if form is Format.HUMAN:
        from lifeboat.checks.page import page

        return plain(page(report))
    if form is Format.JUNIT:
        from lifeboat.checks.junit import junit

        return junit(report)
    if form is Format.SARIF:
        from lifeboat.checks.sarif import sarif

        return as_json(sarif(report))
    from lifeboat.checks.document import document

    return as_json(document(report))


def _print(report: Report, form: Format) -> None:
    if form is Format.HUMAN:
        from lifeboat.checks.page import page

        show(page(report))
    else:
        sys.stdout.write(_text(report, form))
