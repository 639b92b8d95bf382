"""Where things are printed: results to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console, RenderableType

_WIDTH_OF_A_FILE = 140
"""Columns when nobody tells: a pipe or a file has no edge to wrap at."""


def console(stream: TextIO) -> Console:
    """A console on a stream; colour only on a terminal, and not with NO_COLOR."""
    from rich.console import Console

    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_FILE
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def show(renderable: RenderableType) -> None:
    """Print a result."""
    screen = console(sys.stdout)
    if screen.is_terminal:
        screen.print(renderable)
        return
    sys.stdout.write(plain(renderable))


def plain(renderable: RenderableType) -> str:
    """A result as text for a pipe or a file. Tables pad their cells: here are no trailing blanks."""
    screen = console(io.StringIO())
    with screen.capture() as captured:
        screen.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def show_json(document: object) -> None:
    """Print a result as JSON, and nothing else."""
    sys.stdout.write(as_json(document))


def as_json(document: object) -> str:
    """A document as every command prints it."""
    return json.dumps(document, indent=2) + "\n"


def tell(line: str) -> None:
    """Print a message or progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def progress() -> Generator[Callable[[str], None]]:
    """Takes lines of progress: on a terminal one line that changes, elsewhere a line each.

    Lines of steps begin with their number; what else is told stays on a terminal too.
    """
    if not sys.stderr.isatty():
        yield tell
        return
    screen = console(sys.stderr)
    with screen.status("") as status:

        def update(line: str) -> None:
            if line.lstrip()[:1].isdigit():
                status.update(line)
            else:
                screen.print(line, markup=False)

        yield update
