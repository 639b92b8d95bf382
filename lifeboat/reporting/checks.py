"""The page behind `lifeboat doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from lifeboat.diagnosis import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from lifeboat.diagnosis import Check

_STYLES = {State.OK: "green", State.OPTIONAL: "yellow", State.MISSING: "bold red", State.DANGER: "bold red"}


def checklist(checks: Sequence[Check]) -> RenderableType:
    """A line per check; what a missing one costs and how to get it below it."""
    table = Table.grid(padding=(0, 2))
    for check in checks:
        table.add_row(Text(check.state, style=_STYLES[check.state]), check.name, Text(check.found))
        if check.costs:
            table.add_row("", "", Text(f"costs: {check.costs}", style="dim"))
        if check.get:
            table.add_row("", "", Text(f"get:   {check.get}", style="dim"))
    return table
