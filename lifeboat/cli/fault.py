"""`lifeboat sandbox fault ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifeboat.cli.arguments import Json
from lifeboat.cli.output import progress, show, show_json

if TYPE_CHECKING:
    from lifeboat.sandbox.state import Record

app = typer.Typer(help="Break the running sandbox on purpose, and heal it.", no_args_is_help=True)

_DEADLINE = 120.0
"""Seconds; a fault may restart servers."""


def complete_kind(incomplete: str) -> list[tuple[str, str]]:
    """Kinds of faults that begin so, each with what it is."""
    from lifeboat.sandbox.live.fault_documents import catalogue

    return [(row["kind"], row["what"]) for row in catalogue() if row["kind"].startswith(incomplete)]


def complete_active(incomplete: str) -> list[tuple[str, str]]:
    """IDs of the faults of the running sandbox that begin so; none when none runs."""
    from lifeboat.sandbox.state import SandboxError

    try:
        rows = _ask("GET", "faults")["active"]
    except (OSError, SandboxError):
        return []
    return [(row["id"], row["kind"]) for row in rows if row["id"].startswith(incomplete)]


@app.command("list")
def list_(*, json: Json = False) -> None:
    """Show the faults that stand or are scheduled; when there are none, the kinds there are and their parameters.

    For example:

      lifeboat sandbox fault list

      lifeboat sandbox fault list --json | jq '.kinds[].kind'
    """
    document = _ask("GET", "faults")
    if json:
        show_json(document)
        return

    from lifeboat.reporting.faults import active, kinds

    show(active(document["active"]) if document["active"] else kinds(document["kinds"]))


@app.command("inject")
def inject(  # noqa: PLR0913 - options of a command
    kind: Annotated[
        str | None, typer.Argument(help="What breaks; `fault list` shows all kinds.", autocompletion=complete_kind)
    ] = None,
    *,
    region: Annotated[str | None, typer.Option(help="Where, such as us-east-1.")] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the kind; may be repeated.")
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Heal after so long; until cleared when left out.")
    ] = None,
    after: Annotated[str | None, typer.Option(metavar="DURATION", help="Begin after so long.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="YAML or JSON with a fault, or a list of them, instead.", exists=True, dir_okay=False),
    ] = None,
    json: Json = False,
) -> None:
    """Inject a fault, or several that a file composes. Exits with 1 when that fails; then all is healed.

    For example:

      lifeboat sandbox fault inject region-blackout --region us-east-1

      lifeboat sandbox fault inject replication-lag --region us-west-2 --param seconds=30 --for 5m

      lifeboat sandbox fault inject --file drill.yaml
    """
    from lifeboat.deployment.project import InputError
    from lifeboat.sandbox.live.fault_documents import parse

    given = (kind, region, param, for_, after)
    if file is None:
        document = _document(kind, region, param or [], for_, after)
    elif any(given):
        raise InputError("--file says everything: leave KIND and the other options out")
    else:
        document = _read(file)
    # Faults of the input come before anything is asked of the sandbox.
    what = ", ".join(fault.kind for fault in parse(document))
    with progress() as line:
        line(f"injecting {what}")
        identifier = _ask("POST", "faults", document)["id"]
    rows = [row for row in _ask("GET", "faults")["active"] if row["id"] == identifier]
    if json:
        show_json({"id": identifier, "faults": rows})
        return

    from lifeboat.reporting.faults import active

    show(active(rows))


@app.command("clear")
def clear(
    identifier: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="Which, as `fault list` shows it; all when left out.", autocompletion=complete_active
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Heal a fault, or all of them, also when there is none. Exits with 1 when something resists, or for an unknown ID.

    For example:

      lifeboat sandbox fault clear

      lifeboat sandbox fault clear f3
    """
    from urllib.parse import quote

    from lifeboat.sandbox.state import SandboxError

    if identifier is not None:
        known = sorted({row["id"] for row in _ask("GET", "faults")["active"]})
        if identifier not in known:
            raise SandboxError(f"ID: {identifier}: there are {', '.join(known) or 'no faults'}")
    with progress() as line:
        line("healing")
        answer = _ask("DELETE", "faults" if identifier is None else f"faults?id={quote(identifier, safe='')}")
    if json:
        show_json(answer)
    else:
        show(f"healed: {', '.join(answer['cleared'])}" if answer["cleared"] else "there was nothing to heal")


def _document(
    kind: str | None, region: str | None, parameters: list[str], for_: str | None, after: str | None
) -> dict[str, Any]:
    from lifeboat.deployment.project import InputError
    from lifeboat.model.settings.yaml12 import load_yaml

    if kind is None:
        raise InputError("name the KIND of a fault, or a --file: lifeboat sandbox fault list shows the kinds")
    document: dict[str, Any] = {"kind": kind}
    for each in parameters:
        name, equals, value = each.partition("=")
        if not equals:
            raise InputError(f"--param: {each}: NAME=VALUE, such as seconds=30")
        document[name] = load_yaml(value)
    durations = {"--for": ("for_s", for_), "--after": ("after_s", after)}
    document.update({name: _seconds(option, text) for option, (name, text) in durations.items() if text is not None})
    return document if region is None else {**document, "region": region}


def _seconds(option: str, text: str) -> int:
    from lifeboat.deployment.project import InputError
    from lifeboat.model.settings.base import parse_duration

    try:
        return parse_duration(text)
    except ValueError as fault:
        raise InputError(f"{option}: {text}: {fault}") from fault


def _read(file: Path) -> object:
    import yaml

    from lifeboat.deployment.project import InputError
    from lifeboat.model.settings.yaml12 import load_yaml

    try:
        found: object = load_yaml(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as fault:
        raise InputError(f"{file}: neither YAML nor JSON: {' '.join(str(fault).split())}") from fault
    return found


def _ask(method: str, name: str, document: object = None) -> Any:  # noqa: ANN401 - each call's own JSON
    from lifeboat.sandbox.supervisor import control

    return control(_running(), method, name, document, deadline=_DEADLINE)


def _running() -> Record:
    from lifeboat.sandbox.state import Directory, SandboxError

    record = Directory.of_project().running()
    if record is None:
        raise SandboxError("no sandbox runs here: lifeboat sandbox up STACK")
    return record
