"""The plugin executables that a Pulumi CLI finds on PATH, inside ``sandbox exec`` and nowhere else."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("aws", "random")


def write_executables(directory: Path) -> list[Path]:
    """Write one executable a package, bound to this interpreter.

    Args:
        directory: ``.sandbox/bin``, which exists.

    Returns:
        The files.
    """
    written: list[Path] = []
    for package in PACKAGES:
        path = directory / f"pulumi-resource-{package}"
        # -P: the engine starts plugins in the program's directory, which is no place to import from.
        path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m lifeboat.sandbox.plugin {package} "$@"\n')
        path.chmod(0o700)
        written.append(path)
    return written
