"""The project in a directory of its own, so that a test's sandbox is not the one that somebody works with."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEEDING_INTERRUPTS = (
    sys.executable,
    "-c",
    (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from lifeboat.cli.main import main; main()"
    ),
)
"""The `lifeboat` command, which Ctrl-C ends although whoever runs the tests in the background has made them, and all
that they start, deaf to it. Undone in the new process itself: a `preexec_fn` forks this one with all its threads, and
may never come back from it."""


def link_project(directory: Path) -> Path:
    """Link everything that a deployment reads into `directory`, which takes the `.sandbox/`."""
    for name in (
        "__main__.py",
        "stacks",
        "components",
        "policies",
        "lifeboat",
        "examples",
        ".venv",
        "policy-suppressions.yaml",
    ):
        (directory / name).symlink_to(ROOT / name)
    for settings in ROOT.glob("Pulumi*.yaml"):
        # Copied: a CLI that makes a stack writes into its settings.
        shutil.copy(settings, directory)
    return directory
