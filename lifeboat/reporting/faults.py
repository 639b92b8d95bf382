"""The pages behind `lifeboat sandbox fault list`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

_STYLES = {"active": "bold red", "failed": "bold red", "scheduled": "yellow"}


def active(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """A line a fault that stands or is to come, as `Faults.list` has them; why one failed below it."""
    table = Table(show_lines=False, pad_edge=False, header_style="bold", box=None)
    for column in ("id", "fault", "state", "since", "until", "parameters"):
        table.add_column(column, overflow="fold")
    for row in rows:
        until = "cleared" if row["until"] is None else _moment(row["until"])
        parameters = " ".join(f"{name}={value}" for name, value in row["parameters"].items())
        state = Text(row["state"], style=_STYLES.get(row["state"], ""))
        table.add_row(row["id"], row["kind"], state, _moment(row["since"]), until, Text(parameters))
        if row["failure"]:
            table.add_row("", "", "", "", "", Text(row["failure"], style="red"))
    return table


def kinds(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Every kind with its parameters, as `fault_documents.catalogue` has them; those that all kinds have come once."""
    every = [{parameter["name"] for parameter in row["parameters"]} for row in rows]
    common = set[str].intersection(*every) if every else set[str]()
    pages: list[RenderableType] = []
    for row in rows:
        pages.append(Text.assemble((row["kind"], "bold"), f"  {row['what']}"))
        pages.append(_parameters([each for each in row["parameters"] if each["name"] not in common]))
    if rows:
        pages.append(Text("each of them", style="bold"))
        pages.append(_parameters([each for each in rows[0]["parameters"] if each["name"] in common]))
    return Group(*pages)


def _parameters(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for row in rows:
        default = "required" if row["required"] else "" if row["default"] is None else str(row["default"])
        table.add_row("", row["name"], Text(default, style="dim"), Text(row["what"]))
    return table


def _moment(seconds: float) -> str:
    """In the reader's own time."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%H:%M:%S")
