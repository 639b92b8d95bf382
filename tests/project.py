"""The project in a directory of its own, so that a test's sandbox is not the one that somebody works with."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]


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
