"""Nothing of the model needs a machine: no fixture here does I/O beyond reading the repository's own files."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parents[3]
